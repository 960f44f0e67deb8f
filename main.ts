/**
 * The gateway as a program: environment → settings → configuration → KV → manager → gateway.
 *
 * `deno task start` and `deno run main.ts` listen by themselves; `deno serve main.ts` and Deno Deploy take the default
 * export.
 *
 * @module
 */

import { deadline } from "@std/async";
import { createGateway, type Gateway } from "./routes/mod.ts";
import { setAlarm } from "./src/alarm.ts";
import { MCPClientManager } from "./src/client_manager.ts";
import { type AccessRule, decideAccess } from "./src/gateway/access_rule.ts";
import type { Environment } from "./src/config/server_fields.ts";
import type { ListenAddress } from "./src/gateway/announce.ts";
import { limitsByAgent } from "./src/gateway/limits_by_agent.ts";
import { openStore } from "./src/gateway/open_store.ts";
import { toProblem } from "./src/gateway/problem.ts";
import { parseLogSettings, parseSettings, SETTING_NAMES, type Settings } from "./src/gateway/settings.ts";
import { serversOf } from "./src/multi_server_client.ts";
import { openConfig } from "./src/reload/open_config.ts";
import type { PortolanConfig } from "./src/server_config.ts";
import type { OpenTelemetryTracerOptions } from "./src/telemetry/call_tracer.ts";
import { LineWriter } from "./src/telemetry/line_writer.ts";
import { type LineLevel, Log } from "./src/telemetry/log.ts";
import { ProgramLog } from "./src/telemetry/program_log.ts";

interface Program {
  readonly gateway: Gateway;
  /** Answers a request, and looks after that whether there is another configuration. */
  readonly fetch: Gateway["fetch"];
  readonly settings: Settings;
  readonly access: AccessRule;
  readonly agents: readonly string[];
  /** Connects to every server, once, where that is not left to the first call. */
  connect(): Promise<void>;
  /** Reads the configuration and the environment anew. */
  reload(): Promise<void>;
  /** Takes the configuration file anew whenever it is written. */
  watch(): Promise<void>;
  close(): Promise<void>;
}

// "deno run" warns of a default export with a fetch: the task says by this argument that it wants none.
const listens = Deno.args.includes("--listen");
const onDeploy = readIfAllowed("DENO_DEPLOYMENT_ID") !== undefined;
// What the runtime registers where it exports, as the package "@opentelemetry/api" finds it.
const registered: Readonly<Record<string, unknown>> = Reflect.get(globalThis, Symbol.for("opentelemetry.js.api.1")) ??
  {};
const isTraced = registered.trace !== undefined || registered.metrics !== undefined;
let servedAt: ListenAddress | undefined;
let opened: Promise<Program> | undefined;
let said: ProgramLog | undefined;
let lines: LineWriter | undefined;

function open(bindsItself: boolean): Promise<Program> {
  return opened ??= openProgram(bindsItself);
}

async function openProgram(bindsItself: boolean): Promise<Program> {
  const env = readEnvironment();
  const settings = parseSettings(env);
  const log = openLog();
  // The database opens while the configuration is read.
  const opening = openStore(settings.kv, {
    openKv: typeof Deno.openKv === "function" ? (path) => Deno.openKv(path) : undefined,
    keeps: settings.auditDays === undefined ? "routes" : "routes and the audit trail",
    onWarning: log.onWarning,
  });
  const decide = (config: PortolanConfig) => decideAccess(settings, config, { bindsItself });
  const source = await openConfig(settings, {
    env: readEnvironment,
    readVariable: mayRead() ? undefined : Deno.env.get,
    readTextFile: Deno.readTextFile,
    watch: Deno.watchFs,
    realPath: Deno.realPath,
    shared: opening.then(({ shared }) => shared),
    check: (config) => void decide(config),
    onTaken: log.onNotice,
    onWarning: log.onWarning,
  });
  const { config, admin } = source;
  const access = decide(config);
  const { store, shared, kv, close: closeStore } = await opening;
  const tracing = isTraced ? await loadTracing() : undefined;
  const manager = new MCPClientManager(config, {
    store,
    storeSecret: settings.storeSecret,
    onWarning: log.onWarning,
    onEvent: log.onEvent,
    fetch: tracing?.fetch,
  });
  const eager = (settings.connect ?? (bindsItself ? "eager" : "lazy")) === "eager";
  const started = Promise.withResolvers<void>();
  const gateway = createGateway(
    {
      directory: manager,
      store: shared,
      storeSecret: settings.storeSecret,
      audit: settings.auditDays === undefined
        ? undefined
        : { kv, retentionDays: settings.auditDays, onWarning: log.onWarning },
      started: eager ? started.promise : undefined,
      config: admin,
      onInternalError: log.onInternalError,
      onRequest: log.onRequest,
      tracer: tracing?.createTracer((agent, server) =>
        serversOf(manager.openClient(agent)).clientOf(server).getStatus()
      ),
    },
    {
      ...access,
      allowedHosts: settings.allowedHosts,
      allowedOrigins: settings.allowedOrigins,
      maxBodyBytes: settings.maxBodyBytes,
      sessions: settings.mcpSessions,
      maxRequests: settings.maxRequests,
      limits: limitsByAgent(config),
    },
  );
  source.serve(async (config) => {
    const next = { ...decide(config), limits: limitsByAgent(config) };
    // A key that opens no more is refused at once, however long new servers take to connect; what is to be open to all
    // waits until what is not for all is gone.
    if (next.open === undefined) gateway.update(next);
    await manager.applyConfig(config, { connect: eager });
    if (next.open !== undefined) gateway.update(next);
  });
  const connectAll = async () => {
    // Rejects only where the manager is closed meanwhile; servers that are down are in the status.
    if (eager) await manager.connectAll().catch(() => {});
    started.resolve();
  };
  let connecting: Promise<void> | undefined;
  const answer: Gateway["fetch"] = async (request, info) => {
    const response = await gateway.fetch(request, info);
    source.poll?.();
    return response;
  };
  return {
    gateway,
    fetch: source.poll === undefined ? gateway.fetch : answer,
    settings,
    access,
    agents: manager.agents,
    connect: () => connecting ??= connectAll(),
    reload: () => source.reload(),
    watch: async () => {
      if (!onDeploy || settings.reload === "watch") await source.watch();
    },
    async close() {
      source.close();
      await deadline(manager.close(), 500).catch(() => {});
      closeStore();
    },
  };
}

/** Whether a variable may be read; without a name, whether all may. */
function mayRead(variable?: string): boolean {
  return Deno.permissions.querySync({ name: "env", ...(variable !== undefined && { variable }) }).state === "granted";
}

/** A variable that the program does without. */
function readIfAllowed(name: string): string | undefined {
  return mayRead(name) ? Deno.env.get(name) : undefined;
}

/** All of the environment; or, where that may not be read, the settings, which have to be. */
function readEnvironment(): Environment {
  if (mayRead()) return Deno.env.toObject();
  return Object.fromEntries(["PORT", ...SETTING_NAMES].map((name) => [name, Deno.env.get(name)]));
}

async function main(): Promise<void> {
  let address: ListenAddress | undefined;
  let server: Deno.HttpServer | undefined;
  onStopSignal(async () => {
    const program = await opened;
    await program?.gateway.drain();
    if (server !== undefined) await deadline(server.shutdown(), 500).catch(() => {});
    await program?.close();
    if (lines !== undefined) await deadline(lines.flush(), 200).catch(() => {});
  });
  onReloadSignal(async () => await (await opened)?.reload());
  try {
    // "deno serve" has called onListen before the first timer runs; on Deploy nobody has to bind either.
    if (!listens) await new Promise<void>((resolve) => setAlarm(resolve, 0));
    const bindsItself = servedAt === undefined && !onDeploy;
    const program = await open(bindsItself);
    if (bindsItself) {
      address = { hostname: program.settings.host, port: program.settings.port };
      const http = Deno.serve({ ...address, onListen: () => {} }, program.fetch);
      server = http;
      servedAt = http.addr as Deno.NetAddr;
    }
    if (servedAt !== undefined) openLog().sayListening(servedAt, program.agents, program.access);
    await program.watch();
    await program.connect();
  } catch (error) {
    openLog().sayStartFailed(error, address);
    Deno.exit(1);
  }
}

function onStopSignal(stop: () => Promise<void>): void {
  let stopping = false;
  const listener = () => {
    // "deno task" passes an interrupt on that the terminal has sent already: the second is no wish to stop at once.
    if (stopping) return;
    stopping = true;
    stop().then(() => Deno.exit(0), () => Deno.exit(1));
  };
  Deno.addSignalListener("SIGINT", listener);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", listener);
}

function onReloadSignal(reload: () => Promise<void>): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", () => void reload());
}

async function loadTracing() {
  const [{ OpenTelemetryTracer }, { createTracedFetch }] = await Promise.all([
    import("./src/telemetry/call_tracer.ts"),
    import("./src/telemetry/traced_fetch.ts"),
  ]);
  return {
    fetch: createTracedFetch({ propagates: registered.propagation !== undefined || propagatesUnseen() }),
    createTracer: (findServer: OpenTelemetryTracerOptions["findServer"]) => new OpenTelemetryTracer({ findServer }),
  };
}

// Deno 2.5 does it without a word to the package.
function propagatesUnseen(): boolean {
  const isOn = onDeploy || readIfAllowed("OTEL_DENO")?.toLowerCase() === "true";
  return isOn && (readIfAllowed("OTEL_PROPAGATORS") || "tracecontext").split(",").includes("tracecontext");
}

function openLog(): ProgramLog {
  if (said !== undefined) return said;
  const { logLevel: threshold, logFormat } = parseLogSettings({
    PORTOLAN_LOG_LEVEL: readIfAllowed("PORTOLAN_LOG_LEVEL"),
    PORTOLAN_LOG_FORMAT: readIfAllowed("PORTOLAN_LOG_FORMAT"),
  });
  const format = logFormat ?? (Deno.stdout.isTerminal() ? "text" : "json");
  // What collects the console there and elsewhere adds the trace to each line.
  const write = onDeploy || isTraced ? writeToConsole : writeToStreams;
  const log = new Log({ threshold, format, write });
  lines = new LineWriter({
    write: (bytes) => Deno.stdout.write(bytes),
    toGap: (count) => log.toLine("warning", { message: `Cannot write ${count} lines as nobody reads them` }),
  });
  return said = new ProgramLog(log);
}

function writeToConsole(line: string, level: LineLevel): void {
  console[level === "warning" ? "warn" : level](line);
}

function writeToStreams(line: string, level: LineLevel): void {
  if (level === "warning" || level === "error") console.error(line);
  else lines?.add(line);
}

if (import.meta.main) void main();

const served: Deno.ServeDefaultExport = {
  async fetch(request, info) {
    try {
      const program = await open(false);
      // Where nothing but requests starts the program.
      void program.connect();
      return await program.fetch(request, info as Deno.ServeHandlerInfo<Deno.NetAddr>);
    } catch (error) {
      const problem = toProblem(error, crypto.randomUUID());
      return Response.json(problem, {
        status: problem.status,
        headers: { "content-type": "application/problem+json" },
      });
    }
  },
  onListen(address) {
    servedAt = address as Deno.NetAddr;
  },
};

export default listens ? undefined : served;
