/**
 * Finds out which era a server speaks (specification 2026-07-28, Versioning and Compatibility; Streamable HTTP,
 * Backward Compatibility): a modern request first; what is not recognised as a modern answer is legacy.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { GuardedFetch } from "../guarded_fetch.ts";
import { isJsonObject } from "../protocol.ts";
import { exchange } from "./call_exchange.ts";
import { LIST_CAPS } from "./limits.ts";
import { MODERN_VERSIONS, UNSUPPORTED_VERSION } from "./modern_envelope.ts";

/** What a server is asked with. */
export interface NegotiateOptions {
  /** The server's name. */
  readonly server: string;
  /** The way out to it. */
  readonly send: GuardedFetch;
  /** The end of the whole negotiation. */
  readonly deadline: Deadline;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** The era of a server, with the version to speak where it is the modern one. */
export type EraVerdict =
  | { readonly era: "legacy" }
  | { readonly era: "modern"; readonly protocolVersion: string };

/** Codes that say nothing of the era: the server could not be reached, or does not let us in. */
const NO_VERDICT = new Set([
  "unreachable",
  "deadline_exceeded",
  "unauthorized",
  "forbidden",
  "rate_limited",
  "redirect_refused",
  "too_large",
]);

/** Statuses of a proxy whose server is down. A legacy server may well answer 500 to a method that it does not know. */
const DOWN = new Set([502, 503, 504]);

/**
 * Asks a server which era it speaks, by `server/discover`.
 *
 * @param options What it is asked with.
 * @returns The verdict; it belongs to the server and can be kept.
 * @throws {MCPError} If the server cannot be reached, does not let us in, fails, or speaks none of our versions.
 */
export async function negotiateEra(options: NegotiateOptions): Promise<EraVerdict> {
  const { server, send, deadline, now } = options;
  const protocolVersion = MODERN_VERSIONS[0]!;
  let answer;
  try {
    answer = await exchange({ server, send, era: "modern", protocolVersion, now }, {
      id: crypto.randomUUID(),
      method: "server/discover",
      params: {},
      phase: "connect",
      deadline,
      caps: LIST_CAPS,
    });
  } catch (error) {
    if (!isMCPError(error) || NO_VERDICT.has(error.code) || DOWN.has(error.httpStatus ?? 0)) throw error;
    return { era: "legacy" };
  }
  if (isJsonObject(answer.result)) {
    const supported = answer.result.supportedVersions;
    const version = MODERN_VERSIONS.find((ours) => Array.isArray(supported) && supported.includes(ours));
    return version === undefined ? { era: "legacy" } : { era: "modern", protocolVersion: version };
  }
  const error = isJsonObject(answer.error) ? answer.error : {};
  const supported = isJsonObject(error.data) && Array.isArray(error.data.supported) ? error.data.supported : [];
  const isModern = error.code === UNSUPPORTED_VERSION && supported.length > 0;
  // A modern server of another version: only a legacy version that it speaks as well helps.
  if (isModern && !supported.some((version) => typeof version === "string" && version < protocolVersion)) {
    throw new MCPError(
      "unsupported_protocol",
      `Cannot connect to server "${server}" as it speaks none of our protocol versions`,
      { server },
    );
  }
  return { era: "legacy" };
}
