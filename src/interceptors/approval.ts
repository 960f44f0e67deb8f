/**
 * Asks before a tool is called.
 *
 * @module
 */

import { abortable } from "@std/async";
import { checkTimeout } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import type { Tool } from "../protocol.ts";
import { checkCount } from "./checks.ts";
import { toCanonicalJson } from "../frozen_json.ts";
import type { Interceptor } from "./interceptor.ts";
import type { CallToolRequest } from "./requests.ts";

/**
 * Why it is asked: `unknown_tool`, no definition is known; `untrusted`, its annotations are not believed;
 * `destructive`, it may destroy something; `changes_state`, it changes something; `condition`, `when` says so.
 *
 * @example
 * ```ts
 * import { approval, type ApprovalReason } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const toQuestion = (name: string, reason: ApprovalReason) =>
 *   reason === "destructive" ? `${name} may destroy something. Go on?` : `May I use ${name}?`;
 * const guard = approval({ ask: ({ name }, reason) => confirm(toQuestion(name, reason)), trustAnnotations: true });
 * assertEquals(typeof guard.callTool, "function");
 * ```
 */
export type ApprovalReason = "unknown_tool" | "untrusted" | "destructive" | "changes_state" | "condition";

/**
 * How approval is asked for.
 *
 * @example
 * ```ts
 * import { approval, type ApprovalOptions } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const options: ApprovalOptions = {
 *   ask: ({ name, args }) => confirm(`${name} with ${JSON.stringify(args)}?`),
 *   when: ({ name }) => name.startsWith("delete_"),
 *   rememberMs: 600_000,
 * };
 * assertEquals(typeof approval(options).callTool, "function");
 * ```
 */
export interface ApprovalOptions {
  /**
   * Asks. Anything but `true` denies the call, and so does an exception. A person takes time: give calls a `timeoutMs`
   * to match; `request.options.signal` says when nobody waits for the answer any more.
   */
  readonly ask: (request: CallToolRequest, reason: ApprovalReason) => boolean | Promise<boolean>;
  /**
   * Which calls are asked for, instead of all but those of tools that are trusted to be read-only. An exception denies
   * the call.
   */
  readonly when?:
    | ((request: CallToolRequest, tool: Tool | undefined) => boolean | Promise<boolean>)
    | undefined;
  /** Whether the annotations of tools are believed. A server can write what it likes there. @default {false} */
  readonly trustAnnotations?: boolean | undefined;
  /**
   * How long an approval holds for equal calls: same server, same tool, same arguments, whoever makes them, in
   * milliseconds. Nothing else is remembered. @default {undefined, each call is asked for}
   */
  readonly rememberMs?: number | undefined;
  /** How many approvals are remembered; the oldest is forgotten first. @default {1_000} */
  readonly maxRemembered?: number | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/**
 * Makes an interceptor that asks before a tool is called, and denies what is not approved. Without `trustAnnotations`
 * every call is asked for. List it last, so that nothing changes what was approved.
 *
 * @example
 * ```ts
 * import { approval } from "@portolan/mcp/interceptors";
 *
 * const guard = approval({
 *   trustAnnotations: true,
 *   ask: ({ name, args }, reason) => confirm(`${name} (${reason}) with ${JSON.stringify(args)}?`),
 * });
 * ```
 *
 * @param options How it is asked.
 * @returns The interceptor. A call that is not approved rejects with an `MCPError` of code `denied`.
 * @throws {RangeError} If a number makes no sense.
 */
export function approval(options: ApprovalOptions): Interceptor {
  const { ask, trustAnnotations = false, when, rememberMs } = options;
  const { maxRemembered = 1_000, now = Date.now } = options;
  checkTimeout("rememberMs", rememberMs);
  checkCount("maxRemembered", maxRemembered);
  const approved = new Map<string, number>();

  const isRemembered = (key: string | undefined) => {
    const untilMs = key === undefined ? undefined : approved.get(key);
    return untilMs !== undefined && now() < untilMs;
  };
  const remember = (key: string | undefined) => {
    if (key === undefined || rememberMs === undefined) return;
    approved.delete(key);
    approved.set(key, now() + rememberMs);
    const [oldest] = approved.keys();
    if (approved.size > maxRemembered && oldest !== undefined) approved.delete(oldest);
  };
  const findReason = async (request: CallToolRequest): Promise<ApprovalReason | undefined> => {
    const tool = trustAnnotations || when !== undefined ? await request.findTool() : request.tool;
    if (when !== undefined) return await when(request, tool) === false ? undefined : "condition";
    return toReason(tool, trustAnnotations);
  };
  const isApproved = async (request: CallToolRequest): Promise<boolean> => {
    const reason = await findReason(request);
    if (reason === undefined) return true;
    // A person is not asked for a call that has ended meanwhile.
    request.options.signal?.throwIfAborted();
    const key = rememberMs === undefined
      ? undefined
      : toCanonicalJson([request.server ?? null, request.name, request.args]);
    if (isRemembered(key)) return true;
    const answer = await ask(request, reason);
    if (answer === true && !request.options.signal?.aborted) remember(key);
    return answer === true;
  };

  return {
    async callTool(request, next) {
      if (!(await untilAborted(isApproved(request), request))) throw toDenied(request);
      return await next();
    },
  };
}

function toReason(tool: Tool | undefined, trusted: boolean): ApprovalReason | undefined {
  if (!trusted) return tool === undefined ? "unknown_tool" : "untrusted";
  if (tool === undefined) return "unknown_tool";
  const { readOnlyHint, destructiveHint } = tool.annotations ?? {};
  if (readOnlyHint === true) return undefined;
  // As the specification has it: a tool that does not say may destroy something.
  return destructiveHint === false ? "changes_state" : "destructive";
}

/** The decision, no longer than the request lasts. A decision that fails is none. */
async function untilAborted(decision: Promise<boolean>, request: CallToolRequest): Promise<boolean> {
  const { signal } = request.options;
  try {
    return await (signal === undefined ? decision : abortable(decision, signal));
  } catch (error) {
    signal?.throwIfAborted();
    throw toDenied(request, error);
  }
}

function toDenied(request: CallToolRequest, cause?: unknown): MCPError {
  const why = cause === undefined ? "it was not approved" : "no approval could be had";
  return new MCPError("denied", `Cannot call tool "${request.name}" as ${why}`, { server: request.server, cause });
}
