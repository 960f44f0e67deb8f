/**
 * Calls the tools of one server: checks what is sent and what comes back, answers what the server asks in between, and
 * tells how it went.
 *
 * @module
 */

import { declares, type InputResponder } from "../connection/connection.ts";
import { CALL_CAPS } from "../connection/limits.ts";
import { toToolResult } from "../connection/tool_messages.ts";
import type { LogLevel } from "../context.ts";
import type { Deadline } from "../deadline.ts";
import { type Fault, isMCPError, MCPError, toFaultList } from "../errors.ts";
import type { CallEvent, ClientEventListener } from "../events.ts";
import { tell } from "../tell.ts";
import { toPatient } from "./input_responder.ts";
import { askInRounds } from "./input_rounds.ts";
import { toRequestError } from "../network_errors.ts";
import { isJsonObject, type JsonObject, type Tool, type ToolResult } from "../protocol.ts";
import { isPlainlyValid } from "../schema/plain_check.ts";
import type { SchemaChecker } from "../schema/schema_checker.ts";
import type { ServerLink } from "./server_link.ts";
import type { ServerRequests } from "./server_requests.ts";
import type { ServerTools } from "./server_tools.ts";
import { TaskRunner, type TaskSetting } from "../tasks/task_runner.ts";
import { readRoundState } from "../tasks/task_state.ts";
import type { CallToolOptions } from "../tool_client.ts";

/** A schema asks for structured content, whatever it allows that to be (specification: Tools, Output Schema). */
const NO_CONTENT: readonly Fault[] = [{ path: "", message: "Missing: there is no structured content" }];

/** What tools are called with. */
export interface ToolCallerDeps {
  /** The server's name. */
  readonly server: string;
  /** What the server lists. */
  readonly tools: ServerTools;
  /** The way to it. */
  readonly link: Pick<ServerLink, "connector" | "use">;
  /** Runs requests. */
  readonly requests: ServerRequests;
  /** Whether the hints of the tools are believed. */
  readonly trustAnnotations: boolean;
  /** Checks arguments and results; without it nothing is checked. */
  readonly schemas: SchemaChecker;
  /** Which of the two are checked. */
  readonly validate: { readonly arguments: boolean; readonly results: boolean };
  /** Told of each call. */
  readonly onEvent?: ClientEventListener | undefined;
}

/** How a call ends, and who is turned to meanwhile. */
export interface ToolCall {
  /** The end of the call. */
  readonly deadline: Deadline;
  /** How long connecting may take, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** What the caller said of it. */
  readonly options: CallToolOptions;
  /** Answers what the server asks. */
  readonly responder: InputResponder | undefined;
  /** Told of the notices that come with the answer. */
  readonly onNotice: (message: JsonObject) => void;
  /** From which level on a modern server logs the call. */
  readonly logLevel: LogLevel | undefined;
}

/** Calls the tools of one server. */
export class ToolCaller {
  readonly #deps: ToolCallerDeps;
  /** The tasks of which something is under way. */
  readonly #tasks = new Set<Promise<void>>();

  /**
   * Creates a caller; nothing is sent.
   *
   * @param deps What tools are called with.
   */
  constructor(deps: ToolCallerDeps) {
    this.#deps = deps;
  }

  /**
   * Calls a tool.
   *
   * @param name The tool's name at this server.
   * @param args Its arguments.
   * @param call How it ends, and who is turned to meanwhile.
   * @returns What the tool answered.
   * @throws {InputRequiredError} If the server asks what the caller answers.
   * @throws {MCPError} If there is no answer; with `invalid_arguments` if nothing was sent, with `invalid_result` if the
   * answer does not match the tool's schema.
   */
  async call(name: string, args: Readonly<Record<string, unknown>>, call: ToolCall): Promise<ToolResult> {
    const { server, tools, validate } = this.#deps;
    const { deadline } = call;
    const tool = tools.check(name, this.#mayBeHidden(call.responder));
    const argumentsText = toArgumentsText(name, args, server);
    const startedAt = performance.now();
    try {
      if (validate.arguments && tool !== undefined) {
        const faults = await this.#faultsOf(args, tool.inputSchema, deadline);
        if (faults.length > 0) throw toInvalidArguments(name, server, faults);
      }
      const result = toToolResult(await this.#send(name, args as JsonObject, argumentsText, tool, call), server);
      if (validate.results && tool?.outputSchema !== undefined && result.isError !== true) {
        const { structuredContent } = result;
        const faults = structuredContent === undefined
          ? NO_CONTENT
          : await this.#faultsOf(structuredContent, tool.outputSchema, deadline);
        if (faults.length > 0) throw toInvalidResult(name, server, faults);
      }
      this.#tell(name, result.isError === true ? "tool_error" : "ok", startedAt);
      return result;
    } catch (error) {
      const failure = toRequestError(error, { server, phase: "call", deadline });
      this.#tell(name, isMCPError(failure) ? failure.code : "cancelled", startedAt);
      throw failure;
    }
  }

  /** Waits until the servers of tasks have been told that nobody waits for these: a second at most. */
  async close(): Promise<void> {
    await Promise.all(this.#tasks);
  }

  async #faultsOf(value: unknown, schema: JsonObject, deadline: Deadline): Promise<readonly Fault[]> {
    // Most values are seen to be valid at once, and nothing is loaded for them.
    if (isPlainlyValid(schema, value)) return [];
    const verdict = await deadline.race(this.#deps.schemas.check(schema, value));
    return verdict.kind === "invalid" ? verdict.faults : [];
  }

  async #send(
    name: string,
    args: JsonObject,
    argumentsText: string,
    tool: Tool | undefined,
    call: ToolCall,
  ): Promise<JsonObject> {
    const { server, requests, link } = this.#deps;
    const { deadline, connectTimeoutMs, responder, options, onNotice, logLevel } = call;
    const { idleTimeoutMs, trace, round } = options;
    // A silence begins when the call has left: waiting for a turn or a handshake is none of the tool's.
    let heard: (() => void) | undefined;
    const listen = () => {
      if (heard === undefined) heard = deadline.watchSilence(idleTimeoutMs ?? Infinity);
      else heard();
    };
    const onHeard = idleTimeoutMs === undefined ? undefined : listen;
    const headerArguments = tool && { args, inputSchema: tool.inputSchema };
    const input = idleTimeoutMs === undefined ? responder : toPatient(responder, deadline);
    const tasks = new TaskRunner({
      server,
      requests,
      deadline,
      connectTimeoutMs,
      responder: input,
      round,
      onProgress: options.onProgress,
      idleTimeoutMs,
      onHeard,
      onNotice,
      onTask: (over) => {
        this.#tasks.add(over);
        void over.then(() => this.#tasks.delete(over));
      },
    });
    const handed = readRoundState(round?.requestState);
    if (handed !== undefined) {
      using use = link.use(responder);
      return await link.connector.use(deadline, connectTimeoutMs, {}, (connection) => {
        return tasks.resume(handed, connection, use);
      });
    }
    return await askInRounds({
      server,
      params: { name },
      deadline,
      responder: input,
      round,
      send: async (params) => {
        // What is asked beside a task is the call's question, also between two polls.
        using use = link.use(responder);
        let setting: TaskSetting | undefined;
        const result = await requests.run({
          phase: "call",
          deadline,
          connectTimeoutMs,
          responder,
          use,
          repeatable: this.#isRepeatable(tool),
          send: (connection) => {
            setting = tasks.settingOf(tool, connection);
            return connection.request({
              method: "tools/call",
              params: { ...params, ...setting.params },
              argumentsText,
              phase: "call",
              caps: CALL_CAPS,
              deadline,
              onProgress: tasks.onProgress,
              onHeard,
              onNotice,
              input,
              roundCapabilities: round?.capabilities,
              capabilities: setting.capabilities,
              logLevel,
              trace,
              headerArguments,
            });
          },
        });
        return await tasks.finish(result, setting, use);
      },
    });
  }

  /** A legacy server may list a tool only in a session that can answer what the tool asks. */
  #mayBeHidden(responder: InputResponder | undefined): boolean {
    const { connection } = this.#deps.link.connector;
    return responder !== undefined && connection?.era === "legacy" &&
      !declares(connection.declared, responder.capabilities);
  }

  #isRepeatable(tool: Tool | undefined): boolean {
    const { readOnlyHint, idempotentHint } = tool?.annotations ?? {};
    return this.#deps.trustAnnotations && (readOnlyHint === true || idempotentHint === true);
  }

  #tell(tool: string, outcome: CallEvent["outcome"], startedAt: number): void {
    const { server, onEvent } = this.#deps;
    const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
    tell(onEvent, { type: "call", server, tool, outcome, durationMs });
  }
}

/** The arguments as JSON: what is sent is what was checked. */
function toArgumentsText(name: string, args: unknown, server: string): string {
  let cause: unknown;
  try {
    const text = isJsonObject(args) ? JSON.stringify(args) : undefined;
    if (text?.startsWith("{")) return text;
  } catch (error) {
    cause = error;
  }
  throw new MCPError("invalid_arguments", `Cannot call tool "${name}" as its arguments are not a JSON object`, {
    server,
    cause,
  });
}

function toInvalidArguments(name: string, server: string, faults: readonly Fault[]): MCPError {
  return new MCPError(
    "invalid_arguments",
    `Cannot call tool "${name}" of server "${server}" as its arguments do not match its schema:${toFaultList(faults)}`,
    { server, faults },
  );
}

function toInvalidResult(name: string, server: string, faults: readonly Fault[]): MCPError {
  return new MCPError(
    "invalid_result",
    `Cannot use the result of tool "${name}" of server "${server}" as it does not match its schema; the tool ran:${
      toFaultList(faults)
    }`,
    { server, faults },
  );
}
