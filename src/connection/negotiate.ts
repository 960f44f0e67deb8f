/**
 * Finds out which era a server speaks (specification 2026-07-28, Versioning and Compatibility; Streamable HTTP,
 * Backward Compatibility): a modern request first; what is not recognised as a modern answer is legacy.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { GuardedFetch } from "../guarded_fetch.ts";
import type { ServerInfo } from "../context.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { exchange } from "./call_exchange.ts";
import { LIST_CAPS, MAX_INSTRUCTIONS_CHARS } from "./limits.ts";
import { MODERN_VERSIONS, PREFIX, UNSUPPORTED_VERSION } from "./modern_envelope.ts";

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
  | {
    readonly era: "modern";
    readonly protocolVersion: string;
    /** What the server said of itself, where it was asked just now. */
    readonly info?: ServerInfo | undefined;
  };

/** Codes that say nothing of the era: the server could not be reached, or does not let us in. */
const NO_VERDICT = new Set([
  "unreachable",
  "deadline_exceeded",
  "unauthorized",
  "authorization_required",
  "auth_failed",
  "forbidden",
  "rate_limited",
  "redirect_refused",
  "too_large",
]);

/** Statuses of a proxy whose server is down. A legacy server may well answer 500 to a method that it does not know. */
const DOWN = new Set([502, 503, 504]);

const OLDEST_MODERN = MODERN_VERSIONS.at(-1)!;

/**
 * Asks a server which era it speaks, by `server/discover`.
 *
 * @param options What it is asked with.
 * @returns The verdict; it belongs to the server and can be kept.
 * @throws {MCPError} If the server cannot be reached, does not let us in, fails, or speaks none of our versions.
 */
export async function negotiateEra(options: NegotiateOptions): Promise<EraVerdict> {
  const { server } = options;
  const first = await discover(options, MODERN_VERSIONS[0]!);
  const mutual = first && findOurs(versionsOfRefusal(first));
  // It refuses a version and lists one of ours: that one is to be tried (Protocol Version Negotiation), once.
  const answer = mutual === undefined ? first : await discover(options, mutual);
  if (answer === undefined) return { era: "legacy" };
  if (isJsonObject(answer.result)) {
    const version = findOurs(answer.result.supportedVersions);
    if (version === undefined) return { era: "legacy" };
    return { era: "modern", protocolVersion: version, info: toServerInfo(answer.result) };
  }
  const supported = versionsOfRefusal(answer);
  // A modern server of another version: only a legacy version that it speaks as well helps.
  if (supported.length > 0 && !supported.some((version) => typeof version === "string" && version < OLDEST_MODERN)) {
    throw new MCPError(
      "unsupported_protocol",
      `Cannot connect to server "${server}" as it speaks none of our protocol versions`,
      { server },
    );
  }
  return { era: "legacy" };
}

/** Asks in one version; resolves to the answer, or to `undefined` for none that a modern server would give. */
async function discover(options: NegotiateOptions, protocolVersion: string): Promise<JsonObject | undefined> {
  const { server, send, deadline, now } = options;
  try {
    return await exchange({ server, send, era: "modern", protocolVersion, now }, {
      id: crypto.randomUUID(),
      method: "server/discover",
      params: {},
      phase: "connect",
      deadline,
      caps: LIST_CAPS,
    });
  } catch (error) {
    if (!isMCPError(error) || NO_VERDICT.has(error.code) || DOWN.has(error.httpStatus ?? 0)) throw error;
    return undefined;
  }
}

/** The best of our versions among those of a server. */
function findOurs(versions: unknown): string | undefined {
  return MODERN_VERSIONS.find((ours) => Array.isArray(versions) && versions.includes(ours));
}

/** The versions that a server lists where it refuses the one of the request; else none. */
function versionsOfRefusal({ error }: JsonObject): readonly unknown[] {
  if (!isJsonObject(error) || error.code !== UNSUPPORTED_VERSION || !isJsonObject(error.data)) return [];
  return Array.isArray(error.data.supported) ? error.data.supported : [];
}

/** What a modern server says of itself (specification 2026-07-28, Discovery). */
function toServerInfo({ capabilities, instructions, _meta }: JsonObject): ServerInfo {
  const implementation = isJsonObject(_meta) ? _meta[`${PREFIX}serverInfo`] : undefined;
  return {
    implementation: isJsonObject(implementation) ? implementation : undefined,
    capabilities: isJsonObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === "string" ? instructions.slice(0, MAX_INSTRUCTIONS_CHARS) : undefined,
  };
}
