/**
 * Pins: what each tool of a server was when it was first seen, and what to do about one that is no longer that.
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";
import type { JsonValue, Tool } from "../protocol.ts";

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
 * Where pins are kept between isolates. Its methods never reject.
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
   * @param options Whether they replace what is pinned; without it, what is pinned already stays.
   */
  save(digests: PinnedDigests, options?: { readonly replace?: boolean }): Promise<void>;
}

/** What comes of looking at a list. */
export interface PinnedTools {
  /** The tools that may be used. */
  readonly tools: readonly Tool[];
  /** What is no longer what it was, in words. */
  readonly warnings: readonly string[];
}

/** The pins of one server. */
export class ToolPins {
  readonly #mode: "warn" | "block";
  readonly #keeper: PinKeeper | undefined;
  /** What is pinned as far as is known here; names may be any text. */
  readonly #pinned = new Map<string, string>();
  #current: ReadonlyMap<string, string> = new Map();
  #loaded = false;

  /**
   * Creates pins; nothing is read.
   *
   * @param mode Whether a changed tool is told of, or withheld too.
   * @param keeper Where pins are kept; without one they hold as long as this object.
   */
  constructor(mode: "warn" | "block", keeper?: PinKeeper) {
    this.#mode = mode;
    this.#keeper = keeper;
  }

  /**
   * Looks at a list: pins what is new, and finds what has changed.
   *
   * @param tools The tools as the server lists them.
   * @returns The tools that may be used, and warnings.
   */
  async apply(tools: readonly Tool[]): Promise<PinnedTools> {
    await this.#load();
    const current = new Map<string, string>();
    for (const tool of tools) current.set(tool.name, await toDigest(tool));
    this.#current = current;
    const fresh = [...current].filter(([name]) => !this.#pinned.has(name));
    for (const [name, digest] of fresh) this.#pinned.set(name, digest);
    if (fresh.length > 0) await this.#keeper?.save(Object.fromEntries(fresh));
    const changed = new Set([...current].filter(([name, digest]) => this.#pinned.get(name) !== digest).map(([n]) => n));
    const fate = this.#mode === "block" ? "it is withheld until it is accepted" : "look at it before you trust it";
    return {
      tools: this.#mode === "block" ? tools.filter(({ name }) => !changed.has(name)) : tools,
      warnings: [...changed].map((name) => `Tool "${name}" is no longer what it was pinned as: ${fate}`),
    };
  }

  /**
   * Pins tools as they are now.
   *
   * @param names Which ones; all of the last list where none are named.
   * @returns The names that were pinned anew.
   */
  async accept(names: readonly string[] = [...this.#current.keys()]): Promise<readonly string[]> {
    const accepted = names.filter((name) => {
      const digest = this.#current.get(name);
      return digest !== undefined && digest !== this.#pinned.get(name);
    });
    for (const name of accepted) this.#pinned.set(name, this.#current.get(name)!);
    const digests = Object.fromEntries(accepted.map((name) => [name, this.#current.get(name)!]));
    if (accepted.length > 0) await this.#keeper?.save(digests, { replace: true });
    return accepted;
  }

  async #load(): Promise<void> {
    if (this.#loaded) return;
    const kept = this.#keeper === undefined ? {} : await this.#keeper.load();
    // A store that is away is asked again; until then, what was first seen here holds.
    if (kept === undefined) return;
    for (const [name, digest] of Object.entries(kept)) this.#pinned.set(name, digest);
    this.#loaded = true;
  }
}

/** SHA-256 over what a model is told of a tool: its name, its description and its arguments. */
function toDigest(tool: Tool): Promise<string> {
  const { name, description, inputSchema } = tool;
  return sha256Hex(JSON.stringify(toCanonical({ name, description: description ?? null, inputSchema })));
}

/** The same value with the keys of every object in order: their order says nothing. */
function toCanonical(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(toCanonical);
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value).sort();
  return keys.map((key) => [key, toCanonical(value[key] ?? null)]);
}
