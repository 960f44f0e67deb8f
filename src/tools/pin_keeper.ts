/**
 * The port by which pins are kept between isolates.
 *
 * @module
 */

/**
 * Digests by tool name.
 *
 * @example
 * ```ts
 * import type { PinnedDigests } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const changed = (before: PinnedDigests, now: PinnedDigests) =>
 *   Object.keys(now).filter((tool) => before[tool] !== undefined && before[tool] !== now[tool]);
 * assertEquals(changed({ read: "5f2c…", write: "90aa…" }, { read: "77d1…", copy: "c04e…" }), ["read"]);
 * ```
 */
export type PinnedDigests = Readonly<Record<string, string>>;

/**
 * Where pins are kept between isolates. Its methods never reject. One that has only the first two keeps digests alone:
 * what a tool was is then known, and what is decided of it holds, as long as the client.
 *
 * @example In memory
 * ```ts
 * import { type PinKeeper, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * let pinned: Record<string, string> = {};
 * const pinKeeper: PinKeeper = {
 *   load: () => Promise.resolve(pinned),
 *   save: (digests, { replace = false } = {}) =>
 *     Promise.resolve(void (pinned = replace ? { ...pinned, ...digests } : { ...digests, ...pinned })),
 * };
 * const config = { url: "https://files.example.com/mcp", pin: "block" } as const;
 * await using client = new SingleServerMCPClient("files", config, { pinKeeper });
 * assertEquals(client.server, "files");
 * ```
 */
export interface PinKeeper {
  /** What is pinned; empty where nothing is yet; `undefined` where it cannot be told at the moment. */
  load(): Promise<PinnedDigests | undefined>;
  /**
   * Pins tools.
   *
   * @param digests The digests.
   * @param options Whether they replace what is pinned; without it, what is pinned already stays. And what a model is
   * told of each tool, as JSON, by name.
   * @returns `false` where they could not be kept.
   */
  save(
    digests: PinnedDigests,
    options?: { readonly replace?: boolean; readonly texts?: Readonly<Record<string, string>> | undefined },
  ): Promise<boolean | void>;
  /**
   * What is known of pinned tools besides their digests.
   *
   * @param textsOf The tools of which it is asked what a model was told of them.
   * @returns By name: when it was pinned, in milliseconds since the epoch, and what a model was told, as JSON.
   * `undefined` where it cannot be told at the moment.
   */
  loadDetails?(
    textsOf: readonly string[],
  ): Promise<
    | Readonly<Record<string, { readonly pinnedAtMs?: number | undefined; readonly text?: string | undefined }>>
    | undefined
  >;
  /**
   * What was decided.
   *
   * @returns A number that is larger after each decision, and the tools that are withheld by decision; `undefined`
   * where that cannot be told at the moment.
   */
  loadDecisions?(): Promise<{ readonly revision: number; readonly withheld: readonly string[] } | undefined>;
  /**
   * Keeps decisions.
   *
   * @param change The tools to withhold, and those that are withheld no longer.
   * @returns What is decided now; `undefined` where it could not be kept.
   */
  saveDecisions?(
    change: { readonly withhold?: readonly string[]; readonly release?: readonly string[] },
  ): Promise<{ readonly revision: number; readonly withheld: readonly string[] } | undefined>;
}
