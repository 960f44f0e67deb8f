/**
 * A route store in memory that fails on demand.
 *
 * @module
 */

import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import type { RouteKey, RouteStore, RouteStoreItem } from "../../src/route_store.ts";

/**
 * How the store fails: not at all; every operation rejects; throws without a promise; never settles; or writes are
 * made and then reported as failed.
 */
export type StoreFault = "none" | "rejects" | "throws" | "hangs" | "applied_then_rejects";

/** A store in memory with faults, a count of operations, and a hook before each write. */
export class FaultyRouteStore implements RouteStore {
  /** The fault of the next operations. */
  fault: StoreFault = "none";
  /** Every operation that was asked for, in order. */
  readonly operations: string[] = [];
  /** Runs before the next write is made, once. */
  beforeSet: (() => Promise<unknown>) | undefined;
  /** What `get()` returns instead of the truth, by the text of the key: a replica that is behind. */
  readonly replica = new Map<string, RouteStoreItem | undefined>();
  /** The store underneath, without faults. */
  readonly memory: MemoryRouteStore;
  readonly #hung: ((reason: Error) => void)[] = [];

  constructor(now: () => number) {
    this.memory = new MemoryRouteStore({ now });
  }

  get(key: RouteKey): Promise<RouteStoreItem | undefined> {
    const id = JSON.stringify(key);
    if (this.replica.has(id)) return this.#run("get", () => Promise.resolve(this.replica.get(id)));
    return this.#run("get", () => this.memory.get(key));
  }

  set(...args: Parameters<RouteStore["set"]>): Promise<string | undefined> {
    return this.#run("set", async () => {
      const hook = this.beforeSet;
      this.beforeSet = undefined;
      await hook?.();
      return await this.memory.set(...args);
    });
  }

  delete(...args: Parameters<RouteStore["delete"]>): Promise<boolean> {
    return this.#run("delete", () => this.memory.delete(...args));
  }

  /** Rejects every operation that hangs. */
  releaseHung(): void {
    for (const reject of this.#hung.splice(0)) reject(new Error("late"));
  }

  #run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    this.operations.push(name);
    switch (this.fault) {
      case "none":
        return operation();
      case "rejects":
        return Promise.reject(new Deno.errors.BadResource("Bad resource ID"));
      case "throws":
        throw new Error("without a promise");
      case "hangs":
        return new Promise((_, reject) => this.#hung.push(reject));
      case "applied_then_rejects":
        return operation().then((value) => {
          if (name === "get") return value;
          throw new Error("connection reset");
        });
    }
  }
}
