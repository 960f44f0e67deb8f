/**
 * Pins: what each tool of a server was when it was first seen, and what to do about one that is no longer that.
 *
 * @module
 */

import type { Tool } from "../protocol.ts";
import type { PinKeeper, PinnedDigests } from "./pin_keeper.ts";
import type { PinnedTool } from "./pinned_tool.ts";
import { readToolText, type ToolText, toToolDigest, toToolText, writeToolText } from "./tool_digest.ts";
import { WithheldTools } from "./withheld_tools.ts";

/** How many names one server may have pinned: as many as fit two full lists. */
export const MAX_PINS = 4_000;
/** How much of what tools were is held where nobody else keeps it, in characters. */
const MAX_HELD_CHARS = 4 * 1024 * 1024;
/** How many warnings there are of one kind. */
const MAX_WARNINGS = 20;
/** How often pins that were decided on are tried again where they cannot be read. */
const MAX_CATCH_UPS = 6;

/** What pins work with, besides their keeper. */
export interface ToolPinsOptions {
  /** Which tools may be told of at all. @default {All of them} */
  readonly isShown?: ((name: string) => boolean) | undefined;
  /** Told that something was decided in another isolate: the list is to be made anew. */
  readonly onDecided?: (() => void) | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

interface Current {
  readonly digest: string;
  readonly text: ToolText;
}

interface NewPin {
  readonly name: string;
  readonly digest: string;
  readonly text: string | undefined;
}

/** The pins of one server. */
export class ToolPins {
  readonly #mode: "warn" | "block";
  readonly #keeper: PinKeeper | undefined;
  readonly #withheld: WithheldTools;
  readonly #isShown: (name: string) => boolean;
  readonly #onDecided: (() => void) | undefined;
  readonly #now: () => number;
  /** What is pinned as far as is known here; names may be any text. */
  readonly #pinned = new Map<string, string>();
  /** What tools were, and since when, where nobody else keeps it. */
  readonly #held = new Map<string, { readonly text: string | undefined; readonly pinnedAtMs: number }>();
  #heldChars = 0;
  #current: ReadonlyMap<string, Current> = new Map();
  /** The tools of the last list that are no longer what they were pinned as. */
  #changed: ReadonlySet<string> = new Set();
  /** Those that could not be pinned. */
  #unpinned: ReadonlySet<string> = new Set();
  /** Pinned here, and not kept where others could read it. */
  readonly #unkept = new Map<string, NewPin>();
  #loaded: { readonly revision: number | undefined } | undefined;
  #refreshing: Promise<void> | undefined;
  /** How often the list was made anew only because pins could not be read. */
  #catchUps = 0;

  /**
   * Creates pins; nothing is read.
   *
   * @param mode Whether a changed tool is told of, or withheld too.
   * @param keeper Where pins are kept; without one they hold as long as this object.
   * @param options What else they work with.
   */
  constructor(mode: "warn" | "block", keeper?: PinKeeper, options: ToolPinsOptions = {}) {
    const { now = Date.now, isShown = () => true, onDecided } = options;
    this.#mode = mode;
    this.#keeper = keeper;
    this.#now = now;
    this.#isShown = isShown;
    this.#onDecided = onDecided;
    this.#withheld = new WithheldTools(keeper, now);
  }

  /** Whether others may have decided since that was last read: see {@linkcode ToolPins.refresh}. */
  get isDue(): boolean {
    return this.#withheld.isDue;
  }

  /** The tools that are withheld, by decision or because they have changed, as far as is known here. */
  get withheld(): readonly string[] {
    const names = new Set([...this.#withheld.names, ...this.#changed, ...this.#unpinned]);
    return [...names].filter((name) => this.isWithheld(name));
  }

  /** How many tools of the last list are no longer what they were pinned as. */
  get changedCount(): number {
    return [...this.#changed].filter(this.#isShown).length;
  }

  /** How many tools are withheld. */
  get withheldCount(): number {
    return this.withheld.filter(this.#isShown).length;
  }

  /**
   * Whether a tool is withheld.
   *
   * @param name Its name at the server.
   * @returns Whether it is, as far as is known here.
   */
  isWithheld(name: string): boolean {
    if (this.#withheld.has(name)) return true;
    return this.#mode === "block" && (this.#changed.has(name) || this.#unpinned.has(name));
  }

  /** Reads what was decided elsewhere, for all who wait for that at once. Never rejects. */
  refresh(): Promise<void> {
    return this.#refreshing ??= this.#refresh().finally(() => this.#refreshing = undefined);
  }

  /**
   * Looks at a list: pins what is new, and finds what has changed.
   *
   * @param tools The tools as the server lists them.
   * @returns What is no longer what it was, or is withheld, in words.
   */
  async apply(tools: readonly Tool[]): Promise<readonly string[]> {
    await this.#withheld.read();
    await this.#load();
    const current = new Map<string, Current>();
    for (const tool of tools) current.set(tool.name, { digest: await toToolDigest(tool.name, tool), text: tool });
    this.#current = current;
    const fresh = [...current.keys()].filter((name) => !this.#pinned.has(name));
    const room = Math.max(0, MAX_PINS - this.#pinned.size);
    this.#unpinned = new Set(fresh.slice(room));
    await this.#keep([...this.#unkept.values(), ...this.#pin(fresh.slice(0, room))], false);
    this.#compare();
    return this.#toWarnings();
  }

  /**
   * Pins tools as they are now, and lets them through.
   *
   * @param names Which ones; all of the last list where none are named.
   * @returns The names that were pinned anew or let through, and whether that is kept.
   */
  async accept(
    names: readonly string[] = [...this.#current.keys()],
  ): Promise<{ readonly names: readonly string[]; readonly kept: boolean }> {
    const changed = names.filter((name) => {
      const digest = this.#current.get(name)?.digest;
      return digest !== undefined && digest !== this.#pinned.get(name);
    });
    const accepted = [...new Set([...changed, ...names.filter((name) => this.#withheld.has(name))])];
    if (accepted.length === 0) return { names: accepted, kept: true };
    const isPinned = await this.#keep(this.#pin(changed), true);
    this.#compare();
    this.#unpinned = new Set([...this.#unpinned].filter((name) => !this.#pinned.has(name)));
    // After the pins: who hears of the decision reads them.
    const isDecided = await this.#withheld.decide({ release: accepted });
    return { names: accepted, kept: isPinned && isDecided };
  }

  /**
   * Withholds a tool until it is accepted.
   *
   * @param name Its name at the server.
   * @returns Whether that is kept.
   */
  async withhold(name: string): Promise<boolean> {
    return await this.#withheld.decide({ withhold: [name] });
  }

  /**
   * What a tool is now.
   *
   * @param name Its name at the server.
   * @returns The digest where the last list has it, and how it stands; `undefined` where nothing is known of it, or it may
   * not be told of.
   */
  async find(name: string): Promise<Pick<PinnedTool, "state" | "digest"> | undefined> {
    await this.#load();
    const isKnown = this.#current.has(name) || this.#pinned.has(name) || this.#withheld.has(name);
    return isKnown && this.#isShown(name)
      ? { state: this.#stateOf(name), digest: this.#current.get(name)?.digest }
      : undefined;
  }

  /**
   * What is known of each tool of the last list, and of those that are withheld.
   *
   * @returns The tools, without their server.
   */
  async list(): Promise<readonly Omit<PinnedTool, "server">[]> {
    await this.#load();
    const names = [...new Set([...this.#current.keys(), ...this.#withheld.names])].filter(this.#isShown);
    const textsOf = names.filter((name) => this.#stateOf(name) !== "pinned");
    const details = new Map(Object.entries(await this.#keeper?.loadDetails?.(textsOf) ?? {}));
    return await Promise.all(
      names.map((name) => this.#describe(name, { ...this.#held.get(name), ...details.get(name) })),
    );
  }

  async #describe(
    name: string,
    kept: { readonly text?: string | undefined; readonly pinnedAtMs?: number | undefined },
  ): Promise<Omit<PinnedTool, "server">> {
    const state = this.#stateOf(name);
    const current = this.#current.get(name);
    const digest = this.#pinned.get(name);
    const now = current && writeToolText(current.text) !== undefined ? toToolText(current.text) : undefined;
    const before = state === "pinned" || digest === undefined || kept.text === undefined
      ? undefined
      : await readToolText(kept.text, name, digest);
    return {
      tool: name,
      state,
      callable: current !== undefined && !this.isWithheld(name),
      pinnedAtMs: kept.pinnedAtMs,
      digest: current?.digest,
      before,
      now,
      note: toNote({
        state,
        isListed: current !== undefined,
        hasBefore: before !== undefined,
        hasNow: now !== undefined,
      }),
    };
  }

  #stateOf(name: string): PinnedTool["state"] {
    if (this.#withheld.has(name)) return "withheld";
    return this.#changed.has(name) || this.#unpinned.has(name) ? "changed" : "pinned";
  }

  #compare(): void {
    const pairs = [...this.#current].filter(([name, { digest }]) => {
      return this.#pinned.has(name) && this.#pinned.get(name) !== digest;
    });
    this.#changed = new Set(pairs.map(([name]) => name));
  }

  /** Pins tools of the last list here. */
  #pin(names: readonly string[]): readonly NewPin[] {
    const pins = names.flatMap((name): readonly NewPin[] => {
      const current = this.#current.get(name);
      return current === undefined ? [] : [{ name, digest: current.digest, text: writeToolText(current.text) }];
    });
    for (const { name, digest, text } of pins) {
      this.#pinned.set(name, digest);
      if (this.#keeper?.loadDetails === undefined) this.#hold(name, text);
    }
    return pins;
  }

  /** Has pins kept; whether they are. What was first seen while the store was away is kept with the next list. */
  async #keep(pins: readonly NewPin[], replace: boolean): Promise<boolean> {
    if (pins.length === 0 || this.#keeper === undefined) return true;
    const texts = Object.fromEntries(pins.flatMap(({ name, text }) => text === undefined ? [] : [[name, text]]));
    const digests: PinnedDigests = Object.fromEntries(pins.map(({ name, digest }) => [name, digest]));
    const isKept = await this.#keeper.save(digests, { replace, texts }) !== false;
    for (const pin of pins) isKept || replace ? this.#unkept.delete(pin.name) : this.#unkept.set(pin.name, pin);
    // Another isolate may have been faster: the first pin counts, whoever made it.
    if (isKept && !replace) await this.#takeKept();
    return isKept;
  }

  #hold(name: string, text: string | undefined): void {
    this.#heldChars -= this.#held.get(name)?.text?.length ?? 0;
    const fits = text !== undefined && this.#heldChars + text.length <= MAX_HELD_CHARS;
    if (fits) this.#heldChars += text.length;
    this.#held.set(name, { text: fits ? text : undefined, pinnedAtMs: this.#now() });
  }

  /** A store that is away is asked again; until then, what was first seen here holds. */
  async #load(): Promise<void> {
    const { revision } = this.#withheld;
    if (this.#loaded !== undefined && this.#loaded.revision === revision) return;
    if (!(await this.#takeKept())) return;
    this.#loaded = { revision };
    this.#catchUps = 0;
  }

  async #takeKept(): Promise<boolean> {
    const kept = this.#keeper === undefined ? {} : await this.#keeper.load();
    if (kept === undefined) return false;
    for (const [name, digest] of Object.entries(kept)) this.#pinned.set(name, digest);
    return true;
  }

  async #refresh(): Promise<void> {
    const isNews = await this.#withheld.read();
    // The pins that were decided on could not be read, as from a replica that is behind: they are tried again.
    const isBehind = this.#loaded !== undefined && this.#loaded.revision !== this.#withheld.revision;
    if (isNews || (isBehind && this.#catchUps++ < MAX_CATCH_UPS)) this.#onDecided?.();
  }

  #toWarnings(): readonly string[] {
    const shown = [...this.#current.keys()].filter(this.#isShown);
    const changed = shown.filter((name) => this.#changed.has(name));
    const decided = shown.filter((name) => this.#withheld.has(name) && !this.#changed.has(name));
    const unpinned = shown.filter((name) => this.#unpinned.has(name));
    const fate = (name: string) =>
      this.isWithheld(name) ? "it is withheld until it is accepted" : "look at it before you trust it";
    return [
      ...cap(changed, (name) => `Tool "${name}" is no longer what it was pinned as: ${fate(name)}`, "have changed"),
      ...cap(decided, (name) => `Tool "${name}" is withheld until it is accepted`, "are withheld"),
      ...cap(
        unpinned,
        (name) => `Tool "${name}" cannot be pinned as ${MAX_PINS} names are: ${fate(name)}`,
        "are not pinned",
      ),
    ];
  }
}

/** A server may have any number of tools change: the first of them are named. */
function cap(names: readonly string[], toWarning: (name: string) => string, what: string): readonly string[] {
  const rest = names.length - MAX_WARNINGS;
  return [...names.slice(0, MAX_WARNINGS).map(toWarning), ...(rest > 0 ? [`${rest} more tools ${what}`] : [])];
}

function toNote(
  { state, isListed, hasBefore, hasNow }: {
    readonly state: PinnedTool["state"];
    readonly isListed: boolean;
    readonly hasBefore: boolean;
    readonly hasNow: boolean;
  },
): string | undefined {
  if (!isListed) return "Its server does not list it now";
  if (!hasNow) return "What it is now is too large to be shown";
  if (state === "pinned" || hasBefore) return undefined;
  return "What it was pinned as is not kept: it was too large, or was pinned by an earlier version";
}
