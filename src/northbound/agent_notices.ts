/**
 * What the servers of an agent tell outside of requests, for all callers who listen: watched once for each agent, from
 * the first listener to the last.
 *
 * @module
 */

import { abortable } from "@std/async";
import type { ResourceSubscription } from "../feature_client.ts";
import type { AgentClient } from "../gateway/agent_directory.ts";
import type { ListKind, ListWatch } from "../list_watch.ts";
import { tell } from "../tell.ts";

/** Told of what changes. */
export interface NoticeListener {
  /** A list has changed. */
  readonly onListChanged: (kind: ListKind) => void;
  /** A resource that is watched has changed, or a part of it. */
  readonly onResourceUpdated: (uri: string) => void;
}

/** One who listens. */
export interface Listening {
  /**
   * Watches a resource.
   *
   * @param uri Its URI.
   * @param signal Ends the waiting.
   * @throws {MCPError} If it cannot be watched.
   */
  watchResource(uri: string, signal: AbortSignal): Promise<void>;
  /**
   * Watches a resource no longer.
   *
   * @param uri Its URI.
   */
  unwatchResource(uri: string): void;
  /** Listens no longer. Idempotent. */
  close(): void;
}

interface WatchedResource {
  readonly listeners: Set<NoticeListener>;
  readonly subscription: Promise<ResourceSubscription>;
}

interface Watched {
  readonly listeners: Set<NoticeListener>;
  readonly lists: Promise<ListWatch>;
  readonly resources: Map<string, WatchedResource>;
}

/** The notices of all agents. One for each gateway. */
export class AgentNotices {
  readonly #watched = new Map<AgentClient, Watched>();

  /**
   * Listens to an agent.
   *
   * @param client The agent.
   * @param listener Told of what changes.
   * @returns Who listens; to be closed.
   */
  listen(client: AgentClient, listener: NoticeListener): Listening {
    const watched = this.#watched.get(client) ?? this.#watch(client);
    watched.listeners.add(listener);
    const uris = new Set<string>();
    const unwatchResource = (uri: string) => {
      if (uris.delete(uri)) unwatch(watched, uri, listener);
    };
    return {
      watchResource: async (uri, signal) => {
        uris.add(uri);
        try {
          await abortable(watchResource(client, watched, uri, listener), signal);
        } catch (error) {
          unwatchResource(uri);
          throw error;
        }
      },
      unwatchResource,
      close: () => {
        for (const uri of [...uris]) unwatchResource(uri);
        watched.listeners.delete(listener);
        if (watched.listeners.size > 0 || this.#watched.get(client) !== watched) return;
        this.#watched.delete(client);
        watched.lists.then((lists) => lists.close()).catch(() => {});
      },
    };
  }

  #watch(client: AgentClient): Watched {
    const listeners = new Set<NoticeListener>();
    const lists = client.watchLists((kind) => {
      for (const { onListChanged } of listeners) tell(onListChanged, kind);
    });
    // Who cannot be watched tells nothing.
    lists.catch(() => {});
    const watched: Watched = { listeners, lists, resources: new Map() };
    this.#watched.set(client, watched);
    return watched;
  }
}

async function watchResource(
  client: AgentClient,
  { resources }: Watched,
  uri: string,
  listener: NoticeListener,
): Promise<void> {
  let resource = resources.get(uri);
  if (resource === undefined) {
    const listeners = new Set<NoticeListener>();
    const subscription = client.subscribeResource(uri, (changed) => {
      for (const { onResourceUpdated } of listeners) tell(onResourceUpdated, changed);
    });
    resource = { listeners, subscription };
    resources.set(uri, resource);
  }
  resource.listeners.add(listener);
  await resource.subscription;
}

function unwatch({ resources }: Watched, uri: string, listener: NoticeListener): void {
  const resource = resources.get(uri);
  resource?.listeners.delete(listener);
  if (resource === undefined || resource.listeners.size > 0) return;
  resources.delete(uri);
  resource.subscription.then((subscription) => subscription.close()).catch(() => {});
}
