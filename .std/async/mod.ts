// The names of @std/async that this repository uses, typed, over the standard library's own code as npm carries it.
import * as std from "npm:deno-std@1.3.4/async/mod.js";

export const abortable: <T>(promise: Promise<T>, signal: AbortSignal) => Promise<T> = std.abortable;
export const deadline: <T>(
  promise: Promise<T>,
  ms: number,
  options?: { signal?: AbortSignal },
) => Promise<T> = std.deadline;
export const delay: (
  ms: number,
  options?: { signal?: AbortSignal; persistent?: boolean },
) => Promise<void> = std.delay;
export const pooledMap: <T, R>(
  poolLimit: number,
  array: Iterable<T> | AsyncIterable<T>,
  iteratorFn: (data: T) => Promise<R>,
) => AsyncIterableIterator<R> = std.pooledMap;
