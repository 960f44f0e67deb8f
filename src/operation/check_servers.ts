/**
 * Tries every server of a configuration for real, and says what to do about each fault.
 *
 * @module
 */

import { pooledMap } from "@std/async";
import { createNameTable } from "../agent/tool_names.ts";
import { ServerFactory } from "../agent/server_factory.ts";
import { AuthStore } from "../auth/auth_store.ts";
import { RouteStoreGuard } from "../cache/route_store_guard.ts";
import { SavedPins } from "../cache/saved_pins.ts";
import { isMCPError } from "../errors.ts";
import type { RouteStore } from "../route_store.ts";
import { type AgentConfig, type PortolanConfig, resolveAgent, type ResolvedServer } from "../server_config.ts";
import { SharedConnections } from "../server/server_links.ts";
import { SingleServerMCPClient } from "../single_server_client.ts";
import type { PinKeeper } from "../tools/pin_keeper.ts";
import { adviseOn, type FaultContext } from "./fault_advice.ts";
import type { ServerFinding } from "./server_finding.ts";
import { hasCredential, warnOfConfig, warnOfServer, warnOfShadows } from "./server_warnings.ts";

/** How servers are tried. */
export interface CheckServersOptions {
  /** The longest each server may take, in milliseconds; its own `timeoutMs` holds where that is less. @default {10_000} */
  readonly timeoutMs?: number | undefined;
  /** How many are tried at once. @default {32} */
  readonly concurrency?: number | undefined;
  /** Ends the check. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told of each server as it settles, in the order in which they do. What depends on the other servers of the agent,
   * `tools_shadowed`, is in the findings at the end alone.
   */
  readonly onChecked?: ((finding: ServerFinding) => void) | undefined;
  /**
   * Where a gateway keeps pins and tokens; borrowed. Pins are read there, and nothing is pinned; tokens are renewed
   * there. @default {undefined, changed tools are not noticed, and nobody has authorized}
   */
  readonly store?: RouteStore | undefined;
  /** The secret that tokens in the store are encrypted with. */
  readonly storeSecret?: Uint8Array | undefined;
  /** The `fetch` underneath. @default {globalThis.fetch} */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** A time that never goes back, in milliseconds, for how long each server took. @default {performance.now} */
  readonly now?: (() => number) | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** One server of one agent, to be tried. */
interface Candidate {
  readonly agent: string;
  readonly config: AgentConfig;
  readonly server: string;
  /** The server, checked; or why the agent cannot be used. */
  readonly resolved: ResolvedServer | { readonly error: unknown };
}

interface Tried {
  readonly finding: ServerFinding;
  /** The tools that the agent may call, where they are known. */
  readonly tools: readonly string[] | undefined;
}

/** The options with their defaults. */
interface Settings extends CheckServersOptions {
  readonly now: () => number;
  readonly connections: SharedConnections;
}

/**
 * Tries every server of every agent: connects anew, lists the tools, and leaves. All at once, each behind its own
 * deadline; agents that would send the same to the same server share a connection. Nothing is called, and nothing of
 * what is found is kept.
 *
 * @example
 * ```ts
 * import { checkServers } from "./check_servers.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const files = { url: "http://localhost:9/mcp" };
 * const [finding] = await checkServers({ agents: { Kairos: { servers: { files } } } });
 * assertEquals([finding?.ok, finding?.code], [false, "unreachable"]);
 * ```
 *
 * @param config The agents and their servers.
 * @param options Deadline, pool, cancellation, and who is told.
 * @returns What was found, in the order of the configuration; a server that is down is a finding, never an exception.
 * @throws The reason of the signal, if that is aborted.
 */
export async function checkServers(
  config: PortolanConfig,
  options: CheckServersOptions = {},
): Promise<readonly ServerFinding[]> {
  const { concurrency = 32, signal, now = () => performance.now() } = options;
  signal?.throwIfAborted();
  const settings: Settings = { ...options, now, connections: new SharedConnections() };
  const candidates = Object.entries(config.agents).flatMap(([agent, own]) => toCandidates(agent, own));
  const tried: Tried[] = [];
  try {
    for await (const one of pooledMap(concurrency, candidates, (one) => tryServer(one, settings))) tried.push(one);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  return Object.entries(config.agents).flatMap(([agent, { collisions = "first" }]) => {
    const own = tried.filter(({ finding }) => finding.agent === agent);
    const names = createNameTable(
      own.map(({ finding, tools = [] }) => ({ server: finding.server, tools })),
      collisions,
    );
    return own.map(({ finding }) => ({
      ...finding,
      warnings: [...finding.warnings, ...warnOfShadows(finding.server, names)],
    }));
  });
}

/** An agent whose configuration has faults has them at each of its servers. */
function toCandidates(agent: string, config: AgentConfig): readonly Candidate[] {
  try {
    return resolveAgent(agent, config).servers.map((resolved) => ({ agent, config, server: resolved.name, resolved }));
  } catch (error) {
    return Object.keys(config.servers).map((server) => ({ agent, config, server, resolved: { error } }));
  }
}

async function tryServer(candidate: Candidate, settings: Settings): Promise<Tried> {
  const { signal, onChecked } = settings;
  const tried = await connect(candidate, settings);
  signal?.throwIfAborted();
  onChecked?.(tried.finding);
  return tried;
}

async function connect(candidate: Candidate, settings: Settings): Promise<Tried> {
  const { agent, server, resolved } = candidate;
  const { now, signal } = settings;
  const startedAt = now();
  if ("error" in resolved) {
    const context = { hasCredential: false, hasAuth: false, timeoutMs: settings.timeoutMs ?? DEFAULT_TIMEOUT_MS };
    return {
      finding: { agent, server, ...toFault(resolved.error, context), warnings: [], durationMs: 0 },
      tools: undefined,
    };
  }
  const timeoutMs = Math.min(
    settings.timeoutMs ?? Infinity,
    resolved.timeoutMs ?? settings.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  );
  await using client = createClient(candidate, resolved, settings);
  try {
    await client.connect({ timeoutMs, signal });
    const durationMs = now() - startedAt;
    const status = client.getStatus();
    // What was listed just now: nobody is asked again.
    const tools = (await client.listTools({ timeoutMs, signal })).map(({ name }) => name);
    const { era, transport, protocolVersion } = status;
    const count = tools.length === 1 ? "1 tool" : `${tools.length} tools`;
    const finding: ServerFinding = {
      agent,
      server,
      ok: true,
      message: `Server "${server}" lists ${count} for "${agent}"`,
      advice: "",
      warnings: [...warnOfConfig(resolved), ...warnOfServer({ resolved, status, tools, durationMs, timeoutMs })],
      era,
      transport,
      protocolVersion,
      toolCount: tools.length,
      durationMs,
    };
    return { finding, tools };
  } catch (error) {
    const context = { hasCredential: hasCredential(resolved), hasAuth: resolved.auth !== undefined, timeoutMs };
    const durationMs = now() - startedAt;
    const warnings = warnOfConfig(resolved);
    return { finding: { agent, server, ...toFault(error, context), warnings, durationMs }, tools: undefined };
  }
}

/** The failure in words; those of an error that is not ours may be a server's. */
function toFault(error: unknown, context: FaultContext): Pick<ServerFinding, "ok" | "code" | "message" | "advice"> {
  const known = isMCPError(error) ? error : undefined;
  const message = known?.message ?? "Cannot check the server as something failed";
  return { ok: false, code: known?.code, message, advice: adviseOn(error, context) };
}

function createClient(candidate: Candidate, resolved: ResolvedServer, settings: Settings): SingleServerMCPClient {
  const { agent, config, server } = candidate;
  const { store, storeSecret, fetch, connections } = settings;
  const own = config.servers[server];
  if (own === undefined) throw new TypeError("Cannot check a server that is not in the configuration");
  const secrets = config.secrets?.[server];
  return new SingleServerMCPClient(server, own, {
    secrets,
    principal: agent,
    connections,
    fetch,
    authStore: store && new AuthStore({ store, storeSecret }),
    pinKeeper: store && createPinReader(candidate, resolved, store, storeSecret),
  });
}

/** The pins of a gateway with the same store; a check pins nothing. */
function createPinReader(
  { agent, config, server }: Candidate,
  resolved: ResolvedServer,
  store: RouteStore,
  storeSecret: Uint8Array | undefined,
): PinKeeper | undefined {
  const own = config.servers[server];
  if (own === undefined) return undefined;
  const now = Date.now;
  const ignore = () => {};
  const factory = new ServerFactory({ agent, storeSecret, now, onToolsStale: ignore, onContextStale: ignore });
  const { toKey } = factory.make(resolved, own, config.secrets?.[server]);
  const readOnly: RouteStore = {
    get: (key) => store.get(key),
    set: () => Promise.resolve("not written"),
    delete: () => Promise.resolve(true),
  };
  return new SavedPins({ guard: new RouteStoreGuard(readOnly, { now }), toKey, now });
}
