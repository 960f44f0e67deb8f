/**
 * Keeps a server's stream of notices open as long as somebody wants it, and opens it again when it ends.
 *
 * @module
 */

import { abortable, delay } from "@std/async";
import type { ListenOptions, NoticeFilter } from "../connection/connection.ts";
import type { Deadline } from "../deadline.ts";
import { JoinedSignal } from "../joined_signal.ts";
import { MIN_INTERVAL_MS } from "./notice_pacer.ts";

/** The longest between two openings of a stream that keeps ending at once, in milliseconds. */
const MAX_INTERVAL_MS = 60_000;
/** The longest that anybody waits for the stream to open, in milliseconds. */
const MAX_READY_MS = 2_000;

/** What notices are kept with. */
export interface ServerNoticesDeps {
  /** Opens the stream and reads it to its end; `false` where the server offers none. May reject. */
  readonly listen: (options: ListenOptions) => Promise<boolean>;
  /** Whether the server sends only what is asked for, so that a change of that needs a new stream. */
  readonly isFiltered: () => boolean;
  /** Told that there was no stream for a while: nobody could tell what has changed. */
  readonly onGap: () => void;
  /** Told after a gap that there is a stream again, or that there will be none. */
  readonly onReopened?: (() => void) | undefined;
  /** The time, in milliseconds. @default {performance.now} */
  readonly now?: (() => number) | undefined;
  /** Waits for a time in milliseconds, or until the signal is aborted. @default {delay} */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** A wish for the stream. */
export interface NoticeLease {
  /**
   * Waits until the stream is open, or it is known that it will not be.
   *
   * @param deadline How long to wait; never more than two seconds.
   */
  ready(deadline: Deadline): Promise<void>;
  /** Whether the server offers such a stream, as far as is known. */
  readonly offered: boolean;
  /** Ends the wish; with the last one the stream is closed. Idempotent. */
  release(): void;
}

/** The stream of notices of one server. */
export class ServerNotices {
  readonly #deps: ServerNoticesDeps;
  readonly #now: () => number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #closing = new AbortController();
  readonly #wishes = new Set<NoticeFilter>();
  readonly #waiters = new Set<() => void>();
  /** Streams that have not ended yet. */
  readonly #streams = new Set<Promise<void>>();
  #state: "closed" | "opening" | "open" | "not_offered" = "closed";
  /** Aborted when another stream is to take the place of the one at hand, or none. */
  #round = new AbortController();
  #running: Promise<void> | undefined;
  /** Whether nobody wants the stream any more that is still being closed. */
  #isLeaving = false;

  /**
   * Creates a keeper; nothing is opened.
   *
   * @param deps What it works with.
   */
  constructor(deps: ServerNoticesDeps) {
    const { now = () => performance.now(), wait = (ms, signal) => delay(ms, { signal }) } = deps;
    this.#deps = deps;
    this.#now = now;
    this.#wait = wait;
  }

  /**
   * Wants the stream from now on.
   *
   * @param filter Which notices.
   * @returns The wish.
   */
  want(filter: NoticeFilter): NoticeLease {
    // Equal filters of two wishes are two wishes.
    const wish = { ...filter };
    const before = JSON.stringify(this.#filter());
    this.#wishes.add(wish);
    this.#follow(before);
    const isOffered = () => this.#state !== "not_offered";
    return {
      ready: (deadline) => this.#ready(deadline),
      get offered() {
        return isOffered();
      },
      release: () => {
        const last = JSON.stringify(this.#filter());
        if (this.#wishes.delete(wish)) this.#follow(last);
      },
    };
  }

  /** There is a new connection: the stream is opened on it. */
  restart(): void {
    if (this.#state === "not_offered") this.#state = "closed";
    this.#endRound();
    this.#start();
  }

  /** Closes the stream. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#settle("closed");
    await this.#running;
    await Promise.all(this.#streams);
  }

  #follow(before: string): void {
    if (this.#wishes.size === 0 || (this.#deps.isFiltered() && before !== JSON.stringify(this.#filter()))) {
      this.#endRound();
    }
    this.#start();
  }

  /** Has another stream take the place of the one at hand. */
  #endRound(): void {
    if (this.#running === undefined) return;
    if (this.#state !== "not_offered") this.#state = "opening";
    this.#round.abort();
  }

  #filter(): NoticeFilter {
    const all = [...this.#wishes];
    return {
      tools: all.some(({ tools }) => tools),
      prompts: all.some(({ prompts }) => prompts),
      resources: all.some(({ resources }) => resources),
      uris: [...new Set(all.flatMap(({ uris }) => uris))].sort(),
    };
  }

  #start(): void {
    if (this.#closing.signal.aborted || this.#wishes.size === 0 || this.#state === "not_offered") return;
    // Somebody may come while the last one leaves: the next stream waits for the end of the last.
    if (this.#running === undefined || this.#isLeaving) this.#state = "opening";
    if (this.#running !== undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.#isLeaving = false;
      this.#start();
    });
  }

  async #run(): Promise<void> {
    const { onGap, onReopened } = this.#deps;
    const { signal: closing } = this.#closing;
    let pauseMs = MIN_INTERVAL_MS;
    /** A stream stays open until the one is that takes its place: no notice is lost between the two. */
    let before: Stream | undefined;
    let isUntold = false;
    const reopened = () => {
      if (isUntold) onReopened?.();
      isUntold = false;
    };
    for (let isGap = false; !closing.aborted && this.#wishes.size > 0;) {
      if (isGap) onGap();
      isUntold ||= isGap;
      const { signal: round } = this.#round = new AbortController();
      using joined = new JoinedSignal(closing, round);
      const openedAt = this.#now();
      const stream = this.#open(() => {
        if (round.aborted) return;
        before?.close();
        this.#settle("open");
        reopened();
      });
      const offered = await stream.endedOr(joined.signal);
      isGap = !round.aborted;
      if (round.aborted && stream.isOpen) {
        before?.close();
        before = stream;
      } else {
        stream.close();
      }
      // Another stream takes the place of this one at once.
      if (round.aborted) continue;
      before?.close();
      before = undefined;
      this.#settle(offered ? "closed" : "not_offered");
      if (!offered) return reopened();
      // A stream that lasted is opened again soon, one that ends at once ever more slowly. A "retry:" of the server
      // changes nothing about it.
      const lasted = this.#now() - openedAt > MAX_INTERVAL_MS;
      pauseMs = lasted ? MIN_INTERVAL_MS : Math.min(pauseMs * 2, MAX_INTERVAL_MS);
      await this.#wait(pauseMs / 2, joined.signal).catch(() => {});
    }
    before?.close();
    this.#settle("closed");
    this.#isLeaving = true;
    await Promise.all(this.#streams);
  }

  #open(onOpen: () => void): Stream {
    const stream = new Stream(this.#deps.listen, this.#filter(), this.#closing.signal, onOpen);
    const gone = stream.ended.then(() => void this.#streams.delete(gone));
    this.#streams.add(gone);
    return stream;
  }

  #settle(state: "closed" | "open" | "not_offered"): void {
    this.#state = state;
    for (const settle of this.#waiters) settle();
    this.#waiters.clear();
  }

  async #ready({ signal }: Deadline): Promise<void> {
    if (this.#state !== "opening" || signal.aborted) return;
    const settled = Promise.withResolvers<void>();
    this.#waiters.add(settled.resolve);
    const over = new AbortController();
    const patience = this.#wait(MAX_READY_MS, new JoinedSignal(signal, over.signal).signal).then(() => {
      // A server that keeps the head of its answer back does so every time: nobody waits for it a second time.
      if (this.#state === "opening") this.#settle("closed");
    }, () => {});
    await Promise.race([settled.promise, patience]);
    over.abort();
    await patience;
    this.#waiters.delete(settled.resolve);
  }
}

/** One stream, from its opening to its end. */
class Stream {
  /** Settles with its end: `false` where the server offers none. */
  readonly ended: Promise<boolean>;
  readonly #closing = new AbortController();
  #isOpen = false;

  constructor(
    listen: ServerNoticesDeps["listen"],
    filter: NoticeFilter,
    owner: AbortSignal,
    onOpen: () => void,
  ) {
    const { signal } = new JoinedSignal(owner, this.#closing.signal);
    const opened = () => {
      this.#isOpen = true;
      onOpen();
    };
    this.ended = listen({ filter, signal, onOpen: opened }).catch(() => true);
  }

  /** Whether it has been open. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Waits for its end, or for the signal. */
  async endedOr(signal: AbortSignal): Promise<boolean> {
    return await abortable(this.ended, signal).catch(() => true);
  }

  /** Ends it. */
  close(): void {
    this.#closing.abort();
  }
}
