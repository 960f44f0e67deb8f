/**
 * What is shown of a pinned tool, and what may be decided of it.
 *
 * @module
 */

import type { Tool } from "../protocol.ts";

/** After how long at most a decision holds in every other isolate that is asked for a tool, in milliseconds. */
export const PINS_MAX_AGE_MS = 10_000;

/**
 * A tool of a server whose tools are pinned.
 *
 * @example
 * ```ts
 * import type { PinnedTool } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toLine = ({ server, tool, state, before, now }: PinnedTool) =>
 *   `${server}.${tool} is ${state}: "${before?.description ?? "?"}" is now "${now?.description ?? "?"}"`;
 * const inputSchema = { type: "object" };
 * const [before, now] = [{ description: "Reads", inputSchema }, { description: "Reads and mails", inputSchema }];
 * const changed: PinnedTool = { server: "files", tool: "read", state: "changed", callable: false, before, now };
 * assertEquals(toLine(changed), 'files.read is changed: "Reads" is now "Reads and mails"');
 * ```
 */
export interface PinnedTool {
  /** The server that lists it. */
  readonly server: string;
  /** Its name at that server. */
  readonly tool: string;
  /** Whether it is as it was pinned, is not, or is withheld by decision, changed or not. */
  readonly state: "pinned" | "changed" | "withheld";
  /** Whether it is listed and can be called: a changed tool can where the server has `pin: warn`. */
  readonly callable: boolean;
  /** When it was pinned, in milliseconds since the epoch; `undefined` where that was not noted. */
  readonly pinnedAtMs?: number | undefined;
  /** Stands for what it is now; `undefined` where it is not listed now. */
  readonly digest?: string | undefined;
  /** What a model was told of it when it was pinned; `undefined` where that is not kept. */
  readonly before?: Pick<Tool, "description" | "inputSchema"> | undefined;
  /** What a model would be told of it now; `undefined` where it is not listed now, or is too large to be shown. */
  readonly now?: Pick<Tool, "description" | "inputSchema"> | undefined;
  /** Why one of the two is missing, in words. */
  readonly note?: string | undefined;
}

/**
 * What somebody decides of a pinned tool.
 *
 * @example
 * ```ts
 * import type { MultiServerMCPClient, PinDecision } from "@portolan/mcp";
 *
 * async function acceptAll(client: MultiServerMCPClient): Promise<void> {
 *   for (const { server, tool, state, digest } of await client.listPins()) {
 *     const decision: PinDecision = { server, tool, decision: "accept", digest };
 *     if (state === "changed") await client.decidePin(decision);
 *   }
 * }
 * ```
 */
export interface PinDecision {
  /** The server that lists it. */
  readonly server: string;
  /** Its name at that server. */
  readonly tool: string;
  /** `accept` pins it as it is now and lets it through; `withhold` has it neither listed nor called until then. */
  readonly decision: "accept" | "withhold";
  /** The digest of what was looked at: nothing is accepted that is something else by now. */
  readonly digest?: string | undefined;
}

/**
 * What came of a decision.
 *
 * @example
 * ```ts
 * import type { PinOutcome } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toAdvice = ({ decided, kept }: PinOutcome) =>
 *   !decided ? "Look at it again: it has changed" : kept ? "Done" : "Try again: the store is away";
 * assertEquals(toAdvice({ server: "files", tool: "read", state: "pinned", decided: true, kept: true }), "Done");
 * ```
 */
export interface PinOutcome {
  /** The server that lists the tool. */
  readonly server: string;
  /** Its name at that server. */
  readonly tool: string;
  /** How the tool stands now. */
  readonly state: PinnedTool["state"];
  /** Whether it was decided; it was not where the tool is no longer what the decision's `digest` stands for. */
  readonly decided: boolean;
  /** Whether the decision is kept; where the store did not take it, it holds in this client alone. */
  readonly kept: boolean;
}
