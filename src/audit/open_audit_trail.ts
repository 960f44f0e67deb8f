/**
 * The audit trail of a gateway, as whoever creates one asks for it.
 *
 * @module
 */

import type { CallJournal } from "../gateway/call_journal.ts";
import { DEFAULT_AUDIT_DAYS, MAX_AUDIT_DAYS } from "./audit_entry.ts";
import type { AuditKv } from "./audit_kv.ts";
import { AuditTrail } from "./audit_trail.ts";

/**
 * Where a gateway notes who did what. It notes after the answer, in batches of what a second brings, and when it is
 * drained: an isolate that ends without that takes the last batch with it.
 *
 * @example
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { createGateway, type GatewayAudit } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * const audit: GatewayAudit = { kv, retentionDays: 90 };
 * await using directory = new MCPClientManager();
 * const gateway = createGateway({ directory, audit }, { open: "loopback" });
 * await gateway.drain();
 * assertEquals(audit.retentionDays, 90);
 * ```
 */
export interface GatewayAudit {
  /**
   * The database, a `Deno.Kv` that all isolates share; borrowed, so that it is never closed here.
   * @default {In memory: the last 10,000 entries of this isolate}
   */
  readonly kv?: AuditKv | undefined;
  /** How long entries are kept, in days: from 1 to 365. @default {30} */
  readonly retentionDays?: number | undefined;
  /** Told when entries cannot be written, when some are lost, and when they are written again: once each. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** What an audit trail works with besides what is said of it. */
export interface OpenAuditTrailDeps {
  /** Tells of calls. */
  readonly journal: CallJournal;
  /** The secret of the store, where there is one. */
  readonly storeSecret: Uint8Array | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Begins to note calls.
 *
 * @param audit Where; `undefined` is nowhere.
 * @param deps What is noted.
 * @returns The trail, where there is one.
 * @throws {RangeError} If `retentionDays` is not a number from 1 to 365.
 */
export function openAuditTrail(audit: GatewayAudit | undefined, deps: OpenAuditTrailDeps): AuditTrail | undefined {
  if (audit === undefined) return undefined;
  const { kv, retentionDays = DEFAULT_AUDIT_DAYS, onWarning } = audit;
  if (!(retentionDays >= 1 && retentionDays <= MAX_AUDIT_DAYS)) {
    throw new RangeError(`Cannot use retentionDays as a number from 1 to ${MAX_AUDIT_DAYS}: ${retentionDays}`);
  }
  const { journal, storeSecret, now } = deps;
  const trail = new AuditTrail({
    // Loaded when something is written, which is after the first call.
    openStore: async () => {
      if (kv !== undefined) return new (await import("./kv_audit_store.ts")).KvAuditStore(kv, { now });
      return new (await import("./memory_audit_store.ts")).MemoryAuditStore({ now });
    },
    storeSecret,
    retentionDays,
    onWarning,
    now,
  });
  journal.listen(trail.noteCall);
  return trail;
}
