/**
 * A KV database that fails on demand.
 *
 * @module
 */

import type { AuditKv } from "../../src/audit/audit_kv.ts";
import type { KvAtomicOperation } from "../../src/cache/kv_database.ts";

/**
 * How the database fails: not at all; every operation rejects as if it were locked, or closed; none settles; or commits
 * are made and then reported as failed, or made only when they are let go.
 */
export type KvFault = "none" | "locked" | "closed" | "hangs" | "applied_then_rejects" | "delayed";

/** A database with faults, and a count of what it was asked. */
export class FaultyAuditKv implements AuditKv {
  /** The fault of the next operations. */
  fault: KvFault = "none";
  /** Every operation that was asked for, in order. */
  readonly operations: string[] = [];
  readonly #kv: AuditKv;
  readonly #held: (() => Promise<unknown>)[] = [];
  readonly #hung: ((error: Error) => void)[] = [];

  constructor(kv: AuditKv) {
    this.#kv = kv;
  }

  get(...args: Parameters<AuditKv["get"]>): ReturnType<AuditKv["get"]> {
    return this.#run("get", () => this.#kv.get(...args));
  }

  atomic(): KvAtomicOperation {
    const real = this.#kv.atomic();
    const operation: KvAtomicOperation = {
      check: (check) => (real.check(check), operation),
      set: (...args) => (real.set(...args), operation),
      delete: (key) => (real.delete(key), operation),
      commit: () => this.#run("commit", () => real.commit()),
    };
    return operation;
  }

  list(...args: Parameters<AuditKv["list"]>): ReturnType<AuditKv["list"]> {
    const items = this.#kv.list(...args)[Symbol.asyncIterator]();
    return { [Symbol.asyncIterator]: () => ({ next: () => this.#run("list", () => items.next()) }) };
  }

  /** Makes the commits that were delayed. */
  async letGo(): Promise<void> {
    for (const commit of this.#held.splice(0)) await commit();
  }

  /** Rejects every operation that hangs. */
  releaseHung(): void {
    for (const reject of this.#hung.splice(0)) reject(new Error("late"));
  }

  async #run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    this.operations.push(name);
    switch (this.fault) {
      case "none":
        return await operation();
      case "locked":
        throw new Error("database is locked");
      case "closed":
        throw new Deno.errors.BadResource("Bad resource ID");
      case "hangs":
        return await new Promise<never>((_, reject) => this.#hung.push(reject));
      case "applied_then_rejects": {
        const value = await operation();
        if (name === "commit") throw new Error("connection reset");
        return value;
      }
      case "delayed":
        if (name !== "commit") return await operation();
        this.#held.push(operation);
        throw new Error("connection reset");
    }
  }
}
