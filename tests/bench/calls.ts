import { startChild } from "./child.ts";
import { LOADERS } from "./contenders/named.ts";
import { toRatio } from "./median.ts";
import { measureInTurn } from "./rounds.ts";
import { startServers } from "./servers/start.ts";
import { toRow, toVerdict } from "./table.ts";

/** What is measured. */
export interface CallsOptions {
  /** How many calls a round has one after the other; twice as many come 64 at a time. */
  readonly calls: number;
  /** How often it is measured; the median counts. */
  readonly rounds: number;
}

const HEAD = ["p50", "ratio", "p99", "ratio", "calls/s", "ratio", "CPU/call", "ratio"];
const WIDTHS = [24, 9, 8, 9, 8, 9, 8, 10, 8];

/** Calls on a warm connection: one after the other, then many at once, with the CPU that they cost the client. */
export async function* measureCalls(options: CallsOptions): AsyncGenerator<string> {
  const { calls, rounds } = options;
  const names = Object.keys(LOADERS);
  for (const answer of ["json", "sse"] as const) {
    await using stack = new AsyncDisposableStack();
    const { urls } = stack.use(await startServers({ servers: 1, answer }));
    const workers = names.map((name) => stack.use(startChild("call_worker.ts", [name, urls[0]!, String(calls)])));
    const rows = await measureInTurn(
      rounds,
      workers.map((worker) => async (): Promise<readonly number[]> => JSON.parse(await worker.next("ask"))),
    );
    yield toRow([`${answer.toUpperCase()} answers`, ...HEAD], WIDTHS);
    for (const [index, [p50, p99, perSecond, cpu]] of rows.entries()) {
      const name = names[index]!;
      const cells = [
        name,
        `${(p50!.value * 1_000).toFixed(0)} µs`,
        toRatio(p50!.ratio, 1),
        `${(p99!.value * 1_000).toFixed(0)} µs`,
        toRatio(p99!.ratio, 1),
        perSecond!.value.toFixed(0),
        toRatio(perSecond!.ratio, 1),
        `${cpu!.value.toFixed(0)} µs`,
        toRatio(cpu!.ratio, 1),
      ];
      const p50Target = { atMost: answer === "sse" ? 1.15 : 1.1 };
      const verdict = name.startsWith("Portolan")
        ? `  p50 ${toVerdict(p50!.ratio, p50Target)}, calls/s ${toVerdict(perSecond!.ratio, { atLeast: 0.9 })}`
        : "";
      yield toRow(cells, WIDTHS) + verdict;
    }
  }
}
