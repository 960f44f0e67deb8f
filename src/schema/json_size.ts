/**
 * How large a value is, found out without writing it down.
 *
 * @module
 */

import { isJsonObject } from "../protocol.ts";

/** How large a value may be. */
export interface JsonLimits {
  /** How many characters of JSON, roughly: all texts and keys, and one for everything else. */
  readonly maxChars: number;
  /** How many values, itself and those in it. */
  readonly maxNodes: number;
  /** How many levels. */
  readonly maxDepth: number;
}

/**
 * Looks through a value, no further than its limits.
 *
 * @param value Anything, also with cycles.
 * @param limits What it may not pass.
 * @returns Whether it is JSON as it stands (`plain`), is not but may be written as JSON (`foreign`), or passes a limit.
 */
export function sizeUp(value: unknown, limits: JsonLimits): "plain" | "foreign" | "too_large" | "too_deep" {
  const { maxChars, maxNodes, maxDepth } = limits;
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 1 }];
  let [chars, nodes, foreign] = [0, 1, false];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { value, depth } = next;
    chars += typeof value === "string" ? value.length : 1;
    if (depth > maxDepth) return "too_deep";
    if (typeof value === "object" && value !== null) {
      const keys = Array.isArray(value) ? undefined : Object.keys(value);
      nodes += keys === undefined ? (value as unknown[]).length : keys.length;
      if (nodes > maxNodes) return "too_large";
      if (!isPlain(value)) foreign = true;
      for (const key of keys ?? []) chars += key.length;
      const members: unknown[] = keys === undefined ? value as unknown[] : Object.values(value);
      for (const member of members) stack.push({ value: member, depth: depth + 1 });
    } else if (!isJsonPrimitive(value)) {
      foreign = true;
    }
    if (chars > maxChars) return "too_large";
  }
  return foreign ? "foreign" : "plain";
}

function isPlain(value: object): boolean {
  if ("toJSON" in value && typeof value.toJSON === "function") return false;
  if (!isJsonObject(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  // An object of another realm is as plain as ours.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isJsonPrimitive(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value));
}
