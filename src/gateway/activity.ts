/**
 * What happened lately, for people who look: the last calls, and what happened to the servers.
 *
 * @module
 */

import { type Access, mayUse } from "../callers/access.ts";
import type { MCPErrorCode } from "../errors.ts";
import type { ClientEvent } from "../events.ts";
import type { AgentDirectory } from "./agent_directory.ts";
import type { CallJournal } from "./call_journal.ts";
import type { CallRecord } from "./call_record.ts";
import { describeEvent } from "./event_text.ts";

/** How many entries are kept; beyond it the oldest is dropped. */
export const MAX_ACTIVITY_ENTRIES = 500;

/** The longest name of a tool, as the specification has it: a caller may write more. */
const MAX_TOOL_CHARS = 128;
const MAX_TEXT_CHARS = 500;

/** A call that has ended. It holds neither arguments nor results. */
export interface CallActivity extends Omit<CallRecord, "caller" | "atMs"> {
  /** Its id. */
  readonly id: string;
  /** When it began, as an ISO text in UTC. */
  readonly at: string;
  /** What it is. */
  readonly kind: "call";
  /** Who called; left out for whoever may not know. */
  readonly caller?: string | undefined;
}

/** Something that happened to a server. */
export interface EventActivity {
  /** Its id. */
  readonly id: string;
  /** When it happened, as an ISO text in UTC. */
  readonly at: string;
  /** What it is. */
  readonly kind: "event";
  /** What happened. */
  readonly type: Exclude<ClientEvent["type"], "call">;
  /** Whose server it is. */
  readonly agent: string;
  /** The server. */
  readonly server: string;
  /** What happened, in words. */
  readonly text: string;
  /** What failed, where something did. */
  readonly code?: MCPErrorCode | undefined;
}

/** One thing that happened. */
export type ActivityEntry = CallActivity | EventActivity;

/** What is asked for. */
export interface ActivityFilter {
  /** The agents that whoever asks may use; `"*"` is every agent. */
  readonly agents: "*" | ReadonlySet<string>;
  /** The one agent that is asked for. @default {all of them} */
  readonly agent?: string | undefined;
  /** The most entries. @default {all that are kept} */
  readonly limit?: number | undefined;
}

/** What an activity works with. */
export interface ActivityDeps {
  /** Tells of calls. */
  readonly journal: CallJournal;
  /** Tells of servers, where it offers that. */
  readonly directory: AgentDirectory;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/** What is kept of an entry: the texts are made for whoever looks, not for every call. */
type Kept = { readonly number: number; readonly record: CallRecord } | EventActivity & { readonly number: number };

/** Remembers the last things that happened in this isolate. One for each gateway. */
export class Activity {
  readonly #now: () => number;
  readonly #kept: Kept[] = [];
  readonly #stop: (() => void) | undefined;
  // Entries of two isolates, or of one before and after a restart, have different ids.
  readonly #prefix = crypto.randomUUID().slice(0, 8);
  #count = 0;

  /**
   * Begins to listen.
   *
   * @param deps What it listens to.
   */
  constructor({ journal, directory, now = Date.now }: ActivityDeps) {
    this.#now = now;
    journal.listen((record) => this.#keep({ number: this.#count++, record: toBounded(record) }));
    this.#stop = directory.watchEvents?.((event) => this.#keepEvent(event));
  }

  /**
   * The last entries, newest first.
   *
   * @param filter Which of them.
   * @returns The entries, with their callers: see {@linkcode toSeen}.
   */
  recent(filter: ActivityFilter): readonly ActivityEntry[] {
    const { agent, limit = MAX_ACTIVITY_ENTRIES } = filter;
    const found: ActivityEntry[] = [];
    for (let back = 1; back <= this.#kept.length && found.length < limit; back++) {
      const kept = this.#kept[(this.#count - back) % MAX_ACTIVITY_ENTRIES];
      if (kept === undefined) break;
      const owner = "record" in kept ? kept.record.agent : kept.agent;
      if ((agent === undefined || owner === agent) && mayUse(filter, owner)) found.push(this.#show(kept));
    }
    return found;
  }

  /** Listens to the servers no longer. What is kept stays. */
  close(): void {
    this.#stop?.();
  }

  #keepEvent(event: ClientEvent): void {
    const text = describeEvent(event);
    // What belongs to no agent could be shown to nobody in particular.
    if (event.type === "call" || event.agent === undefined || text === undefined) return;
    const number = this.#count++;
    const { type, agent, server } = event;
    this.#keep({
      number,
      id: this.#idOf(number),
      at: new Date(this.#now()).toISOString(),
      kind: "event",
      type,
      agent,
      server,
      text: cut(text, MAX_TEXT_CHARS),
      ...(event.type === "failed" && { code: event.code }),
    });
  }

  #keep(kept: Kept): void {
    this.#kept[kept.number % MAX_ACTIVITY_ENTRIES] = kept;
  }

  #show(kept: Kept): ActivityEntry {
    if (!("record" in kept)) {
      const { number: _, ...event } = kept;
      return event;
    }
    const { atMs, durationMs, ...record } = kept.record;
    return {
      id: this.#idOf(kept.number),
      at: new Date(atMs).toISOString(),
      kind: "call",
      ...record,
      durationMs: Math.round(durationMs * 100) / 100,
    };
  }

  #idOf(number: number): string {
    return `${this.#prefix}-${number}`;
  }
}

/**
 * An entry as a caller may see it: nothing of agents that it may not use, and nobody's name but its own, unless it is an
 * administrator.
 *
 * @param entry The entry.
 * @param access Who looks.
 * @returns What it may see, or `undefined` where that is nothing.
 */
export function toSeen(entry: ActivityEntry, access: Access): ActivityEntry | undefined {
  if (!mayUse(access, entry.agent)) return undefined;
  if (entry.kind === "event" || access.isAdmin || entry.caller === access.caller) return entry;
  const { caller: _, ...rest } = entry;
  return rest;
}

function toBounded(record: CallRecord): CallRecord {
  return record.tool.length <= MAX_TOOL_CHARS ? record : { ...record, tool: cut(record.tool, MAX_TOOL_CHARS) };
}

/** The begin of a text as a text of its own: a slice of a long one would keep all of it in memory. */
function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return new TextDecoder().decode(new TextEncoder().encode(`${text.slice(0, maxChars - 1).toWellFormed()}…`));
}
