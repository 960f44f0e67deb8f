import { createPortolan, createPortolanSingle } from "./contenders/portolan.ts";
import { raw, rawOnce } from "./contenders/raw.ts";
import { sdk1 } from "./contenders/sdk1.ts";
import { createSdk2 } from "./contenders/sdk2.ts";
import { percentile, toRatio } from "./median.ts";
import { measureInTurn } from "./rounds.ts";
import { toolName } from "./servers/answers.ts";
import { startServers } from "./servers/start.ts";
import { toRow, toVerdict } from "./table.ts";
import { cpuUsage } from "node:process";

/** What is measured. */
export interface CallsOptions {
  /** How many calls a round has, one after the other and 64 at a time. */
  readonly calls: number;
  /** How often it is measured; the median counts. */
  readonly rounds: number;
}

const IN_FLIGHT = 64;
const CONTENDERS = [
  raw,
  rawOnce,
  createPortolan("Portolan", "legacy"),
  createPortolanSingle("Portolan, one server"),
  sdk1,
  createSdk2("SDK 2.4", "legacy"),
];
const HEAD = ["client", "p50", "ratio", "p99", "ratio", "calls/s", "ratio", "CPU/call", "ratio"];
const WIDTHS = [24, 9, 8, 9, 8, 9, 8, 10, 8];

/** Calls on a warm connection: one after the other, then many at once, with the CPU that they cost the client. */
export async function* measureCalls(options: CallsOptions): AsyncGenerator<string> {
  for (const answer of ["json", "sse"] as const) {
    yield `  ${answer.toUpperCase()} answers`;
    await using stack = new AsyncDisposableStack();
    const { urls } = stack.use(await startServers({ servers: 1, answer }));
    const connected = [];
    for (const contender of CONTENDERS) connected.push(stack.use(await contender.connect(urls)));
    const rows = await measureInTurn(
      options.rounds,
      connected.map(({ call }) => () => measureRound(() => call(0, toolName(0, 0), "ahoy"), options.calls)),
    );
    yield toRow(HEAD, WIDTHS);
    for (const [index, [p50, p99, perSecond, cpu]] of rows.entries()) {
      const isOurs = CONTENDERS[index]!.name.startsWith("Portolan");
      yield [
        toRow([
          CONTENDERS[index]!.name,
          `${(p50!.value * 1_000).toFixed(0)} µs`,
          toRatio(p50!.ratio, 1),
          `${(p99!.value * 1_000).toFixed(0)} µs`,
          toRatio(p99!.ratio, 1),
          perSecond!.value.toFixed(0),
          toRatio(perSecond!.ratio, 1),
          `${cpu!.value.toFixed(0)} µs`,
          toRatio(cpu!.ratio, 1),
        ], WIDTHS),
        isOurs ? `  p50 ${toVerdict(p50!.ratio, { atMost: answer === "sse" ? 1.15 : 1.1 })}` : "",
        isOurs ? `, calls/s ${toVerdict(perSecond!.ratio, { atLeast: 0.9 })}` : "",
      ].join("");
    }
  }
}

/** p50 and p99 in milliseconds, calls per second, CPU of this process per call in microseconds. */
async function measureRound(call: () => Promise<unknown>, calls: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let at = 0; at < calls; at++) {
    const startedAt = performance.now();
    if (await call() !== "ahoy") throw new Error("Not the answer");
    times.push(performance.now() - startedAt);
  }
  const before = cpuUsage();
  const startedAt = performance.now();
  let left = calls;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (left-- > 0) await call();
  }));
  const tookMs = performance.now() - startedAt;
  const { user, system } = cpuUsage(before);
  return [percentile(times, 0.5), percentile(times, 0.99), calls / tookMs * 1_000, (user + system) / calls];
}
