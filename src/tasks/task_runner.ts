/**
 * Calls that a server runs as tasks: started, asked for, answered, fetched (specification 2025-11-25, Tasks; the
 * extension `io.modelcontextprotocol/tasks` of 2026-07-28). The call itself is sent once; all that follows are reads.
 *
 * @module
 */

import { delay } from "@std/async";
import type { Connection } from "../connection/connection.ts";
import { MAX_TIMER_MS } from "../deadline.ts";
import { isMCPError, MCPError, type MCPErrorCode } from "../errors.ts";
import { InputRequiredError, type InputRound } from "../input_round.ts";
import { toDeadlineError, toOutcomeUnknown } from "../network_errors.ts";
import { isJsonObject, type JsonObject, type Progress, type Tool } from "../protocol.ts";
import type { LinkUse } from "../server/server_link.ts";
import { LegacyTask } from "./legacy_task.ts";
import { ModernTask } from "./modern_task.ts";
import { PollPace } from "./poll_pace.ts";
import { TaskChannel, type TaskChannelDeps } from "./task_channel.ts";
import { TaskProgress } from "./task_progress.ts";
import { type HandedTask, type Task, type TaskState, toTaskFailed, toTaskState } from "./task_state.ts";

/** The name of the extension. */
const TASKS = "io.modelcontextprotocol/tasks";
/** What says to a modern server that it may answer with a task, and that its tasks may be asked for. */
const CAPABILITIES: JsonObject = { extensions: { [TASKS]: {} } };
/** The first protocol version with tasks. */
const FIRST_VERSION = "2025-11-25";
/** How much longer than the call a legacy task is to be kept, in milliseconds. */
const KEEP_MS = 60_000;
/** How many questions in a row may be lost, each with its own retries. */
const MAX_LOST = 5;

/** What tasks are run with. */
export interface TaskRunnerDeps extends Omit<TaskChannelDeps, "capabilities" | "connection" | "use"> {
  /** Has the questions of a modern task handed to the caller. @default {undefined, `responder` answers} */
  readonly round?: InputRound | undefined;
  /** Told of progress, and of what the server says of a task. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** The longest silence that the caller puts up with, in milliseconds. @default {Infinity} */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Told of each task: `over` resolves when nothing of it is under way any more, which may be a second after the call has
   * settled, and never rejects.
   */
  readonly onTask?: ((over: Promise<void>) => void) | undefined;
  /** Waits. @default {A timer} */
  readonly wait?: ((waitMs: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** How one call is sent so that it may become a task. */
export interface TaskSetting {
  /** Parameters of the call besides its own. */
  readonly params: JsonObject;
  /** Capabilities for a modern server. */
  readonly capabilities: JsonObject | undefined;
  /** Of which era the task is that it may become; `undefined` where it cannot become one. */
  readonly era: "legacy" | "modern" | undefined;
  /** The connection that it goes on. */
  readonly connection: Connection;
}

/** Runs the tasks of one call. */
export class TaskRunner {
  readonly #deps: TaskRunnerDeps;
  readonly #progress: TaskProgress;

  /**
   * Creates a runner; nothing is sent.
   *
   * @param deps What tasks are run with.
   */
  constructor(deps: TaskRunnerDeps) {
    this.#deps = deps;
    this.#progress = new TaskProgress(deps.onProgress);
  }

  /** Takes the progress that the server reports for the call itself, so that what is told of its task grows on. */
  get onProgress(): ((progress: Progress) => void) | undefined {
    return this.#progress.take;
  }

  /**
   * How a call is to be sent. A legacy server runs a task where it is asked to, and is asked only where the tool cannot
   * be called otherwise. A modern one decides itself, among clients that declare the extension; to one that is known not
   * to have it, it is not declared.
   *
   * @param tool The tool, where it is known.
   * @param connection The connection that it goes on.
   * @returns What to add to it.
   * @throws {MCPError} With `task_required` if the tool runs only as a task and that cannot be had.
   */
  settingOf(tool: Tool | undefined, connection: Connection): TaskSetting {
    const { server, deadline } = this.#deps;
    const plain: TaskSetting = { params: {}, capabilities: undefined, era: undefined, connection };
    if (connection.era === "modern") {
      const { info } = connection;
      const mayHave = info === undefined || hasMember(info.capabilities, "extensions", TASKS);
      return mayHave ? { ...plain, capabilities: CAPABILITIES, era: "modern" } : plain;
    }
    if (tool === undefined || !needsTask(tool)) return plain;
    if (!runsTasks(connection)) {
      throw new MCPError(
        "task_required",
        `Cannot call tool "${tool.name}" of server "${server}" as it runs only as a task, which the server does not ` +
          `offer: its operator has to declare the capability tasks.requests.tools.call`,
        { server },
      );
    }
    const ttlMs = Math.min(Math.ceil(deadline.remainingMs) + KEEP_MS, MAX_TIMER_MS);
    return { ...plain, params: { task: { ttl: ttlMs } }, era: "legacy" };
  }

  /**
   * Waits for the result where the call became a task. Where that is given up, the server is told so, once.
   *
   * @param result What the server answered to the call.
   * @param setting How it was sent.
   * @param use The call's use of the link, where it has one.
   * @returns The result of the call.
   * @throws {InputRequiredError} If the task asks what the caller answers; it goes on, and is to be gone on with.
   * @throws {MCPError} With `task_failed` if the task failed, was cancelled or is no longer known; with
   * `deadline_exceeded` at the end of the call; with `outcome_unknown` if the server can no longer be asked; with
   * `input_required` if nobody answers what it asks.
   */
  async finish(result: JsonObject, setting: TaskSetting | undefined, use?: LinkUse): Promise<JsonObject> {
    const seed = setting && seedOf(result, setting);
    if (setting === undefined || seed === undefined) return result;
    return await this.#run(toTaskState(seed, this.#deps.server), setting, { use });
  }

  /**
   * Goes on with a task whose questions the caller has answered.
   *
   * @param handed The task.
   * @param connection The connection to go on with.
   * @param use The call's use of the link, where it has one.
   * @returns The result of the call.
   * @throws {InputRequiredError} As {@linkcode TaskRunner.finish}.
   * @throws {MCPError} As {@linkcode TaskRunner.finish}.
   */
  async resume(handed: HandedTask, connection: Connection, use?: LinkUse): Promise<JsonObject> {
    const { server } = this.#deps;
    if (connection.era !== "modern") throw toTaskFailed(server, "is no longer known");
    const state = toTaskState({ taskId: handed.taskId, status: "input_required" }, server);
    const setting = { params: {}, capabilities: CAPABILITIES, era: "modern", connection } as const;
    return await this.#run(state, setting, { use, handed });
  }

  async #run(
    state: TaskState,
    setting: TaskSetting,
    { use, handed }: { readonly use: LinkUse | undefined; readonly handed?: HandedTask },
  ): Promise<JsonObject> {
    const { server, responder, round, deadline, onTask } = this.#deps;
    const { capabilities, connection, era } = setting;
    const roundCapabilities = round?.capabilities;
    const channel = new TaskChannel(state.taskId, { ...this.#deps, roundCapabilities, capabilities, connection, use });
    const task = era === "modern"
      ? new ModernTask({ server, channel, responder, round, handed, deadline })
      : new LegacyTask(server, channel);
    const over = Promise.withResolvers<void>();
    onTask?.(over.promise);
    try {
      const final = await this.#follow(task, channel, state);
      over.resolve();
      return final;
    } catch (error) {
      // The call settles without it. What only asks something goes on.
      over.resolve(error instanceof InputRequiredError ? undefined : channel.cancel());
      throw this.#toCallError(error);
    }
  }

  async #follow(task: Task, channel: TaskChannel, seed: TaskState): Promise<JsonObject> {
    const { deadline, idleTimeoutMs, wait = defaultWait } = this.#deps;
    const pace = new PollPace({ deadline, idleTimeoutMs });
    let state = seed;
    let retryAfterMs: number | undefined;
    this.#progress.say(seed.statusMessage);
    // What is over, or asks something, at once says so in full when it is asked.
    if (seed.status === "working") await wait(pace.next(seed.pollIntervalMs), deadline.signal);
    for (let lost = 0;;) {
      try {
        state = await channel.read();
        this.#progress.say(state.statusMessage);
        const result = await task.advance(state);
        if (result !== undefined) return result;
        lost = 0;
        retryAfterMs = undefined;
      } catch (error) {
        if (!isLost(error) || ++lost > MAX_LOST || deadline.signal.aborted) throw error;
        retryAfterMs = error.retryAfterMs;
        // No answer will come in time: what is known of the outcome is said at once.
        if ((retryAfterMs ?? 0) >= deadline.remainingMs) throw error;
      }
      await wait(pace.next(state.pollIntervalMs, retryAfterMs), deadline.signal);
    }
  }

  /** What the failure of a question means for the call: it was sent, and its task may have run. */
  #toCallError(error: unknown): unknown {
    const { server, deadline } = this.#deps;
    if (deadline.cancelled) return deadline.signal.reason;
    if (deadline.passed) return toDeadlineError(server, "call");
    if (!isMCPError(error) || (SAYS_IT.has(error.code) && !error.retryable)) return error;
    if (error.rpcCode !== undefined && !error.retryable) return error;
    return toOutcomeUnknown(server, "its task could not be asked for any more", error);
  }
}

/** Codes that say what became of a call also where they come of its task. */
const SAYS_IT: ReadonlySet<MCPErrorCode> = new Set([
  "task_failed",
  "input_required",
  "bad_response",
  "too_large",
  "closed",
]);

function defaultWait(waitMs: number, signal: AbortSignal): Promise<void> {
  return delay(waitMs, { signal });
}

/** What the server says of the task that a call became, where it became one. */
function seedOf(result: JsonObject, { era }: TaskSetting): JsonObject | undefined {
  // A legacy server that does not know of tasks passes the wish over and answers the call.
  if (era === "legacy") return isJsonObject(result.task) ? result.task : undefined;
  return era === "modern" && result.resultType === "task" ? result : undefined;
}

function needsTask({ execution }: Tool): boolean {
  return isJsonObject(execution) && execution.taskSupport === "required";
}

/** Whether a legacy server runs calls as tasks. One that was gone on from has not been asked: it is tried. */
function runsTasks({ info, protocolVersion }: Connection): boolean {
  if (info === undefined) return protocolVersion >= FIRST_VERSION;
  return hasMember(info.capabilities, "tasks", "requests", "tools", "call");
}

/** Whether a value has a member, down a path. */
function hasMember(value: unknown, ...path: readonly string[]): boolean {
  let at = value;
  for (const name of path) {
    if (!isJsonObject(at) || !Object.hasOwn(at, name)) return false;
    at = at[name];
  }
  return true;
}

/** Whether a question was lost that may be put again. */
function isLost(error: unknown): error is MCPError {
  return isMCPError(error) && (error.retryable || error.code === "outcome_unknown");
}
