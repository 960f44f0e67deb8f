import { isMCPError, type MCPErrorCode, MultiServerMCPClient, type ServerConfig } from "@portolan/mcp";
import { delay } from "@std/async";
import { percentile, toRatio } from "./median.ts";
import { measureInTurn } from "./rounds.ts";
import { type HostileKind, toolName } from "./servers/answers.ts";
import { startServers } from "./servers/start.ts";
import { toRow, toVerdict } from "./table.ts";

/** What is measured. */
export interface HostileOptions {
  /** How many calls each of the seven other servers gets in a round. */
  readonly calls: number;
  /** How often it is measured; the median counts. */
  readonly rounds: number;
}

const KINDS: readonly HostileKind[] = [
  "hangs",
  "answers 500",
  "drops connections",
  "endless SSE",
  "oversize JSON",
  "slow drip",
];
const OTHERS = 7;
/** How long a worker rests between two calls, on average. */
const REST_MS = 5;
/** How long the one who calls the eighth server rests, and how long an answer is waited for. */
const EIGHTH_REST_MS = 20;
const EIGHTH_TIMEOUT_MS = 200;
const HEAD = ["the eighth server", "p50", "p99", "ratio", "errors of seven", "calls to it"];
const WIDTHS = [24, 10, 10, 8, 17, 14];

/** One of eight servers is hostile: what the calls to the other seven see of it, against a run in which it is well. */
export async function* measureHostile(options: HostileOptions): AsyncGenerator<string> {
  yield toRow(HEAD, WIDTHS);
  await using others = await startServers({ servers: OTHERS });
  await using well = await startServers({ servers: 1 });
  for (const kind of KINDS) {
    await using hostile = await startServers({ servers: 1, hostile: kind });
    const eighth = [well.urls[0]!, hostile.urls[0]!];
    const codes = new Map<string, number>();
    const rows = await measureInTurn(
      options.rounds,
      eighth.map((url) => () =>
        measureRound([...others.urls, url], options.calls, url === eighth[1] ? codes : undefined)
      ),
    );
    const [p50, p99, errors] = rows[1]!;
    const seen = [...codes].map(([code, count]) => `${count} ${code}`).join(", ");
    const cells = [
      kind,
      `${(p50!.value * 1_000).toFixed(0)} µs`,
      `${(p99!.value * 1_000).toFixed(0)} µs`,
      toRatio(p99!.ratio, 1),
      String(errors!.value),
    ];
    const verdict = errors!.value > 0 ? "missed" : toVerdict(p99!.ratio, { atMost: 1.1 });
    yield `${toRow(cells, WIDTHS)}  ${verdict}  (${seen})`;
  }
}

/** Workers that rest equally long would all call at once. */
async function rest(restMs = REST_MS): Promise<void> {
  await delay(restMs * (0.5 + Math.random()));
}

/** p50 and p99 of the calls to the first seven servers in milliseconds, and how many of them failed. */
async function measureRound(
  urls: readonly string[],
  calls: number,
  codes: Map<string, number> | undefined,
): Promise<readonly number[]> {
  const servers: Record<string, ServerConfig> = {};
  for (const [index, url] of urls.entries()) servers[`server${index}`] = { url, era: "legacy" };
  await using client = new MultiServerMCPClient("bench", { servers });
  await client.connectToServers();
  const times: number[] = [];
  let errors = 0;
  let running = true;
  const call = async (server: number, tool: string, timeoutMs?: number): Promise<MCPErrorCode | "ok"> => {
    const sent = client.callTool(`server${server}__${tool}`, { text: "ahoy" }, { timeoutMs });
    return await sent.then(() => "ok", (error) => isMCPError(error) ? error.code : "unreachable");
  };
  const bother = async () => {
    while (running) {
      const code = await call(OTHERS, toolName(0, 0), EIGHTH_TIMEOUT_MS);
      codes?.set(code, (codes.get(code) ?? 0) + 1);
      await rest(EIGHTH_REST_MS);
    }
  };
  const bothering = bother();
  await Promise.all(Array.from({ length: OTHERS }, async (_, server) => {
    for (let at = 0; at < calls; at++) {
      const startedAt = performance.now();
      if (await call(server, toolName(server, 0)) !== "ok") errors++;
      times.push(performance.now() - startedAt);
      await rest();
    }
  }));
  running = false;
  await bothering;
  return [percentile(times, 0.5), percentile(times, 0.99), errors];
}
