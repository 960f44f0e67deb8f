/** How many requests a client makes: on its first contact, and on a cold isolate whose store is warm. */

import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { MultiServerMCPClient, type MultiServerMCPClientOptions, SingleServerMCPClient } from "@portolan/mcp";
import type { JsonObject } from "../../src/protocol.ts";
import { assertNoCanary, CANARY, textOf } from "../support/client_support.ts";
import { createStoreFile, fillStore, methodsSince, STORE_SECRET, type StoreFile } from "../support/cold_support.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { textResult } from "../support/test_tools.ts";

const HANDSHAKE = ["initialize", "notifications/initialized"];

const KINDS = {
  "legacy with sessions": () => startMCPServer(),
  "legacy with sessions and JSON": () => startMCPServer({ json: true }),
  "legacy without sessions": () => startMCPServer({ stateful: false }),
  "modern": () => Promise.resolve(startModernServer({ name: "test" })),
  "modern with streams": () => Promise.resolve(startModernServer({ name: "test", sse: true })),
  "of both eras": () => Promise.resolve(startModernServer({ name: "test", dualEra: true })),
} as const;

type Kind = keyof typeof KINDS;

const isModern = (kind: string) => kind.startsWith("modern") || kind === "of both eras";

for (const [kind, start] of Object.entries(KINDS)) {
  Deno.test(`First contact asks for the era once, and as little else as can be: ${kind}`, async () => {
    await using server = await start();
    await using client = new SingleServerMCPClient("files", { url: server.url });
    await client.connect();
    const rest = isModern(kind) ? ["tools/list"] : [...HANDSHAKE, "tools/list"];
    assertEquals(methodsSince(server), ["server/discover", ...rest]);
    await client.reconnect();
    await client.callTool("whoami");
    const asked = methodsSince(server).filter((method) => method === "server/discover");
    assertEquals(asked.length, isModern(kind) ? 2 : 1, "a legacy server is a legacy server");
  });

  Deno.test(`A cold isolate with a warm store calls a tool in exactly one upstream request: ${kind}`, async () => {
    await using file = await createStoreFile();
    await using server = await start();
    const config = { servers: { s: { url: server.url } } };
    await fillStore(config, { store: await file.open(), storeSecret: STORE_SECRET });
    for (let isolate = 1; isolate <= 3; isolate++) {
      const before = server.requests.length;
      const options = { store: await file.open(), storeSecret: STORE_SECRET };
      const client = new MultiServerMCPClient("Kairos", config, options);
      const { route, result } = await client.callToolRouted("whoami");
      await client.close();
      assertEquals([route, textOf(result), methodsSince(server, before)], ["cache", "test", ["tools/call"]]);
      assertEquals(server.executions.get("whoami"), isolate);
    }
  });

  Deno.test(`A cold isolate without a secret asks again for no era and for no list: ${kind}`, async () => {
    await using file = await createStoreFile();
    await using server = await start();
    const config = { servers: { s: { url: server.url } } };
    await fillStore(config, { store: await file.open() });
    const before = server.requests.length;
    const client = new MultiServerMCPClient("Kairos", config, { store: await file.open() });
    assertEquals((await client.callToolRouted("whoami")).route, "cache");
    await client.close();
    // Only a session opens a door: what has none can be gone on from.
    const hasSessions = kind.startsWith("legacy with sessions");
    assertEquals(methodsSince(server, before), hasSessions ? [...HANDSHAKE, "tools/call", "DELETE"] : ["tools/call"]);
  });
}

Deno.test("First contact with a server that is configured as legacy asks for no era", async () => {
  await using server = await startMCPServer();
  await using client = new SingleServerMCPClient("files", { url: server.url, era: "legacy" });
  await client.connect();
  assertEquals(methodsSince(server), [...HANDSHAKE, "tools/list"]);
});

Deno.test("First contact of many calls at once shakes hands once", async () => {
  await using server = await startMCPServer();
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await Promise.all([1, 2, 3, 4].map(() => client.callTool("whoami")));
  const [probe, ...rest] = methodsSince(server);
  assertEquals([probe, rest], ["server/discover", [...HANDSHAKE, ...[1, 2, 3, 4].map(() => "tools/call")]]);
});

for (const status of [404, 400] as const) {
  Deno.test(`F9 A cold isolate whose saved session has ended opens another, for those after it too: ${status}`, async () => {
    await using file = await createStoreFile();
    await using server = await startMCPServer();
    const config = { servers: { s: { url: server.url } } };
    await fillStore(config, { store: await file.open(), storeSecret: STORE_SECRET });
    await server.dropSessions({ status });
    const methods: (readonly string[])[] = [];
    for (let isolate = 1; isolate <= 2; isolate++) {
      const before = server.requests.length;
      const options = { store: await file.open(), storeSecret: STORE_SECRET };
      await using client = new MultiServerMCPClient("Kairos", config, options);
      assertEquals(textOf(await client.callTool("whoami")), "test");
      assertEquals(server.executions.get("whoami"), isolate, "ran once each");
      methods.push(methodsSince(server, before));
    }
    assertEquals(methods, [["tools/call", ...HANDSHAKE, "tools/call"], ["tools/call"]]);
  });
}

for (const json of [false, true]) {
  Deno.test(`Two isolates on one session get their own answers${json ? ", as JSON" : ""}`, async () => {
    const tools = [{ name: "echo", run: ({ text }: Record<string, unknown>) => textResult(String(text)) }];
    await using file = await createStoreFile();
    await using server = await startMCPServer({ tools, json });
    const config = { servers: { s: { url: server.url } } };
    await fillStore(config, { store: await file.open(), storeSecret: STORE_SECRET });
    const options = async () => ({ store: await file.open(), storeSecret: STORE_SECRET });
    await using one = new MultiServerMCPClient("Kairos", config, await options());
    await using two = new MultiServerMCPClient("Kairos", config, await options());
    const calls = Array.from({ length: 20 }, async (_, index) => {
      const [client, name] = index % 2 === 0 ? [one, "one"] as const : [two, "two"] as const;
      return textOf(await client.callTool("echo", { text: `${name} ${index}` })) === `${name} ${index}`;
    });
    assertEquals((await Promise.all(calls)).every(Boolean), true);
    assertEquals([server.sessions.length, server.count("initialize")], [1, 1]);
    const ids = server.requests.filter(({ rpcMethod }) => rpcMethod === "tools/call").map(({ rpcId }) => rpcId);
    assertEquals(new Set(ids).size, 20);
  });
}

Deno.test("A session that is kept outlives its client, one that is not ends with it", async () => {
  await using server = await startMCPServer();
  const config = { servers: { s: { url: server.url } } };
  const deletes = () => server.requests.filter(({ method }) => method === "DELETE").length;
  await using file = await createStoreFile();
  await fillStore(config, { store: await file.open(), storeSecret: STORE_SECRET });
  assertEquals([server.sessions.length, deletes()], [1, 0], "kept");
  await fillStore(config, { storeSecret: STORE_SECRET });
  assertEquals([server.sessions.length, deletes()], [1, 1], "no store");
  await fillStore(config, {});
  assertEquals([server.sessions.length, deletes()], [1, 2], "nothing kept at all");
});

Deno.test("MultiServerMCPClient.reconnect() opens a new session although one is kept, and keeps that", async () => {
  await using file = await createStoreFile();
  await using server = await startMCPServer();
  const config = { servers: { s: { url: server.url } } };
  await fillStore(config, { store: await file.open(), storeSecret: STORE_SECRET });
  const [old] = server.sessions;
  await using client = new MultiServerMCPClient("Kairos", config, {
    store: await file.open(),
    storeSecret: STORE_SECRET,
  });
  await client.callTool("whoami");
  assertEquals(await client.reconnect({ server: "s" }), { s: true });
  await client.close();
  assertEquals(server.sessions.length, 1, "the old one is ended");
  assertNotEquals(server.sessions[0], old);
  const before = server.requests.length;
  await using next = new MultiServerMCPClient("Kairos", config, {
    store: await file.open(),
    storeSecret: STORE_SECRET,
  });
  await next.callTool("whoami");
  assertEquals(methodsSince(server, before), ["tools/call"]);
});

Deno.test("A cold isolate remembers that a server speaks SSE alone", async () => {
  await using file = await createStoreFile();
  await using server = await startMCPServer({ transport: "sse" });
  const config = { servers: { s: { url: server.url } } };
  await fillStore(config, { store: await file.open() });
  assertEquals(methodsSince(server).slice(0, 3), ["server/discover", "initialize", "GET"]);
  const before = server.requests.length;
  await using client = new MultiServerMCPClient("Kairos", config, { store: await file.open() });
  assertEquals(textOf(await client.callTool("whoami")), "test");
  assertEquals(methodsSince(server, before), ["GET", ...HANDSHAKE, "tools/call"]);
  assertEquals(client.getConnectionStatus().s?.transport, "sse");
});

/** A server with a credential and, where it has any, a session in a store; and what a client of it does. */
async function withKeptSession(
  kind: Kind,
  work: (
    kept: { file: StoreFile; call: (more: MultiServerMCPClientOptions) => Promise<readonly string[]> },
  ) => Promise<void>,
  session: { id?: string | undefined } = {},
): Promise<void> {
  await using file = await createStoreFile();
  await using server = await KINDS[kind]();
  const servers = { s: { url: `${server.url}?key=\${KEY}`, headers: { authorization: "Bearer ${KEY}" } } };
  const config = { servers, secrets: { s: { KEY: CANARY } } };
  await fillStore(config, { store: await file.open(), storeSecret: STORE_SECRET });
  if ("sessions" in server) session.id = server.sessions[0];
  const call = async (more: MultiServerMCPClientOptions) => {
    const before = server.requests.length;
    await using client = new MultiServerMCPClient("Kairos", config, { store: await file.open(), ...more });
    assertEquals(textOf(await client.callTool("whoami")), "test");
    return methodsSince(server, before);
  };
  await work({ file, call });
}

for (const kind of ["legacy with sessions", "modern"] as const) {
  Deno.test(`The store holds no session id, no token and no secret in clear: ${kind}`, async () => {
    const session: { id?: string | undefined } = {};
    await withKeptSession(kind, async ({ file, call }) => {
      assertEquals(await call({ storeSecret: STORE_SECRET }), ["tools/call"]);
      const text = await file.dump();
      for (const shown of ['"connection"', '"protocolVersion"', '"whoami"']) assertStringIncludes(text, shown);
      assertNoCanary(text);
      const hidden = [new TextDecoder().decode(STORE_SECRET), STORE_SECRET.toBase64(), STORE_SECRET.toHex()];
      hidden.push(btoa(CANARY), encodeURIComponent(CANARY));
      if (session.id !== undefined) hidden.push(session.id, btoa(session.id), session.id.replaceAll("-", ""));
      assertEquals(hidden.filter((secret) => text.includes(secret)), []);
    }, session);
  });
}

Deno.test("A store is read with another secret as if it were empty", async () => {
  await withKeptSession("legacy with sessions", async ({ call }) => {
    const storeSecret = new TextEncoder().encode("another secret of more than 16 bytes");
    const first = ["server/discover", ...HANDSHAKE, "tools/list", "tools/call"];
    assertEquals(await call({ storeSecret }), first);
    assertEquals(await call({ storeSecret }), ["tools/call"]);
    assertEquals(await call({ storeSecret: STORE_SECRET }), ["tools/call"], "the other one is still there");
  });
});

/** Ways to change what is kept of a connection; what is left of it then. */
const TAMPERED: Readonly<Record<string, (value: JsonObject) => JsonObject>> = {
  "another session": (value) => ({ ...value, session: flip(String(value.session)) }),
  "a session in clear": (value) => ({ ...value, session: "00000000-0000-0000-0000-000000000000" }),
  "a session that is no text": (value) => ({ ...value, session: 7 }),
};

/** Changes after which nothing is left of it. */
const BROKEN: Readonly<Record<string, (value: JsonObject) => JsonObject>> = {
  "nothing in it": () => ({}),
  "another form": (value) => ({ ...value, v: 2 }),
  "the key of another server": (value) => ({ ...value, key: String(value.key).replace('"s"', '"t"') }),
  "an unknown era": (value) => ({ ...value, era: "later" }),
  "an unknown transport": (value) => ({ ...value, transport: "stdio" }),
  "a version that is no date": (value) => ({ ...value, protocolVersion: "2025-11-25\r\nx-evil: 1" }),
  "a time that is no number": (value) => ({ ...value, atMs: "now" }),
  "a time in the future": (value) => ({ ...value, savedAtMs: Number(value.savedAtMs) + 3_600_000 }),
  "a time long ago": (value) => ({ ...value, atMs: 1, savedAtMs: 1 }),
};

function flip(text: string): string {
  return text.slice(0, 20) + (text[20] === "A" ? "B" : "A") + text.slice(21);
}

for (const [what, change] of Object.entries(TAMPERED)) {
  Deno.test(`K2 A saved session that was tampered with is not used: ${what}`, async () => {
    await withKeptSession("legacy with sessions", async ({ file, call }) => {
      await file.changeConnections(change);
      assertEquals(await call({ storeSecret: STORE_SECRET }), [...HANDSHAKE, "tools/call"]);
      assertEquals(await call({ storeSecret: STORE_SECRET }), ["tools/call"], "the next one is kept again");
    });
  });
}

for (const [what, change] of Object.entries(BROKEN)) {
  Deno.test(`K2 A saved connection that is not well-formed is a miss: ${what}`, async () => {
    await withKeptSession("legacy with sessions", async ({ file, call }) => {
      await file.changeConnections(change);
      assertEquals(await call({ storeSecret: STORE_SECRET }), ["server/discover", ...HANDSHAKE, "tools/call"]);
      assertEquals(await call({ storeSecret: STORE_SECRET }), ["tools/call"], "the next one is kept again");
    });
  });
}
