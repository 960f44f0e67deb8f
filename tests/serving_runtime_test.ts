/**
 * What `main.ts` serves by needs no flag, no file to write, and nothing unstable beyond KV, which it finds or does
 * without: Deno Deploy gives no more.
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MCPClientManager } from "@portolan/mcp";
import { createGateway } from "@portolan/mcp/gateway";
import config from "../deno.json" with { type: "json" };
import { until } from "./support/client_support.ts";
import { collectGarbage } from "./support/garbage.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { listSourceFiles, readSourceFile } from "./support/module_graph.ts";

const ROOT = new URL("../", import.meta.url);
/** All that may be used of the runtime itself: stable, and on Deploy; `openKv` where there is one. */
const DENO_NAMES = new Set([
  ...["addSignalListener", "args", "build", "env", "exit", "openKv", "permissions", "readTextFile", "serve", "stdout"],
  // For the file, where that is watched: not on Deploy.
  ...["realPath", "watchFs"],
  // Types.
  ...["HttpServer", "NetAddr", "ServeDefaultExport", "ServeHandlerInfo"],
]);
/** Globals that are unstable, not on Deploy, or newer than Deno 2.5. */
const OTHER_GLOBALS =
  /\b(?:Temporal|BroadcastChannel|WebTransport|WebSocketStream|Worker|EventSource|localStorage|sessionStorage|caches|navigator\.(?!userAgent\b)\w+|Iterator\.concat|Math\.sumPrecise|getOrInsert\w*)\b(?!["'])/;

const yamlOf = (url: string) => `servers: { files: { url: "${url}" } }\nagents: { Kairos: { servers: [files] } }\n`;

/** The configuration of this repository without `unstable`, in a folder of its own. */
async function writeStableConfig(folder: string): Promise<string> {
  const entries = Object.entries(config.imports).map(([name, target]) => {
    const linked = config.links.find((link) => link.endsWith(name.replace("@std", "")));
    const path = linked === undefined ? target : `${linked}/mod.ts`;
    return [name, path.startsWith("./") ? new URL(path, ROOT).href : path];
  });
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports: Object.fromEntries(entries) }));
  return `${folder}/deno.json`;
}

interface ProgramOptions {
  readonly yaml: string;
  readonly env?: Record<string, string>;
  readonly stable?: boolean;
  /** How it is started, before the file. */
  readonly command?: readonly string[];
}

/** Starts `main.ts` with the permissions of a place where nothing can be written. */
async function start({ yaml, env = {}, stable = false, command = ["run"] }: ProgramOptions) {
  const cwd = await Deno.makeTempDir({ prefix: "portolan-serving-" });
  const configPath = stable ? await writeStableConfig(cwd) : new URL("deno.json", ROOT).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...command,
      ...["--no-prompt", "--allow-net", "--allow-env", "--allow-read", "--deny-write", "--no-check", "--no-lock"],
      ...[`--config=${configPath}`, new URL("main.ts", ROOT).pathname],
      ...(command[0] === "run" ? ["--listen"] : []),
    ],
    cwd,
    env: {
      PORT: "0",
      NO_COLOR: "1",
      PORTOLAN_CONNECT: "lazy",
      PORTOLAN_LOG_FORMAT: "text",
      PORTOLAN_CONFIG_TEXT: yaml,
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const [stdout, rest] = child.stdout.tee();
  const text = new Response(rest).text();
  const url = await readUrl(stdout);
  if (url === undefined) throw new Error(`The program ended: ${await stderr}`);
  return {
    url,
    call: (init: RequestInit & { headers?: Record<string, string> } = {}) =>
      fetch(`${url}/agents/Kairos/tools/echo`, {
        method: "POST",
        body: '{"text":"ahoy"}',
        ...init,
        headers: { "content-type": "application/json", ...init.headers },
      }),
    async end() {
      child.kill("SIGINT");
      const { code } = await child.status;
      await text;
      await Deno.remove(cwd, { recursive: true });
      return { code, stderr: await stderr };
    },
  };
}

async function readUrl(stdout: ReadableStream<Uint8Array>): Promise<string | undefined> {
  let text = "";
  for await (const chunk of stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const url = /^Portolan listens on (\S+).*\n/m.exec(text)?.[1];
    if (url !== undefined) return url;
  }
  return undefined;
}

for (const command of [["run"], ["serve", "--host=127.0.0.1", "--port=0"]] as const) {
  Deno.test(`K1 deno ${command[0]} main.ts serves a call without "unstable", and with nothing to write to`, async () => {
    await using upstream = await startMCPServer();
    const env = { PORTOLAN_ALLOW_OPEN: "loopback" };
    const program = await start({ yaml: yamlOf(upstream.url), stable: true, command, env });
    const response = await program.call();
    const { result } = await response.json();
    assertEquals([response.status, result?.content], [200, [{ type: "text", text: "ahoy" }]]);
    const { code, stderr } = await program.end();
    assertEquals(code, 0, stderr);
    // Deno 2.9 has remarks of its own, one of them on the signal of a request.
    const warnings = stderr.split("\n").filter((line) => line.startsWith("Warning: Cannot"));
    assertEquals(warnings, [
      "Warning: Cannot keep routes and the audit trail in KV as this runtime has none: they are kept in memory",
    ]);
  });
}

Deno.test("K1 main.ts serves a call where it may not write its KV database, with one warning", async () => {
  await using upstream = await startMCPServer();
  const program = await start({ yaml: yamlOf(upstream.url), env: { PORTOLAN_KV: "./routes.db" } });
  const response = await program.call();
  assertEquals([response.status, (await response.json()).result?.content[0].text], [200, "ahoy"]);
  const { code, stderr } = await program.end();
  assertEquals(code, 0);
  assertMatch(
    stderr,
    /^Warning: Cannot keep routes and the audit trail in KV as it did not open \(\w+\): they are kept in memory\n$/,
  );
});

Deno.test("F8 main.ts cancels nothing after a success where Deno aborts the request's signal for it", async () => {
  await using upstream = await startMCPServer();
  const program = await start({ yaml: yamlOf(upstream.url), stable: true });
  for (const accept of ["application/json", "text/event-stream"]) {
    for (let times = 0; times < 5; times++) {
      assertStringIncludes(await (await program.call({ headers: { accept } })).text(), "ahoy");
    }
  }
  assertEquals([upstream.count("tools/call"), upstream.count("notifications/cancelled")], [10, 0]);
  // The signal of a request aborts before that of the next: all ten were told of by now.
  assertEquals([upstream.executions.get("echo"), upstream.openStreams()], [10, 0]);
  assertEquals((await program.end()).code, 0);
});

for (const accept of ["application/json", "text/event-stream"]) {
  Deno.test(`main.ts without "unstable" notices that a caller went away: ${accept}`, async () => {
    await using upstream = await startMCPServer();
    const program = await start({ yaml: yamlOf(upstream.url), stable: true });
    await (await program.call()).text();
    upstream.hangNext("tools/call");
    const caller = new AbortController();
    const call = program.call({ headers: { accept }, signal: caller.signal }).then((response) => response.text());
    const failed = call.then(() => false, () => true);
    await until(() => upstream.count("tools/call") === 2);
    caller.abort();
    assertEquals(await failed, true);
    await until(() => upstream.count("notifications/cancelled") === 1 && upstream.openStreams() === 0);
    assertStringIncludes(await (await program.call()).text(), "ahoy");
    assertEquals((await program.end()).code, 0);
  });
}

for (const accept of ["application/json", "text/event-stream"]) {
  Deno.test(`createGateway() notices that a caller went away after a garbage collection: ${accept}`, async () => {
    await using upstream = await startMCPServer();
    await using directory = new MCPClientManager({ agents: { Kairos: { servers: { files: { url: upstream.url } } } } });
    const gateway = createGateway({ directory }, { open: "loopback" });
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
    upstream.hangNext("tools/call");
    const caller = new AbortController();
    const call = fetch(`http://127.0.0.1:${server.addr.port}/agents/Kairos/tools/echo`, {
      method: "POST",
      headers: { accept, "content-type": "application/json" },
      body: '{"text":"ahoy"}',
      signal: caller.signal,
    }).then((response) => response.text());
    const failed = call.then(() => false, () => true);
    await until(() => upstream.count("tools/call") === 1);
    await collectGarbage();
    caller.abort();
    assertEquals(await failed, true);
    await until(() => upstream.count("notifications/cancelled") === 1 && upstream.openStreams() === 0);
  });
}

Deno.test("What main.ts serves by names nothing unstable of the runtime but KV, which it asks for first", async () => {
  const named = new Set<string>();
  for (const path of await listSourceFiles()) {
    const { code } = await readSourceFile(path);
    assertEquals(OTHER_GLOBALS.exec(code)?.[0], undefined, path);
    // In texts it is what an operator reads.
    if (path !== "main.ts") continue;
    for (const [, name = ""] of code.matchAll(/\bDeno\.(\w+)/g)) named.add(name);
    assertStringIncludes(code, 'typeof Deno.openKv === "function" ?');
    assertEquals(code.match(/Deno\.openKv\(/g)?.length, 1);
  }
  assertEquals([...named.difference(DENO_NAMES)], []);
});
