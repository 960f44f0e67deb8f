import { createPortolan } from "./contenders/portolan.ts";
import { raw } from "./contenders/raw.ts";
import { sdk1 } from "./contenders/sdk1.ts";
import { createSdk2 } from "./contenders/sdk2.ts";
import { toRatio } from "./median.ts";
import { measureInTurn } from "./rounds.ts";
import { startServers } from "./servers/start.ts";
import { toRow, toVerdict } from "./table.ts";

/** What is measured. */
export interface ConnectAndListOptions {
  /** How many servers, table by table. */
  readonly serverCounts: readonly number[];
  /** How often it is measured; the median counts. */
  readonly rounds: number;
}

const CONTENDERS = [
  raw,
  createPortolan("Portolan, legacy", "legacy"),
  createPortolan("Portolan, auto", "auto"),
  sdk1,
  createSdk2("SDK 2.4, legacy", "legacy"),
  createSdk2("SDK 2.4, auto", "auto"),
];
const WIDTHS = [24, 10, 8, 16];

/** The time until all servers have shaken hands and listed their tools, in a process that has done it before. */
export async function* measureConnectAndList(options: ConnectAndListOptions): AsyncGenerator<string> {
  for (const servers of options.serverCounts) {
    await using fast = await startServers({ servers });
    let posts = 0;
    const rows = await measureInTurn(
      options.rounds,
      CONTENDERS.map(({ connect }) => async () => {
        const before = (await fast.count()).posts;
        const startedAt = performance.now();
        const connected = await connect(fast.urls);
        const tookMs = performance.now() - startedAt;
        posts = (await fast.count()).posts - before;
        await connected[Symbol.asyncDispose]();
        if (connected.tools !== servers) throw new Error(`Not all tools were listed: ${connected.tools}`);
        return [tookMs, posts / servers];
      }),
    );
    yield toRow([servers === 1 ? "1 server" : `${servers} servers`, "time", "ratio", "POSTs a server"], WIDTHS);
    for (const [index, [time, requests]] of rows.entries()) {
      const { name } = CONTENDERS[index]!;
      const target = name === "Portolan, legacy" ? { atMost: 1.2 } : undefined;
      const cells = [name, `${time!.value.toFixed(1)} ms`, toRatio(time!.ratio, 1), String(requests!.value)];
      yield `${toRow(cells, WIDTHS)}  ${toVerdict(time!.ratio, target)}`.trimEnd();
    }
  }
}
