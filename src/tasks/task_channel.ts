/**
 * Asks a server about one of its tasks. Every question but the cancellation can be repeated without harm.
 *
 * @module
 */

import type { Connection, InputResponder } from "../connection/connection.ts";
import { CALL_CAPS, CLOSE_TIMEOUT_MS } from "../connection/limits.ts";
import { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { LinkUse } from "../server/server_link.ts";
import type { ServerRequests } from "../server/server_requests.ts";
import { type TaskState, toTaskFailed, toTaskState } from "./task_state.ts";

const ASK_TIMEOUT_MS = 10_000;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

/** What a task is asked with. */
export interface TaskChannelDeps {
  /** The server's name. */
  readonly server: string;
  /** Runs requests. */
  readonly requests: Pick<ServerRequests, "run">;
  /** The end of the call. */
  readonly deadline: Deadline;
  /** How long connecting may take, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Answers what the server asks. */
  readonly responder: InputResponder | undefined;
  /**
   * How long one question may take that is answered at once, in milliseconds: a lost one must not cost the whole call.
   * @default {10_000}
   */
  readonly askTimeoutMs?: number | undefined;
  /** Told of notices that come with answers. */
  readonly onNotice: (message: JsonObject) => void;
  /** Told of everything that the server sends. */
  readonly onHeard?: (() => void) | undefined;
  /** What the caller can answer, instead of what `responder` can. @default {undefined, what the responder can} */
  readonly roundCapabilities?: JsonObject | undefined;
  /** Client capabilities for a modern server besides those. */
  readonly capabilities: JsonObject | undefined;
  /** The connection that the call went on. */
  readonly connection: Connection;
  /** The call's use of the link: what is asked beside the task is the call's question. */
  readonly use?: LinkUse | undefined;
}

/** The way to one task. */
export class TaskChannel {
  readonly #deps: TaskChannelDeps;
  readonly #taskId: string;
  #connection: Connection;
  /** Whether the task has ended, or is not known: there is nothing to cancel. */
  #isOver = false;

  /**
   * Creates the way; nothing is sent.
   *
   * @param taskId The task.
   * @param deps What it is asked with.
   */
  constructor(taskId: string, deps: TaskChannelDeps) {
    this.#deps = deps;
    this.#taskId = taskId;
    this.#connection = deps.connection;
  }

  /**
   * Asks where the task stands.
   *
   * @returns Its state.
   * @throws {MCPError} With `task_failed` if the server does not know it any more.
   */
  async read(): Promise<TaskState> {
    const state = toTaskState(await this.#askBriefly("tasks/get", {}), this.#deps.server, this.#taskId);
    this.#isOver = state.status !== "working" && state.status !== "input_required";
    return state;
  }

  /**
   * Gives a modern server what it asked for. What it has been given already it passes over.
   *
   * @param inputResponses The answers by the server's own keys.
   * @throws {MCPError} With `task_failed` if the server does not know the task any more.
   */
  async update(inputResponses: JsonObject): Promise<void> {
    await this.#askBriefly("tasks/update", { inputResponses });
  }

  /**
   * Asks a legacy server for the result. It answers once there is one; until then, it may ask things.
   *
   * @returns What the call would have answered.
   * @throws {MCPError} What the call would have thrown.
   */
  async result(): Promise<JsonObject> {
    const { requests, deadline, connectTimeoutMs, responder, onHeard, use } = this.#deps;
    return await requests.run({
      // It lasts as long as the tool does: that it is slow says nothing of the transport.
      phase: "call",
      repeatable: true,
      deadline,
      connectTimeoutMs,
      responder,
      use,
      send: (connection) => this.#send(connection, "tasks/result", {}, { phase: "call", deadline, onHeard }),
    });
  }

  /**
   * Tells the server that nobody waits for the task any more, where it has not ended: once, and for a second at most.
   * Never rejects.
   */
  async cancel(): Promise<void> {
    const connection = this.#connection;
    if (this.#isOver || !takesCancel(connection)) return;
    using deadline = new Deadline(CLOSE_TIMEOUT_MS);
    // Not behind the breaker, in the queue or among the retries of the others: it is a good-bye.
    await this.#send(connection, "tasks/cancel", {}, { phase: "read", deadline }).catch(() => {});
  }

  async #askBriefly(method: string, params: JsonObject): Promise<JsonObject> {
    const { server, requests, connectTimeoutMs, onHeard, use, askTimeoutMs = ASK_TIMEOUT_MS } = this.#deps;
    using deadline = new Deadline(askTimeoutMs, { parent: this.#deps.deadline });
    try {
      const answer = await requests.run({
        phase: "read",
        deadline,
        connectTimeoutMs,
        use,
        send: (connection) => this.#send(connection, method, params, { phase: "read", deadline }),
      });
      onHeard?.();
      return answer;
    } catch (error) {
      const failure = toAskError(error, server);
      this.#isOver ||= isMCPError(failure) && failure.code === "task_failed";
      throw failure;
    }
  }

  #send(
    connection: Connection,
    method: string,
    params: JsonObject,
    how: { readonly phase: "read" | "call"; readonly deadline: Deadline; readonly onHeard?: (() => void) | undefined },
  ): Promise<JsonObject> {
    const { responder, roundCapabilities, onNotice, capabilities } = this.#deps;
    this.#connection = connection;
    return connection.request({
      method,
      params: { taskId: this.#taskId, ...params },
      caps: CALL_CAPS,
      onNotice,
      input: responder,
      roundCapabilities,
      capabilities,
      ...how,
    });
  }
}

/** Whether the server can be told; a legacy one says so where it was asked. */
function takesCancel({ era, info }: Connection): boolean {
  if (era === "modern" || info === undefined) return true;
  const { tasks } = info.capabilities;
  return isJsonObject(tasks) && tasks.cancel !== undefined;
}

/** A server that stumbles may be asked again; one that refuses does not know the task. */
function toAskError(error: unknown, server: string): unknown {
  if (!isMCPError(error) || error.rpcCode === undefined) return error;
  const { rpcCode } = error;
  if (rpcCode === INTERNAL_ERROR) {
    const message = `Cannot ask server "${server}" for a task as it answered with the JSON-RPC error ${rpcCode}`;
    return new MCPError("upstream_error", message, { server, rpcCode, retryable: true, cause: error });
  }
  const why = rpcCode === INVALID_PARAMS ? "is no longer known" : `cannot be asked for: JSON-RPC error ${rpcCode}`;
  return toTaskFailed(server, why, { rpcCode, cause: error });
}
