import type { ColdJob } from "./cold/job.ts";
import { openRaw } from "./contenders/raw.ts";
import { toRatio } from "./median.ts";
import { measureInTurn } from "./rounds.ts";
import { runProgram } from "./run_program.ts";
import { toolName } from "./servers/answers.ts";
import { startServers } from "./servers/start.ts";
import { toRow, toVerdict } from "./table.ts";

/** What is measured. */
export interface ColdProcessOptions {
  /** How many servers the agent has. */
  readonly servers: number;
  /** How often it is measured; the median counts. */
  readonly rounds: number;
}

interface Row {
  readonly name: string;
  readonly program: string;
  readonly job: ColdJob;
  readonly target?: { readonly atMost: number };
}

const WIDTHS = [36, 10, 8, 20];

/** From the start of a process to the result of its first call, and what the servers received for it. */
export async function* measureColdProcess(options: ColdProcessOptions): AsyncGenerator<string> {
  const { servers, rounds } = options;
  for (const era of ["legacy", "modern"] as const) {
    await using stack = new AsyncDisposableStack();
    const fast = stack.use(await startServers({ servers, era }));
    const folder = await Deno.makeTempDir();
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const { urls } = fast;
    const job: ColdJob = { urls, tool: toolName(servers - 1, 0) };
    const sessionId = era === "legacy" ? (await openRaw(urls.at(-1)!)).sessionId : undefined;
    const kvPath = `${folder}/routes.db`;
    await runProgram("cold/portolan.ts", [JSON.stringify({ ...job, kvPath }), "fill"]);
    const rows: Row[] = [
      { name: "raw fetch, session kept", program: "raw_resumed", job: { ...job, sessionId } },
      { name: "empty process", program: "empty", job },
      { name: "Portolan, routes kept", program: "portolan", job: { ...job, kvPath }, target: { atMost: 1.25 } },
      { name: "Portolan, nothing kept", program: "portolan", job },
      { name: "SDK 2.4", program: "sdk2", job },
    ];
    if (era === "legacy") {
      rows.splice(2, 0, { name: "raw fetch, nothing kept", program: "raw_full", job });
      rows.push({ name: "SDK 1.32", program: "sdk1", job });
    }
    const measured = await measureInTurn(
      rounds,
      rows.map((row) => async () => {
        const before = (await fast.count()).posts;
        const { tookMs, line } = await runProgram(`cold/${row.program}.ts`, [JSON.stringify(row.job)]);
        if (line !== "ok") throw new Error(`Not the answer: ${row.name}`);
        return [tookMs, (await fast.count()).posts - before];
      }),
    );
    yield toRow([`${servers} ${era} servers`, "time", "ratio", "upstream requests"], WIDTHS);
    for (const [index, [time, posts]] of measured.entries()) {
      const { name, target } = rows[index]!;
      const cells = [name, `${time!.value.toFixed(0)} ms`, toRatio(time!.ratio, 1), String(posts!.value)];
      yield `${toRow(cells, WIDTHS)}  ${toVerdict(time!.ratio, target)}`.trimEnd();
    }
  }
}
