/**
 * Numbers that a caller writes into the query of a URL.
 *
 * @module
 */

import { RequestError } from "./request_error.ts";

/**
 * Reads a count.
 *
 * @param name The parameter's name.
 * @param text What the caller wrote; `undefined` where it wrote nothing.
 * @param otherwise What it is then.
 * @param max The most it may be.
 * @returns The count, at least 1.
 * @throws {RequestError} If it is none: `invalid_request`.
 */
export function readCount(name: string, text: string | undefined, otherwise: number, max: number): number {
  if (text === undefined) return otherwise;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= max) return count;
  throw new RequestError("invalid_request", `Cannot use "${name}" as a number: send one from 1 to ${max}`);
}
