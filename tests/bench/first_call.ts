import { MultiServerMCPClient, type ServerConfig } from "@portolan/mcp";
import { KvRouteStore } from "@portolan/mcp/kv";
import { startMCPServer, type TestMCPServer } from "../support/mcp_server.ts";
import { textResult } from "../support/test_tools.ts";
import { median, toRatio } from "./median.ts";

/** What is measured. */
export interface FirstCallOptions {
  /** How many servers the agent has. */
  readonly servers: number;
  /** How long each request takes, in milliseconds. */
  readonly delayMs: number;
  /** How often it is measured; the median counts. */
  readonly runs: number;
}

/**
 * The time from a new client to the result of its first call, and the requests that the servers received meanwhile: on
 * an empty route cache, and on one that an earlier client has filled.
 */
export async function* measureFirstCall(options: FirstCallOptions): AsyncGenerator<string> {
  await using stack = new AsyncDisposableStack();
  const servers: Record<string, ServerConfig> = {};
  const running: TestMCPServer[] = [];
  for (let index = 1; index <= options.servers; index++) {
    const name = `server${index}`;
    const tools = [{ name: `locate_${index}`, run: () => textResult(name) }];
    const server = stack.use(await startMCPServer({ name, tools, delayMs: options.delayMs }));
    running.push(server);
    servers[name] = { url: server.url };
  }
  const countPosts = () => {
    return running.reduce((sum, { requests }) => sum + requests.filter(({ method }) => method === "POST").length, 0);
  };
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));

  const measure = async (path: string) => {
    const kv = await Deno.openKv(path);
    try {
      await using client = new MultiServerMCPClient("bench", { servers }, { store: new KvRouteStore(kv) });
      const before = countPosts();
      const startedAt = performance.now();
      // A bare name of the last server: every other server could own it.
      const { route } = await client.callToolRouted(`locate_${options.servers}`);
      const tookMs = performance.now() - startedAt;
      const requests = countPosts() - before;
      await client.connectToServers();
      return { tookMs, requests, route };
    } finally {
      kv.close();
    }
  };
  const rows = { cold: [] as Awaited<ReturnType<typeof measure>>[], warm: [] as Awaited<ReturnType<typeof measure>>[] };
  await measure(`${folder}/warm-up.db`);
  for (let run = 0; run < options.runs; run++) {
    rows.cold.push(await measure(`${folder}/${run}.db`));
    rows.warm.push(await measure(`${folder}/${run}.db`));
  }
  yield "  route cache  first call  ratio to warm  upstream requests  route";
  const unit = median(rows.warm.map(({ tookMs }) => tookMs));
  for (const [name, measured] of Object.entries(rows)) {
    const tookMs = median(measured.map((row) => row.tookMs));
    yield [
      name.padStart(13),
      `${tookMs.toFixed(0)} ms`.padStart(12),
      toRatio(tookMs, unit).padStart(15),
      String(median(measured.map((row) => row.requests))).padStart(19),
      `  ${measured[0]!.route}`,
    ].join("");
  }
}
