/**
 * What a server says of a task, checked, in both eras (specification 2025-11-25, Tasks, Data Types; the extension
 * `io.modelcontextprotocol/tasks`, Tasks).
 *
 * @module
 */

import { MCPError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";

/** How long the id of a task may be, in characters: it is sent back with every question, as a header too. */
export const MAX_TASK_ID_CHARS = 1_024;

/** Where a task stands; the last three are final. */
export type TaskStatus = "working" | "input_required" | "completed" | "failed" | "cancelled";

/** What the state of a round begins with that belongs to a task: the caller sends it back as it is. */
const ROUND_PREFIX = "portolan.task:";

/** What a server says of a task. */
export interface TaskState {
  /** The server's own name for it. */
  readonly taskId: string;
  /** Where it stands. */
  readonly status: TaskStatus;
  /** What the server says of that, in its own words. */
  readonly statusMessage: string | undefined;
  /** How long the server wants not to be asked again, in milliseconds, as it says it: any number. */
  readonly pollIntervalMs: number | undefined;
  /** Everything that it says. */
  readonly fields: JsonObject;
}

/** A task of one era. */
export interface Task {
  /**
   * Does what the state asks for.
   *
   * @param state The state, just read.
   * @returns The result of the call, or `undefined` where it is to be waited for.
   * @throws {MCPError} If there will be none.
   */
  advance(state: TaskState): Promise<JsonObject | undefined>;
}

const STATUSES: ReadonlySet<JsonValue | undefined> = new Set(
  ["working", "input_required", "completed", "failed", "cancelled"] satisfies TaskStatus[],
);

/**
 * Checks what a server says of a task.
 *
 * @param task What it says.
 * @param server Its name, for the error.
 * @param taskId The task that was asked for, where one was.
 * @returns The state.
 * @throws {MCPError} With `bad_response` if it is malformed or of another task.
 */
export function toTaskState(task: JsonValue | undefined, server: string, taskId?: string): TaskState {
  const fields = isJsonObject(task) ? task : {};
  const { status, statusMessage } = fields;
  const id = fields.taskId ?? taskId;
  const intervalMs = fields.pollIntervalMs ?? fields.pollInterval;
  const isId = typeof id === "string" && id !== "" && id.length <= MAX_TASK_ID_CHARS;
  if (!isId || !STATUSES.has(status)) {
    throw malformed(server, "what it says of a task is malformed");
  }
  if (taskId !== undefined && id !== taskId) throw malformed(server, "it is of another task than was asked for");
  return {
    taskId: id,
    status: status as TaskStatus,
    statusMessage: typeof statusMessage === "string" ? statusMessage : undefined,
    pollIntervalMs: typeof intervalMs === "number" ? intervalMs : undefined,
    fields,
  };
}

/** A task whose questions the caller answers. */
export interface HandedTask {
  /** The server's own name for it. */
  readonly taskId: string;
  /** The keys of questions that were answered already, and that the server has not taken in. */
  readonly answered: readonly string[];
}

/**
 * The state of a round that belongs to a task.
 *
 * @param task The task.
 * @returns What the caller sends back with the answers.
 */
export function toRoundState({ taskId, answered }: HandedTask): string {
  return ROUND_PREFIX + JSON.stringify([taskId, ...answered]);
}

/**
 * The task to which the state of a round belongs.
 *
 * @param state What the caller sends back.
 * @returns The task, or `undefined` where it is a state of the server's own.
 */
export function readRoundState(state: string | undefined): HandedTask | undefined {
  if (state?.startsWith(ROUND_PREFIX) !== true) return undefined;
  try {
    const [taskId, ...answered]: readonly unknown[] = JSON.parse(state.slice(ROUND_PREFIX.length));
    const isText = (part: unknown): part is string => typeof part === "string";
    return isText(taskId) && answered.every(isText) ? { taskId, answered } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The error of a task that has no result.
 *
 * @param server The server that ran it.
 * @param why Why there is none.
 * @param options The JSON-RPC code that says so, and the error underneath.
 * @returns An `MCPError` with the code `task_failed`.
 */
export function toTaskFailed(
  server: string,
  why: string,
  options: { readonly rpcCode?: number | undefined; readonly cause?: unknown } = {},
): MCPError {
  return new MCPError("task_failed", `Cannot finish the call to server "${server}" as its task ${why}`, {
    server,
    ...options,
  });
}

function malformed(server: string, why: string): MCPError {
  return new MCPError("bad_response", `Cannot use the answer of server "${server}" as ${why}`, { server });
}
