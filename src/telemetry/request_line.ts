/**
 * The line of a request.
 *
 * @module
 */

import type { LineLevel, LogEntry } from "./log.ts";
import type { RequestRecord } from "./request_watch.ts";

/** They come every few seconds, and say the same. */
const HEALTH_ROUTES: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);
/** The most characters of a name that a caller wrote. */
const MAX_NAME_CHARS = 64;

/**
 * What to say of a request. It names the route, never the path or the query: they may hold anything.
 *
 * @param record The request.
 * @returns The line, and how grave it is.
 */
export function describeRequest(record: RequestRecord): { readonly level: LineLevel; readonly entry: LogEntry } {
  const { requestId, method, route, status, caller, agent, calls } = record;
  const durationMs = Math.round(record.durationMs * 1_000) / 1_000;
  const details: Record<string, string | number> = {};
  if (caller !== undefined) details.caller = caller;
  if (agent !== undefined) details.agent = agent;
  const [call] = calls;
  if (calls.length === 1 && call !== undefined) {
    details.tool = call.tool.slice(0, MAX_NAME_CHARS);
    if (call.server !== undefined) details.server = call.server;
    if (call.route !== undefined) details.owner = call.route;
    details.outcome = call.outcome;
  } else if (calls.length > 1) {
    details.calls = calls.length;
    details.failed = calls.filter(({ outcome }) => outcome !== "ok").length;
  }
  return {
    level: HEALTH_ROUTES.has(route) ? "debug" : "info",
    entry: {
      message: "Request answered",
      fields: { requestId, method, route, status, durationMs, ...details },
      get text() {
        const first = `${method} ${route === "" ? "(no such path)" : route} ${status} in ${durationMs.toFixed(1)} ms`;
        const rest = Object.entries(details).map(([name, value]) => `${name}=${quote(String(value))}`);
        return [[first, ...rest, `id=${requestId}`].join(" ")];
      },
    },
  };
}

/** A name with a space in it would be two things. */
function quote(text: string): string {
  return /^[\w./:*-]+$/.test(text) ? text : JSON.stringify(text);
}
