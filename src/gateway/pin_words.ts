/**
 * What is said of pinned tools by HTTP.
 *
 * @module
 */

import type { JsonObject, Tool } from "../protocol.ts";
import type { PinDecision, PinnedTool } from "../tools/pinned_tool.ts";
import { RequestError } from "./request_error.ts";

/** How many tools one answer has at most. */
const MAX_TOOLS = 2_000;
/** How much of what servers say of their tools one answer has at most, in characters of JSON. */
const MAX_CHARS = 1024 * 1024;

/** A pinned tool, as it is told by HTTP. */
export interface ToldPin extends Omit<PinnedTool, "pinnedAtMs"> {
  /** When it was pinned, as an ISO time. */
  readonly pinnedAt?: string | undefined;
}

/** Pinned tools, as far as one answer can hold them. */
export interface ToldPins {
  /** Whether something is left out. */
  readonly cut: boolean;
  /** The tools. */
  readonly tools: readonly ToldPin[];
}

/**
 * Fits pinned tools into one answer.
 *
 * @param pins The tools; their servers may say anything of them, at any length.
 * @returns The first 2,000; what a model is told of them is left out from where 1 MiB of it is full.
 */
export function fitPins(pins: readonly PinnedTool[]): ToldPins {
  let chars = 0;
  let cut = pins.length > MAX_TOOLS;
  const fit = (text: Pick<Tool, "description" | "inputSchema"> | undefined) => {
    if (text === undefined) return undefined;
    const length = JSON.stringify(text).length;
    if (chars + length > MAX_CHARS) {
      cut = true;
      return undefined;
    }
    chars += length;
    return text;
  };
  const tools = pins.slice(0, MAX_TOOLS).map(({ pinnedAtMs, before, now, ...rest }) => ({
    ...rest,
    pinnedAt: pinnedAtMs === undefined ? undefined : new Date(pinnedAtMs).toISOString(),
    before: fit(before),
    now: fit(now),
  }));
  return { cut, tools };
}

/**
 * Reads what is decided.
 *
 * @param body The body of the request.
 * @returns The decision.
 * @throws {RequestError} If it is none (`invalid_request`).
 */
export function readPinDecision(body: JsonObject): PinDecision {
  const { server, tool, decision, digest, ...others } = body;
  if (Object.keys(others).length > 0) {
    throw new RequestError(
      "invalid_request",
      'Cannot use the body as it holds more than "server", "tool", "decision", "digest"',
    );
  }
  if (typeof server !== "string" || typeof tool !== "string") {
    throw new RequestError("invalid_request", 'Cannot use the body as "server" and "tool" are not both texts');
  }
  if (decision !== "accept" && decision !== "withhold") {
    throw new RequestError("invalid_request", 'Cannot use "decision" as one: send "accept" or "withhold"');
  }
  if (digest !== undefined && typeof digest !== "string") {
    throw new RequestError("invalid_request", 'Cannot use "digest" as one: send that of the tool, or none');
  }
  return { server, tool, decision, digest };
}
