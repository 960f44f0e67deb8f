/**
 * What is different between two tool lists.
 *
 * @module
 */

import type { Tool } from "../protocol.ts";

/** The names of the tools that differ. */
export interface ToolDiff {
  /** In the new list alone. */
  readonly added: readonly string[];
  /** In the old list alone. */
  readonly removed: readonly string[];
  /** In both, but not the same. */
  readonly changed: readonly string[];
}

/**
 * Compares two lists.
 *
 * @param before The old list.
 * @param after The new list.
 * @returns What differs, or `undefined` where nothing does. The order of the tools says nothing.
 */
export function diffTools(before: readonly Tool[], after: readonly Tool[]): ToolDiff | undefined {
  const old = new Map(before.map((tool) => [tool.name, tool]));
  const added: string[] = [];
  const changed: string[] = [];
  for (const tool of after) {
    const known = old.get(tool.name);
    old.delete(tool.name);
    if (known === undefined) added.push(tool.name);
    else if (!isSame(known, tool)) changed.push(tool.name);
  }
  const removed = [...old.keys()];
  return added.length + changed.length + removed.length === 0 ? undefined : { added, removed, changed };
}

/** Whether two JSON values are the same; the order of an object's keys says nothing. Lists may have thousands of tools. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = definedKeys(one);
  if (keys.length !== definedKeys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]));
}

function definedKeys(value: Readonly<Record<string, unknown>>): readonly string[] {
  const keys = Object.keys(value);
  return keys.some((key) => value[key] === undefined) ? keys.filter((key) => value[key] !== undefined) : keys;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
