/**
 * What a configuration says under `limits`: its type and its checks.
 *
 * @module
 */

import { addWrongType, checkKeys, keyPath, readMapping } from "../config/config_checks.ts";
import { type FieldCheck, readScalar } from "../config/server_fields.ts";

/**
 * How much of an agent may be used through the gateway. Calls are those of tools, each of a batch by itself, readings of
 * resources, prompts and completions; lists and status cost nothing. A limit that is left out or `0` is none.
 *
 * @example
 * ```ts
 * import { type CallLimits, MCPClientManager } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const limits: CallLimits = { callsPerMinute: 600, callsPerMinutePerCaller: 60, concurrentCallsPerCaller: 4 };
 * await using manager = new MCPClientManager({ agents: { Kairos: { servers: {}, limits } } });
 * assertEquals(manager.agents, ["Kairos"]);
 * ```
 */
export interface CallLimits {
  /**
   * How many calls all callers of the agent may make in any minute, on all isolates together and to within what they
   * have leased. @default {no limit}
   */
  readonly callsPerMinute?: number | undefined;
  /** How many calls each caller of the agent may make in any minute, likewise. @default {no limit} */
  readonly callsPerMinutePerCaller?: number | undefined;
  /** How many calls of the agent may be under way at once in one isolate. @default {no limit} */
  readonly concurrentCalls?: number | undefined;
  /** How many calls of each caller of the agent may be under way at once in one isolate. @default {no limit} */
  readonly concurrentCallsPerCaller?: number | undefined;
  /**
   * How many calls an isolate takes from the store at once, at most: fewer make the limits a minute more exact, more
   * ask the store less often. `0` is the default. @default {a twentieth of the limit a minute}
   */
  readonly callsPerLease?: number | undefined;
}

/** The names of all limits. */
export const LIMIT_NAMES = [
  "callsPerMinute",
  "callsPerMinutePerCaller",
  "concurrentCalls",
  "concurrentCallsPerCaller",
  "callsPerLease",
] as const satisfies readonly (keyof CallLimits)[];

/** The largest limit. */
export const MAX_CALLS = 1_000_000;

/**
 * Checks limits.
 *
 * @param value The limits as they were written.
 * @param path Where they are.
 * @param check The environment, and who takes the faults.
 * @returns The limits that were given; or `undefined` where there are none, or after a fault.
 */
export function checkLimits(value: unknown, path: string, check: FieldCheck): CallLimits | undefined {
  if (value === undefined) return undefined;
  const fields = readMapping(value, path, 'a mapping with limits such as "callsPerMinute"', check.faults);
  if (fields === undefined) return undefined;
  checkKeys(fields, path, LIMIT_NAMES, check.faults);
  const limits: Record<string, number> = {};
  for (const name of LIMIT_NAMES) {
    const limit = checkLimit(fields.get(name), keyPath(path, name), check);
    if (limit !== undefined) limits[name] = limit;
  }
  return limits;
}

/**
 * Tells whether a number may be a limit.
 *
 * @param value Anything.
 * @returns Whether it is a whole number from 0 to 1,000,000.
 */
export function isLimit(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_CALLS;
}

function checkLimit(value: unknown, path: string, check: FieldCheck): number | undefined {
  const limit = readScalar(value, path, check);
  if (limit === undefined || isLimit(limit)) return limit;
  const wanted = `a whole number from 1 to ${MAX_CALLS}, or 0 for no limit`;
  // The number is not told, as it may have come from the environment.
  if (typeof limit === "number") check.faults.add(path, `Cannot be a limit as it is out of range: write ${wanted}`);
  else addWrongType(limit, path, wanted, check.faults);
  return undefined;
}
