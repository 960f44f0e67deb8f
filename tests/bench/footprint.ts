import { toRatio } from "./median.ts";
import { measureInTurn } from "./rounds.ts";
import { runProgram } from "./run_program.ts";
import { startServers } from "./servers/start.ts";
import { toRow, toVerdict } from "./table.ts";

/** What is measured. */
export interface FootprintOptions {
  /** How many servers the memory is shared among. */
  readonly servers: number;
  /** How often it is measured; the median counts. */
  readonly rounds: number;
}

const MODULES = ["Portolan", "Portolan with its KV store", "SDK 1.32", "SDK 2.4"];
const CLIENTS = ["raw fetch", "Portolan", "SDK 1.32", "SDK 2.4"];
const WIDTHS = [32, 12, 8];

/** How long the import takes before anything is connected, and how much memory a connected server takes. */
export async function* measureFootprint(options: FootprintOptions): AsyncGenerator<string> {
  const { servers, rounds } = options;
  const imports = await measureInTurn(
    rounds,
    MODULES.map((name) => async () => [Number((await runProgram("cold/import.ts", [name])).line)]),
  );
  yield toRow(["import of", "time"], WIDTHS);
  for (const [index, [time]] of imports.entries()) {
    const target = index === 0 ? { atMost: 20 } : undefined;
    const row = toRow([MODULES[index]!, `${time!.value.toFixed(1)} ms`], WIDTHS);
    yield `${row}  ${toVerdict(time!.value, target)}`.trimEnd();
  }
  await using fast = await startServers({ servers });
  const urls = JSON.stringify(fast.urls);
  const memory = await measureInTurn(
    rounds,
    CLIENTS.map((name) => async () => {
      return [Number((await runProgram("cold/memory.ts", [name, urls], ["--v8-flags=--expose-gc"])).line)];
    }),
  );
  yield toRow([`memory, each of ${servers} servers`, "KB", "ratio"], WIDTHS);
  for (const [index, [bytes]] of memory.entries()) {
    yield toRow([CLIENTS[index]!, (bytes!.value / 1024).toFixed(0), toRatio(bytes!.ratio, 1)], WIDTHS);
  }
}
