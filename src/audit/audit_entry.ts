/**
 * What the audit trail holds: who did what. Never arguments, results, keys or tokens.
 *
 * @module
 */

import type { CallRecord } from "../gateway/call_record.ts";

/** How long entries are kept where nobody says, in days. */
export const DEFAULT_AUDIT_DAYS = 30;
/** How long they may be kept, in days: no database promises to hold a value longer and to forget it then. */
export const MAX_AUDIT_DAYS = 365;

/** What an administrator, or whoever uses an agent, may do besides calling tools. */
export type AuditedAction =
  | "key_created"
  | "key_revoked"
  | "reconnected"
  | "cache_flushed"
  | "pin_accepted"
  | "pin_withheld"
  | "config_replaced"
  | "config_removed";

/** A call of a tool that has ended. */
export interface CallEntry extends Omit<CallRecord, "atMs" | "route"> {
  /** What it is. */
  readonly kind: "call";
  /** When it began, as an ISO text in UTC. */
  readonly at: string;
  /**
   * The hash of the arguments as canonical JSON: `hmac-sha256:` or `sha256:`, and 64 hex digits. Left out where they
   * have no canonical form.
   */
  readonly argumentsHash?: string | undefined;
}

/** Something that was done to an agent, or to all of them. */
export interface ActionEntry {
  /** What it is. */
  readonly kind: "action";
  /** When it ended, as an ISO text in UTC. */
  readonly at: string;
  /** The id of the request. */
  readonly requestId: string;
  /** Who did it; see `Access.caller`. */
  readonly caller: string;
  /** What was done. */
  readonly action: AuditedAction;
  /** To which agent; `*` is all of them. */
  readonly agent: string;
  /** To which of its servers, where it was to one. */
  readonly server?: string | undefined;
  /** To which of its tools, where it was to one. */
  readonly tool?: string | undefined;
  /** The name of the key that it was about; never the key. */
  readonly key?: string | undefined;
  /** `ok`, or the code of the failure. */
  readonly outcome: string;
}

/** A gap: there was more to write than the trail could hold. */
export interface LossEntry {
  /** What it is. */
  readonly kind: "loss";
  /** When it was noticed, as an ISO text in UTC. */
  readonly at: string;
  /** How many entries are missing before this one. */
  readonly lost: number;
}

/** An entry of the audit trail. */
export type AuditEntry = CallEntry | ActionEntry | LossEntry;

/** The longest text of a field; the specification's longest name of a tool. */
const MAX_TEXT_CHARS = 128;

/**
 * The entry of a call.
 *
 * @param record The call.
 * @param argumentsHash The hash of its arguments.
 * @returns The entry.
 */
export function toCallEntry(record: CallRecord, argumentsHash: string | undefined): CallEntry {
  const { atMs, requestId, caller, agent, door, tool, server, toolName, outcome, durationMs } = record;
  return {
    kind: "call",
    at: new Date(atMs).toISOString(),
    requestId,
    caller,
    agent,
    door,
    tool,
    server,
    toolName,
    argumentsHash,
    outcome,
    durationMs: Math.round(durationMs * 100) / 100,
  };
}

/**
 * Writes an entry as a line of JSON. It is ASCII, so that it has as many bytes as characters and nothing in it turns the
 * text of a terminal around; and it is bounded, whatever a caller wrote for a tool's name.
 *
 * @param entry The entry.
 * @returns The line, without its end.
 */
export function toLine(entry: AuditEntry): string {
  const bounded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entry)) {
    const isLong = typeof value === "string" && value.length > MAX_TEXT_CHARS;
    bounded[name] = isLong ? `${value.slice(0, MAX_TEXT_CHARS - 1)}…` : value;
  }
  const line = JSON.stringify(bounded);
  // Nearly every line is ASCII as it is.
  return /^[ -~]*$/.test(line) ? line : line.replace(/[^ -~]/g, toEscape);
}

function toEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
