/**
 * Timers of which there may be several for every call: one of the runtime's serves all of them.
 *
 * @module
 */

/** Something to be done after a time. */
export interface Alarm {
  /** When, on the clock of `performance.now()`, in milliseconds. */
  readonly atMs: number;
  /** What. It must not throw. */
  readonly run: () => void;
}

/** The longest a timer can be set for, in milliseconds. */
const MAX_TIMER_MS = 2_147_483_647;
/** How long a process is young, in milliseconds. */
const YOUNG_MS = 200;

/**
 * Keeps one timer for the alarm that rings first. The runtime loads what is behind `setTimeout` when that is first used,
 * which takes longer than a whole call: in a young process a signal's timer does, which is there already.
 */
class AlarmClock {
  readonly #alarms = new Set<Alarm>();
  /** When the runtime's timer fires, on the clock of `performance.now()`, in milliseconds. */
  #dueMs = Infinity;
  /** Stops the runtime's timer. */
  #stop: (() => void) | undefined;
  #youngUntilMs: number | undefined;

  set(run: () => void, afterMs: number): Alarm {
    const nowMs = performance.now();
    const alarm = { atMs: nowMs + afterMs, run };
    this.#alarms.add(alarm);
    if (alarm.atMs < this.#dueMs) this.#arm(alarm.atMs, nowMs);
    return alarm;
  }

  clear(alarm: Alarm): void {
    if (!this.#alarms.delete(alarm) || this.#alarms.size > 0) return;
    this.#stop?.();
    this.#dueMs = Infinity;
  }

  #arm(atMs: number, nowMs: number): void {
    this.#stop?.();
    this.#dueMs = atMs;
    const waitMs = Math.min(Math.max(0, atMs - nowMs), MAX_TIMER_MS);
    this.#youngUntilMs ??= nowMs + YOUNG_MS;
    if (nowMs >= this.#youngUntilMs) {
      let isStopped = false;
      // Where the event loop was held up, one that was due already is called although it was cleared in the same turn.
      const timer = setTimeout(() => isStopped || this.#ring(), waitMs);
      this.#stop = () => {
        isStopped = true;
        clearTimeout(timer);
      };
      return;
    }
    const signal = AbortSignal.timeout(Math.min(waitMs, YOUNG_MS));
    const ring = () => this.#ring();
    signal.addEventListener("abort", ring, { once: true });
    this.#stop = () => signal.removeEventListener("abort", ring);
  }

  #ring(): void {
    const nowMs = performance.now();
    this.#stop = undefined;
    this.#dueMs = Infinity;
    const due = [...this.#alarms].filter(({ atMs }) => atMs <= nowMs).sort((one, other) => one.atMs - other.atMs);
    // One that has rung may have cleared another.
    for (const alarm of due) if (this.#alarms.delete(alarm)) alarm.run();
    let nextMs = Infinity;
    for (const { atMs } of this.#alarms) nextMs = Math.min(nextMs, atMs);
    if (nextMs < this.#dueMs) this.#arm(nextMs, performance.now());
  }
}

const CLOCK = new AlarmClock();

/**
 * Does something after a time, as `setTimeout` does.
 *
 * @param run What to do. It must not throw.
 * @param afterMs When, in milliseconds from now.
 * @returns The alarm, for {@linkcode clearAlarm}.
 */
export function setAlarm(run: () => void, afterMs: number): Alarm {
  return CLOCK.set(run, afterMs);
}

/**
 * Takes an alarm back. One that has rung, or is not there, is none.
 *
 * @param alarm The alarm.
 */
export function clearAlarm(alarm: Alarm | undefined): void {
  if (alarm !== undefined) CLOCK.clear(alarm);
}
