import { MultiServerMCPClient, type ServerConfig, SingleServerMCPClient } from "@portolan/mcp";
import { startSilentServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { median, toRatio } from "./median.ts";

/** What is measured. */
export interface ConnectingOptions {
  /** How many servers, row by row; the first row is the unit. */
  readonly serverCounts: readonly number[];
  /** How long each request takes, in milliseconds. */
  readonly delayMs: number;
  /** How often each row is measured; the median counts. */
  readonly runs: number;
}

/**
 * The time until all servers that answer have listed their tools, with one more that never answers: all at once by this
 * client, and one after the other as a naive client does it.
 */
export async function* measureConnecting(options: ConnectingOptions): AsyncGenerator<string> {
  const { serverCounts, delayMs, runs } = options;
  yield "  servers  all at once  ratio to one   one after the other  ratio to one";
  let unit: { readonly atOnce: number; readonly inTurn: number } | undefined;
  for (const count of serverCounts) {
    await using stack = new AsyncDisposableStack();
    const servers: Record<string, ServerConfig> = { hung: { url: stack.use(startSilentServer()).url } };
    for (let index = 1; index <= count; index++) {
      const name = `server${index}`;
      servers[name] = { url: stack.use(await startMCPServer({ name, delayMs })).url };
    }
    const atOnce: number[] = [];
    const inTurn: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const times = [await timeAtOnce(servers, count), await timeInTurn(servers)] as const;
      // The first run warms up.
      if (run > 0) {
        atOnce.push(times[0]);
        inTurn.push(times[1]);
      }
    }
    const row = { atOnce: median(atOnce), inTurn: median(inTurn) };
    unit ??= row;
    yield [
      String(count).padStart(9),
      `${row.atOnce.toFixed(0)} ms`.padStart(13),
      toRatio(row.atOnce, unit.atOnce).padStart(14),
      `${row.inTurn.toFixed(0)} ms`.padStart(22),
      toRatio(row.inTurn, unit.inTurn).padStart(14),
    ].join("");
  }
}

/** Until the last server that answers has listed its tools; the hung one is given up then. */
async function timeAtOnce(servers: Record<string, ServerConfig>, count: number): Promise<number> {
  await using client = new MultiServerMCPClient("bench", { servers });
  const all = Promise.withResolvers<void>();
  let ready = 0;
  const startedAt = performance.now();
  const done = client.connectToServers({
    onServerSettled: ({ state }) => {
      if (state === "connected" && ++ready === count) all.resolve();
    },
  });
  await Promise.race([all.promise, done]);
  const tookMs = performance.now() - startedAt;
  if (ready !== count) throw new Error(`Only ${ready} of ${count} servers connected`);
  return tookMs;
}

/** The loop of a naive client, with the hung server left out: with it, the loop takes as long as its patience. */
async function timeInTurn(servers: Record<string, ServerConfig>): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const startedAt = performance.now();
  for (const [name, config] of Object.entries(servers)) {
    if (name === "hung") continue;
    await stack.use(new SingleServerMCPClient(name, config)).connect();
  }
  return performance.now() - startedAt;
}
