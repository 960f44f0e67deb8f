/**
 * Names within the rules of the model vendors, by an exact table that leads back.
 *
 * @module
 */

/** An injective table of names. */
export interface VendorNames {
  /** The name a vendor accepts, by the name as it was given; in the order in which the names were given. */
  readonly byName: ReadonlyMap<string, string>;
  /** The name as it was given, by the name a vendor accepts. */
  readonly byVendorName: ReadonlyMap<string, string>;
}

/** What vendors accept as the name of a tool: OpenAI 64 characters, Anthropic 128. */
export const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;

const MAX_NAME_CHARS = 64;

/**
 * Builds the table: a name that fits stays as it is, any other becomes its readable part and a hash of all of it. What a
 * name becomes does not depend on the order of the names, and on other names only where two hashes are equal.
 *
 * @example
 * ```ts
 * import { createVendorNames } from "./vendor_names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { byName, byVendorName } = createVendorNames(["search", "files.read"]);
 * assertEquals(byName.get("search"), "search");
 * assertEquals(byVendorName.get(byName.get("files.read")!), "files.read");
 * ```
 *
 * @param names The names; taken as a set.
 * @param accepted What the vendor accepts; it must accept at least what {@linkcode TOOL_NAME} does.
 * @returns The table.
 */
export function createVendorNames(names: readonly string[], accepted = TOOL_NAME): VendorNames {
  const given = new Set(names);
  const taken = new Map<string, string>();
  for (const name of given) if (accepted.test(name)) taken.set(name, name);
  for (const name of [...given].filter((one) => !accepted.test(one)).sort()) {
    let salt = 0;
    let made = makeName(name, salt);
    while (taken.has(made)) made = makeName(name, ++salt);
    taken.set(made, name);
  }
  const made = new Map([...taken].map(([vendorName, name]) => [name, vendorName]));
  return { byName: new Map([...given].map((name) => [name, made.get(name)!])), byVendorName: taken };
}

function makeName(name: string, salt: number): string {
  const hash = hash32(salt === 0 ? name : `${salt}:${name}`).toString(36);
  const words = name.slice(0, 2 * MAX_NAME_CHARS).replace(/[^A-Za-z0-9-]+/g, "_").replace(/^_/, "");
  const stem = words.slice(0, MAX_NAME_CHARS - hash.length - 1).replace(/_$/, "");
  return stem === "" ? `tool_${hash}` : `${stem}_${hash}`;
}

/** FNV-1a; equal hashes are told apart by the caller, so that it need not be cryptographic. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
