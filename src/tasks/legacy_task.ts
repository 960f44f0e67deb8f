/**
 * Tasks of the legacy era: the result is asked for on its own, and questions come on the stream of that answer
 * (specification 2025-11-25, Tasks).
 *
 * @module
 */

import { withoutTaskId } from "../connection/tool_messages.ts";
import { isMCPError } from "../errors.ts";
import type { JsonObject } from "../protocol.ts";
import type { TaskChannel } from "./task_channel.ts";
import { type Task, type TaskState, toTaskFailed } from "./task_state.ts";

const INVALID_PARAMS = -32602;

/** A task of a legacy server. */
export class LegacyTask implements Task {
  readonly #server: string;
  readonly #channel: Pick<TaskChannel, "result">;

  /**
   * Takes a task over; nothing is sent.
   *
   * @param server The server's name.
   * @param channel The way to the task.
   */
  constructor(server: string, channel: Pick<TaskChannel, "result">) {
    this.#server = server;
    this.#channel = channel;
  }

  async advance({ status }: TaskState): Promise<JsonObject | undefined> {
    switch (status) {
      case "working":
        return undefined;
      case "input_required":
      case "completed":
        return await this.#fetch();
      case "failed":
        // A failure may come without saying so itself: a caller that looks at the result alone is to see it.
        return { ...await this.#fetch(), isError: true };
      case "cancelled":
        throw toTaskFailed(this.#server, "was cancelled");
    }
  }

  async #fetch(): Promise<JsonObject> {
    try {
      return withoutTaskId(await this.#channel.result());
    } catch (error) {
      if (!isMCPError(error) || error.rpcCode !== INVALID_PARAMS) throw error;
      throw toTaskFailed(this.#server, "is no longer known", { rpcCode: error.rpcCode, cause: error });
    }
  }
}
