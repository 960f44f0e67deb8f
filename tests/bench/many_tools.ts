import { createPortolan } from "./contenders/portolan.ts";
import { percentile, toRatio } from "./median.ts";
import { measureInTurn } from "./rounds.ts";
import { toolName } from "./servers/answers.ts";
import { startServers } from "./servers/start.ts";
import { toRow, toVerdict } from "./table.ts";

/** What is measured. */
export interface ManyToolsOptions {
  /** How many servers the large agent has, and how many tools each. */
  readonly servers: number;
  /** How many tools each of them lists. */
  readonly tools: number;
  /** How many calls a round has. */
  readonly calls: number;
  /** How often it is measured; the median counts. */
  readonly rounds: number;
}

const WIDTHS = [32, 10, 8];

/** A call's p50 in an agent of many servers with many tools, against an agent of one server with one. */
export async function* measureManyTools(options: ManyToolsOptions): AsyncGenerator<string> {
  await using stack = new AsyncDisposableStack();
  const few = stack.use(await startServers({ servers: 1, tools: 1 }));
  const many = stack.use(await startServers({ servers: options.servers, tools: options.tools }));
  const contender = createPortolan("Portolan", "legacy");
  const small = stack.use(await contender.connect(few.urls));
  const large = stack.use(await contender.connect(many.urls));
  const lastTool = toolName(options.servers - 1, options.tools - 1);
  const rows = await measureInTurn(options.rounds, [
    () => measureRound(() => small.call(0, toolName(0, 0), "ahoy"), options.calls),
    () => measureRound(() => large.call(options.servers - 1, lastTool, "ahoy"), options.calls),
  ]);
  yield toRow(["agent", "p50", "ratio"], WIDTHS);
  const names = ["1 server, 1 tool", `${options.servers} servers, ${large.tools} tools`];
  for (const [index, [p50]] of rows.entries()) {
    const cells = [names[index]!, `${(p50!.value * 1_000).toFixed(0)} µs`, toRatio(p50!.ratio, 1)];
    const target = index === 0 ? undefined : { atMost: 1.05 };
    yield `${toRow(cells, WIDTHS)}  ${toVerdict(p50!.ratio, target)}`.trimEnd();
  }
}

async function measureRound(call: () => Promise<unknown>, calls: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let at = 0; at < calls; at++) {
    const startedAt = performance.now();
    await call();
    times.push(performance.now() - startedAt);
  }
  return [percentile(times, 0.5)];
}
