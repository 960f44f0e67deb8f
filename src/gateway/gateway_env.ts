/**
 * What the routes share: the variables of a request, and their collaborators.
 *
 * @module
 */

import type { AuditTrail } from "../audit/audit_trail.ts";
import type { Access } from "../callers/access.ts";
import type { Callers } from "../callers/callers.ts";
import type { IdempotentCalls } from "../rest/idempotent_calls.ts";
import type { CallLimiter } from "../limits/call_limiter.ts";
import type { LoadMeter } from "../limits/load_meter.ts";
import type { ConfigAdmin } from "../reload/config_admin.ts";
import type { RouteStore } from "../route_store.ts";
import type { GatewayMetrics } from "../telemetry/gateway_metrics.ts";
import type { RequestWatch } from "../telemetry/request_watch.ts";
import type { Activity } from "./activity.ts";
import type { AgentDirectory } from "./agent_directory.ts";
import type { CallJournal } from "./call_journal.ts";
import type { InFlight } from "./in_flight.ts";
import type { PeerInfo } from "./host_check.ts";

/** The environment of the gateway's Hono app. */
export interface GatewayEnv {
  /** What comes with a request. */
  Bindings: PeerInfo;
  /** What the middleware knows of a request. */
  Variables: {
    /** The request's id. */
    requestId: string;
    /** What the caller may use; set on every path that asks for a key. */
    access: Access;
  };
}

/** The collaborators of the routes. */
export interface RouteDeps {
  /** All agents. */
  readonly directory: AgentDirectory;
  /** Where the gateway keeps what all isolates have to know: its own keys of a store; never what is cached. */
  readonly store: RouteStore;
  /** The calls that are made once for each idempotency key. */
  readonly idempotentCalls: IdempotentCalls;
  /** Notes each call of a tool. */
  readonly journal: CallJournal;
  /** Counts calls and events. */
  readonly metrics: GatewayMetrics;
  /** Notes each request; `undefined` where nobody wants to be told. */
  readonly requests?: RequestWatch | undefined;
  /** Remembers what happened lately. */
  readonly activity: Activity;
  /** Notes who did what; `undefined` where nobody wants to know. */
  readonly audit: AuditTrail | undefined;
  /** What is running. */
  readonly inFlight: InFlight;
  /** Admits calls, as far as the limits of their agents allow. */
  readonly limiter: CallLimiter;
  /** Knows whether there is more to do than can be done. */
  readonly load: LoadMeter;
  /** Whether it is served without keys: every caller may see the same. */
  readonly open: boolean;
  /** Whether legacy MCP callers that can be asked get a session. */
  readonly sessions: "auto" | "off";
  /** The secret with which callers of MCP carry what is kept between rounds; `undefined` is one of this instance. */
  readonly storeSecret: Uint8Array | undefined;
  /** The most bytes that the body of a request may have. */
  readonly maxBodyBytes: number;
  /** Whether the first connections are still being tried. */
  readonly isStarting: () => boolean;
  /** Told of an error that nobody expected, with the id of its request. */
  readonly onInternalError: (error: unknown, requestId: string) => void;
  /** The callers: their keys, where they reach the gateway, and what those with tokens have to know. It may change. */
  readonly callers: Pick<Callers, "keys" | "publicUrl" | "resource">;
  /** The configuration that is kept in the store; `undefined` where none is taken from there. */
  readonly config?: ConfigAdmin | undefined;
  /** Answers a request in this process as if it had come over the network: the status page is a caller like any other. */
  readonly dispatch: (request: Request, info: PeerInfo) => Promise<Response>;
}
