/**
 * The pins of one server in the route store: first come, first pinned, whichever isolate it was. And what is decided of
 * them.
 *
 * @module
 */

import { isJsonObject } from "../protocol.ts";
import { MAX_KEPT_MS, RENEWED_AFTER_MS, type RouteKey } from "../route_store.ts";
import type { PinKeeper, PinnedDigests } from "../tools/pin_keeper.ts";
import type { DecisionChange } from "../tools/withheld_tools.ts";
import {
  type PinPage,
  putPins,
  readOldPins,
  readPinPage,
  readPinTexts,
  stampOf,
  type StoredPin,
  toPinTexts,
  writePinPage,
} from "./pin_book.ts";
import type { RouteStoreGuard } from "./route_store_guard.ts";
import { type KeptDecisions, SavedDecisions } from "./saved_decisions.ts";
import type { ServerCacheKey } from "./server_cache_key.ts";
import { inBatches } from "./tool_chunks.ts";

/** How often a write that another isolate was faster with is tried again. */
const MAX_TRIES = 4;
/** How many pages there are at most. */
const MAX_PAGES = 64;

/** What pins are kept with. */
export interface SavedPinsDeps {
  /** The store, behind its guard: it never rejects. */
  readonly guard: RouteStoreGuard;
  /** Tells the key of the server's tools: the pins lie beside them. */
  readonly toKey: () => Promise<ServerCacheKey>;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** A page as it was read. */
interface ReadPage extends PinPage {
  readonly version: string | null;
}

type SaveOptions = NonNullable<Parameters<PinKeeper["save"]>[1]>;
type Decisions = Awaited<ReturnType<NonNullable<PinKeeper["loadDecisions"]>>>;

/** Keeps the pins of one server of one agent. */
export class SavedPins implements PinKeeper {
  readonly #deps: SavedPinsDeps;
  readonly #decisions: SavedDecisions;
  /** What pages must at least have been written to be the ones that a decision was made with. */
  #stamp = 0;
  /** Whether what an earlier version has written is taken over: once is enough for one isolate. */
  #oldTaken = false;

  /**
   * Creates a keeper; nothing is read.
   *
   * @param deps What pins are kept with.
   */
  constructor(deps: SavedPinsDeps) {
    this.#deps = deps;
    const { guard, now } = deps;
    this.#decisions = new SavedDecisions({ guard, now, toKey: () => this.#keyOf("pin-decisions") });
  }

  async load(): Promise<PinnedDigests | undefined> {
    const pages = await this.#readBook();
    // From a replica that is behind they would undo what was accepted.
    if (pages === undefined || stampOf(pages) < this.#stamp) return undefined;
    const pins = pinsOf(pages);
    const old = this.#oldTaken ? [] : await this.#readOld();
    const missing = old?.filter(({ name }) => !pins.has(name)) ?? [];
    // Isolates of an earlier version go on writing there: what is seen is taken over, before its time is over.
    const taken = missing.length === 0 || await this.#write(missing, false) !== undefined;
    this.#oldTaken ||= old !== undefined && taken;
    await this.#renew(pages);
    return Object.fromEntries([...missing, ...pins.values()].map(({ name, digest }) => [name, digest]));
  }

  async save(digests: PinnedDigests, options: SaveOptions = {}): Promise<boolean> {
    const { replace = false, texts = {} } = options;
    const pages = await this.#readBook();
    if (pages === undefined) return false;
    const byName = new Map(Object.entries(digests));
    const known = pinsOf(pages);
    const taken = new Set([...known.values()].flatMap(({ textId }) => textId ?? []));
    const wanted = new Map(Object.entries(texts).filter(([name]) => replace || !known.has(name)));
    const textIds = await this.#saveTexts(wanted, byName, taken);
    const atMs = this.#deps.now();
    const pins = [...byName].map(([name, digest]) => ({ name, digest, atMs, textId: textIds.get(name) }));
    const written = await this.#write(pins, replace, pages);
    if (written === undefined) return false;
    this.#stamp = Math.max(this.#stamp, stampOf(written));
    if (replace) await this.#dropTexts(taken, written);
    return true;
  }

  async loadDetails(
    textsOf: readonly string[],
  ): Promise<
    Record<string, { readonly pinnedAtMs: number | undefined; readonly text: string | undefined }> | undefined
  > {
    const pages = await this.#readBook();
    if (pages === undefined) return undefined;
    const pins = pinsOf(pages);
    const ids = new Set(textsOf.flatMap((name) => pins.get(name)?.textId ?? []));
    const read = await inBatches([...ids], async (id) => {
      const key = await this.#keyOf("pin-texts", id);
      const answer = await this.#deps.guard.run((store) => store.get(key));
      return [...readPinTexts(answer?.value?.value)];
    });
    const texts = new Map(read.flat());
    return Object.fromEntries(
      [...pins].map(([name, { atMs, digest }]) => [name, { pinnedAtMs: atMs, text: texts.get(digest) }]),
    );
  }

  async loadDecisions(): Promise<Decisions> {
    return this.#heed(await this.#decisions.load());
  }

  async saveDecisions(change: DecisionChange): Promise<Decisions> {
    return this.#heed(await this.#decisions.save(change, this.#stamp));
  }

  #heed(kept: KeptDecisions | undefined): Decisions {
    if (kept === undefined) return undefined;
    this.#stamp = Math.max(this.#stamp, kept.stamp);
    return { revision: kept.revision, withheld: kept.withheld };
  }

  /** Where each text went; what does not fit is not kept. */
  async #saveTexts(
    texts: ReadonlyMap<string, string>,
    digests: ReadonlyMap<string, string>,
    taken: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, string>> {
    const expiresAtMs = this.#deps.now() + MAX_KEPT_MS;
    const values = await toPinTexts(texts, digests, await this.#keyOf("pin-texts"), taken);
    const written = await inBatches(values, async ({ id, names, value }) => {
      const key = await this.#keyOf("pin-texts", id);
      const answer = await this.#deps.guard.run((store) => store.set(key, value, { expiresAtMs }));
      return answer === undefined ? [] : names.map((name) => [name, id] as const);
    });
    return new Map(written.flat());
  }

  /** What nobody refers to any more. */
  async #dropTexts(ids: ReadonlySet<string>, pages: readonly PinPage[]): Promise<void> {
    const used = new Set([...pinsOf(pages).values()].map(({ textId }) => textId));
    await inBatches([...ids].filter((id) => !used.has(id)), async (id) => {
      const key = await this.#keyOf("pin-texts", id);
      await this.#deps.guard.run((store) => store.delete(key));
    });
  }

  /** Writes anew what would come to its end in the store. Where that fails, another isolate or a later reading does it. */
  async #renew(pages: readonly ReadPage[]): Promise<void> {
    const nowMs = this.#deps.now();
    const isOld = ({ pins, stamp }: PinPage) => pins.length > 0 && nowMs - stamp > RENEWED_AFTER_MS;
    const old = pages.filter(isOld);
    if (old.length === 0) return;
    await inBatches([...new Set(old.flatMap(({ pins }) => pins.flatMap(({ textId }) => textId ?? [])))], async (id) => {
      const key = await this.#keyOf("pin-texts", id);
      const value = (await this.#deps.guard.run((store) => store.get(key)))?.value?.value;
      const expiresAtMs = nowMs + MAX_KEPT_MS;
      if (isJsonObject(value)) await this.#deps.guard.run((store) => store.set(key, value, { expiresAtMs }));
    });
    const stamp = Math.max(stampOf(pages) + 1, nowMs);
    await this.#writePages(pages, pages.map((page) => isOld(page) ? { ...page, stamp } : page));
  }

  /** The pages with all of them: these, or where they do not replace, those of others that came first. */
  async #write(
    pins: readonly StoredPin[],
    replace: boolean,
    known?: readonly ReadPage[],
  ): Promise<readonly PinPage[] | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const pages = tries === 0 && known !== undefined ? known : await this.#readBook();
      if (pages === undefined) return undefined;
      const next = putPins(pages, pins, { replace, nowMs: this.#deps.now() });
      if (next.length > MAX_PAGES) return undefined;
      const outcome = await this.#writePages(pages, next);
      if (outcome !== "conflict") return outcome === "kept" ? next : undefined;
    }
    return undefined;
  }

  /** In their order: a page is there for others only where the one before says so. */
  async #writePages(pages: readonly ReadPage[], next: readonly PinPage[]): Promise<"kept" | "conflict" | "away"> {
    const expiresAtMs = this.#deps.now() + MAX_KEPT_MS;
    for (const [index, page] of next.entries()) {
      const read = pages[index];
      if (page === read) continue;
      const key = await this.#pageKey(index);
      const ifVersion = read?.version ?? null;
      const value = writePinPage(page);
      const answer = await this.#deps.guard.run((store) => store.set(key, value, { expiresAtMs, ifVersion }));
      if (answer === undefined) return "away";
      if (answer.value === undefined) return "conflict";
    }
    return "kept";
  }

  /** All pages; `undefined` where the store does not answer, or they are of a later version. */
  async #readBook(): Promise<readonly ReadPage[] | undefined> {
    const pages: ReadPage[] = [];
    for (let more = true; more && pages.length < MAX_PAGES;) {
      const key = await this.#pageKey(pages.length);
      const answer = await this.#deps.guard.run((store) => store.get(key));
      const page = answer === undefined ? undefined : readPinPage(answer.value?.value);
      if (answer === undefined || page === undefined || page === "newer") return undefined;
      pages.push({ ...page, version: answer.value?.version ?? null });
      more = page.more;
    }
    return pages;
  }

  async #readOld(): Promise<readonly StoredPin[] | undefined> {
    const key = await this.#keyOf("pins");
    const answer = await this.#deps.guard.run((store) => store.get(key));
    return answer && readOldPins(answer.value?.value);
  }

  #pageKey(index: number): Promise<RouteKey> {
    return this.#keyOf("pin-book", String(index));
  }

  /** Not the credential's: a tool that changes with a new token has changed. */
  async #keyOf(kind: string, ...rest: readonly string[]): Promise<RouteKey> {
    const [version, , agent, server, url] = await this.#deps.toKey();
    return [version, kind, agent, server, url, ...rest];
  }
}

/** By name; what came first counts. */
function pinsOf(pages: readonly PinPage[]): Map<string, StoredPin> {
  const pins = new Map<string, StoredPin>();
  for (const pin of pages.flatMap((page) => page.pins)) if (!pins.has(pin.name)) pins.set(pin.name, pin);
  return pins;
}
