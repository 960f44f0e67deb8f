/**
 * The clients of one agent's servers: asked for their tools all at once, bounded, each behind its own deadline.
 *
 * @module
 */

import { pooledMap } from "@std/async";
import type { EpochToken, Listing } from "../cache/cached_tools.ts";
import { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { Tool } from "../protocol.ts";
import { SharedTask } from "../shared_task.ts";
import type { SingleServerMCPClient } from "../single_server_client.ts";
import type { ServerStatus } from "../status.ts";
import type { RequestOptions } from "../tool_client.ts";
import { ASK_TIMEOUT_MS } from "./known_lists.ts";
import { arrange } from "./server_order.ts";
import type { ToolCatalog } from "./tool_catalog.ts";

/** How a round of asking is run. */
export interface AskOptions {
  /** The longest each server may take, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Ends the waiting for all of them. */
  readonly signal?: AbortSignal | undefined;
  /** How many are asked at once. */
  readonly concurrency: number;
  /** Open a new connection although there is one. */
  readonly reconnect?: boolean | undefined;
  /** What was asked before now is out of date: an answer to it does not do. */
  readonly anew?: boolean | undefined;
  /** Told as each server settles, in the order in which they do. */
  readonly onSettled?: ((status: ServerStatus) => void) | undefined;
}

/** A server of the fleet. */
export interface FleetMember {
  /** Its client, made when it is first needed: a call needs one of them. */
  readonly client: SingleServerMCPClient;
  /** The longest any operation with it may take in milliseconds, where the configuration says. */
  readonly timeoutMs: number | undefined;
}

/** How a server is added. */
export interface FleetAddition {
  /** Its name. */
  readonly server: string;
  /** Makes its client, once; owned from there on. */
  readonly makeClient: () => SingleServerMCPClient;
  /** The longest any operation with it may take, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** How long asking it may take where nobody says, in milliseconds. @default {10_000} */
  readonly patienceMs?: number | undefined;
  /** Why it has not listed its tools, where it was asked already. */
  readonly failure?: MCPError | undefined;
}

class Member implements FleetMember {
  readonly timeoutMs: number | undefined;
  readonly patienceMs: number;
  readonly ask: SharedTask<void>;
  reconnect = false;
  /** Why it has not listed its tools when it was last asked. */
  failure: MCPError | undefined;
  readonly #makeClient: () => SingleServerMCPClient;
  #client: SingleServerMCPClient | undefined;
  /** A list that came before the client was made. */
  #adopted: readonly Tool[] | undefined;

  constructor(addition: FleetAddition, ask: (member: Member, deadline: Deadline) => Promise<void>) {
    const { makeClient, timeoutMs, patienceMs = ASK_TIMEOUT_MS } = addition;
    this.timeoutMs = timeoutMs;
    this.patienceMs = patienceMs;
    this.failure = addition.failure;
    this.ask = new SharedTask<void>((deadline) => ask(this, deadline));
    this.#makeClient = makeClient;
  }

  get client(): SingleServerMCPClient {
    if (this.#client === undefined) {
      this.#client = this.#makeClient();
      if (this.#adopted !== undefined) this.#client.adoptTools(this.#adopted);
      this.#adopted = undefined;
    }
    return this.#client;
  }

  adopt(tools: readonly Tool[]): void {
    if (this.#client === undefined) {
      this.#adopted = tools;
      return;
    }
    // What another isolate has listed is newer than what this one has.
    this.#client.forgetTools();
    this.#client.adoptTools(tools);
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  /** Its client, where that was made. */
  get madeClient(): SingleServerMCPClient | undefined {
    return this.#client;
  }
}

/** The servers of one agent. */
export class ServerFleet {
  readonly #catalog: ToolCatalog;
  readonly #members = new Map<string, Member>();

  /**
   * Creates an empty fleet.
   *
   * @param catalog Where lists are recorded.
   */
  constructor(catalog: ToolCatalog) {
    this.#catalog = catalog;
  }

  /** The names of the servers, in order. */
  get servers(): readonly string[] {
    return [...this.#members.keys()];
  }

  /**
   * Adds a server at the end of the order.
   *
   * @param addition The server.
   */
  add(addition: FleetAddition): void {
    this.#members.set(addition.server, new Member(addition, (member, deadline) => this.#ask(member, deadline)));
  }

  /**
   * Takes a server's tool list from elsewhere, until the server itself is asked.
   *
   * @param server Its name.
   * @param tools The tools as the server listed them.
   */
  adopt(server: string, tools: readonly Tool[]): void {
    this.#members.get(server)?.adopt(tools);
  }

  /**
   * Takes a server out without closing its client: what is under way there may end.
   *
   * @param server Its name.
   * @returns Its client, where there is one; to be closed.
   */
  detach(server: string): SingleServerMCPClient | undefined {
    const member = this.#members.get(server);
    this.#members.delete(server);
    return member?.madeClient;
  }

  /**
   * Puts the servers in another order.
   *
   * @param servers Their names, in order; others come after them.
   */
  arrange(servers: readonly string[]): void {
    arrange(this.#members, servers);
  }

  /**
   * The client of a server.
   *
   * @param server Its name.
   * @returns The client, or `undefined` where there is no such server.
   */
  clientOf(server: string): SingleServerMCPClient | undefined {
    return this.#members.get(server)?.client;
  }

  /**
   * A server of which the caller knows that it is there.
   *
   * @param server Its name.
   * @returns Its client and its time.
   * @throws {MCPError} With `server_not_found` if it was removed in the meantime.
   */
  memberOf(server: string): FleetMember {
    const member = this.#members.get(server);
    if (member !== undefined) return member;
    throw new MCPError("server_not_found", `Cannot use server "${server}" as there is none of that name`, { server });
  }

  /**
   * Why a server has not listed its tools when it was last asked.
   *
   * @param server Its name.
   * @returns Its own error; or `undefined` where it has, or was not asked here.
   */
  failureOf(server: string): MCPError | undefined {
    return this.#members.get(server)?.failure;
  }

  /** Servers at which a person has to authorize first: any moment they may have, in this process or in another. */
  get unauthorized(): readonly string[] {
    return this.servers.filter((server) => this.failureOf(server)?.code === "authorization_required");
  }

  /**
   * The status of a server, with what the catalogue knows of its tools.
   *
   * @param server Its name.
   * @returns A snapshot.
   */
  statusOf(server: string): ServerStatus {
    const status = this.memberOf(server).client.getStatus();
    const listed = this.#catalog.statusOf(server);
    // A list from another isolate is compared by the catalogue, one of the server by its client.
    const changedMs = [status.toolsChangedAtMs, listed.toolsChangedAtMs].filter((atMs) => atMs !== undefined);
    const toolsChangedAtMs = changedMs.length === 0 ? undefined : Math.max(...changedMs);
    return { ...status, ...listed, toolsChangedAtMs };
  }

  /**
   * Connects to servers and lists their tools, all at once as far as the pool goes. Never rejects because of a server.
   *
   * @param servers Which ones.
   * @param options Deadlines, the pool, and whom to tell.
   * @returns For each server whether it is connected and has listed its tools.
   */
  async askAll(servers: readonly string[], options: AskOptions): Promise<Record<string, boolean>> {
    const connected: Record<string, boolean> = {};
    const outcomes = pooledMap(options.concurrency, servers, async (server) => {
      const ok = await this.#askOne(server, options);
      this.#tell(server, options);
      return [server, ok] as const;
    });
    for await (const [server, ok] of outcomes) connected[server] = ok;
    return connected;
  }

  /** Closes every client, also where one of them fails. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#members.values()].map(async (member) => {
      await member.close();
      await member.ask.abort(new Error("The client is closed"));
    }));
  }

  /** What the caller's function throws is ignored: it must not end the round. */
  #tell(server: string, { onSettled }: AskOptions): void {
    if (onSettled === undefined || !this.#members.has(server)) return;
    try {
      onSettled(this.statusOf(server));
    } catch {
      // The others are still to be asked.
    }
  }

  async #askOne(server: string, options: AskOptions): Promise<boolean> {
    const member = this.#members.get(server);
    if (member === undefined) return false;
    const timeoutMs = Math.min(
      options.timeoutMs ?? member.timeoutMs ?? member.patienceMs,
      member.timeoutMs ?? Infinity,
    );
    // Others may come to wait for the same answer: one caller's haste does not end it for them.
    const sharedMs = member.timeoutMs ?? Math.max(timeoutMs, member.patienceMs);
    using deadline = new Deadline(timeoutMs, { signal: options.signal });
    if (options.reconnect === true && !member.ask.running) member.reconnect = true;
    if (options.anew === true && member.ask.running) await member.ask.join(deadline, sharedMs).catch(() => {});
    return await member.ask.join(deadline, sharedMs).then(() => true, () => false);
  }

  async #ask(member: Member, deadline: Deadline): Promise<void> {
    const { client, reconnect } = member;
    member.reconnect = false;
    const options = { timeoutMs: Math.max(1, deadline.remainingMs), signal: deadline.signal };
    const token = await this.#catalog.begin(client.server);
    // What one lists that was taken out is not the list of who is there now in its place.
    const record = async (listing: Listing, kept: EpochToken | undefined) => {
      if (this.#members.get(client.server) === member) await this.#catalog.record(client.server, listing, kept);
    };
    try {
      await (reconnect ? client.reconnect(options) : client.connect(options));
      const listing = await askForTools(client, options);
      member.failure = undefined;
      await record(listing, token);
    } catch (error) {
      const failure = isMCPError(error) ? error : undefined;
      const isFailure = !deadline.cancelled && failure?.code !== "closed";
      if (isFailure) {
        member.failure = failure;
        // Other isolates need not be told: there the person may have authorized already.
        const kept = failure?.code === "authorization_required" ? undefined : token;
        await record({ failed: true }, kept);
      }
      throw error;
    }
  }
}

/**
 * Asks a server for its tools.
 *
 * @param client Its client.
 * @param options Deadline and cancellation.
 * @returns The tools, and what the server says of their list.
 * @throws {MCPError} If it does not list them.
 */
export async function askForTools(client: SingleServerMCPClient, options: RequestOptions): Promise<Listing> {
  const tools = await client.listTools(options);
  const { toolsPartial: partial, toolsTtlMs: ttlMs } = client.getStatus();
  return { tools, partial, ttlMs, isPublic: client.listCacheScope("tools") === "public" };
}
