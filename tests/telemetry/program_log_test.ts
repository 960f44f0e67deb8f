/** What `main.ts` says, line by line, and to whom. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { digestKey } from "../../src/callers/keys.ts";
import { startGateway } from "../support/gateway_process.ts";
import { hearProgram } from "../support/heard_program.ts";
import { startMCPServer } from "../support/mcp_server.ts";

const ROOT = new URL("../../", import.meta.url);

interface Said {
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

/** Runs the program in a pipe until `use` is done with it; resolves to what it said. */
async function listenTo(env: Record<string, string>, use: (url: string) => Promise<unknown>): Promise<Said> {
  const config = new URL("deno.json", ROOT).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, new URL("main.ts", ROOT).pathname, "--listen"],
    env: { PORT: "0", PORTOLAN_KV: ":memory:", NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const heard = hearProgram(child);
  await use(await heard.origin);
  child.kill("SIGINT");
  await Promise.all([heard.over, child.status]);
  const toLines = (text: string) => text.split("\n").filter((line) => line !== "");
  return { stdout: toLines(heard.said.stdout), stderr: toLines(heard.said.stderr) };
}

const toYaml = (url: string) =>
  `servers: { files: { url: "${url}" }, gone: { url: "http://127.0.0.1:9/mcp" } }\n` +
  "agents: { Kairos: { servers: [files, gone] } }\n";

async function post(url: string, tool: string, headers: Record<string, string> = {}): Promise<void> {
  const init = { method: "POST", headers: { "content-type": "application/json", ...headers }, body: '{"text":"x"}' };
  await (await fetch(`${url}/agents/Kairos/tools/${tool}`, init)).text();
}

Deno.test("main.ts in a pipe says each thing in one line of JSON, each request once", async () => {
  await using upstream = await startMCPServer();
  const { stdout, stderr } = await listenTo({ PORTOLAN_CONFIG_TEXT: toYaml(upstream.url) }, async (url) => {
    await post(url, "echo", { "x-request-id": "one" });
    await (await fetch(`${url}/healthz`)).text();
  });
  const lines = [...stdout, ...stderr].map((line) => JSON.parse(line));
  for (const { time, level, message } of lines) {
    assertMatch(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assertEquals([["info", "warning"].includes(level), typeof message], [true, "string"]);
  }
  const requests = lines.filter(({ message }) => message === "Request answered");
  assertEquals(
    requests.map(({ requestId, route, status, agent, tool, server, outcome, caller }) => ({
      requestId,
      route,
      status,
      agent,
      tool,
      server,
      outcome,
      caller,
    })),
    [{
      requestId: "one",
      route: "/agents/:agent/tools/:tool",
      status: 200,
      agent: "Kairos",
      tool: "echo",
      server: "files",
      outcome: "ok",
      caller: "local",
    }],
  );
  const failed = lines.find(({ event }) => event === "failed");
  assertEquals([failed?.level, failed?.server, failed?.code], ["warning", "gone", "unreachable"]);
});

Deno.test("main.ts with PORTOLAN_LOG_FORMAT=text says what people read", async () => {
  await using upstream = await startMCPServer();
  const env = { PORTOLAN_CONFIG_TEXT: toYaml(upstream.url), PORTOLAN_LOG_FORMAT: "text", PORTOLAN_LOG_LEVEL: "debug" };
  const { stdout } = await listenTo(env, async (url) => {
    await post(url, "echo");
    await (await fetch(`${url}/healthz?canary=1`)).text();
  });
  assertMatch(stdout[0] ?? "", /^Portolan listens on http:\/\/127\.0\.0\.1:\d+$/);
  assert(stdout.includes('Server "files" of "Kairos" is connected (legacy, streamable_http)'), stdout.join("\n"));
  const call = "POST /agents/:agent/tools/:tool 200 in ";
  assertEquals(stdout.filter((line) => line.startsWith(call)).length, 1);
  assertEquals(stdout.filter((line) => line.startsWith("GET /healthz 200 in ")).length, 1);
});

Deno.test("main.ts with PORTOLAN_LOG_LEVEL=warning says nothing of what goes well", async () => {
  await using upstream = await startMCPServer();
  const port = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { addr } = port;
  port.close();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `--config=${new URL("deno.json", ROOT).pathname}`, "main.ts", "--listen"],
    cwd: ROOT,
    env: {
      PORT: String(addr.port),
      PORTOLAN_KV: ":memory:",
      PORTOLAN_LOG_LEVEL: "warning",
      PORTOLAN_CONFIG_TEXT: toYaml(upstream.url),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const url = `http://127.0.0.1:${addr.port}`;
  const isUp = () => fetch(`${url}/readyz`).then(async (response) => (await response.text(), response.ok), () => false);
  while (!(await isUp()));
  await post(url, "echo");
  child.kill("SIGINT");
  const { stdout, stderr } = await child.output();
  const lines = new TextDecoder().decode(stderr).split("\n").filter((line) => line !== "");
  assertEquals(stdout.length, 0);
  assertEquals(new Set(lines.map((line) => JSON.parse(line).level)), new Set(["warning"]));
});

Deno.test("main.ts answers also where nobody reads its lines", async () => {
  await using upstream = await startMCPServer();
  await using gateway = await startGateway(toYaml(upstream.url));
  // Well over what a pipe holds.
  for (let times = 0; times < 30; times++) {
    const answers = Array.from({ length: 40 }, () => fetch(`${gateway.origin}/status`));
    for (const answer of await Promise.all(answers)) await answer.text();
  }
  gateway.kill("SIGINT");
  assertEquals(await gateway.ended, 0);
});

Deno.test("main.ts says no secret of its configuration, its environment or its callers", async () => {
  await using upstream = await startMCPServer({ requireHeader: { name: "authorization", value: "Bearer canary-1" } });
  const { origin, pathname } = new URL(upstream.url);
  const yaml = `
servers:
  files: { url: "${origin}\${PATH}?key=\${KEY}", headers: { authorization: "Bearer \${TOKEN}" } }
  gone: { url: "http://127.0.0.1:9/\${TOKEN}?key=\${KEY}" }
agents:
  Kairos:
    servers: [files, gone]
    secrets:
      files: { TOKEN: canary-1, KEY: canary-2, PATH: "${pathname}" }
      gone: { TOKEN: canary-1, KEY: canary-2 }
`;
  const env = {
    PORTOLAN_CONFIG_TEXT: yaml,
    PORTOLAN_KEYS: `*=${await digestKey("canary-3")}`,
    PORTOLAN_STORE_SECRET: "canary-4-canary-4",
    PORTOLAN_LOG_LEVEL: "debug",
  };
  const { stdout, stderr } = await listenTo(env, async (url) => {
    const headers = { authorization: "Bearer canary-3", cookie: "a=canary-5", "x-canary": "canary-5" };
    await post(url, "echo?key=canary-6", headers);
    await post(url, "gone__echo", headers);
    await (await fetch(`${url}/canary-7?canary-7=canary-7`, { headers })).text();
    await (await fetch(`${url}/agents/canary-7/status`, { headers: { authorization: "Bearer canary-8" } })).text();
  });
  const said = [...stdout, ...stderr].join("\n");
  assertEquals([said.includes("Request answered"), /canary-\d/.exec(said)], [true, null]);
});
