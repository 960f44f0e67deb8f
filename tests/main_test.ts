import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { digestKey } from "../src/callers/keys.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { askLegacy, askModern } from "./support/northbound_support.ts";
import { textResult } from "./support/test_tools.ts";

const ROOT = new URL("../", import.meta.url);
const CONFIG = new URL("deno.json", ROOT).pathname;
const MAIN = new URL("main.ts", ROOT).pathname;
const DECODER = new TextDecoder();

function twoLines(url: string): string {
  return `servers: { files: { url: "${url}" } }\nagents: { Kairos: { servers: [files] } }\n`;
}

const NOWHERE = twoLines("http://127.0.0.1:9/mcp");

const toAdminKey = async () => `*=${await digestKey("admin-key")}`;

interface ProgramOptions {
  /** The text of `portolan.yaml`; no file without it. */
  readonly yaml?: string;
  readonly env?: Record<string, string>;
  /** How the program is started. */
  readonly command?: readonly string[];
  /** The program's own arguments. */
  readonly args?: readonly string[];
}

/** The real program in an empty directory, until it ends by itself or is stopped. */
async function start(options: ProgramOptions) {
  const { yaml, env = {}, command = ["run"], args: ownArgs = [] } = options;
  const cwd = await Deno.makeTempDir({ prefix: "portolan-main-" });
  if (yaml !== undefined) await Deno.writeTextFile(`${cwd}/portolan.yaml`, yaml);
  const args = [...command, "-A", "--no-check", "--no-lock", `--config=${CONFIG}`, MAIN, ...ownArgs];
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { PORT: "0", PORTOLAN_KV: ":memory:", PORTOLAN_LOG_FORMAT: "text", NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.getReader();
  let stdout = "";
  const readOn = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    stdout += DECODER.decode(value);
    return !done;
  };
  return {
    /** Where it listens, once it says so. */
    async url(): Promise<string> {
      while (!/^Portolan listens on .*\n/m.test(stdout)) {
        if (!await readOn()) throw new Error(`The program ended: ${await stderr}`);
      }
      return /listens on (\S+)/.exec(stdout)?.[1] ?? "";
    },
    kill: (signal: Deno.Signal) => child.kill(signal),
    /** Waits for its end. */
    async end() {
      while (await readOn());
      const { code } = await child.status;
      await Deno.remove(cwd, { recursive: true });
      return { code, stdout, stderr: await stderr };
    },
  };
}

async function fails(options: ProgramOptions): Promise<string> {
  const { code, stderr, stdout } = await (await start(options)).end();
  assertEquals([code, stdout], [1, ""]);
  assertEquals(/^\s+at |Uncaught/m.test(stderr), false, stderr);
  // Deno's own line, for a program that is started without --listen.
  return stderr.replace(/^warning: Detected export default.*\n/, "");
}

Deno.test("main.ts serves a two-line portolan.yaml and stops on SIGINT", async () => {
  await using upstream = await startMCPServer();
  const program = await start({ yaml: twoLines(upstream.url) });
  const url = await program.url();
  assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  const response = await fetch(`${url}/agents/Kairos/tools/echo`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"text":"ahoy"}',
  });
  const { server, result } = await response.json();
  assertEquals([response.status, server, result.content], [200, "files", [{ type: "text", text: "ahoy" }]]);
  while (await fetch(`${url}/readyz`).then((response) => response.json()).then(({ status }) => status !== "ready"));
  program.kill("SIGINT");
  const { code, stdout } = await program.end();
  assertEquals(code, 0);
  const tries = `Try: curl ${url}/agents/Kairos/tools\nMCP clients: ${url}/agents/Kairos/mcp\n`;
  assertStringIncludes(stdout, `Page: ${url}/\n${tries}`);
});

Deno.test("main.ts asks for the keys of the configuration and of the environment", async () => {
  const yaml = NOWHERE.replace("[files]", `[files], keys: ["${await digestKey("kairos-key")}"]`);
  const program = await start({
    yaml,
    env: { PORTOLAN_KEYS: `*=${await digestKey("admin-key")}`, PORTOLAN_CONNECT: "lazy" },
  });
  const url = await program.url();
  const statusOf = async (key: string) => {
    const response = await fetch(`${url}/agents/Kairos/status`, { headers: { authorization: `Bearer ${key}` } });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals([await statusOf("kairos-key"), await statusOf("admin-key"), await statusOf("no-key")], [200, 200, 401]);
  program.kill("SIGTERM");
  assertEquals((await program.end()).code, 0);
});

Deno.test("main.ts creates, lists and revokes keys while it runs, and tells where the others are from", async () => {
  const yaml = NOWHERE.replace(
    "[files]",
    `[files], keys: [{ digest: "${await digestKey("kairos-key")}", id: "file" }]`,
  );
  const env = { PORTOLAN_KEYS: `*=${await digestKey("admin-key")}`, PORTOLAN_CONNECT: "lazy" };
  const program = await start({ yaml, env });
  const url = await program.url();
  const send = async (method: string, path: string, key = "admin-key") => {
    const response = await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${key}` } });
    return { status: response.status, json: await response.json() };
  };
  const keys = "/admin/agents/Kairos/keys";
  const { status, json: { key, id } } = await send("POST", keys);
  assertEquals([status, (await send("GET", "/agents/Kairos/status", key)).status], [201, 200]);
  const list = async (agent: string) => (await send("GET", `/admin/agents/${agent}/keys`)).json.keys;
  const sources = async (agent: string) => (await list(agent)).map(({ source }: { source: string }) => source);
  assertEquals([await sources("Kairos"), await sources("*")], [["file", "store"], ["env"]]);
  for (const one of ["file", id]) assertEquals((await send("DELETE", `${keys}/${one}`)).status, 200);
  for (const one of ["kairos-key", key]) assertEquals((await send("GET", "/agents/Kairos/status", one)).status, 401);
  program.kill("SIGTERM");
  const { code, stdout, stderr } = await program.end();
  assertEquals(code, 0);
  for (const secret of [key, "kairos-key", "admin-key"]) assertEquals((stdout + stderr).includes(secret), false);
});

Deno.test("S5 main.ts hands no header of a caller on to a server", async () => {
  await using upstream = await startMCPServer();
  const env = { PORTOLAN_KEYS: `*=${await digestKey("canary-key")}` };
  const program = await start({ yaml: twoLines(upstream.url), env });
  const response = await fetch(`${await program.url()}/agents/Kairos/tools/echo`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: "Bearer canary-key",
      cookie: "a=canary",
      forwarded: "for=canary",
      "mcp-session-id": "canary",
      "x-canary": "canary",
      "x-request-id": "canary",
    },
    body: '{"text":"ahoy"}',
  });
  await response.body?.cancel();
  assertEquals([response.status, upstream.count("tools/call")], [200, 1]);
  const sent = upstream.requests.map(({ path, query, headers, body }) => [path, query, ...headers, body]);
  assertEquals([JSON.stringify(sent).includes("ahoy"), JSON.stringify(sent).includes("canary")], [true, false]);
  program.kill("SIGINT");
  assertEquals((await program.end()).code, 0);
});

Deno.test("main.ts says what to write where there is no portolan.yaml", async () => {
  const stderr = await fails({});
  assertStringIncludes(stderr, 'there is no file "portolan.yaml"');
  assertStringIncludes(stderr, "\nagents: { Kairos: { servers: [files] } }");
});

Deno.test("main.ts names every fault of a malformed portolan.yaml", async () => {
  const stderr = await fails({
    yaml: "servers: { files: { url: ftp://x } }\nagents: { Kairos: { servers: [flies] } }\n",
  });
  assertStringIncludes(stderr, "servers.files.url: ");
  assertStringIncludes(stderr, "agents.Kairos.servers[0]: ");
});

Deno.test("main.ts refuses to listen on every address without keys", async () => {
  const stderr = await fails({ yaml: NOWHERE, env: { PORTOLAN_HOST: "0.0.0.0" } });
  assertStringIncludes(stderr, "PORTOLAN_HOST: Cannot serve other machines without keys: set PORTOLAN_KEYS");
});

Deno.test("main.ts refuses a variable that it does not know", async () => {
  const stderr = await fails({ yaml: NOWHERE, env: { PORTOLAN_HOSTS: "x" } });
  assertStringIncludes(stderr, 'PORTOLAN_HOSTS: Unknown variable: did you mean "PORTOLAN_HOST"');
});

Deno.test("main.ts says which port to try where its own is in use", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const stderr = await fails({ yaml: NOWHERE, env: { PORT: String(port) } });
  assertStringIncludes(stderr, `Cannot listen on 127.0.0.1:${port} as the port is in use: choose another`);
  listener.close();
});

Deno.test("K1 main.ts serves with one warning where KV does not open", async () => {
  const program = await start({
    yaml: NOWHERE,
    env: { PORTOLAN_KV: "./missing/folder/kv.db", PORTOLAN_CONNECT: "lazy", PORTOLAN_KEYS: await toAdminKey() },
  });
  const url = await program.url();
  const response = await fetch(`${url}/readyz`);
  assertEquals([response.status, await response.json()], [200, { status: "ready" }]);
  const headers = { authorization: "Bearer admin-key" };
  for (const method of ["GET", "POST"]) {
    const { status, body } = await fetch(`${url}/admin/agents/Kairos/keys`, { method, headers });
    await body?.cancel();
    assertEquals(status, 503, "no isolate promises by itself what all have to know");
  }
  const agent = await fetch(`${url}/agents/Kairos/status`, { headers });
  await agent.body?.cancel();
  assertEquals(agent.status, 200);
  program.kill("SIGINT");
  const { stderr } = await program.end();
  assertEquals(
    stderr.split("\n").filter((line) => line.startsWith("Warning: Cannot keep routes and the audit trail in KV"))
      .length,
    1,
  );
});

Deno.test("deno serve main.ts serves this machine where PORTOLAN_ALLOW_OPEN says so, and refuses otherwise", async () => {
  const command = ["serve", "--host=127.0.0.1", "--port=0"];
  assertStringIncludes(await fails({ yaml: NOWHERE, command }), "PORTOLAN_ALLOW_OPEN=loopback");
  const program = await start({ yaml: NOWHERE, command, env: { PORTOLAN_ALLOW_OPEN: "loopback" } });
  const response = await fetch(`${await program.url()}/agents/Kairos/status`);
  assertEquals([response.status, (await response.json()).servers.files.state], [200, "idle"]);
  program.kill("SIGINT");
  assertEquals((await program.end()).code, 0);
});

Deno.test("S11 main.ts ends within 5 s of SIGINT with 20 calls and 5 streams open, each with its answer", async () => {
  await using upstream = await startMCPServer();
  const program = await start({ yaml: twoLines(upstream.url) });
  const url = await program.url();
  const call = async (accept: string) => {
    const headers = { "content-type": "application/json", accept };
    const init = { method: "POST", headers, body: '{"text":"ahoy"}' };
    const text = await (await fetch(`${url}/agents/Kairos/tools/echo`, init)).text();
    return JSON.parse(text.replace("event: problem\ndata: ", "")).code;
  };
  assertEquals(await call("application/json"), undefined);
  upstream.hangNext("tools/call", 25);
  const answers = [
    ...Array.from({ length: 20 }, () => call("application/json")),
    ...Array.from({ length: 5 }, () => call("text/event-stream")),
  ];
  while (upstream.count("tools/call") < 26) await fetch(`${url}/healthz`).then((response) => response.text());
  const begun = performance.now();
  program.kill("SIGINT");
  // They had been sent: nobody is told to send them again.
  assertEquals(await Promise.all(answers), Array(25).fill("outcome_unknown"));
  assertEquals((await program.end()).code, 0);
  assert(performance.now() - begun < 5_000);
});

Deno.test("S11 main.ts ends within 5 s of SIGINT with MCP calls and streams of both eras open, each with its answer", async () => {
  await using upstream = await startMCPServer();
  const program = await start({ yaml: twoLines(upstream.url) });
  const mcpUrl = `${await program.url()}/agents/Kairos/mcp`;
  assertEquals((await askLegacy(mcpUrl, "tools/call", { name: "whoami" })).status, 200);
  upstream.hangNext("tools/call", 25);
  const call = { name: "echo", arguments: { text: "ahoy" } };
  const stream = { headers: { accept: "text/event-stream" } };
  const calls = [
    ...Array.from({ length: 10 }, () => askLegacy(mcpUrl, "tools/call", call)),
    ...Array.from({ length: 10 }, () => askModern(mcpUrl, "tools/call", call)),
    ...Array.from({ length: 5 }, () => askModern(mcpUrl, "tools/call", call, stream)),
  ];
  const listening = askModern(mcpUrl, "subscriptions/listen", { notifications: { toolsListChanged: true } }, stream);
  while (upstream.count("tools/call") < 26) await new Promise((resolve) => setTimeout(resolve, 0));
  const begun = performance.now();
  program.kill("SIGINT");
  const codes = (await Promise.all(calls)).map(({ last }) => last.error.data.code);
  assertEquals(codes, Array(25).fill("outcome_unknown"));
  assertEquals((await listening).status, 200);
  assertEquals((await program.end()).code, 0);
  assert(performance.now() - begun < 5_000);
});

/** The program while it stops, in the middle of a call that ends when the gate opens. */
async function stopDuringCall() {
  const called = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const run = async () => {
    called.resolve();
    await gate.promise;
    return textResult("done");
  };
  const upstream = await startMCPServer({ tools: [{ name: "slow", run }] });
  const program = await start({ yaml: twoLines(upstream.url) });
  const url = await program.url();
  const answer = fetch(`${url}/agents/Kairos/tools/slow`, { method: "POST" });
  await called.promise;
  program.kill("SIGINT");
  while (await fetch(`${url}/readyz`).then((response) => response.json()).then(({ reasons }) => reasons === undefined));
  return { program, url, answer, gate, [Symbol.asyncDispose]: () => upstream.stop() };
}

Deno.test("S11 main.ts lets a call that ends in time have its result", async () => {
  await using slow = await stopDuringCall();
  const { program, answer, gate } = slow;
  gate.resolve();
  const response = await answer;
  assertEquals([response.status, (await response.json()).result.content[0].text], [200, "done"]);
  assertEquals((await program.end()).code, 0);
});

Deno.test("S11 main.ts refuses what comes while it stops, and goes on stopping at a second signal", async () => {
  await using slow = await stopDuringCall();
  const { program, url, answer, gate } = slow;
  program.kill("SIGINT");
  program.kill("SIGTERM");
  const refused = await fetch(`${url}/agents/Kairos/tools/slow`, { method: "POST" });
  const { headers } = refused;
  assertEquals([refused.status, headers.get("retry-after"), headers.get("connection")], [503, "1", "close"]);
  assertEquals((await refused.json()).code, "closed");
  gate.resolve();
  assertEquals((await (await answer).json()).result.content[0].text, "done");
  assertEquals((await program.end()).code, 0);
});

Deno.test("main.ts keeps the limits of the configuration", async () => {
  await using upstream = await startMCPServer();
  const yaml = `${twoLines(upstream.url)}limits: { callsPerMinutePerCaller: 2 }\n`;
  const program = await start({ yaml, env: { PORTOLAN_CONNECT: "lazy" } });
  const url = await program.url();
  const statuses = [];
  for (let times = 0; times < 3; times++) {
    const response = await fetch(`${url}/agents/Kairos/tools/whoami`, { method: "POST" });
    await response.body?.cancel();
    statuses.push(response.status);
  }
  assertEquals([statuses, upstream.count("tools/call")], [[200, 200, 429], 2]);
  program.kill("SIGINT");
  assertEquals((await program.end()).code, 0);
});

Deno.test("S11 main.ts stops also while a server does not answer the first connection", async () => {
  await using upstream = await startMCPServer();
  upstream.hangNext("initialize", 10);
  const program = await start({ yaml: twoLines(upstream.url) });
  const url = await program.url();
  while (upstream.count("initialize") === 0) await fetch(`${url}/healthz`).then((response) => response.text());
  const ready = await fetch(`${url}/readyz`);
  assertEquals([ready.status, (await ready.json()).reasons], [503, ["starting"]]);
  const begun = performance.now();
  program.kill("SIGINT");
  const { code, stderr } = await program.end();
  assertEquals([code, stderr.replace(/^warning: Detected.*\n/, "")], [0, ""]);
  assert(performance.now() - begun < 5_000);
});

Deno.test("main.ts started with --listen says nothing on stderr", async () => {
  const program = await start({ yaml: NOWHERE, args: ["--listen"], env: { PORTOLAN_CONNECT: "lazy" } });
  await program.url();
  program.kill("SIGINT");
  const { code, stderr } = await program.end();
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("importing main.ts reads nothing and listens nowhere", async () => {
  const { default: served } = await import("../main.ts");
  assertEquals(typeof served?.fetch, "function");
});
