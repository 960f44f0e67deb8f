/**
 * Telling a caller's function of something.
 *
 * @module
 */

/**
 * Tells a function of what has happened. What it throws, or rejects with where it is asynchronous after all, is ignored:
 * else it could end the work that it is told of, and a server the process by what it sends.
 *
 * @param listener Whom to tell; `undefined` is nobody.
 * @param value What is told.
 */
export function tell<T>(listener: ((value: T) => void) | undefined, value: T): void {
  try {
    const answer: unknown = listener?.(value);
    if (answer instanceof Promise) answer.catch(() => {});
  } catch {
    // The work goes on.
  }
}
