/**
 * What the state of a server means, and what to do about it, in words.
 *
 * @module
 */

import type { MCPErrorCode } from "../errors.ts";
import type { RouteSource, ServerStatus } from "../status.ts";

/** How something stands, whatever it is: each has a mark and a colour of its own. */
export type Tone = "good" | "busy" | "idle" | "wary" | "bad";

/** How the owner of a tool was found. */
export const ROUTE_WORDS: Readonly<Record<RouteSource, string>> = {
  memory: "known here",
  cache: "read from the cache",
  discovery: "asked of the servers",
};

/** How a server stands. */
export interface ServerWords {
  /** For the mark. */
  readonly tone: Tone;
  /** In a word or two. */
  readonly word: string;
  /** Why, where there is more to say. */
  readonly reason?: string | undefined;
  /** What to do about it, where there is anything to do. */
  readonly advice?: string | undefined;
}

const ADVICE: Partial<Readonly<Record<MCPErrorCode, string>>> = {
  unreachable: "Check that it runs and that its URL is right, then reconnect.",
  deadline_exceeded: "It takes connections and does not answer: restart it, or raise its timeoutMs if it is only slow.",
  unauthorized: "Renew its secret in the configuration: the server does not know the one it is given.",
  forbidden: "Ask its operator to allow these credentials, or give it others.",
  authorization_required: "A person has to authorize the gateway at the server once.",
  auth_failed: "Check the field auth in the configuration, and whether its authorization server is up.",
  redirect_refused: "Write the address that it redirects to into the configuration, if you trust it.",
  bad_response: "Check the path of its URL: what answers there is not MCP. It is often /mcp or /sse.",
  upstream_error: "Look into the log of the server: it answers with an error.",
  unsupported_protocol: "Update the server, or write its transport into the configuration.",
  too_large: "Its answer passes the cap: have it answer less at once.",
  rate_limited: "It asks to slow down: wait, or raise its limits.",
  overloaded: "Too many calls wait for it: slow down, or run more of it.",
  circuit_open: "It kept failing and is left alone for a while; reconnecting tries it at once.",
  session_lost: "It ended its session: reconnect.",
};

/**
 * What to do about a failure.
 *
 * @param code What failed.
 * @returns A sentence or two.
 */
export function adviseOn(code: MCPErrorCode): string {
  return ADVICE[code] ?? "Look into the log of the server, then reconnect.";
}

/**
 * How a server stands.
 *
 * @param status What is known of it.
 * @returns That in words.
 */
export function describeServer(status: ServerStatus): ServerWords {
  const { state, breaker, lastError, toolsPartial } = status;
  switch (state) {
    case "connected":
      if (breaker === "open") {
        const reason = "It kept failing: calls to it are refused for a while.";
        return { tone: "bad", word: "Left alone", reason, advice: ADVICE.circuit_open };
      }
      if (breaker === "half_open") {
        return {
          tone: "wary",
          word: "On trial",
          reason: "It kept failing: one call at a time tries whether it is back.",
        };
      }
      if (toolsPartial) {
        return { tone: "wary", word: "Connected", reason: "Its list of tools is not whole: it was cut, or broke off." };
      }
      return { tone: "good", word: "Connected" };
    case "connecting":
      return { tone: "busy", word: "Connecting" };
    case "idle":
      return { tone: "idle", word: "Not asked yet", reason: "The first call that needs it connects to it." };
    case "closed":
      return { tone: "idle", word: "Closed" };
    case "failed":
      return lastError === undefined
        ? { tone: "bad", word: "Down" }
        : { tone: "bad", word: "Down", reason: `${lastError.message}.`, advice: adviseOn(lastError.code) };
  }
}

/** How many servers stand how. */
export interface Tally {
  /** Those that answer. */
  readonly good: number;
  /** Those that need somebody. */
  readonly bad: number;
  /** All of them. */
  readonly all: number;
}

/**
 * Counts servers by how they stand.
 *
 * @param servers The servers.
 * @returns The counts.
 */
export function tallyServers(servers: readonly ServerStatus[]): Tally {
  const tones = servers.map((server) => describeServer(server).tone);
  const count = (...wanted: readonly Tone[]) => tones.filter((tone) => wanted.includes(tone)).length;
  return { good: count("good"), bad: count("bad", "wary"), all: servers.length };
}

/**
 * The state of everything in one sentence.
 *
 * @param tally The counts.
 * @returns The sentence.
 */
export function toHeadline({ good, bad, all }: Tally): string {
  if (all === 0) return "No server is configured";
  if (bad > 0) return bad === 1 ? `1 of ${all} servers needs attention` : `${bad} of ${all} servers need attention`;
  if (good === all) return all === 1 ? "The server answers" : `All ${all} servers answer`;
  return good === 0 ? "No server has been asked yet" : `${good} of ${all} servers answer, none fails`;
}

/**
 * How connecting again went.
 *
 * @param answer Server by server, whether it is connected now.
 * @returns A sentence.
 */
export function describeReconnection(answer: unknown): string {
  const all = Object.entries(answer as Readonly<Record<string, boolean>>);
  const up = all.filter(([, isUp]) => isUp).map(([name]) => name);
  const down = all.filter(([, isUp]) => !isUp).map(([name]) => name);
  if (all.length === 0) return "Every server is connected already.";
  return [
    ...(up.length > 0 ? [`Connected: ${up.join(", ")}.`] : []),
    ...(down.length > 0 ? [`Still down: ${down.join(", ")}.`] : []),
  ].join(" ");
}
