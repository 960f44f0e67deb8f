/**
 * Numbers and times that a caller writes.
 *
 * @module
 */

import { parseKeyEnd } from "../config/key_config.ts";
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

/**
 * Reads a time.
 *
 * @param name What the caller calls it.
 * @param value What the caller wrote; `undefined` where it wrote nothing.
 * @returns The time, in milliseconds since the epoch; `undefined` where nothing was written.
 * @throws {RequestError} If it is none: `invalid_request`.
 */
export function readTime(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const timeMs = typeof value === "string" ? parseKeyEnd(value) : undefined;
  if (timeMs !== undefined) return timeMs;
  throw new RequestError(
    "invalid_request",
    `Cannot use "${name}" as a time: send an ISO date, or a date with a time and a zone`,
  );
}
