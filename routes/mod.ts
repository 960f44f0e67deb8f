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

import { type Authenticator, OPEN_ACCESS } from "../src/callers/access.ts";
import { type CallersOptions, createCallers } from "../src/callers/callers.ts";
import { openAuditTrail } from "../src/audit/open_audit_trail.ts";
import type { RouteDeps } from "../src/gateway/gateway_env.ts";
import type { GatewayDeps, GatewayOptions, GatewayUpdate } from "../src/gateway/gateway_options.ts";
import { CallJournal } from "../src/gateway/call_journal.ts";
import { Activity } from "../src/gateway/activity.ts";
import type { HostRules, PeerInfo } from "../src/gateway/host_check.ts";
import { type DrainOptions, InFlight } from "../src/gateway/in_flight.ts";
import { problemHeaders, toProblem } from "../src/gateway/problem.ts";
import { defaultFetch } from "../src/guarded_fetch.ts";
import { CallLimiter } from "../src/limits/call_limiter.ts";
import { LoadMeter } from "../src/limits/load_meter.ts";
import { MemoryRouteStore } from "../src/memory_route_store.ts";
import { IdempotentCalls } from "../src/rest/idempotent_calls.ts";
import { GatewayMetrics } from "../src/telemetry/gateway_metrics.ts";
import { RequestWatch } from "../src/telemetry/request_watch.ts";
import { createApp } from "./app.ts";

export type { MCPErrorCode } from "../src/errors.ts";
export type { AuditKv } from "../src/audit/audit_kv.ts";
export type { GatewayAudit } from "../src/audit/open_audit_trail.ts";
export type { KvAtomicOperation, KvDatabase } from "../src/cache/kv_database.ts";
export type { AgentClient, AgentDirectory, AgentReconnectOptions } from "../src/gateway/agent_directory.ts";
export type { CallTracer } from "../src/gateway/call_journal.ts";
export type { BegunCall, BegunRpc, CallDoor, CallRecord, RecordedOutcome } from "../src/gateway/call_record.ts";
export type { PeerInfo } from "../src/gateway/host_check.ts";
export type { GatewayDeps, GatewayOptions, GatewayUpdate } from "../src/gateway/gateway_options.ts";
export type { DrainOptions } from "../src/gateway/in_flight.ts";
export { digestKey, type GatewayKey } from "../src/callers/keys.ts";
export type { AgentDifference, ConfigDifference, NameDifference } from "../src/config/config_difference.ts";
export type { JwtConfig, JwtRule } from "../src/config/jwt_config.ts";
export type { KeyConfig } from "../src/config/key_config.ts";
export type { CallLimits } from "../src/limits/limits_config.ts";
export type { Problem, ProblemCode } from "../src/gateway/problem.ts";
export type { ConfigAdmin, ConfigChange, ConfigChangeOptions, ConfigState } from "../src/reload/config_admin.ts";
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
   * Takes other keys, tokens, limits and another public URL, without a new gateway: what is under way, sessions and
   * idempotency keys stay, and so does what was created and revoked at run time and what limits have counted. All is
   * checked before anything changes.
   *
   * @param update What holds from now on, as a whole: what is left out is none.
   * @throws {TypeError | ConfigError | RangeError} As {@linkcode createGateway}; then everything goes on as it was.
   */
  update(update: GatewayUpdate): void;
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
  const { allowedHosts, allowedOrigins = [], hostFromUrl } = options;
  const { maxBodyBytes = 1_048_576, maxRequests = 1_000, limits = {} } = options;
  checkAccess(options);
  let isOpen = options.open !== undefined;
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
  const callers = createCallers(toCallers(options), { store, fetch, now });
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
    get open() {
      return isOpen;
    },
    maxBodyBytes,
    sessions: options.sessions ?? "auto",
    storeSecret: deps.storeSecret,
    config: deps.config,
    isStarting: () => starting,
    onInternalError: deps.onInternalError ?? (() => {}),
    callers,
    dispatch: (request, info) => answer(request, info),
  };
  const authenticator: Authenticator = {
    authenticate: (authorization) => (isOpen ? OPEN : callers.authenticator).authenticate(authorization),
  };
  const rules: HostRules = {
    get open() {
      return isOpen;
    },
    allowedHosts,
    allowedOrigins,
    hostFromUrl,
  };
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
    update(update) {
      checkAccess(update);
      const takeCallers = callers.prepare(toCallers(update));
      const takeLimits = limiter.prepare(update.limits ?? {});
      takeCallers();
      takeLimits();
      isOpen = update.open !== undefined;
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

function checkAccess({ keys = {}, jwt = [], open }: GatewayUpdate): void {
  if (Object.keys(keys).length + jwt.length > 0 || open !== undefined) return;
  throw new TypeError('Cannot create a gateway as it has neither keys nor jwt nor the option open: "loopback"');
}

function toCallers({ keys = {}, jwt = [], publicUrl }: GatewayUpdate): CallersOptions {
  return { keys, jwt, publicUrl };
}
