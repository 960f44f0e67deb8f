/**
 * Reading the audit trail, page by page.
 *
 * @module
 */

import { Deadline } from "../deadline.ts";
import { RequestError } from "../gateway/request_error.ts";
import { POSITION_PATTERN, toPosition } from "./audit_store.ts";
import type { AuditTrail } from "./audit_trail.ts";

/** Which entries are asked for. */
export interface AuditQuery {
  /** The id of the entry that they follow. @default {from the first one} */
  readonly after?: string | undefined;
  /** The agent that they are about. @default {any} */
  readonly agent?: string | undefined;
  /** When the first of them happened, in milliseconds since the epoch. */
  readonly fromMs?: number | undefined;
  /** When the last of them happened before, in milliseconds since the epoch. */
  readonly toMs?: number | undefined;
  /** The most entries. */
  readonly limit: number;
}

/** Some of the entries. */
export interface AuditPage {
  /** The entries as lines of JSON, each with its end. */
  readonly text: string;
  /** What to go on after; `undefined` where there was no more. */
  readonly next: string | undefined;
}

const AFTER = new RegExp(`^(${POSITION_PATTERN})-(\\d{4})$`);
/** How many chunks a page looks at, where few entries are what is asked for. */
const MAX_CHUNKS = 500;
/** How long a page may take, in milliseconds. */
const PAGE_MS = 5_000;
/** How long what this isolate has not written yet may take, in milliseconds. */
const FLUSH_MS = 1_000;
/**
 * How much later than it happened an entry may have been written, in milliseconds: it had to wait for its call, for the
 * store, and behind entries of isolates whose clocks are ahead.
 */
const WRITTEN_WITHIN_MS = 2 * 3_600_000;

/**
 * Reads a page, in the order in which entries were written; with what this isolate has not written yet.
 *
 * @param trail The trail.
 * @param query Which entries.
 * @returns The page.
 * @throws {RequestError} If `after` is no id of an entry (`invalid_request`), or the trail cannot be read
 * (`audit_unavailable`).
 */
export async function readAuditPage(trail: AuditTrail, query: AuditQuery): Promise<AuditPage> {
  const { after, fromMs = 0, toMs, limit } = query;
  const [, afterPosition = "", afterIndex = ""] = after === undefined ? [] : AFTER.exec(after) ?? [];
  if (after !== undefined && afterPosition === "") {
    throw new RequestError("invalid_request", 'Cannot use "after" as the id of an entry: follow the link to the page');
  }
  using deadline = new Deadline(PAGE_MS);
  await trail.flush(FLUSH_MS);
  const first = toPosition(Math.max(fromMs, trail.sinceMs));
  const from = afterPosition > first ? afterPosition : first;
  const before = toMs === undefined ? undefined : toPosition(toMs + WRITTEN_WITHIN_MS);
  const page: string[] = [];
  let last: string | undefined;
  let chunks = 0;
  const toPage = (next: string | undefined): AuditPage => ({ text: page.join(""), next });
  try {
    for await (const { position, lines } of (await trail.store).read({ from, before })) {
      const begin = position === afterPosition ? Number(afterIndex) + 1 : 0;
      for (const [index, line] of lines.entries()) {
        if (index < begin) continue;
        last = `${position}-${String(index).padStart(4, "0")}`;
        if (!isWanted(line, query)) continue;
        page.push(`{"id":"${last}",${line.slice(1)}\n`);
        if (page.length === limit) return toPage(last);
      }
      if (++chunks >= MAX_CHUNKS || deadline.remainingMs === 0) return toPage(last ?? after);
    }
  } catch {
    // What was read is right, and the next page goes on from there.
    if (last !== undefined) return toPage(last);
    throw new RequestError("audit_unavailable", "Cannot read the audit trail at the moment", { retryAfterMs: 1_000 });
  }
  return toPage(undefined);
}

/** Whether a line is an entry, and one that is asked for. */
function isWanted(line: string, { agent, fromMs = -Infinity, toMs = Infinity }: AuditQuery): boolean {
  try {
    const entry = JSON.parse(line) as { readonly at?: unknown; readonly agent?: unknown } | null;
    const atMs = typeof entry?.at === "string" ? Date.parse(entry.at) : NaN;
    return atMs >= fromMs && atMs < toMs && (agent === undefined || entry?.agent === agent);
  } catch {
    return false;
  }
}
