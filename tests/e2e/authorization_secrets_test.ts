/** Whose tokens are whose, and that nothing of them shows anywhere. */

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import {
  type AgentConfig,
  AuthorizationRequiredError,
  AuthStore,
  type ClientEvent,
  MCPClientManager,
  MCPError,
  MultiServerMCPClient,
  SharedConnections,
} from "@portolan/mcp";
import { createGateway } from "@portolan/mcp/gateway";
import { browse, REDIRECT_URL } from "../support/auth_support.ts";
import { MACHINE, PERSON, startAuthorized } from "../support/authorized_servers.ts";
import { createStoreFile, STORE_SECRET } from "../support/cold_support.ts";
import { post, problemOf } from "../gateway/gateway_support.ts";

const AGENTS = ["Kairos", "Mercurius"];

/** Two agents with the same server. */
function toAgents(servers: AgentConfig["servers"]): Readonly<Record<string, AgentConfig>> {
  return Object.fromEntries(AGENTS.map((agent) => [agent, { servers }]));
}

/** Everything that is written to the console meanwhile. */
async function withConsole(work: () => Promise<void>): Promise<string> {
  const methods = ["log", "info", "warn", "error", "debug", "trace"] as const;
  const before = methods.map((method) => console[method]);
  const written: unknown[] = [];
  for (const method of methods) console[method] = (...values: unknown[]) => written.push(values);
  try {
    await work();
  } finally {
    methods.forEach((method, index) => console[method] = before[index]!);
  }
  return show(written);
}

function show(value: unknown): string {
  const options = { depth: 20, strAbbreviateSize: Infinity, iterableLimit: Infinity, showHidden: true };
  return `${Deno.inspect(value, options)}\n${JSON.stringify(value)}`;
}

Deno.test("Agents of one manager share neither a token nor a connection with auth", async () => {
  await using server = await startAuthorized();
  await using manager = new MCPClientManager({ agents: toAgents({ calendar: server.config(PERSON) }) }, {
    onAuthorize: browse,
  });
  for (const agent of AGENTS) await manager.openClient(agent).callTool("whoami");
  assertEquals(server.login.count("authorization_code"), 2);
  assertEquals(server.sessions.length, 2);
  const calls = server.guard.requests.filter(({ method }) => method === "tools/call");
  assertEquals(new Set(calls.map(({ authorization }) => authorization)).size, 2);
  assertEquals(new Set(calls.map(({ session }) => session)).size, 2);
});

Deno.test("Agents that act for the same principal share one token and one connection, and each is told of it", async () => {
  await using server = await startAuthorized();
  const events: ClientEvent[] = [];
  await using manager = new MCPClientManager({ agents: toAgents({ calendar: server.config(PERSON) }) }, {
    onAuthorize: browse,
    principal: "Ada",
    onEvent: (event) => events.push(event),
  });
  const [kairos, mercurius] = AGENTS.map((agent) => manager.openClient(agent));
  await Promise.all([kairos!.callTool("whoami"), mercurius!.callTool("whoami")]);
  assertEquals([server.login.count("authorization_code"), server.sessions.length], [1, 1]);
  const renewed = () => events.filter(({ type }) => type === "token_renewed").map(({ agent }) => agent).sort();
  server.login.revoke("AccessToken");
  await kairos!.callTool("whoami");
  assertEquals(renewed(), AGENTS);
  await manager.removeClient("Kairos");
  server.login.revoke("AccessToken");
  await mercurius!.callTool("whoami");
  assertEquals(renewed(), ["Kairos", "Mercurius", "Mercurius"]);
  assertEquals([server.login.count("refresh_token"), server.sessions.length], [2, 1]);
});

Deno.test("Clients that share connections by hand share none where principal, client or store of tokens differ", async () => {
  await using server = await startAuthorized();
  const [connections, authStore] = [new SharedConnections(), new AuthStore()];
  const config = { servers: { calendar: server.config({ ...MACHINE, allowPrivate: true }) } };
  const other = { servers: { calendar: server.config({ ...MACHINE, scope: "read write", allowPrivate: true }) } };
  const options = { connections, authStore, principal: "Ada" };
  await using stack = new AsyncDisposableStack();
  const clients = [
    new MultiServerMCPClient("Kairos", config, options),
    new MultiServerMCPClient("Mercurius", config, options),
    new MultiServerMCPClient("Kairos", config, { ...options, principal: "Bob" }),
    new MultiServerMCPClient("Kairos", other, options),
    new MultiServerMCPClient("Kairos", config, { ...options, authStore: new AuthStore() }),
  ].map((client) => stack.use(client));
  const sessions = await clients.reduce(async (before, client) => {
    const known = await before;
    await client.callTool("whoami");
    return [...known, server.guard.requests.at(-1)?.session];
  }, Promise.resolve<unknown[]>([]));
  assertEquals(sessions.map((session) => sessions.indexOf(session)), [0, 0, 2, 3, 4]);
});

Deno.test("Nothing of a flow shows: in the store, on the console, in events, status and errors", async () => {
  await using file = await createStoreFile();
  await using server = await startAuthorized();
  const shown: unknown[] = [];
  const urls: URL[] = [];
  const dumps: string[] = [];
  const console = await withConsole(async () => {
    const machine = { ...MACHINE, allowPrivate: true };
    const servers = { calendar: server.config(PERSON), robot: server.config(machine) };
    await using manager = new MCPClientManager({ agents: toAgents(servers) }, {
      store: await file.open(),
      storeSecret: STORE_SECRET,
      onEvent: (event) => shown.push(event),
      onWarning: (message) => shown.push(message),
    });
    const client = manager.openClient("Kairos");
    await client.callTool("robot__whoami");
    const error = await assertRejects(() => client.callTool("calendar__whoami"), AuthorizationRequiredError);
    dumps.push(await file.dump());
    const callbackUrl = await browse(error.authorizationUrl);
    urls.push(new URL(error.authorizationUrl), new URL(callbackUrl));
    const tampered = callbackUrl.replace(/state=./, "state=~");
    shown.push(error, await assertRejects(() => manager.finishAuthorization(tampered), MCPError));
    shown.push(await manager.finishAuthorization(callbackUrl));
    shown.push(await assertRejects(() => manager.finishAuthorization(callbackUrl), MCPError));
    await client.callTool("calendar__whoami");
    server.login.revoke("AccessToken");
    server.login.revoke("ClientCredentials");
    await Promise.all([client.callTool("calendar__whoami"), client.callTool("robot__whoami")]);
    server.login.revoke("AccessToken");
    server.login.revoke("RefreshToken");
    shown.push(await assertRejects(() => client.callTool("calendar__whoami"), AuthorizationRequiredError));
    shown.push(manager, client, manager.getStatusSummary(), await client.listOwnedTools());
    dumps.push(await file.dump());
  });
  assertEquals(server.login.count("refresh_token"), 2, "one renewed, one in vain");
  assert(server.login.secrets.length >= 6);
  const parameters = urls.flatMap(({ searchParams }) =>
    ["state", "code", "code_challenge"].map((name) => searchParams.get(name))
  );
  const hidden = [...server.login.secrets, ...parameters.filter((value) => value !== null), MACHINE.clientSecret];
  hidden.push(new TextDecoder().decode(STORE_SECRET), server.login.issuer, REDIRECT_URL, "/auth?");
  // The session ids of the legacy server too: whoever has one may act in it.
  for (const session of server.sessions) hidden.push(session);
  const places = { events: show(shown), console, "the store": dumps.join("\n") };
  for (const [place, text] of Object.entries(places)) {
    for (const secret of hidden) {
      for (const form of [secret, btoa(secret), encodeURIComponent(secret)]) {
        assertFalse(text.includes(form), `${place} shows ${form}`);
      }
    }
  }
  assertEquals(console, show([]));
  for (const word of ["verifier", "refreshToken", "accessToken", "client_id", "Bearer"]) {
    assertFalse(places["the store"].includes(word), word);
  }
  assert(dumps.every((dump) => dump.includes("sealed")), "the dump is one");
});

Deno.test("createGateway() answers 502 where a person has to authorize, and leaks no URL", async () => {
  await using server = await startAuthorized();
  await using manager = new MCPClientManager({ agents: toAgents({ calendar: server.config(PERSON) }) });
  const gateway = createGateway({ directory: manager }, { open: "loopback" });
  await using served = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
  const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${served.addr.port}${path}`, init);
  const { authorizationUrl } = await assertRejects(
    () => manager.openClient("Kairos").callTool("whoami"),
    AuthorizationRequiredError,
  );
  const call = await ask("/agents/Kairos/tools/whoami", post("{}"));
  const list = await ask("/agents/Kairos/tools");
  const text = [[...call.headers], [...list.headers], await call.clone().text(), await list.clone().text()];
  text.push(await (await ask("/status")).text());
  for (const response of [call, list]) {
    assertEquals([response.status, response.headers.get("content-type")], [502, "application/problem+json"]);
    const { code, title, server: name } = await problemOf(response);
    assertEquals([code, name], ["authorization_required", "calendar"]);
    assertEquals(title, "A person has to authorize the gateway at the server first");
  }
  const { origin, searchParams } = new URL(authorizationUrl);
  for (const secret of [origin, searchParams.get("state")!, "code_challenge", "location"]) {
    assertFalse(JSON.stringify(text).includes(secret), secret);
  }
  assertEquals(await manager.finishAuthorization(await browse(authorizationUrl)), {
    server: "calendar",
    principal: "Kairos",
  });
  const answer = await ask("/agents/Kairos/tools/whoami", post("{}"));
  assertEquals([answer.status, (await answer.json()).server], [200, "calendar"]);
  assertEquals(server.executions.get("whoami"), 1);
});
