/**
 * What is worth a look at a server that works.
 *
 * @module
 */

import type { NameTable } from "../agent/tool_names.ts";
import { quoteAll } from "../nearest.ts";
import { checkServerUrl } from "../config/server_address.ts";
import type { ResolvedServer } from "../server_config.ts";
import type { ServerStatus } from "../status.ts";
import { isToolAllowed } from "../tools/tool_filter.ts";
import type { ServerWarning, WarningCode } from "./server_finding.ts";

/** What trying a server has given. */
export interface TriedServer {
  /** The server, checked. */
  readonly resolved: ResolvedServer;
  /** What is known of it now. */
  readonly status: ServerStatus;
  /** The names of the tools that the agent may call. */
  readonly tools: readonly string[];
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
  /** How long it was given, in milliseconds. */
  readonly timeoutMs: number;
}

const MAX_NAMED = 5;
/** What is said of tools as a whole, and of pins: each of them has its advice. */
const BY_TEXT: readonly (readonly [RegExp, WarningCode, string])[] = [
  [/^Dropped tool /, "tools_dropped", "Tell whoever runs the server; the other tools work"],
  [
    /^(Cut|Stopped) /,
    "tools_partial",
    "Ask whoever runs the server for a shorter list: what lies beyond cannot be called",
  ],
];
const OF_PINS =
  "Compare it with what it was, then accept it or withhold it, by the page or POST /admin/agents/:agent/pins";

/**
 * Whether a server is sent a credential by the configuration.
 *
 * @param server The server, checked.
 * @returns Whether it has headers or `auth`.
 */
export function hasCredential({ headers, auth }: ResolvedServer): boolean {
  return auth !== undefined || Object.keys(headers).length > 0;
}

/**
 * What can be told of a server by its configuration alone.
 *
 * @param server The server, checked.
 * @returns The warnings.
 */
export function warnOfConfig(server: ResolvedServer): readonly ServerWarning[] {
  const { url } = server;
  if (url.protocol !== "http:" || !hasCredential(server)) return [];
  const isLoopback = typeof checkServerUrl(url.href, { allowPrivate: true, allowLoopback: false }) === "string";
  if (isLoopback) return [];
  return [{
    code: "plaintext_credential",
    message: "Its credential is sent without encryption, over http",
    advice: 'Write "https://" in its "url", and renew the credential: others may have read it',
  }];
}

/**
 * What is worth a look at a server that has listed its tools.
 *
 * @param tried What trying it has given.
 * @returns The warnings.
 */
export function warnOfServer(
  { resolved, status, tools, durationMs, timeoutMs }: TriedServer,
): readonly ServerWarning[] {
  const warnings: ServerWarning[] = [];
  const add = (code: WarningCode, message: string, advice: string) => void warnings.push({ code, message, advice });
  const texts = status.warnings.filter((text) => text !== NO_TOOLS)
    .map((text) => [text, BY_TEXT.find(([pattern]) => pattern.test(text))] as const);
  const isWithheld = texts.some(([, known]) => known === undefined);
  if (tools.length === 0 && !isWithheld) {
    const advice = status.warnings.includes(NO_TOOLS) || isOpen(resolved)
      ? "Remove the server, unless its resources or prompts are wanted"
      : 'Correct the patterns of its "tools": they let none through';
    add("tools_none", "The agent has no tool of it", advice);
  }
  for (const [index, pattern] of (tools.length === 0 ? [] : resolved.tools.allow).entries()) {
    if (tools.some((name) => isToolAllowed({ allow: [pattern] }, name))) continue;
    // The pattern itself may have come from the environment.
    add("pattern_unused", `No tool matches the pattern at tools.allow[${index}]`, "Correct the pattern, or remove it");
  }
  for (const [text, known] of texts) {
    const [, code = "tools_changed", advice = OF_PINS] = known ?? [];
    add(code, text, advice);
  }
  if (status.transport === "sse") {
    const isSaid = resolved.transport === "sse";
    const save = isSaid ? "" : ', and write "transport: sse" until then, which saves the requests to find that out';
    add("sse_only", "It speaks only SSE, a deprecated transport", `Upgrade the server${save}`);
  }
  if (durationMs * 2 > timeoutMs) {
    const message = `It took ${Math.round(durationMs)} ms of the ${timeoutMs} ms it was given`;
    add("slow", message, 'Look at why it is slow, or raise its "timeoutMs" before it fails');
  }
  return warnings;
}

/**
 * Which tools of an agent's servers cannot be called by their bare names.
 *
 * @param server The server.
 * @param names The names of the agent's tools.
 * @returns The warning; none where every tool has its own name.
 */
export function warnOfShadows(server: string, { shadowed }: NameTable): readonly ServerWarning[] {
  const own = shadowed.filter((tool) => tool.server === server);
  const [first] = own;
  if (first === undefined) return [];
  const { owner, exposedAs } = first;
  const named = quoteAll(own.slice(0, MAX_NAMED).map(({ tool }) => tool)) + (own.length > MAX_NAMED ? ", …" : "");
  return [{
    code: "tools_shadowed",
    message: `Others list tools of the same names: ${named}`,
    advice: `Call them by their qualified names, as in "${exposedAs}"` +
      (owner === undefined ? "" : `, or list this server before "${owner}" to have the bare ones lead here`),
  }];
}

const NO_TOOLS = "The server has no tools";

function isOpen({ tools }: ResolvedServer): boolean {
  return tools.allow.includes("*") && tools.deny.length === 0;
}
