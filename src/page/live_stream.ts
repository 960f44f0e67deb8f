/**
 * A screen that follows what happens: its parts are drawn anew and sent where they differ. Nothing runs where nobody
 * looks.
 *
 * @module
 */

import { clearAlarm, setAlarm } from "../alarm.ts";
import type { AgentStatus } from "../status.ts";
import { describeServer, type Tone } from "./words.ts";
import { isProblem, type LoadView } from "./view.ts";

/** The least time between two looks, in milliseconds. */
const MIN_PAUSE_MS = 1_000;
/** The most, where nothing has told that something happened, in milliseconds: time passes without being told. */
const MAX_PAUSE_MS = 5_000;
/** The same where nothing can be told. */
const BLIND_PAUSE_MS = 2_000;

/** What a stream works with. */
export interface LiveStreamDeps {
  /** Draws the screen. */
  readonly load: LoadView;
  /** Sends an event; resolves when the browser can take the next one. */
  readonly send: (event: string, value: unknown) => Promise<void>;
  /** Has a listener told that something happened; returns what ends that. */
  readonly watch: (listener: () => void) => () => void;
  /** Whether it is told of everything that happens to servers. */
  readonly isTold: boolean;
  /** Aborted when the browser has gone, or the gateway stops. */
  readonly signal: AbortSignal;
}

/**
 * Sends what changes on a screen, until its reader goes, may look no longer, or the gateway stops.
 *
 * @param deps What it works with.
 */
export async function runLiveStream({ load, send, watch, isTold, signal }: LiveStreamDeps): Promise<void> {
  const bell = new Bell(signal);
  const unwatch = watch(() => bell.ring());
  let sent: ReadonlyMap<string, string> | undefined;
  let tones: ReadonlyMap<string, Tone> = new Map();
  try {
    while (!signal.aborted) {
      const view = await load();
      if (isProblem(view)) {
        // Who may look no longer is led to the form; what is only overloaded comes back.
        if (view.status < 500) return await send("again", "");
      } else {
        const drawn = new Map<string, string>();
        for (const { id, node } of view.parts) drawn.set(id, String(await node));
        if (sent !== undefined && [...sent.keys()].join() !== [...drawn.keys()].join()) return await send("again", "");
        for (const [id, html] of drawn) {
          if (!signal.aborted && sent?.get(id) !== html) await send("part", html);
        }
        const now = toTones(view.agents);
        const text = describeChanges(tones, now);
        if (sent !== undefined && text !== "") await send("say", text);
        [sent, tones] = [drawn, now];
      }
      await bell.wait(MIN_PAUSE_MS, isTold ? MAX_PAUSE_MS : BLIND_PAUSE_MS);
    }
  } finally {
    unwatch();
  }
}

function toTones(agents: readonly AgentStatus[]): ReadonlyMap<string, Tone> {
  return new Map(
    agents.flatMap(({ agent, servers }) =>
      Object.values(servers).map((server) => [`${server.server} of ${agent}`, describeServer(server).tone] as const)
    ),
  );
}

/** What is said to who does not see it: that a server went down, or came back. */
function describeChanges(before: ReadonlyMap<string, Tone>, now: ReadonlyMap<string, Tone>): string {
  const sentences = [...now].flatMap(([name, tone]) => {
    const old = before.get(name);
    if (old === undefined || old === tone) return [];
    if (tone === "bad") return [`${name} is down.`];
    return tone === "good" && old !== "idle" ? [`${name} is connected.`] : [];
  });
  const more = sentences.length - 3;
  return more > 0 ? `${sentences.slice(0, 3).join(" ")} And ${more} more.` : sentences.join(" ");
}

/** Wakes who waits, though not too often, and not too seldom. */
class Bell {
  readonly #signal: AbortSignal;
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async wait(minMs: number, maxMs: number): Promise<void> {
    this.#rung = false;
    await this.#pause(minMs, false);
    if (!this.#rung) await this.#pause(maxMs - minMs, true);
  }

  #pause(ms: number, endsByRing: boolean): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const alarm = setAlarm(resolve, ms);
    this.#wake = endsByRing ? resolve : undefined;
    const end = () => resolve();
    this.#signal.addEventListener("abort", end, { once: true });
    return promise.finally(() => {
      clearAlarm(alarm);
      this.#signal.removeEventListener("abort", end);
      this.#wake = undefined;
    });
  }
}
