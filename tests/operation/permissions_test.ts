import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseConfig } from "../../src/config_file.ts";
import { parseSettings } from "../../src/gateway/settings.ts";
import { type Permissions, toCommand, toDenoArgs, toPermissions } from "../../src/operation/permissions.ts";
import { startGateway } from "../support/gateway_process.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { askLegacy, askModern } from "../support/northbound_support.ts";
import { readBlocks } from "../support/readme.ts";
import { IS_DENO_2_5 } from "../support/runtime.ts";

const DENO_JSON = new URL("../../deno.json", import.meta.url).pathname;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const PROGRAM = [`--config=${DENO_JSON}`, "--no-check", "--frozen", MAIN, "--listen"];

function permissionsOf(text: string, env: Record<string, string> = {}): Permissions {
  return toPermissions({ config: parseConfig(text, { env }), text, settings: parseSettings(env) });
}

Deno.test("toPermissions() names what a configuration needs, each once, and nothing more", () => {
  const permissions = permissionsOf(
    `
servers:
  files: { url: "https://\${TENANT}.example.com/mcp?key=\${KEY}" }
  notes: { url: "http://localhost:3001/mcp", headers: { a: "\${env:NOTES_KEY:-none}" } }
  again: { url: "https://acme.example.com/other", auth: { clientId: a, clientSecret: b, issuers: [https://login.example.com:8443/t] } }
agents:
  Kairos: { servers: [files, notes, again], secrets: { files: { TENANT: acme, KEY: "\${env:FILES_KEY:-k}" } } }
jwt: [{ issuer: https://id.example.com, jwksUrl: https://keys.example.com/jwks }, { issuer: https://own.example.com, jwks: { keys: [] } }]
publicUrl: https://mcp.example.com
`,
    { PORTOLAN_KV: "./data/kv.db", PORTOLAN_CONFIG: "./gateway.yaml", PORTOLAN_HOST: "::1", PORT: "9000" },
  );
  assertEquals(permissions, {
    net: [
      "[::1]:9000",
      "acme.example.com:443",
      "localhost:3001",
      "login.example.com:8443",
      "keys.example.com:443",
    ],
    read: [".", "./data/kv.db"],
    write: ["./data/kv.db"],
    env: ["PORT", "PORTOLAN_*", "OTEL_DENO", "FILES_KEY", "NOTES_KEY"],
    denyNet: ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
    notes: [],
  });
});

Deno.test("toPermissions() tells what cannot be told from the configuration", () => {
  const { net, read, write, env, denyNet, notes } = permissionsOf(
    `
mcpServers:
  mail: { url: "https://10.0.0.7/mcp", allowPrivate: true, auth: { redirectUrl: "https://a.example.com/callback" } }
jwt: { issuer: "https://id.example.com", audience: a }
`,
    { PORTOLAN_KV: "https://kv.example.com/db", PORTOLAN_CONFIG_TEXT: "x", PORTOLAN_HOST: "0.0.0.0" },
  );
  assertEquals(net, ["0.0.0.0:8000", "10.0.0.7:443", "id.example.com:443", "kv.example.com:443"]);
  assertEquals([read, write, denyNet], [[], [], []]);
  assertEquals(env, ["PORT", "PORTOLAN_*", "OTEL_DENO", "DENO_KV_ACCESS_TOKEN"]);
  assertEquals(notes, [
    "Add the host of the public keys of id.example.com to --allow-net where its metadata name another",
    'Add the authorization servers of "mail" to --allow-net, or list them under "issuers"',
    "Add the hosts that the remote database leads to, to --allow-net",
  ]);
});

Deno.test("toCommand() is what the documentation shows, and quotes what a shell would not leave alone", async () => {
  const [twoLines = ""] = (await readBlocks("yaml")).filter((block) => block.includes("localhost:3001"));
  const [shown = ""] = (await readBlocks("sh")).filter((block) => block.includes("--allow-net"));
  const command = toCommand(toDenoArgs(permissionsOf(twoLines, { PORTOLAN_KV: "./portolan.db" })));
  assertEquals(`PORTOLAN_KV=./portolan.db ${command}`, shown.trim().replaceAll(/ \\\n +/g, " "));
  assertEquals(
    toCommand(["run", "--allow-read=it's mine", "--allow-net=[::1]:80"]),
    "deno run '--allow-read=it'\\''s mine' '--allow-net=[::1]:80'",
  );
});

Deno.test("toPermissions() allows the folder of a file that is watched, and of another the file alone", () => {
  const readOf = (env: Record<string, string>) => permissionsOf("agents: {}", env).read;
  assertEquals(readOf({}), ["."]);
  assertEquals(readOf({ PORTOLAN_CONFIG: "/etc/portolan/gateway.yaml" }), ["/etc/portolan"]);
  assertEquals(readOf({ PORTOLAN_CONFIG: "/gateway.yaml" }), ["/"]);
  assertEquals(readOf({ PORTOLAN_CONFIG: "/etc/gateway.yaml", PORTOLAN_RELOAD: "off" }), ["/etc/gateway.yaml"]);
});

for (const host of ["10.1.2.3", "192.168.0.9"]) {
  Deno.test(`toPermissions() denies no range that the gateway listens in: ${host}`, () => {
    assertEquals(permissionsOf("agents: {}", { PORTOLAN_HOST: host, PORTOLAN_KV: "off" }).denyNet, []);
  });
}

/** Three real servers of both eras and transports, a folder with the configuration, and what it needs. */
async function open() {
  const legacy = await startMCPServer();
  const sse = await startMCPServer({ transport: "sse" });
  const modern = startModernServer();
  const cwd = await Deno.makeTempDir({ prefix: "portolan-permissions-" });
  const text = `
servers:
  legacy: { url: "${legacy.url}", headers: { x-key: "\${env:MY_KEY}" } }
  sse: { url: "${sse.url}" }
  modern: { url: "${modern.url}" }
agents: { Kairos: { servers: [legacy, sse, modern] } }
`;
  await Deno.writeTextFile(`${cwd}/gateway.yaml`, text);
  const env = { PORT: "0", PORTOLAN_CONFIG: "gateway.yaml", PORTOLAN_KV: "./kv.db", MY_KEY: "hunter22" };
  return {
    cwd,
    // What the test runner has set is not the program's.
    env: { ...env, PORTOLAN_CONFIG_TEXT: "", PORTOLAN_STORE_SECRET: "0123456789abcdef" },
    permissions: toPermissions({ config: parseConfig(text, { env }), text, settings: parseSettings(env) }),
    servers: { legacy, sse, modern },
    async [Symbol.asyncDispose]() {
      await Promise.all([legacy.stop(), sse.stop(), modern.stop()]);
      await Deno.remove(cwd, { recursive: true });
    },
  };
}

async function call(origin: string, tool: string) {
  const response = await fetch(`${origin}/agents/Kairos/tools/${tool}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"text":"ahoy"}',
  });
  return { status: response.status, ...await response.json() };
}

Deno.test("main.ts serves both eras by REST and MCP, over KV, with these permissions and no others", async () => {
  await using house = await open();
  const { cwd, permissions, servers } = house;
  const program = { args: toDenoArgs(permissions, PROGRAM), cwd };
  for (const route of ["discovery", "cache"]) {
    await using gateway = await startGateway("", { program, env: { ...house.env, PORTOLAN_CONNECT: "lazy" } });
    for (const server of ["legacy", "sse", "modern"]) {
      const answer = await call(gateway.origin, `${server}__echo`);
      assertEquals([answer.status, answer.result?.content], [200, [{ type: "text", text: "ahoy" }]]);
      if (server === "legacy") assertEquals(answer.route, route);
    }
    const mcp = `${gateway.origin}/agents/Kairos/mcp`;
    const params = { name: "modern__echo", arguments: { text: "ahoy" } };
    for (const ask of [askModern, askLegacy]) {
      assertEquals((await ask(mcp, "tools/call", params)).last.result.content, [{ type: "text", text: "ahoy" }]);
    }
  }
  assertEquals(servers.legacy.requests.every(({ headers }) => headers.get("x-key") === "hunter22"), true);
});

/** What is left out of the permissions, and what the program says of it. */
const ENDS:
  readonly (readonly [without: string, permissions: (all: Permissions) => Partial<Permissions>, says: RegExp])[] = [
    [
      "the environment",
      () => ({ env: [] }),
      /^Cannot start as a permission is missing: Requires env access to "PORT"/m,
    ],
    [
      "a variable of the configuration",
      ({ env }) => ({ env: env.filter((name) => name !== "MY_KEY") }),
      /^Cannot read environment variable "MY_KEY" as this program may not: allow it with --allow-env=MY_KEY$/m,
    ],
    [
      "its own address",
      ({ net }) => ({ net: net.slice(1) }),
      /^Cannot listen on 127\.0\.0\.1:0: NotCapable: Requires net/m,
    ],
    [
      "its file",
      ({ read }) => ({ read: read.slice(1) }),
      /^Cannot read the configuration file "gateway.yaml" as this program may not: allow it with --allow-read$/m,
    ],
  ];

for (const [without, change, says] of ENDS) {
  Deno.test(`main.ts ends and says why where it may not use ${without}`, async () => {
    await using house = await open();
    const { cwd, env, permissions } = house;
    const args = [...toDenoArgs({ ...permissions, ...change(permissions) }, PROGRAM)];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd, env: { ...env, NO_COLOR: "1" } })
      .output();
    const lines = new TextDecoder().decode(stderr).trim().split("\n");
    assertMatch(JSON.parse(lines[0] ?? "").message, says);
    assertEquals([code, lines.length, lines.join().includes("hunter22")], [1, 1, false]);
  });
}

Deno.test("main.ts says which server it may not reach, and serves the others", async () => {
  await using house = await open();
  const { cwd, env, permissions, servers } = house;
  const net = permissions.net.filter((host) => host !== new URL(servers.sse.url).host);
  await using gateway = await startGateway("", {
    program: { args: toDenoArgs({ ...permissions, net }, PROGRAM), cwd },
    env,
  });
  assertEquals((await call(gateway.origin, "legacy__echo")).status, 200);
  const { status, code } = await call(gateway.origin, "sse__echo");
  assertEquals([status, code], [503, "unreachable"]);
  const response = await fetch(`${gateway.origin}/agents/Kairos/status`);
  assertStringIncludes(
    (await response.json()).servers.sse.lastError.message,
    "this process may not connect to it; allow it with --allow-net",
  );
});

Deno.test("main.ts warns, and serves from memory, where it may not write its database", async () => {
  await using house = await open();
  const { cwd, env, permissions } = house;
  const args = toDenoArgs({ ...permissions, write: [] }, PROGRAM);
  await using gateway = await startGateway("", { program: { args, cwd }, env });
  assertEquals((await call(gateway.origin, "modern__echo")).route !== undefined, true);
  assertEquals(await Array.fromAsync(Deno.readDir(cwd), ({ name }) => name), ["gateway.yaml"]);
});

Deno.test("Denied ranges hold for what a name resolves to, in Deno 2.9", async () => {
  await using server = startModernServer();
  const { port } = new URL(server.url);
  const code =
    `fetch("http://localhost:${port}/").then((r) => r.text()).then(() => "reached", (e) => String(e.cause)).then(console.log)`;
  const run = async (flags: readonly string[]) => {
    const args = [
      "run",
      "--no-prompt",
      `--allow-net=localhost:${port}`,
      ...flags,
      `data:text/javascript,${encodeURIComponent(code)}`,
    ];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  assertEquals(await run([]), "reached");
  // The older one takes the flag, and compares names alone.
  assertMatch(
    await run(["--deny-net=127.0.0.0/8"]),
    IS_DENO_2_5 ? /^reached$/ : /Requires net access to "127\.0\.0\.1:/,
  );
});
