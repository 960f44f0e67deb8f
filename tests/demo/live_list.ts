/**
 * A list of things that are under way: rewritten in place on a terminal, a line for each that settles elsewhere.
 *
 * @module
 */

import type { Screen } from "./screen.ts";

/** How a thing ended. */
export type Outcome = "ok" | "failed";

interface Row {
  readonly label: string;
  note: string;
  outcome: Outcome | undefined;
}

const FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const FRAME_MS = 80;
const HIDE_CURSOR_AND_CLIP = "\x1b[?25l\x1b[?7l";
const SHOW_CURSOR_AND_WRAP = "\x1b[?25h\x1b[?7h";
const CLEAR_LINE_END = "\x1b[K";

/** Shows how several things go on at once. Disposing stops the animation and leaves the list as it is. */
export class LiveList implements Disposable {
  readonly #screen: Screen;
  readonly #rows: ReadonlyMap<string, Row>;
  readonly #startedAt = performance.now();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #drawn = false;
  #stopped = false;

  /**
   * Creates a list and shows it.
   *
   * @param screen Where.
   * @param labels What each row is called, by its key.
   */
  constructor(screen: Screen, labels: Readonly<Record<string, string>>) {
    this.#screen = screen;
    this.#rows = new Map(
      Object.entries(labels).map(([key, label]) => [key, { label, note: "", outcome: undefined }]),
    );
    if (!screen.isLive) return;
    screen.write(HIDE_CURSOR_AND_CLIP);
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  /** Says something of a row that goes on. */
  note(key: string, note: string): void {
    const row = this.#rows.get(key);
    if (row === undefined || row.outcome !== undefined) return;
    row.note = note;
    if (!this.#screen.isLive) this.#screen.print(`  … ${row.label}  ${note}`);
  }

  /** Says how a row ended. */
  settle(key: string, outcome: Outcome, note: string): void {
    const row = this.#rows.get(key);
    if (row === undefined || row.outcome !== undefined) return;
    row.outcome = outcome;
    row.note = note;
    if (this.#screen.isLive) this.#draw();
    else this.#screen.print(this.#format(row));
  }

  /** Stops the animation. */
  [Symbol.dispose](): void {
    if (!this.#screen.isLive) return;
    clearInterval(this.#timer);
    this.#stopped = true;
    this.#draw();
    this.#screen.write(SHOW_CURSOR_AND_WRAP);
  }

  #draw(): void {
    const up = this.#drawn ? `\x1b[${this.#rows.size}A` : "";
    this.#drawn = true;
    const lines = [...this.#rows.values()].map((row) => `\r${this.#format(row)}${CLEAR_LINE_END}\n`);
    this.#screen.write(up + lines.join(""));
  }

  #format({ label, note, outcome }: Row): string {
    const screen = this.#screen;
    if (outcome === "ok") return `  ${screen.paint("✓", "green")} ${label}  ${note}`;
    if (outcome === "failed") return `  ${screen.paint("✗", "red")} ${label}  ${note}`;
    const elapsedMs = performance.now() - this.#startedAt;
    const frame = this.#stopped ? "-" : FRAMES[Math.floor(elapsedMs / FRAME_MS) % FRAMES.length] ?? "";
    const waiting = `${(elapsedMs / 1_000).toFixed(1)} s${note === "" ? "" : `  ${note}`}`;
    return `  ${screen.paint(frame, "yellow")} ${label}  ${screen.paint(waiting, "dim")}`;
  }
}
