import { type Contender, startContenders } from "./gateway/contenders.ts";
import { check } from "./gateway/doors.ts";
import { HttpSocket } from "./gateway/http_socket.ts";
import { installGateways } from "./gateway/npm_gateways.ts";
import { readProcessStats } from "./gateway/process_stats.ts";
import { untilItWorks } from "./gateway/program.ts";
import { median, percentile } from "./median.ts";
import { type ServerProcess, startServers } from "./servers/start.ts";
import { toRow, toVerdict } from "./table.ts";

/** What is measured. */
export interface GatewayCallsOptions {
  /** How many calls a round has one after the other; eight times as many come 64 at a time. */
  readonly calls: number;
  /** How often it is measured; the median counts. */
  readonly rounds: number;
}

interface Measurement {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly rssMiB: number;
  readonly upstream: number;
}

const IN_FLIGHT = 64;
const WARM_UP_CALLS = 4_000;
const HEAD = [
  "added p50",
  "ratio",
  "added p99",
  "ratio",
  "calls/s",
  "ratio",
  "CPU/call",
  "ratio",
  "memory",
  "upstream",
];
const WIDTHS = [34, 11, 9, 11, 9, 9, 9, 10, 9, 9, 10];

/** What a gateway adds to a call, how many it takes, and what they cost it: as ratios to the least that a proxy does. */
export async function* measureGatewayCalls(options: GatewayCallsOptions): AsyncGenerator<string> {
  await using stack = new AsyncDisposableStack();
  const fast = stack.use(await startServers({ servers: 1 }));
  const installed = await installGateways();
  const npm = installed && stack.use(installed);
  const contenders = await startContenders(stack, fast, npm);
  for (const contender of contenders) await untilItWorks(() => callAtOnce(contender, WARM_UP_CALLS));
  const rounds: (readonly Measurement[])[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const measured: Measurement[] = [];
    for (const contender of contenders) measured.push(await measure(contender, fast, options.calls));
    rounds.push(measured);
  }
  yield toRow(["one server, JSON answers", ...HEAD], WIDTHS);
  for (const [index, { name, counts, pid }] of contenders.entries()) yield toLine(rounds, index, { name, counts, pid });
  if (npm === undefined) yield "  The gateways from npm are left out, as npm did not install them";
  else yield toComparison(rounds, contenders);
}

/** One after the other, then many at a time. */
async function measure(contender: Contender, fast: ServerProcess, calls: number): Promise<Measurement> {
  const { posts } = await fast.count();
  const times = await callInTurn(contender, calls);
  const before = await statsOf(contender);
  const startedAt = performance.now();
  const many = 8 * calls;
  await callAtOnce(contender, many);
  const tookMs = performance.now() - startedAt;
  const after = await statsOf(contender);
  return {
    p50Us: percentile(times, 0.5) * 1_000,
    p99Us: percentile(times, 0.99) * 1_000,
    perSecond: many / tookMs * 1_000,
    cpuUs: (after.cpuMs - before.cpuMs) / many * 1_000,
    rssMiB: after.rssMiB,
    upstream: ((await fast.count()).posts - posts) / (calls + many),
  };
}

async function statsOf({ pid }: Contender) {
  return pid === undefined ? { cpuMs: 0, rssMiB: 0 } : await readProcessStats(pid);
}

async function callInTurn({ url, door }: Contender, calls: number): Promise<readonly number[]> {
  using socket = await HttpSocket.open(url);
  const request = door(0);
  const times: number[] = [];
  for (let at = 0; at < calls; at++) {
    const startedAt = performance.now();
    check(await socket.ask(request));
    times.push(performance.now() - startedAt);
  }
  return times;
}

async function callAtOnce({ url, door }: Contender, calls: number): Promise<void> {
  let left = calls;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async (_, index) => {
    using socket = await HttpSocket.open(url);
    const request = door(index);
    while (left-- > 0) check(await socket.ask(request));
  }));
}

type Rounds = readonly (readonly Measurement[])[];

/** The median of what is made of each round. */
function over(
  rounds: Rounds,
  index: number,
  make: (one: Measurement, direct: Measurement, plain: Measurement) => number,
) {
  return median(rounds.map((round) => make(round[index]!, round[0]!, round[1]!)));
}

function toLine(
  rounds: Rounds,
  index: number,
  { name, counts, pid }: Pick<Contender, "name" | "counts" | "pid">,
): string {
  const of = (make: Parameters<typeof over>[2]) => over(rounds, index, make);
  const us = (value: number) => `${value.toFixed(0)} µs`;
  const ratio = (value: number) => Number.isFinite(value) ? `${value.toFixed(2)} ×` : "";
  const perSecond = of((one) => one.perSecond).toFixed(0);
  const perSecondRatio = of((one, _, plain) => one.perSecond / plain.perSecond);
  if (pid === undefined) {
    const cells = [
      name,
      us(of((one) => one.p50Us)),
      "",
      us(of((one) => one.p99Us)),
      "",
      perSecond,
      ratio(perSecondRatio),
    ];
    return `${toRow(cells, WIDTHS)}  (the whole time, not an addition)`;
  }
  const p50Ratio = of((one, direct, plain) => (one.p50Us - direct.p50Us) / (plain.p50Us - direct.p50Us));
  const cells = [
    name,
    us(of((one, direct) => one.p50Us - direct.p50Us)),
    ratio(p50Ratio),
    us(of((one, direct) => one.p99Us - direct.p99Us)),
    ratio(of((one, direct, plain) => (one.p99Us - direct.p99Us) / (plain.p99Us - direct.p99Us))),
    perSecond,
    ratio(perSecondRatio),
    us(of((one) => one.cpuUs)),
    ratio(of((one, _, plain) => one.cpuUs / plain.cpuUs)),
    `${of((one) => one.rssMiB).toFixed(0)} MiB`,
    counts ? of((one) => one.upstream).toFixed(2) : "",
  ];
  const verdict = name.startsWith("Portolan")
    ? `  p50 ${toVerdict(p50Ratio, { atMost: 1.25 })}, calls/s ${toVerdict(perSecondRatio, { atLeast: 0.8 })}`
    : "";
  return toRow(cells, WIDTHS) + verdict;
}

/** The calls that the slowest of our doors takes, to those of the best of the others. */
function toComparison(rounds: Rounds, contenders: readonly Contender[]): string {
  const ours = contenders.map(({ name }, index) => name.startsWith("Portolan") ? index : -1).filter((at) => at >= 0);
  const others = contenders.keys().filter((index) => index > Math.max(...ours)).toArray();
  const best = median(rounds.map((round) => {
    const most = Math.max(...others.map((index) => round[index]!.perSecond));
    return Math.min(...ours.map((index) => round[index]!.perSecond)) / most;
  }));
  return `  Calls/s to the best gateway from npm: ${best.toFixed(1)} ×  ${toVerdict(best, { atLeast: 6 })}`;
}
