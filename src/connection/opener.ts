/**
 * Opens connections to one server, and remembers what it has learned: which era the server speaks, and what an earlier
 * connection, perhaps of another isolate, left to go on from.
 *
 * @module
 */

import { Deadline } from "../deadline.ts";
import { isMCPError, type MCPErrorCode } from "../errors.ts";
import type { GuardedFetch } from "../guarded_fetch.ts";
import type { JsonObject } from "../protocol.ts";
import type { EraChoice, TransportChoice } from "../server_config.ts";
import {
  type Connection,
  type ConnectionDesk,
  declares,
  namesOfCapabilities,
  type SavedConnection,
} from "./connection.ts";
import { MODERN_VERSIONS } from "./modern_envelope.ts";
import { type EraVerdict, negotiateEra } from "./negotiate.ts";
import { StreamableConnection } from "./streamable_connection.ts";

/** How long a verdict about the era holds without asking again, in milliseconds. */
export const VERDICT_TTL_MS = 86_400_000;

/** How long whatever keeps connections is waited for, in milliseconds. */
const KEEPER_TIMEOUT_MS = 1_000;

/**
 * Where connections are kept between isolates. Its methods never reject, and are waited for a second at most.
 *
 * @example In memory
 * ```ts
 * import { type ConnectionKeeper, type SavedConnection, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * let kept: (SavedConnection & { readonly atMs: number }) | undefined;
 * const keeper: ConnectionKeeper = {
 *   keepsSessions: false,
 *   load: () => Promise.resolve(kept),
 *   save: (saved, atMs) => Promise.resolve(void (kept = { ...saved, atMs })),
 *   forget: () => Promise.resolve(void (kept = undefined)),
 * };
 * await using client = new SingleServerMCPClient("files", { url: "http://localhost:9/mcp" }, { keeper });
 * assertEquals(client.isConnected, false);
 * ```
 */
export interface ConnectionKeeper {
  /** Whether sessions are kept too: then one must outlive its connection. */
  readonly keepsSessions: boolean;
  /** What was kept, with the time at which the era was found out, in milliseconds since the epoch. */
  load(): Promise<(SavedConnection & { readonly atMs: number }) | undefined>;
  /** Keeps a connection. */
  save(saved: SavedConnection, atMs: number): Promise<void>;
  /** Forgets it. */
  forget(): Promise<void>;
}

/** What connections are opened to. */
export interface OpenerOptions {
  /** The server's name. */
  readonly server: string;
  /** Its endpoint. */
  readonly url: URL;
  /** Which transport to speak. */
  readonly transport: TransportChoice;
  /** Which era to speak. */
  readonly era: EraChoice;
  /** The way out to it. */
  readonly send: GuardedFetch;
  /** Where connections turn with what belongs to none of their requests. */
  readonly desk: ConnectionDesk;
  /** Where connections are kept between isolates. */
  readonly keeper?: ConnectionKeeper | undefined;
  /** How long that is waited for, in milliseconds. @default {1_000} */
  readonly keeperTimeoutMs?: number | undefined;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Codes of a handshake that failed because the server does not know it. */
const REFUSES_HANDSHAKE: ReadonlySet<MCPErrorCode> = new Set([
  "upstream_error",
  "bad_response",
  "unsupported_protocol",
]);

/** What is known of a server before it is connected to. */
type Verdict = EraVerdict & {
  /** When the era was found out, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The transport that a legacy server turned out to speak. */
  readonly transport?: "streamable_http" | "sse" | undefined;
};

/** Opens the connections of one server. */
export class ConnectionOpener {
  readonly #options: OpenerOptions;
  #verdict: Verdict | undefined;
  /** Whether what was kept may still be gone on from. */
  #mayResume: boolean;

  /**
   * Creates an opener; nothing is sent.
   *
   * @param options What it opens.
   */
  constructor(options: OpenerOptions) {
    this.#options = options;
    this.#mayResume = options.keeper !== undefined && options.transport !== "sse";
  }

  /** Whether sessions are kept, so that they must outlive their connection. */
  get keepsSessions(): boolean {
    return this.#options.keeper?.keepsSessions ?? false;
  }

  /**
   * Opens a connection: goes on from what was kept, or finds out the era where it is not known and shakes hands.
   *
   * @param deadline The end of the whole attempt.
   * @returns A connection that can be used.
   * @throws {MCPError} If there is none to be had by the deadline.
   */
  async open(deadline: Deadline): Promise<Connection> {
    const resumed = this.#mayResume ? await this.#resume(deadline) : undefined;
    if (resumed !== undefined) return resumed;
    const connection = await this.#connect(deadline);
    if (this.#verdict !== undefined) {
      await this.#briefly(this.#options.keeper?.save(connection.saved, this.#verdict.atMs));
      this.#mayResume = this.#options.keeper !== undefined;
    }
    return connection;
  }

  /**
   * A connection was refused as one the server does not know. A legacy session ends all the time: the era is asked for
   * again only if the server refuses to shake hands too.
   *
   * @param connection The connection.
   */
  async distrust(connection: Connection): Promise<void> {
    this.#mayResume = false;
    if (connection.era === "modern") this.#verdict = undefined;
    await this.#briefly(this.#options.keeper?.forget());
  }

  /** What is kept can cost time, never a connection: one that hangs, or rejects after all, has kept nothing. */
  async #briefly<T>(work: Promise<T> | undefined): Promise<T | undefined> {
    if (work === undefined) return undefined;
    using patience = new Deadline(this.#options.keeperTimeoutMs ?? KEEPER_TIMEOUT_MS);
    return await patience.race(work).catch(() => undefined);
  }

  async #resume(deadline: Deadline): Promise<Connection | undefined> {
    const { keeper, server, send, era, now, desk } = this.#options;
    const kept = await deadline.race(this.#briefly(keeper?.load()));
    if (kept === undefined || (era !== "auto" && era !== kept.era)) return undefined;
    if (kept.era === "modern" && !MODERN_VERSIONS.includes(kept.protocolVersion)) return undefined;
    if (now() - kept.atMs >= VERDICT_TTL_MS) return undefined;
    const { era: keptEra, protocolVersion, atMs, sessionId, transport } = kept;
    this.#verdict = keptEra === "modern" ? { era: keptEra, protocolVersion, atMs } : { era: keptEra, atMs, transport };
    if (!kept.resumable) return undefined;
    const declared = kept.declared ?? [];
    if (keptEra === "legacy" && !isSame(declared, desk.capabilities)) return undefined;
    const session = { server, send, era: keptEra, protocolVersion, sessionId, now };
    return new StreamableConnection(session, { resumed: true, desk, declared });
  }

  async #connect(deadline: Deadline): Promise<Connection> {
    const { server, send, now, desk } = this.#options;
    const known = this.#verdict;
    const verdict = this.#verdict = await this.#findEra(deadline);
    if (verdict.era === "modern") {
      const { era, protocolVersion, info } = verdict;
      return new StreamableConnection({ server, send, era, protocolVersion, now }, { resumed: false, desk, info });
    }
    try {
      return await this.#shakeHands(verdict, deadline);
    } catch (error) {
      if (!isMCPError(error) || !REFUSES_HANDSHAKE.has(error.code)) throw error;
      this.#verdict = undefined;
      // The server may have been upgraded since the verdict, or moved to another transport.
      if (verdict !== known) throw error;
      return await this.#connect(deadline);
    }
  }

  async #shakeHands(verdict: Verdict, deadline: Deadline): Promise<Connection> {
    const { server, url, transport: choice, send, desk, now } = this.#options;
    const transport = choice === "auto" ? verdict.transport ?? choice : choice;
    // Who goes on from what was kept needs none of it.
    const { connectLegacy } = await import("./legacy_connection.ts");
    const connection = await connectLegacy({ server, url, transport, send, desk, deadline, now });
    this.#verdict = { ...verdict, transport: connection.transport };
    return connection;
  }

  async #findEra(deadline: Deadline): Promise<Verdict> {
    const { server, transport, send, era, now } = this.#options;
    const known = this.#verdict;
    if (known !== undefined && now() - known.atMs < VERDICT_TTL_MS) return known;
    if (era === "legacy" || transport === "sse") return { era: "legacy", atMs: now() };
    const verdict = await negotiateEra({ server, send, deadline, now });
    if (era === "modern" && verdict.era === "legacy") return { era, protocolVersion: MODERN_VERSIONS[0]!, atMs: now() };
    return { ...verdict, atMs: now() };
  }
}

/** A session that declared more than we can answer would have questions go unanswered, one that declared less asks none. */
function isSame(declared: readonly string[], capabilities: JsonObject): boolean {
  return declares(declared, capabilities) && declared.length === namesOfCapabilities(capabilities).length;
}
