/**
 * Checks of shapes, for configurations: they collect faults with paths instead of failing at the first.
 *
 * @module
 */

import { ConfigError, type ConfigFault } from "../errors.ts";
import { nearestNames } from "../nearest.ts";

const MAX_FAULTS = 1_000;
const MAX_SUGGESTIONS = 20;
const MAX_QUOTED_LENGTH = 64;
const MAX_LISTED_NAMES = 10;

/** The faults found so far. */
export class FaultList {
  readonly #faults: ConfigFault[] = [];
  #count = 0;
  #suggestions = 0;

  /** How many faults were found. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a fault; those after the first 1,000 are counted only.
   *
   * @param path Where the fault is.
   * @param message What is wrong and what to write instead, without secrets.
   */
  add(path: string, message: string): void {
    if (++this.#count <= MAX_FAULTS) this.#faults.push({ path, message });
  }

  /**
   * Adds the fault of a name that is not one of the known ones, with the nearest of those; the first 20 times, as
   * looking for them takes time.
   *
   * @param path Where the name is.
   * @param kind What the name should be one of: `key`, `server`.
   * @param name The name.
   * @param known The known names.
   */
  addUnknown(path: string, kind: string, name: string, known: Iterable<string>): void {
    const names = [...known];
    const near = ++this.#suggestions > MAX_SUGGESTIONS ? [] : nearestNames(name, names, 1);
    if (near.length > 0) return this.add(path, `Unknown ${kind}: did you mean ${near.map(quote)}`);
    const listed = names.slice(0, MAX_LISTED_NAMES).map(quote).join(", ");
    const more = names.length > MAX_LISTED_NAMES ? ", …" : "";
    this.add(
      path,
      names.length === 0 ? `Unknown ${kind}: none is known` : `Unknown ${kind}: known are ${listed}${more}`,
    );
  }

  /**
   * Fails if there are faults.
   *
   * @throws {ConfigError} If there are faults (`invalid_config`).
   */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const further = this.#count - this.#faults.length;
    const rest = further === 0 ? [] : [{ path: "", message: `Further faults that are not listed: ${further}` }];
    throw new ConfigError([...this.#faults, ...rest]);
  }
}

/**
 * Extends a path by a key or an index.
 *
 * @param base The path so far; empty at the top.
 * @param key The key, or the index in a list.
 * @returns The longer path, the key quoted where it is not a plain word.
 */
export function keyPath(base: string, key: string | number): string {
  if (typeof key === "number") return `${base}[${key}]`;
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,127}$/.test(key)) return `${base}[${quote(key)}]`;
  return base === "" ? key : `${base}.${key}`;
}

/**
 * Quotes a name for a fault text.
 *
 * @param name A name of the configuration, never a value.
 * @returns The name in quotes, without control characters, cut at 64 characters.
 */
export function quote(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTED_LENGTH ? `${name.slice(0, MAX_QUOTED_LENGTH)}…` : name);
}

/**
 * Adds the fault of a value of the wrong type.
 *
 * @param value The value; its type alone is told.
 * @param path Where it is.
 * @param wanted What to write instead.
 * @param faults Takes the fault.
 */
export function addWrongType(value: unknown, path: string, wanted: string, faults: FaultList): void {
  faults.add(path, value === undefined ? `Missing: write ${wanted}` : `Cannot be ${typeName(value)}: write ${wanted}`);
}

/**
 * Reads a mapping. Every key is data here, also `__proto__` and `constructor`.
 *
 * @param value Anything.
 * @param path Where it is.
 * @param wanted What to write instead, for the fault.
 * @param faults Takes the fault.
 * @returns The entries whose value is not `undefined`, in order; or `undefined` after a fault.
 */
export function readMapping(
  value: unknown,
  path: string,
  wanted: string,
  faults: FaultList,
): ReadonlyMap<string, unknown> | undefined {
  if (!isPlainObject(value)) {
    addWrongType(value, path, wanted, faults);
    return undefined;
  }
  return new Map(Object.entries(value).filter(([, member]) => member !== undefined));
}

/**
 * Reads a list.
 *
 * @param value Anything.
 * @param path Where it is.
 * @param wanted What to write instead, for the fault.
 * @param faults Takes the fault.
 * @returns The items; or `undefined` after a fault.
 */
export function readList(
  value: unknown,
  path: string,
  wanted: string,
  faults: FaultList,
): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  addWrongType(value, path, wanted, faults);
  return undefined;
}

/**
 * Adds a fault for every key that is not known.
 *
 * @param fields The mapping.
 * @param path Where it is.
 * @param known The known keys.
 * @param faults Takes the faults.
 * @param synonyms Keys that other programs use, with the known key that means the same.
 */
export function checkKeys(
  fields: ReadonlyMap<string, unknown>,
  path: string,
  known: readonly string[],
  faults: FaultList,
  synonyms: ReadonlyMap<string, string> = new Map(),
): void {
  for (const key of fields.keys()) {
    if (known.includes(key)) continue;
    const synonym = synonyms.get(key);
    if (synonym !== undefined) faults.add(keyPath(path, key), `Unknown key: did you mean ${quote(synonym)}`);
    else if (key === "<<") faults.add(keyPath(path, key), "Cannot merge mappings: repeat the keys");
    else faults.addUnknown(keyPath(path, key), "key", key, known);
  }
}

/**
 * Checks the name of a server or an agent.
 *
 * @param name The name.
 * @param maxLength How many characters it may have.
 * @param path Where it is.
 * @param faults Takes the fault.
 * @returns Whether the name may be used.
 */
export function checkName(name: string, maxLength: number, path: string, faults: FaultList): boolean {
  if (name.length <= maxLength && /^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) return true;
  faults.add(path, `Cannot be used as a name: write a letter, then letters, digits, "_" or "-", at most ${maxLength}`);
  return false;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === "[object Object]";
}

function typeName(value: unknown): string {
  if (value === null || value === "") return "empty";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "object":
      return isPlainObject(value) ? "a mapping" : "an object of this kind";
    case "number":
      return Number.isFinite(value) ? "a number" : "a number that is not finite";
    default:
      return `a ${typeof value}`;
  }
}
