/**
 * References within a schema.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";

/**
 * Looks up what a `$ref` within a schema stands for.
 *
 * @param root The whole schema.
 * @param reference The reference; only pointers into the schema itself (`#/…`) are followed.
 * @returns What is there, or `undefined` where nothing is.
 */
export function lookUp(root: JsonObject, reference: string): JsonValue | undefined {
  if (!reference.startsWith("#/")) return undefined;
  let found: JsonValue | undefined = root;
  for (const part of reference.slice(2).split("/")) {
    const [key] = readKeys(part).filter((one) => isJsonObject(found) && Object.hasOwn(found, one));
    if (Array.isArray(found)) found = /^\d+$/.test(part) ? found[Number(part)] : undefined;
    else if (isJsonObject(found) && key !== undefined) found = found[key];
    else return undefined;
  }
  return found;
}

/**
 * Changes a `$ref` that leads to or through an argument that has another name now.
 *
 * @param reference The reference.
 * @param names The new names by the old ones.
 * @returns The reference to the same argument, or what was given where it leads to none of them.
 */
export function renameReference(reference: string, names: ReadonlyMap<string, string>): string {
  const [hash, properties, part, ...rest] = reference.split("/");
  if (hash !== "#" || properties !== "properties" || part === undefined) return reference;
  const name = readKeys(part).map((key) => names.get(key)).find((one) => one !== undefined);
  return name === undefined ? reference : [hash, properties, name, ...rest].join("/");
}

/** The keys that a part of a pointer can mean: many servers leave out what a URI would have to escape. */
function readKeys(part: string): readonly string[] {
  const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return [key, decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")];
  } catch {
    return [key];
  }
}
