/**
 * The port: what one server, all servers of an agent, and anything that wraps them have in common.
 *
 * @module
 */

import type { LogLevel, LogMessage } from "./context.ts";
import type { InputHandlers } from "./input.ts";
import type { InputRound } from "./input_round.ts";
import type { Progress, Tool, ToolResult } from "./protocol.ts";

/**
 * What a caller may say of any request.
 *
 * @example
 * ```ts
 * import { type RequestOptions, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const options: RequestOptions = { timeoutMs: 2_000, signal: AbortSignal.abort("The user went away") };
 * await using client = new SingleServerMCPClient("files", { url: "http://localhost:9/mcp" });
 * assertEquals(await client.listTools(options).catch((reason) => reason), "The user went away");
 * ```
 */
export interface RequestOptions {
  /** The longest the request may take, all its steps included, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Aborting it cancels the request; its reason is rethrown unchanged. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a caller may say of a tool call.
 *
 * @example
 * ```ts
 * import type { CallToolOptions, ToolClient, ToolResult } from "@portolan/mcp";
 *
 * const options: CallToolOptions = {
 *   timeoutMs: 600_000,
 *   idleTimeoutMs: 30_000,
 *   onProgress: ({ progress, total }) => console.log(`${progress} of ${total ?? "?"}`),
 * };
 * const copyAll = (client: ToolClient): Promise<ToolResult> => client.callTool("copy_all", { to: "backup" }, options);
 * ```
 */
export interface CallToolOptions extends RequestOptions {
  /** Told of the progress that the server reports. What it throws is ignored. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * The longest silence while the call runs, in milliseconds. Progress ends a silence, and none is counted
   * while a person is asked; neither prolongs `timeoutMs`.
   * @default {undefined, a call may be silent as long as it may last}
   */
  readonly idleTimeoutMs?: number | undefined;
  /** The trace that the call belongs to, passed on to the server as headers and in `_meta`. */
  readonly trace?: TraceContext | undefined;
  /**
   * Answers what the server asks while the call runs, instead of the client's own handlers. A person takes time: give
   * the call a `timeoutMs` or an `inputTimeoutMs` to match. Over the old SSE transport nobody knows to which of several calls a question
   * belongs: where they have different handlers, it is refused.
   */
  readonly input?: InputHandlers | undefined;
  /**
   * How long the time of the call stands still, in all, while `input` is asked, in milliseconds: the call may last that
   * much longer than `timeoutMs`, or than its server is given.
   * @default {undefined, the time goes on}
   */
  readonly inputTimeoutMs?: number | undefined;
  /**
   * Has what a server of the modern era asks handed to the caller, as an `InputRequiredError`, instead of answered by
   * `input`; a legacy server knows no rounds, and `input` is what answers it. @default {undefined, `input` answers}
   */
  readonly round?: InputRound | undefined;
  /** Told of the log messages of this call, besides the client's own `onLog`. What it throws is ignored. */
  readonly onLog?: ((message: LogMessage) => void) | undefined;
  /** From which level on a server of the modern era logs this call. @default {The client's `logLevel`} */
  readonly logLevel?: LogLevel | undefined;
}

/**
 * A trace (W3C Trace Context; specification 2026-07-28, Overview, `_meta`).
 *
 * @example
 * ```ts
 * import type { CallToolOptions, TraceContext } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toOptions = ({ headers }: Request): CallToolOptions => {
 *   const traceparent = headers.get("traceparent");
 *   const trace: TraceContext | undefined = traceparent === null ? undefined : { traceparent };
 *   return { trace };
 * };
 * assertEquals(toOptions(new Request("http://localhost")), { trace: undefined });
 * ```
 */
export interface TraceContext {
  /** The header `traceparent`. */
  readonly traceparent: string;
  /** The header `tracestate`. */
  readonly tracestate?: string | undefined;
}

/**
 * Lists and calls tools. One server, or many behind one name: the caller cannot tell.
 *
 * @example One for tests
 * ```ts
 * import type { Tool, ToolClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const echo: Tool = { name: "echo", inputSchema: { type: "object" } };
 * const client: ToolClient = {
 *   listTools: () => Promise.resolve([echo]),
 *   callTool: (_name, args) => Promise.resolve({ content: [{ type: "text", text: JSON.stringify(args) }] }),
 *   close: () => Promise.resolve(),
 *   [Symbol.asyncDispose]: () => Promise.resolve(),
 * };
 * assertEquals((await client.callTool("echo", { n: 1 })).content, [{ type: "text", text: '{"n":1}' }]);
 * ```
 */
export interface ToolClient extends AsyncDisposable {
  /**
   * The tools that can be called.
   *
   * @param options Deadline and cancellation.
   * @returns Every tool, under the name to call it by.
   * @throws {MCPError} If no list could be had.
   */
  listTools(options?: RequestOptions): Promise<readonly Tool[]>;
  /**
   * Calls a tool. Sent at most once: a call whose answer was lost is `outcome_unknown`, and repeated only
   * where that is provably harmless.
   *
   * @param name The name under which the tool is listed.
   * @param args The arguments, a JSON object.
   * @param options Deadline, cancellation, progress.
   * @returns What the tool answered, also where it answered `isError: true`.
   * @throws {MCPError} If there is no answer.
   */
  callTool(name: string, args?: Readonly<Record<string, unknown>>, options?: CallToolOptions): Promise<ToolResult>;
  /** Frees everything the client opened. Idempotent. */
  close(): Promise<void>;
}
