/**
 * JSON values that nobody can change, and texts that are the same for equal values.
 *
 * @module
 */

/** How deep a value may be nested. */
export const MAX_DEPTH = 256;

/**
 * Copies a value and freezes the copy with everything in it. What is neither a plain object nor an array is taken over
 * as it is: JSON has no such thing, and what will become of it is for the client to say.
 *
 * @param value Any value.
 * @returns The frozen copy, or `undefined` where the value holds itself or is nested deeper than 256 levels.
 */
export function toFrozen<T>(value: T): T | undefined {
  try {
    return freeze(value, new Set()) as T;
  } catch (error) {
    if (error instanceof NotATree) return undefined;
    throw error;
  }
}

/**
 * Writes a value as JSON with the keys of all objects in order, so that equal values have equal texts.
 *
 * @param value A value that {@linkcode toFrozen} has copied.
 * @returns The text, or `undefined` where something in the value is no JSON.
 */
export function toCanonicalJson(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const items = value.map(toCanonicalJson);
    return items.includes(undefined) ? undefined : `[${items.join()}]`;
  }
  if (isPlain(value)) {
    const members: string[] = [];
    for (const key of Object.keys(value).sort()) {
      // As in JSON, a member without a value is none.
      if (value[key] === undefined) continue;
      const text = toCanonicalJson(value[key]);
      if (text === undefined) return undefined;
      members.push(`${JSON.stringify(key)}:${text}`);
    }
    return `{${members.join()}}`;
  }
  const isJson = value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
  return isJson ? JSON.stringify(value) : undefined;
}

/**
 * Whether a value is an object as JSON has them: no array, no instance of a class.
 *
 * @param value Any value.
 * @returns Whether it is one.
 */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

class NotATree extends Error {}

function freeze(value: unknown, above: Set<unknown>): unknown {
  const isArray = Array.isArray(value);
  if (!isArray && !isPlain(value)) return value;
  if (above.size === MAX_DEPTH || above.has(value)) throw new NotATree();
  above.add(value);
  const copy = isArray
    ? value.map((item) => freeze(item, above))
    // A member called `__proto__` becomes a member again, not the copy's prototype.
    : Object.fromEntries(Object.entries(value).map(([key, member]) => [key, freeze(member, above)]));
  above.delete(value);
  return Object.freeze(copy);
}
