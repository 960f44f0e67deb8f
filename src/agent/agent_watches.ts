/**
 * Watching the lists of all servers of one agent: one stream to each, as long as anybody watches.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";
import type { ListKind, ListWatch } from "../list_watch.ts";
import { LIST_KINDS, type ListChanges } from "../server/list_changes.ts";
import type { SingleServerMCPClient } from "../single_server_client.ts";

/** What the watches of an agent work with. */
export interface AgentWatchesDeps {
  /** Who is told. */
  readonly changes: ListChanges;
  /** The clients of all servers. */
  readonly clients: () => readonly SingleServerMCPClient[];
}

/** The watches of one agent. */
export class AgentWatches {
  readonly #deps: AgentWatchesDeps;
  /** The streams, by the clients they are of; there are some as long as there is a watch. */
  readonly #streams = new Map<SingleServerMCPClient, Promise<ListWatch | undefined>>();

  /**
   * Creates it; nothing is watched.
   *
   * @param deps What it works with.
   */
  constructor(deps: AgentWatchesDeps) {
    this.#deps = deps;
  }

  /**
   * Watches the lists.
   *
   * @param onChange Told which lists have changed.
   * @param deadline How long the streams are waited for; those that come later count too.
   * @returns The watch.
   * @throws The reason of the deadline, where somebody gives up or the agent's client is closed.
   */
  async open(onChange: (kind: ListKind) => void, deadline: Deadline): Promise<ListWatch> {
    const { changes, clients } = this.#deps;
    const watch = changes.watch(onChange, () => this.#leave());
    const opened = Promise.all(clients().map((client) => this.#hold(client)));
    await deadline.race(opened).catch(() => {});
    if (!deadline.cancelled) return watch;
    await watch.close();
    throw deadline.signal.reason;
  }

  /**
   * There is another server: it is watched too.
   *
   * @param toClient Its client, made only where it is needed.
   */
  added(toClient: () => SingleServerMCPClient): void {
    if (this.#deps.changes.watched) void this.#hold(toClient());
    this.#tellAll();
  }

  /**
   * There is one server less.
   *
   * @param client Its client, which ends its stream when it is closed; `undefined` where none was made.
   */
  removed(client: SingleServerMCPClient | undefined): void {
    if (client !== undefined) this.#streams.delete(client);
    this.#tellAll();
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    await this.#deps.changes.close();
  }

  #tellAll(): void {
    for (const kind of LIST_KINDS) this.#deps.changes.tell(kind);
  }

  /** A server that cannot be reached is tried again by its client. */
  async #hold(client: SingleServerMCPClient): Promise<void> {
    const { changes } = this.#deps;
    // What the tools are is known once they have been asked for: whoever does that tells.
    const onChange = (kind: ListKind) => void (kind !== "tools" && changes.tell(kind));
    const stream = this.#streams.get(client) ?? client.watchLists(onChange).catch(() => undefined);
    this.#streams.set(client, stream);
    await stream;
  }

  async #leave(): Promise<void> {
    if (this.#deps.changes.watched) return;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    await Promise.all(streams.map(async (stream) => await (await stream)?.close()));
  }
}
