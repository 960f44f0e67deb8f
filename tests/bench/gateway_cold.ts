import { buildGateway } from "../support/build.ts";
import { openRaw } from "./contenders/raw.ts";
import { MAIN, startHub } from "./gateway/contenders.ts";
import { check, type Door, restDoor } from "./gateway/doors.ts";
import { HttpSocket } from "./gateway/http_socket.ts";
import { installGateways, nameOf, type NpmFolder } from "./gateway/npm_gateways.ts";
import { denoRun, startProgram, untilItWorks } from "./gateway/program.ts";
import { toRatio } from "./median.ts";
import { measureInTurn } from "./rounds.ts";
import { toolName } from "./servers/answers.ts";
import { type ServerProcess, startServers } from "./servers/start.ts";
import { toRow, toVerdict } from "./table.ts";

/** What is measured. */
export interface GatewayColdOptions {
  /** How many servers the agent has. */
  readonly servers: number;
  /** How often it is measured; the median counts. */
  readonly rounds: number;
}

interface Row {
  readonly name: string;
  readonly target?: { readonly atMost: number };
  /** Starts a process and asks it; the process ends with the stack. */
  readonly run: (stack: AsyncDisposableStack) => Promise<void>;
}

const RAW = new URL("gateway/raw_gateway.ts", import.meta.url);
const WIDTHS = [48, 10, 9, 20];
const SECRET = "a secret of a benchmark";

/** From the start of a gateway's process to the result of the first call through it. */
export async function* measureGatewayCold(options: GatewayColdOptions): AsyncGenerator<string> {
  const { servers, rounds } = options;
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  await buildGateway(`${folder}/app`);
  const installed = await installGateways();
  const npm = installed && stack.use(installed);
  for (const era of ["legacy", "modern"] as const) {
    await using fast = await startServers({ servers, era });
    // The modern era is none that a gateway from npm knows upstream.
    const rows = await toRows(fast, { era, folder, npm: era === "legacy" ? npm : undefined });
    const measured = await measureInTurn(
      rounds,
      rows.map(({ run }) => async () => {
        const { posts } = await fast.count();
        await using running = new AsyncDisposableStack();
        const startedAt = performance.now();
        await run(running);
        return [performance.now() - startedAt, (await fast.count()).posts - posts];
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

interface Setting {
  readonly era: "legacy" | "modern";
  readonly folder: string;
  readonly npm: NpmFolder | undefined;
}

async function toRows({ urls }: ServerProcess, { era, folder, npm }: Setting): Promise<readonly Row[]> {
  const last = urls.length - 1;
  const url = urls[last] ?? "";
  const tool = toolName(last, 0);
  const session = era === "legacy" ? [(await openRaw(url)).sessionId] : [];
  const servers = Object.fromEntries(urls.map((url, index) => [`server${index}`, { url }]));
  const config = JSON.stringify({ agents: { bench: { servers } } });
  const kept = `${folder}/${era}.db`;
  const start = (stack: AsyncDisposableStack, command: readonly string[], kv: string, more = {}, cwd?: string) => {
    const base = { PORT: "0", PORTOLAN_CONFIG_TEXT: config, PORTOLAN_STORE_SECRET: SECRET, PORTOLAN_CONNECT: "lazy" };
    const env = { ...base, PORTOLAN_KV: kv, ...more };
    return stack.use(startProgram({ command, env, ...(cwd === undefined ? {} : { cwd }) }));
  };
  const source = denoRun(MAIN, ["--listen"]);
  const bundle = [Deno.execPath(), "run", "-A", "main.js", "--listen"];
  const app = `${folder}/app`;
  await using filling = new AsyncDisposableStack();
  const filled = await start(filling, source, kept, { PORTOLAN_CONNECT: "eager" }).origin;
  await untilItWorks(async () => {
    const { ok, body } = await fetch(new URL("/readyz", filled));
    await body?.cancel();
    if (!ok) throw new Error("The gateway is not ready");
  });
  const ask = async (origin: URL) => await askOnce(origin, restDoor(origin, "bench", tool));
  const target = { atMost: 1.25 };
  return [
    {
      name: "raw gateway, session kept",
      run: async (stack) =>
        await ask(await stack.use(startProgram({ command: denoRun(RAW, [url, ...session]) })).origin),
    },
    {
      name: "Portolan, bundle, routes kept",
      target,
      run: async (stack) => await ask(await start(stack, bundle, kept, {}, app).origin),
    },
    {
      name: "Portolan, bundle compiled at once, routes kept",
      // The runtime keeps the compiled code of a file: all of it, where none is compiled late.
      run: async (stack) => {
        const env = { DENO_V8_FLAGS: "--no-lazy", DENO_DIR: `${folder}/cache` };
        await ask(await start(stack, bundle, kept, env, app).origin);
      },
    },
    {
      name: "Portolan, sources, routes kept",
      run: async (stack) => await ask(await start(stack, source, kept).origin),
    },
    {
      name: "Portolan, bundle, nothing kept",
      run: async (stack) => await ask(await start(stack, bundle, ":memory:", {}, app).origin),
    },
    ...(npm === undefined ? [] : [{
      name: nameOf("mcp-hub"),
      run: async (stack: AsyncDisposableStack) => {
        const hub = await startHub(stack, npm, urls);
        await untilItWorks(() => askOnce(hub.url, hub.door));
      },
    }]),
  ];
}

async function askOnce(origin: URL, door: Door): Promise<void> {
  using socket = await HttpSocket.open(origin);
  check(await socket.ask(door(0)));
}
