/**
 * The demo: five real servers, two agents over them, one gateway; `--once` ends it after the show.
 *
 * @module
 */

import { describeStartError } from "../../src/gateway/announce.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { COLD_CALL, DEMO_CALLS, showCall } from "./demo_calls.ts";
import { findAsked, findFaults } from "./demo_checks.ts";
import { HOSTNAME, serveGateway } from "./demo_gateway.ts";
import { toDemoConfig } from "./demo_servers.ts";
import { Screen } from "./screen.ts";
import { showCommands, showConnections, showServers, showStatus } from "./show.ts";

/** The lines that a terminal needs to have for lists that are written over. */
const MIN_LIVE_ROWS = 12;

async function runDemo(screen: Screen, port: number, signal: AbortSignal): Promise<void> {
  const once = Deno.args.includes("--once");
  await using stack = new AsyncDisposableStack();
  screen.print(`${screen.paint("Portolan", "bold")}: five MCP servers, two agents, one gateway`);
  const servers = stack.use(await showServers(screen, signal));

  const kv = stack.adopt(await Deno.openKv(":memory:"), (kv) => kv.close());
  const store = new KvRouteStore(kv);
  const config = toDemoConfig(servers);
  const { manager, origin } = stack.use(
    await serveGateway(config, store, port).catch((error) => {
      throw new Error(describeStartError(error, { hostname: HOSTNAME, port }), { cause: error });
    }),
  );

  const timings = await showConnections(screen, manager, signal);
  showStatus(screen, manager.getStatusSummary(), timings);

  const faults = [...findFaults(manager.openClient("Kairos").getStatus())];
  screen.heading("Calling tools through the gateway");
  for (const call of DEMO_CALLS) faults.push(...await showCall(origin, call, screen, signal));
  {
    await using cold = await serveGateway(config, store, 0);
    faults.push(...await showCall(cold.origin, COLD_CALL, screen, signal));
    faults.push(...findAsked(cold.manager.openClient(COLD_CALL.agent).getStatus(), COLD_CALL.server));
  }

  // There is nothing to go on with where all of it ends now.
  if (!once) showCommands(screen, origin);
  screen.print("");
  if (once && faults.length > 0) throw new Error(`Check failed: ${faults.join("; ")}`);
  if (once) {
    screen.print(`${screen.paint("✓", "green")} All as expected. Without --once the gateway stays up.`);
    return;
  }
  for (const fault of faults) console.error(`Warning: ${fault}`);
  screen.print(`Serving on ${screen.paint(origin, "cyan")} until Ctrl-C`);
  await aborted(signal);
}

async function main(): Promise<number> {
  const stopping = new AbortController();
  // The terminal and "deno task" may each send one: a stop is under way from the first on, and takes a few seconds.
  const stop = () => stopping.abort(new Error("Cannot go on as the demo was stopped"));
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, stop);

  const screen = new Screen({ isTerminal: isLiveTerminal(), hasColours: !Deno.noColor, onGone: stop });
  try {
    await runDemo(screen, parsePort(Deno.env.get("PORT")), stopping.signal);
    return 0;
  } catch (error) {
    if (stopping.signal.aborted) return 0;
    console.error(toLine(error));
    return 1;
  }
}

/** Whether the output is a terminal on which lines can be written over. */
function isLiveTerminal(): boolean {
  return Deno.stdout.isTerminal() && Deno.env.get("TERM") !== "dumb" && Deno.consoleSize().rows >= MIN_LIVE_ROWS;
}

/** What the demo itself throws says all there is to say. */
function toLine(error: unknown): string {
  return error instanceof Error && error.name === "Error" ? error.message : describeStartError(error, undefined);
}

/** The port in the environment; any free one where there is none. */
function parsePort(text = "0"): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new Error(`Cannot use PORT as a port from 0 to 65535: "${text}"`);
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

if (import.meta.main) Deno.exit(await main());
