/**
 * A batch of calls: what its body may say.
 *
 * @module
 */

import type { Fault } from "../errors.ts";
import { RequestError } from "../gateway/request_error.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { isIdempotencyKey, MAX_KEY_CHARS } from "./idempotency_key.ts";

/** The most calls of one batch. */
export const MAX_BATCH_CALLS = 64;
/** The most calls of one batch that run at once. */
export const MAX_BATCH_CONCURRENCY = 16;
/** How many calls of one batch run at once where nobody says. */
export const DEFAULT_BATCH_CONCURRENCY = 8;
/** The most characters of a call's id. */
export const MAX_ID_CHARS = 128;

/** One call of a batch. */
export interface BatchCall {
  /** What its caller calls it. */
  readonly id: string | undefined;
  /** The tool. */
  readonly tool: string;
  /** The arguments. */
  readonly args: JsonObject;
  /** Its idempotency key. */
  readonly idempotencyKey: string | undefined;
}

/** A batch. */
export interface Batch {
  /** The calls, in order. */
  readonly calls: readonly BatchCall[];
  /** How many run at once. */
  readonly concurrency: number;
}

const BATCH_KEYS: ReadonlySet<string> = new Set(["calls", "concurrency"]);
const CALL_KEYS: ReadonlySet<string> = new Set(["tool", "arguments", "id", "idempotencyKey"]);

/**
 * Reads the body of a batch.
 *
 * @param body The body.
 * @returns The batch.
 * @throws {RequestError} If it has faults: `invalid_batch`, with all of them.
 */
export function parseBatch(body: JsonObject): Batch {
  const faults: Fault[] = [];
  const { calls, concurrency = DEFAULT_BATCH_CONCURRENCY } = body;
  addUnknown(body, BATCH_KEYS, "", faults);
  if (!isCount(concurrency)) {
    faults.push({ path: "concurrency", message: `Write an integer from 1 to ${MAX_BATCH_CONCURRENCY}` });
  }
  if (!Array.isArray(calls) || calls.length < 1 || calls.length > MAX_BATCH_CALLS) {
    faults.push({ path: "calls", message: `Write a list of 1 to ${MAX_BATCH_CALLS} calls` });
  }
  const parsed = Array.isArray(calls)
    ? calls.slice(0, MAX_BATCH_CALLS).map((call, index) => parseCall(call, `calls[${index}]`, faults))
    : [];
  if (faults.length > 0 || !isCount(concurrency)) {
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    throw new RequestError("invalid_batch", `Cannot use the body as a batch of calls as it has ${count}`, { faults });
  }
  return { calls: parsed, concurrency };
}

function parseCall(value: JsonValue, path: string, faults: Fault[]): BatchCall {
  const nothing = { id: undefined, tool: "", args: {}, idempotencyKey: undefined };
  if (!isJsonObject(value)) {
    faults.push({ path, message: "Write an object with `tool` and `arguments`" });
    return nothing;
  }
  const { tool, arguments: args = {}, id, idempotencyKey } = value;
  addUnknown(value, CALL_KEYS, `${path}.`, faults);
  const isTool = typeof tool === "string" && tool !== "";
  if (!isTool) faults.push({ path: `${path}.tool`, message: "Write the name of a tool" });
  if (!isJsonObject(args)) faults.push({ path: `${path}.arguments`, message: "Write a JSON object" });
  const isId = id === undefined || (typeof id === "string" && id.length <= MAX_ID_CHARS);
  if (!isId) faults.push({ path: `${path}.id`, message: `Write a text of at most ${MAX_ID_CHARS} characters` });
  const isKey = idempotencyKey === undefined ||
    (typeof idempotencyKey === "string" && isIdempotencyKey(idempotencyKey));
  if (!isKey) {
    const message = `Write 1 to ${MAX_KEY_CHARS} printable ASCII characters`;
    faults.push({ path: `${path}.idempotencyKey`, message });
  }
  return isTool && isJsonObject(args) && isId && isKey ? { id, tool, args, idempotencyKey } : nothing;
}

function addUnknown(value: JsonObject, known: ReadonlySet<string>, prefix: string, faults: Fault[]): void {
  const unknown = Object.keys(value).filter((key) => !known.has(key));
  if (unknown.length === 0) return;
  // Not the names themselves: they may be as long as the body.
  const names = [...known].map((name) => `\`${name}\``).join(", ");
  faults.push({ path: prefix.slice(0, -1), message: `Leave out all members but ${names}` });
}

function isCount(value: JsonValue): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_BATCH_CONCURRENCY;
}
