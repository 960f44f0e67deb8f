/** A secret in every field that can hold one, and everything that the gateway says or keeps, searched for each. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { digestKey } from "@portolan/mcp/gateway";
import { refusedUrl, startRawServer } from "../support/fault_server.ts";
import { status } from "../support/behaviours.ts";
import { hearProgram } from "../support/heard_program.ts";
import { startOtlpReceiver } from "../telemetry/_otlp_receiver.ts";

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const CLI = new URL("../../src/cli/mod.ts", import.meta.url).pathname;

/** Nothing of them may show; each looks like no other text. */
const SECRETS = {
  query: "cnry-query-8f2a",
  path: "cnry-path-71bb",
  token: "cnry-token-0d9e",
  literal: "cnry-literal-55c1",
  clientSecret: "cnry-client-secret-a4f7",
  agentKey: "cnry-agent-key-3e60",
  adminKey: "cnry-admin-key-9b12",
  storeSecret: "cnry-store-secret-c7d3",
  wrongKey: "cnry-wrong-key-e1e1",
  cookie: "cnry-cookie-6a6a",
  session: "cnry-session-2f2f",
  argument: "cnry-argument-b0b0",
  keyInUrl: "cnry-key-in-url-4d4d",
};
/**
 * Where one may show: who calls a tool is told what it answers, and Deno's own span of an incoming request has its URL,
 * which nobody can change.
 */
const ALLOWED: readonly (readonly [name: keyof typeof SECRETS, source: RegExp])[] = [
  ["argument", /^POST \/agents\/Kairos\/(tools\/echo|mcp) 200 /],
  ["keyInUrl", /^OpenTelemetry$/],
];

/** What one source says. */
type Said = Map<string, string>;

function toConfig(urls: Readonly<Record<"plain" | "denied" | "login", string>>): string {
  const headers = { authorization: "Bearer ${TOKEN}", "x-api-key": SECRETS.literal };
  const secrets = { QUERY: "${env:CANARY_QUERY}", PATH: "${env:CANARY_PATH}", TOKEN: "${env:CANARY_TOKEN}" };
  const withQuery = (url: string) => `${url}/\${PATH}?key=\${QUERY}`;
  return JSON.stringify({
    servers: {
      plain: { url: withQuery(urls.plain), headers, pin: "warn", watch: true },
      denied: { url: withQuery(urls.denied), headers },
      down: { url: withQuery(refusedUrl()), headers },
      login: { url: urls.login, auth: { clientId: "kairos", clientSecret: "${CLIENT}" } },
    },
    agents: {
      Kairos: {
        servers: ["plain", "denied", "down", "login"],
        secrets: { plain: secrets, denied: secrets, down: secrets, login: { CLIENT: "${env:CANARY_CLIENT}" } },
      },
    },
  });
}

Deno.test("No secret of any field shows in the page, the API, the log, metrics, spans, the audit trail or KV", async () => {
  await using plain = startRawServer({}, { sessionId: SECRETS.session });
  await using denied = startRawServer({ initialize: status(401) });
  await using login = startRawServer({ initialize: status(401) });
  await using otlp = startOtlpReceiver();
  const folder = await Deno.makeTempDir();
  try {
    const env = {
      CANARY_QUERY: SECRETS.query,
      CANARY_PATH: SECRETS.path,
      CANARY_TOKEN: SECRETS.token,
      CANARY_CLIENT: SECRETS.clientSecret,
      PORTOLAN_CONFIG: `${folder}/portolan.yaml`,
      PORTOLAN_KV: `${folder}/kv`,
      PORTOLAN_STORE_SECRET: SECRETS.storeSecret,
      PORTOLAN_KEYS: `Kairos=${await digestKey(SECRETS.agentKey)};*=${await digestKey(SECRETS.adminKey)}`,
      NO_COLOR: "1",
    };
    await Deno.writeTextFile(
      `${folder}/portolan.yaml`,
      toConfig({ plain: plain.url, denied: denied.url, login: login.url }),
    );
    const said: Said = new Map();
    const log = await runGateway({ ...env, ...otlp.env }, folder, (origin) => askEverything(origin, said));
    said.set("the log", log);
    said.set("OpenTelemetry", otlp.texts.join("\n"));
    said.set("KV", await dump(`${folder}/kv`));
    said.set("the file of KV", await readRaw(folder));
    const cli = await runCli(["check", "--json"], env);
    assertStringIncludes(cli, "unauthorized");
    said.set("portolan check", cli);

    // What is searched was there to be found.
    const [call] = plain.requests.filter(({ rpcMethod }) => rpcMethod === "tools/call");
    assert(call !== undefined && call.path.endsWith(SECRETS.path));
    assertEquals(call.query, `?key=${SECRETS.query}`);
    assertEquals(call.headers.get("authorization"), `Bearer ${SECRETS.token}`);
    assertEquals(call.headers.get("x-api-key"), SECRETS.literal);
    assertStringIncludes(said.get("the log") ?? "", "Request answered");
    assertStringIncludes(said.get("OpenTelemetry") ?? "", "tools/call");
    assertStringIncludes(said.get("KV") ?? "", "audit");
    for (const [source, text] of said) assert(text.length > 0, source);

    const found = [...said].flatMap(([source, text]) => {
      const shown = Object.entries(SECRETS).filter(([, secret]) => text.includes(secret)).map(([name]) => name);
      const isAllowed = (name: string) => ALLOWED.some(([one, where]) => one === name && where.test(source));
      return shown.filter((name) => !isAllowed(name)).map((name) => `${name} in ${source}`);
    });
    assertEquals(found, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Everything that can be asked, and every way to fail. */
async function askEverything(origin: string, said: Said): Promise<void> {
  const ask = async (path: string, init: RequestInit & { readonly key?: string } = {}) => {
    const { key = SECRETS.adminKey, ...rest } = init;
    const headers = new Headers(rest.headers);
    headers.set("authorization", `Bearer ${key}`);
    headers.set("cookie", `theirs=${SECRETS.cookie}`);
    const response = await fetch(origin + path, { ...rest, headers, redirect: "manual" });
    const text = await response.text();
    const told = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    said.set(`${rest.method ?? "GET"} ${path} ${response.status} (${said.size})`, `${told}\n${text}`);
    return { status: response.status, text };
  };
  const json = (value: unknown): RequestInit => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  });
  const called = await ask("/agents/Kairos/tools/echo", { ...json({ text: SECRETS.argument }), key: SECRETS.agentKey });
  assertEquals(called.status, 200);
  const rpc = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "echo", arguments: { text: SECRETS.argument } },
  };
  await ask("/agents/Kairos/mcp", { ...json(rpc), key: SECRETS.agentKey });
  for (const server of ["denied", "down", "login"]) {
    await ask(`/agents/Kairos/tools/${server}__echo`, json({ text: SECRETS.argument }));
    await ask("/agents/Kairos/mcp", json({ ...rpc, params: { name: `${server}__echo` } }));
  }
  await ask("/agents/Kairos/tools/nothing", json({ text: SECRETS.argument }));
  await ask("/agents/Kairos/tools/echo", { ...json({}), body: `{"text":"${SECRETS.argument}"` });
  await ask("/agents/Kairos/tools/echo", { ...json({}), key: SECRETS.wrongKey });
  await ask(`/status?key=${SECRETS.keyInUrl}`, { key: SECRETS.wrongKey });
  await ask("/admin/reconnect", { method: "POST" });
  await ask("/admin/agents/Kairos/keys");
  const paths = ["/status", "/agents/Kairos/status", "/agents/Kairos/tools", "/agents/Kairos/routes/echo"];
  paths.push("/agents/Kairos/pins?all=true", "/agents/Kairos/openapi.json", "/openapi.json", "/config.schema.json");
  paths.push("/activity", "/metrics", "/admin/config", "/docs", "/readyz");
  for (const path of paths) await ask(path);
  await visitPage(origin, said);
  // It is written within a second or so; what is asked later still has all of it.
  let trail = "";
  while (!trail.includes('"tool":"nothing"')) trail = (await ask("/admin/audit")).text;
}

/** The page, as its administrator sees it. */
async function visitPage(origin: string, said: Said): Promise<void> {
  const headers = { accept: "text/html", origin, "sec-fetch-site": "same-origin" };
  const form = (fields: Record<string, string>) => ({ method: "POST", body: new URLSearchParams(fields) });
  const refused = await fetch(`${origin}/ui/session`, { ...form({ key: SECRETS.wrongKey }), headers });
  said.set("the sign-in that is refused", await refused.text());
  assertEquals(refused.status, 401);
  const signedIn = await fetch(`${origin}/ui/session`, {
    ...form({ key: SECRETS.adminKey }),
    headers,
    redirect: "manual",
  });
  await signedIn.body?.cancel();
  const [cookie = ""] = (signedIn.headers.get("set-cookie") ?? "").split(";");
  said.set("the cookie", cookie);
  const pages = ["/", "/ui/activity", "/ui/agents/Kairos", "/ui/agents/Kairos/tools/echo", "/docs?agent=Kairos"];
  for (const path of pages) {
    const page = await fetch(origin + path, { headers: { ...headers, cookie } });
    assertEquals(page.status, 200, path);
    said.set(`the page ${path}`, await page.text());
  }
}

/** Runs `main.ts` while it is asked; resolves to all that it wrote. */
async function runGateway(
  env: Readonly<Record<string, string>>,
  cwd: string,
  ask: (origin: string) => Promise<void>,
): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", CONFIG, "--frozen", "-A", MAIN, "--listen"],
    cwd,
    env: { ...env, PORT: "0", PORTOLAN_LOG_LEVEL: "debug", PORTOLAN_LOG_FORMAT: "json" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { origin, over, said } = hearProgram(child);
  try {
    await ask(await origin);
  } finally {
    child.kill("SIGINT");
    await child.status;
  }
  await over;
  return `${said.stdout}\n${said.stderr}`;
}

async function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", CONFIG, "--frozen", "--no-check", "-A", CLI, ...args],
    env,
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

async function dump(path: string): Promise<string> {
  const kv = await Deno.openKv(path);
  try {
    const options = { depth: 20, strAbbreviateSize: Infinity, iterableLimit: Infinity };
    const entries = await Array.fromAsync(kv.list({ prefix: [] }), (entry) => Deno.inspect(entry, options));
    return entries.join("\n");
  } finally {
    kv.close();
  }
}

/** The bytes as they lie on the disk, also of what was deleted. */
async function readRaw(folder: string): Promise<string> {
  let text = "";
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith("kv")) text += new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/${name}`));
  }
  return text;
}
