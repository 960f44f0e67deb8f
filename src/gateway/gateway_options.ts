/**
 * What a gateway is made of, and who may use it.
 *
 * @module
 */

import type { GatewayAudit } from "../audit/open_audit_trail.ts";
import type { GatewayKey } from "../callers/keys.ts";
import type { JwtConfig } from "../config/jwt_config.ts";
import type { CallLimits } from "../limits/limits_config.ts";
import type { ConfigAdmin } from "../reload/config_admin.ts";
import type { RouteStore } from "../route_store.ts";
import type { RequestRecord } from "../telemetry/request_watch.ts";
import type { AgentDirectory } from "./agent_directory.ts";
import type { CallTracer } from "./call_journal.ts";

/**
 * The collaborators of a gateway. They are borrowed: the gateway closes none of them.
 *
 * @example
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { createGateway, type GatewayDeps } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using directory = new MCPClientManager({ agents: { Kairos: { servers: {} } } });
 * const unexpected: unknown[] = [];
 * const deps: GatewayDeps = {
 *   directory,
 *   started: directory.connectAll({ timeoutMs: 5_000 }),
 *   onInternalError: (error, requestId) => unexpected.push({ error, requestId }),
 * };
 * createGateway(deps, { open: "loopback" });
 * assertEquals(unexpected, []);
 * ```
 */
export interface GatewayDeps {
  /** All agents; an `MCPClientManager` is one. */
  readonly directory: AgentDirectory;
  /** Settles when the first connections have been tried; until then `/readyz` says so. Without it, ready at once. */
  readonly started?: Promise<unknown> | undefined;
  /**
   * Told of an error that nobody expected, and of the id of its request. The caller learns neither.
   * @default {Nothing is told}
   */
  readonly onInternalError?: ((error: unknown, requestId: string) => void) | undefined;
  /**
   * Where the gateway keeps what all isolates have to know. Read it strongly, and give it a prefix of its own. Calls
   * with an `Idempotency-Key` need it: a `MemoryRouteStore` will do where there is one isolate only.
   * @default {In memory, so that each isolate knows only its own; calls with an `Idempotency-Key` are refused}
   */
  readonly store?: RouteStore | undefined;
  /**
   * At least 16 bytes, the same in all isolates. With it, what MCP callers of the modern era carry
   * from one round of a request to the next opens in every isolate, and the answers to calls with an `Idempotency-Key`
   * are kept in the store, encrypted.
   * @default {Both are of use in the isolate alone that they come from}
   */
  readonly storeSecret?: Uint8Array | undefined;
  /** The configuration that administrators read and change. @default {There is none: `/admin/config` says so} */
  readonly config?: ConfigAdmin | undefined;
  /**
   * Told of each request once it is answered, at once: it has to be quick. What it throws is ignored.
   * @default {Nothing is told}
   */
  readonly onRequest?: ((record: RequestRecord) => void) | undefined;
  /** Makes calls of tools parts of traces. @default {What callers say of their traces is passed on} */
  readonly tracer?: CallTracer | undefined;
  /**
   * Where the gateway notes who did what: each call of a tool with a hash of its arguments, and what administrators do.
   * @default {nowhere}
   */
  readonly audit?: GatewayAudit | undefined;
  /** Asks the issuers of callers' tokens for their public keys. @default {globalThis.fetch} */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The clock, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/**
 * Who may use a gateway. Either `keys`, `jwt` or `open` has to be given.
 *
 * @example
 * ```ts
 * import { digestKey, type GatewayOptions } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * const options: GatewayOptions = {
 *   keys: { Kairos: [await digestKey("a key of Kairos")], "*": [await digestKey("a key of the operator")] },
 *   allowedHosts: ["mcp.example.com"],
 * };
 * assertEquals(Object.keys(options.keys ?? {}), ["Kairos", "*"]);
 * ```
 */
export interface GatewayOptions {
  /**
   * Digests of bearer keys by agent, each as {@linkcode digestKey} gives it, or with a name and an end; those under `*`
   * open every agent and what concerns all of them. At most two of an agent may be good at a time.
   */
  readonly keys?: Readonly<Record<string, readonly (string | GatewayKey)[]>> | undefined;
  /** Serve without keys, to peers on this machine's loopback alone and under loopback names. */
  readonly open?: "loopback" | undefined;
  /** The host names that are served, each with or without a port. @default {Any, where there are keys} */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins from which a browser may ask, besides the gateway's own. @default {[]} */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** The most bytes that the body of a request may have. @default {1_048_576} */
  readonly maxBodyBytes?: number | undefined;
  /**
   * The limits by agent; those under `*` are for every agent that does not set the same one itself. Limits a minute hold
   * over all isolates that share the `store`, to within what each has leased of it: at most limit + isolates × lease calls
   * in any minute. @default {no limits}
   */
  readonly limits?: Readonly<Record<string, CallLimits>> | undefined;
  /** How many requests may be under way in this isolate; more are refused with 503. @default {1_000} */
  readonly maxRequests?: number | undefined;
  /**
   * Take the host from the URL where there is no `Host` header, behind a platform that speaks HTTP/2 to the gateway and
   * has checked the host itself. @default {false}
   */
  readonly hostFromUrl?: boolean | undefined;
  /** Whose tokens are taken instead of a key. @default {nobody's} */
  readonly jwt?: readonly JwtConfig[] | undefined;
  /**
   * Where callers reach the gateway: an origin, https but on loopback. Tokens have to be made out to it, or to the MCP
   * endpoint of an agent below it. @default {where a request came to; then each issuer needs an `audience`}
   */
  readonly publicUrl?: string | undefined;
  /**
   * Whether MCP callers of the legacy era that can be asked (elicitation, sampling, roots) get a session, which lives in
   * this instance alone; all others never have one. Without sessions, what a server asks of them fails.
   * @default {"auto"}
   */
  readonly sessions?: "auto" | "off" | undefined;
}

/**
 * What of a gateway's options can be others while it runs.
 *
 * @example
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { createGateway, digestKey, type GatewayUpdate } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using directory = new MCPClientManager();
 * const gateway = createGateway({ directory }, { open: "loopback" });
 * const update: GatewayUpdate = { keys: { "*": [await digestKey("a key")] }, limits: { "*": { callsPerMinute: 60 } } };
 * gateway.update(update);
 * assertEquals((await gateway.fetch(new Request("http://localhost/status", { headers: { host: "localhost" } }))).status, 401);
 * ```
 */
export type GatewayUpdate = Pick<GatewayOptions, "keys" | "jwt" | "open" | "limits" | "publicUrl">;
