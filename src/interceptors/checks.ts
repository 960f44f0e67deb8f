/**
 * Checks of the numbers that interceptors are given.
 *
 * @module
 */

/**
 * Checks a count that a caller gave.
 *
 * @param name The option's name, for the error.
 * @param value The count.
 * @param min The smallest count that makes sense. @default {1}
 * @throws {RangeError} If it is no whole number of at least `min`.
 */
export function checkCount(name: string, value: number, min = 1): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new RangeError(`Cannot use ${name} as a whole number of at least ${min}: ${String(value)}`);
}
