/**
 * What a failed request means: whether anything left this process, and which code says so.
 *
 * @module
 */

import type { Deadline } from "./deadline.ts";
import { MCPError } from "./errors.ts";

/** The step of an operation that a failure ended; it decides whether a repeat is harmless: of all but a call it is. */
export type Phase = "connect" | "list" | "read" | "call";

/** What was being done to a server, in words. */
export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  connect: "connect to",
  list: "list the tools of",
  read: "read from",
  call: "call a tool of",
};

/** Why a request never left: the reasons that something can be done about. */
export type NeverSentReason =
  | "dns"
  | "tls"
  | "refused"
  | "blocked_port"
  | "not_permitted"
  | "no_route"
  | "not_opened";

const NEVER_SENT: readonly (readonly [RegExp, NeverSentReason, string])[] = [
  [/dns error|ENOTFOUND|EAI_AGAIN|failed to lookup address/i, "dns", "its host name does not resolve"],
  [/certificate|tls|handshake|SSL|InvalidContentType/i, "tls", "the TLS handshake failed"],
  [/refused|ECONNREFUSED/i, "refused", "the connection was refused"],
  [/Requests to port \d+ are blocked/i, "blocked_port", "its port is one that fetch never connects to"],
  [
    /Requires net access|NotCapable|PermissionDenied/i,
    "not_permitted",
    "this process may not connect to it; allow it with --allow-net",
  ],
  [/unreachable|EHOSTUNREACH|ENETUNREACH/i, "no_route", "the network is unreachable"],
  [/\(Connect\)|tcp (open|connect) error|UND_ERR_CONNECT_TIMEOUT/i, "not_opened", "no connection could be opened"],
];

/**
 * Why a rejected `fetch` never sent its request.
 *
 * @param error What `fetch` rejected with.
 * @returns The reason in words, or `undefined` where the request may have left.
 */
export function whyNeverSent(error: unknown): string | undefined {
  return findNeverSent(error)?.[2];
}

/**
 * Why an `unreachable` server was not reached.
 *
 * @param error The `MCPError`, whose cause keeps what the runtime said.
 * @returns The reason, or `undefined` where the connection broke later or nothing is known.
 */
export function reasonUnreachable({ cause }: MCPError): NeverSentReason | undefined {
  return findNeverSent(cause)?.[1];
}

function findNeverSent(error: unknown): (typeof NEVER_SENT)[number] | undefined {
  const text = describe(error);
  // Deno names the phase: only a failure of the phase "Connect" is certain to have sent nothing.
  if (/client error \((?!Connect)/.test(text)) return undefined;
  return NEVER_SENT.find(([pattern]) => pattern.test(text));
}

/** The texts of an error and of its causes without URLs: these may hold a key, or words that look like a reason. */
function describe(error: unknown): string {
  const texts: string[] = [];
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    texts.push(at.name, at.message, String((at as { code?: unknown }).code ?? ""));
  }
  return texts.join(" ").replaceAll(/https?:\/\/\S+/g, "[url]");
}

/**
 * The error of a request that `fetch` rejected or whose body broke off.
 *
 * @param error What was thrown.
 * @param context Whose request it was, what it was for, and its deadline.
 * @returns The caller's own reason where the caller aborted, else an `MCPError`.
 */
export function toRequestError(
  error: unknown,
  context: { readonly server: string; readonly phase: Phase; readonly deadline: Deadline },
): unknown {
  const { server, phase, deadline } = context;
  if (error instanceof MCPError) return error;
  if (deadline.cancelled) return deadline.signal.reason;
  if (deadline.passed) return toDeadlineError(server, phase);
  const reason = whyNeverSent(error);
  const cause = withoutUrls(error);
  if (reason !== undefined) {
    return new MCPError("unreachable", `Cannot reach server "${server}" as ${reason}`, {
      server,
      retryable: true,
      cause,
    });
  }
  if (phase === "call") return toOutcomeUnknown(server, "the connection broke before the answer", cause);
  return new MCPError("unreachable", `Cannot reach server "${server}" as the connection broke before the answer`, {
    server,
    retryable: true,
    cause,
  });
}

/**
 * The error of an operation whose time has passed.
 *
 * @param server The server that did not answer.
 * @param phase What it did not answer.
 * @returns An `MCPError` with the code `deadline_exceeded`; a call that was sent is not `retryable`.
 */
export function toDeadlineError(server: string, phase: Phase): MCPError {
  const sent = phase === "call" ? "; the call was sent and may have run" : "";
  return new MCPError(
    "deadline_exceeded",
    `Cannot ${PHASE_WORDS[phase]} server "${server}" as the deadline passed in phase ${phase}${sent}`,
    { server, retryable: phase !== "call" },
  );
}

/**
 * The error of a call that was sent and whose answer is lost.
 *
 * @param server The server it was sent to.
 * @param why How the answer was lost.
 * @param cause The error underneath.
 * @returns An `MCPError` with the code `outcome_unknown`.
 */
export function toOutcomeUnknown(server: string, why: string, cause?: unknown): MCPError {
  return new MCPError(
    "outcome_unknown",
    `Cannot tell whether the call to server "${server}" ran as ${why}; it is not sent again`,
    { server, cause },
  );
}

/** An error of the runtime without the URLs in its text. */
function withoutUrls(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  const clean = new Error(describe(error));
  clean.name = error.name;
  return clean;
}
