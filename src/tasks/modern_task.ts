/**
 * Tasks of the modern era: questions and the result stand in the state itself (the extension
 * `io.modelcontextprotocol/tasks`, SEP-2663).
 *
 * @module
 */

import type { InputResponder } from "../connection/connection.ts";
import { checkResultType } from "../connection/tool_messages.ts";
import type { Deadline } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import type { InputRound } from "../input_round.ts";
import { answerAll, MAX_ROUNDS, toInputRequired } from "../server/input_rounds.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import type { TaskChannel } from "./task_channel.ts";
import { type HandedTask, type Task, type TaskState, toRoundState, toTaskFailed } from "./task_state.ts";

/** How many questions may be open at once. */
const MAX_QUESTIONS = 32;

/** What a task is advanced with. */
export interface ModernTaskDeps {
  /** The server's name. */
  readonly server: string;
  /** The way to the task. */
  readonly channel: Pick<TaskChannel, "update">;
  /** Answers what the server asks. */
  readonly responder: InputResponder | undefined;
  /** Has its questions handed to the caller. @default {undefined, `responder` answers} */
  readonly round?: InputRound | undefined;
  /** What was answered in the rounds before this one. @default {undefined, this is the first} */
  readonly handed?: HandedTask | undefined;
  /** The end of the call. */
  readonly deadline: Deadline;
}

/** A task of a modern server. */
export class ModernTask implements Task {
  readonly #deps: ModernTaskDeps;
  /** The keys of what has been answered: a server goes on asking until it has taken the answer in. */
  readonly #answered = new Set<string>();
  /** Answers of which it is not known whether they arrived; nobody is asked a second time for them. */
  readonly #unsent = new Map<string, JsonValue>();
  #rounds = 0;

  /**
   * Takes a task over; nothing is sent.
   *
   * @param deps What it is advanced with.
   */
  constructor(deps: ModernTaskDeps) {
    this.#deps = deps;
    const { round, handed } = deps;
    if (handed === undefined) return;
    for (const key of handed.answered) this.#answered.add(key);
    this.#keep(round?.inputResponses ?? {});
  }

  async advance({ taskId, status, fields }: TaskState): Promise<JsonObject | undefined> {
    const { server } = this.#deps;
    switch (status) {
      case "working":
        return undefined;
      case "input_required":
        await this.#answer(fields.inputRequests, taskId);
        return undefined;
      case "completed":
        if (!isJsonObject(fields.result)) throw malformed(server, "its task is completed without a result");
        // Anything else than a complete result would have the call sent again, and the tool has run.
        checkResultType(fields.result, server);
        return fields.result;
      case "failed":
        throw toRunError(fields.error, server);
      case "cancelled":
        throw toTaskFailed(server, "was cancelled");
    }
  }

  async #answer(questions: JsonValue | undefined, taskId: string): Promise<void> {
    const { server, channel, round } = this.#deps;
    if (!isJsonObject(questions)) throw malformed(server, "its questions are malformed");
    const open = Object.entries(questions);
    if (open.length > MAX_QUESTIONS) {
      throw new MCPError("too_large", `Cannot answer server "${server}" as it asks too much at once`, { server });
    }
    const fresh = open.filter(([key]) => !this.#answered.has(key));
    if (fresh.length > 0 && round === undefined) {
      if (++this.#rounds > MAX_ROUNDS) {
        const why = `its task asks for input again after ${MAX_ROUNDS} rounds`;
        throw new MCPError("input_required", `Cannot finish the call to server "${server}" as ${why}`, { server });
      }
      this.#keep(await answerAll(Object.fromEntries(fresh), this.#deps));
    }
    if (this.#unsent.size > 0) {
      await channel.update(Object.fromEntries(this.#unsent));
      this.#unsent.clear();
    }
    if (fresh.length === 0 || round === undefined) return;
    const answered = open.map(([key]) => key).filter((key) => this.#answered.has(key));
    const requestState = toRoundState({ taskId, answered });
    throw toInputRequired(round, { server, inputRequests: Object.fromEntries(fresh), requestState });
  }

  #keep(answers: JsonObject): void {
    for (const [key, answer] of Object.entries(answers)) {
      this.#answered.add(key);
      this.#unsent.set(key, answer);
    }
  }
}

/** What ended the call at the server, as if the call itself had been answered with it. */
function toRunError(error: JsonValue | undefined, server: string): MCPError {
  const rpcCode = isJsonObject(error) ? error.code : undefined;
  if (typeof rpcCode !== "number") return toTaskFailed(server, "failed");
  const message = `Cannot finish the call to server "${server}" as its task failed with the JSON-RPC error ${rpcCode}`;
  return new MCPError("upstream_error", message, { server, rpcCode });
}

function malformed(server: string, why: string): MCPError {
  return new MCPError("bad_response", `Cannot use the answer of server "${server}" as ${why}`, { server });
}
