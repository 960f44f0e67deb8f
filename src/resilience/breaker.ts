/**
 * A circuit breaker: a server whose transport keeps failing is left alone for a while, then tried with one request.
 *
 * @module
 */

/**
 * `closed`: requests pass; `open`: none does; `half_open`: one passes, and decides.
 *
 * @example
 * ```ts
 * import { type BreakerState, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using client = new SingleServerMCPClient("files", { url: "http://localhost:9/mcp" });
 * const state: BreakerState = client.getStatus().breaker;
 * assertEquals(state, "closed");
 * ```
 */
export type BreakerState = "closed" | "open" | "half_open";

/** How a breaker behaves. */
export interface BreakerOptions {
  /** How many failures in a row open it. @default {5} */
  readonly threshold?: number | undefined;
  /** How long it is open the first time, in milliseconds; doubled each time the trial fails. @default {1_000} */
  readonly openMs?: number | undefined;
  /** The longest it is open, in milliseconds. @default {30_000} */
  readonly maxOpenMs?: number | undefined;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  /** Told of every change of its state. */
  readonly onChange?: ((state: BreakerState) => void) | undefined;
}

/** Leave to send one request. Who has it reports how that went, by one of its methods. */
export interface BreakerPass {
  /** The transport worked, whatever the server said. */
  succeed(): void;
  /** The transport failed. */
  fail(): void;
  /** The request said nothing of the transport: it was slow, or given up by its caller. */
  withdraw(): void;
}

/** The breaker of one server. It knows failures and successes, not what they were. */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #threshold: number;
  #failures = 0;
  #openings = 0;
  #closesAtMs = 0;
  #state: BreakerState = "closed";
  /** The request that decides. What requests of earlier times report does not decide for it. */
  #trial: BreakerPass | undefined;

  /**
   * Creates a closed breaker.
   *
   * @param options How it behaves.
   */
  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#threshold = options.threshold ?? 5;
  }

  /** Where it stands now. */
  get state(): BreakerState {
    return this.#state === "open" && this.#options.now() >= this.#closesAtMs ? "half_open" : this.#state;
  }

  /** How long it stays open, in milliseconds; `0` where a request may pass. */
  get waitMs(): number {
    if (this.state === "closed") return 0;
    if (this.state === "half_open") return this.#trial === undefined ? 0 : this.#openMs();
    return Math.max(0, this.#closesAtMs - this.#options.now());
  }

  /**
   * Asks to let a request pass.
   *
   * @param options Whether it passes also where the breaker is open.
   * @returns Leave to send it, or `undefined`.
   */
  enter(options: { readonly force?: boolean | undefined } = {}): BreakerPass | undefined {
    const { state } = this;
    const isTrial = state === "half_open" && this.#trial === undefined;
    if (state !== "closed" && !isTrial && options.force !== true) return undefined;
    const pass: BreakerPass = {
      succeed: () => this.#succeed(),
      fail: () => this.#fail(this.#endTrial(pass)),
      withdraw: () => void this.#endTrial(pass),
    };
    if (isTrial) {
      this.#trial = pass;
      this.#change("half_open");
    }
    return pass;
  }

  #succeed(): void {
    this.#failures = 0;
    this.#openings = 0;
    this.#trial = undefined;
    this.#change("closed");
  }

  #fail(wasTrial: boolean): void {
    this.#failures++;
    if (this.#state === "closed" ? this.#failures < this.#threshold : !wasTrial) return;
    const openMs = this.#openMs();
    this.#openings++;
    // Half of it is jitter, so that many isolates do not come back at once.
    this.#closesAtMs = this.#options.now() + openMs * (0.5 + this.#options.random() / 2);
    this.#change("open");
  }

  #endTrial(pass: BreakerPass): boolean {
    if (this.#trial !== pass) return false;
    this.#trial = undefined;
    return true;
  }

  #openMs(): number {
    const { openMs = 1_000, maxOpenMs = 30_000 } = this.#options;
    return Math.min(openMs * 2 ** this.#openings, maxOpenMs);
  }

  #change(state: BreakerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onChange?.(state);
  }
}
