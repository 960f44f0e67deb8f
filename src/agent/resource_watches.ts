/**
 * The resources that are watched at the servers of one agent: a server that is replaced is watched anew.
 *
 * @module
 */

import type { ReadOptions, ResourceSubscription } from "../feature_client.ts";
import { tell } from "../tell.ts";

/** Watches a resource at its owner, or at the server that the options name. */
export type SubscribeAt = (
  uri: string,
  onUpdate: (uri: string) => void,
  options: ReadOptions,
) => Promise<ResourceSubscription>;

interface Held {
  readonly uri: string;
  readonly onUpdate: (uri: string) => void;
  subscription: ResourceSubscription;
  /** Whether its server was taken away. */
  isLost: boolean;
}

/** The watched resources of one agent. */
export class ResourceWatches {
  readonly #subscribe: SubscribeAt;
  readonly #held = new Set<Held>();

  /**
   * Creates it; nothing is watched.
   *
   * @param subscribe Watches a resource.
   */
  constructor(subscribe: SubscribeAt) {
    this.#subscribe = subscribe;
  }

  /**
   * Watches a resource.
   *
   * @param uri Its URI.
   * @param onUpdate Told of what has changed.
   * @param options Deadline, cancellation, and the server where several list it.
   * @returns The subscription; it lasts until it is closed, or its server is removed.
   */
  async open(uri: string, onUpdate: (uri: string) => void, options: ReadOptions): Promise<ResourceSubscription> {
    const held: Held = { uri, onUpdate, subscription: await this.#subscribe(uri, onUpdate, options), isLost: false };
    this.#held.add(held);
    const close = async () => {
      this.#held.delete(held);
      await held.subscription.close();
    };
    return { uri, server: held.subscription.server, close, [Symbol.asyncDispose]: close };
  }

  /**
   * A server is no more, or is about to be another.
   *
   * @param server Its name.
   */
  removed(server: string): void {
    for (const held of this.#held) if (held.subscription.server === server) held.isLost = true;
  }

  /**
   * There is a server: what was watched at one of its name is watched there.
   *
   * @param server Its name.
   */
  added(server: string): void {
    for (const held of this.#held) {
      if (held.isLost && held.subscription.server === server) void this.#watchAnew(held);
    }
  }

  async #watchAnew(held: Held): Promise<void> {
    const { uri, onUpdate, subscription: { server } } = held;
    held.isLost = false;
    const subscription = await this.#subscribe(uri, onUpdate, { server }).catch(() => undefined);
    // One that does not offer it is not asked again.
    if (subscription === undefined) return;
    held.subscription = subscription;
    if (!this.#held.has(held)) return await subscription.close();
    // It is another server: what it holds may be other than what was read.
    tell(onUpdate, uri);
  }
}
