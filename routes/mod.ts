/**
 * The gateway: the agents of a configuration behind one HTTP interface, with keys that are bound to agents.
 *
 * @example Serving a configuration
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { createGateway, digestKey } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using manager = new MCPClientManager({
 *   agents: { Kairos: { servers: { files: { url: "https://files.example.com/mcp" } } } },
 * });
 * const key = crypto.randomUUID();
 * const gateway = createGateway({ directory: manager }, { keys: { Kairos: [await digestKey(key)] } });
 *
 * // Deno.serve(gateway.fetch) from here on; or, without a network:
 * const headers = { host: "localhost", authorization: `Bearer ${key}` };
 * const response = await gateway.fetch(new Request("http://localhost/agents/Kairos/status", { headers }));
 * assertEquals(response.status, 200);
 * ```
 *
 * @module
 */

import type { AgentDirectory } from "../src/gateway/agent_directory.ts";
import { type Authenticator, OPEN_ACCESS } from "../src/callers/access.ts";
import { createCallers } from "../src/callers/callers.ts";
import type { GatewayKey } from "../src/callers/keys.ts";
import type { JwtConfig } from "../src/config/jwt_config.ts";
import { type GatewayAudit, openAuditTrail } from "../src/audit/open_audit_trail.ts";
import type { RouteDeps } from "../src/gateway/gateway_env.ts";
import { CallJournal, type CallTracer } from "../src/gateway/call_journal.ts";
import { Activity } from "../src/gateway/activity.ts";
import type { PeerInfo } from "../src/gateway/host_check.ts";
import { type DrainOptions, InFlight } from "../src/gateway/in_flight.ts";
import { problemHeaders, toProblem } from "../src/gateway/problem.ts";
import { defaultFetch } from "../src/guarded_fetch.ts";
import { CallLimiter } from "../src/limits/call_limiter.ts";
import type { CallLimits } from "../src/limits/limits_config.ts";
import { LoadMeter } from "../src/limits/load_meter.ts";
import { MemoryRouteStore } from "../src/memory_route_store.ts";
import { IdempotentCalls } from "../src/rest/idempotent_calls.ts";
import type { RouteStore } from "../src/route_store.ts";
import { GatewayMetrics } from "../src/telemetry/gateway_metrics.ts";
import { type RequestRecord, RequestWatch } from "../src/telemetry/request_watch.ts";
import { createApp } from "./app.ts";

export type { MCPErrorCode } from "../src/errors.ts";
export type { AuditKv } from "../src/audit/audit_kv.ts";
export type { GatewayAudit } from "../src/audit/open_audit_trail.ts";
export type { KvAtomicOperation, KvDatabase } from "../src/cache/kv_database.ts";
export type { AgentClient, AgentDirectory, AgentReconnectOptions } from "../src/gateway/agent_directory.ts";
export type { CallTracer } from "../src/gateway/call_journal.ts";
export type { BegunCall, BegunRpc, CallDoor, CallRecord, RecordedOutcome } from "../src/gateway/call_record.ts";
export type { PeerInfo } from "../src/gateway/host_check.ts";
export type { DrainOptions } from "../src/gateway/in_flight.ts";
export { digestKey, type GatewayKey } from "../src/callers/keys.ts";
export type { JwtConfig, JwtRule } from "../src/config/jwt_config.ts";
export type { KeyConfig } from "../src/config/key_config.ts";
export type { CallLimits } from "../src/limits/limits_config.ts";
export type { Problem, ProblemCode } from "../src/gateway/problem.ts";
export type { RequestErrorCode } from "../src/gateway/request_error.ts";
export type {
  ContentBlock,
  EmbeddedResourceContent,
  JsonObject,
  JsonValue,
  MediaContent,
  Progress,
  ResourceLinkContent,
  TextContent,
  Tool,
  ToolAnnotations,
  ToolResult,
} from "../src/protocol.ts";
export type {
  AgentStatus,
  LastError,
  OwnedTool,
  RoutedResult,
  RouteSource,
  ServerState,
  ServerStatus,
  ShadowedTool,
  ToolRoute,
} from "../src/status.ts";
export type { RequestRecord } from "../src/telemetry/request_watch.ts";
export type { CallToolOptions, RequestOptions, TraceContext } from "../src/tool_client.ts";
export type { PinDecision, PinnedTool, PinOutcome } from "../src/tools/pinned_tool.ts";

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
 * Answers requests. Hand `fetch` to `Deno.serve`, or export it as `default { fetch }`.
 *
 * @example
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { createGateway, type Gateway } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using directory = new MCPClientManager();
 * const gateway: Gateway = createGateway({ directory }, { open: "loopback" });
 * await gateway.drain();
 * assertEquals((await gateway.fetch(new Request("http://localhost/healthz"))).status, 403);
 * ```
 */
export interface Gateway {
  /**
   * Answers a request. Never rejects: every failure is a problem document.
   *
   * @param request The request.
   * @param info Where it came from, as `Deno.serve` gives it. Without it, an open gateway refuses the request.
   * @returns The response.
   */
  readonly fetch: (request: Request, info?: PeerInfo) => Promise<Response>;
  /**
   * Stops: begins no new call, lets running ones go on for a while, then answers them with 503. The directory is not
   * closed.
   *
   * @param options How long it may take.
   * @returns When every caller has an answer, or the time is over.
   */
  drain(options?: DrainOptions): Promise<void>;
}

/** How long a batch of the audit trail may take at a stop, in milliseconds: the rest of that takes its time, too. */
const AUDIT_CLOSE_MS = 300;

const OPEN: Authenticator = { authenticate: () => Promise.resolve(OPEN_ACCESS) };

/**
 * Creates a gateway. Nothing is opened, and no server is asked before a request needs it.
 *
 * @example Only this machine, without keys
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { createGateway } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using manager = new MCPClientManager({
 *   agents: { Kairos: { servers: { files: { url: "http://localhost:3001/mcp" } } } },
 * });
 * const gateway = createGateway({ directory: manager }, { open: "loopback" });
 * await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
 *
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/healthz`);
 * assertEquals(await response.json(), { status: "alive" });
 * ```
 *
 * @param deps The agents behind it.
 * @param options Who may use it.
 * @returns The gateway.
 * @throws {TypeError} If neither `keys`, `jwt` nor `open` is given, a key is malformed, or an agent has more than two
 * that are good.
 * @throws {ConfigError} If `jwt` or `publicUrl` has faults (`invalid_config`).
 * @throws {RangeError} If `maxBodyBytes` or `maxRequests` is not a positive integer, a limit is no whole number,
 * `storeSecret` is shorter than 16 bytes, or `audit.retentionDays` is not from 1 to 365.
 */
export function createGateway(deps: GatewayDeps, options: GatewayOptions): Gateway {
  const { open, allowedHosts, allowedOrigins = [], hostFromUrl } = options;
  const { maxBodyBytes = 1_048_576, maxRequests = 1_000, limits = {} } = options;
  const { keys = {}, jwt = [], publicUrl } = options;
  if (Object.keys(keys).length + jwt.length === 0 && open === undefined) {
    throw new TypeError('Cannot create a gateway as it has neither keys nor jwt nor the option open: "loopback"');
  }
  for (const [name, value] of Object.entries({ maxBodyBytes, maxRequests })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(`Cannot use ${name} as a whole number of at least 1: ${value}`);
  }
  const inFlight = new InFlight();
  const load = new LoadMeter({ maxRequests });
  let starting = deps.started !== undefined;
  deps.started?.catch(() => {}).finally(() => starting = false);
  const { store = new MemoryRouteStore(), fetch = defaultFetch, now = Date.now } = deps;
  const journal = new CallJournal({ tracer: deps.tracer, now });
  const metrics = new GatewayMetrics();
  journal.listen((record) => metrics.countCall(record));
  // For as long as the directory lives: the gateway closes nothing of it.
  deps.directory.watchEvents?.((event) => metrics.countEvent(event));
  const requests = deps.onRequest === undefined ? undefined : new RequestWatch(deps.onRequest, now);
  if (requests !== undefined) journal.listen((record) => requests.noteCall(record));
  const activity = new Activity({ journal, directory: deps.directory, now });
  const audit = openAuditTrail(deps.audit, { journal, storeSecret: deps.storeSecret, now });
  const limiter = new CallLimiter(limits, { store });
  const callers = createCallers({ keys, jwt, publicUrl }, { store, fetch, now });
  const routeDeps: RouteDeps = {
    directory: deps.directory,
    store,
    idempotentCalls: new IdempotentCalls({ store: deps.store, storeSecret: deps.storeSecret, inFlight }),
    inFlight,
    journal,
    metrics,
    requests,
    activity,
    audit,
    limiter,
    load,
    open: open !== undefined,
    maxBodyBytes,
    sessions: options.sessions ?? "auto",
    storeSecret: deps.storeSecret,
    isStarting: () => starting,
    onInternalError: deps.onInternalError ?? (() => {}),
    keys: callers.keys,
    publicUrl: callers.publicUrl,
    resource: callers.resource,
  };
  const authenticator = open === undefined ? callers.authenticator : OPEN;
  const rules = { open: open !== undefined, allowedHosts, allowedOrigins, hostFromUrl };
  const app = createApp(routeDeps, rules, authenticator);

  const answer = async (request: Request, info: PeerInfo): Promise<Response> => {
    try {
      return await app.fetch(request, info);
    } catch (error) {
      // What is thrown and is no Error passes by Hono's own handler.
      const problem = toProblem(error, crypto.randomUUID());
      routeDeps.onInternalError(error, problem.requestId);
      return new Response(JSON.stringify(problem), { status: problem.status, headers: problemHeaders(problem) });
    }
  };
  return {
    fetch(request, info = {}) {
      if (info.completed !== undefined) inFlight.track(info.completed).catch(() => {});
      return inFlight.track(load.watch(answer(request, info)));
    },
    async drain(options) {
      const drained = inFlight.drain(options);
      activity.close();
      // Nothing is begun any more: what was leased is of use to others alone.
      await Promise.all([limiter.giveBack(), audit?.flush(AUDIT_CLOSE_MS)]);
      await drained;
      // The last calls have ended: what is left of them is written.
      await audit?.close(AUDIT_CLOSE_MS);
    },
  };
}
