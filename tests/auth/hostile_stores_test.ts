/** Stores that lie, lag or were tampered with, and answers that come to somebody else. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { AuthStore } from "../../src/auth/auth_store.ts";
import { AuthorizationRequiredError } from "../../src/auth/authorization_required_error.ts";
import { finishAuthorization } from "../../src/auth/finish_authorization.ts";
import { GrantKeeper } from "../../src/auth/grant_keeper.ts";
import { MCPClientManager } from "../../src/client_manager.ts";
import { MCPError } from "../../src/errors.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import type { RouteKey, RouteStore, RouteStoreItem } from "../../src/route_store.ts";
import { startResourceServer } from "../support/auth_resource.ts";
import { type ScriptedAuthOptions, type ScriptedAuthServer, startScriptedAuthServer } from "../support/auth_script.ts";
import {
  type AuthorizerOptions,
  browse,
  createAuthorizer,
  REDIRECT_URL,
  send,
  STORE_SECRET,
  toAuthStore,
} from "../support/auth_support.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";

const PERSON = { redirectUrl: REDIRECT_URL };

/** Begins a flow of a principal, and hands over where the browser is sent back to. */
async function begin(serverUrl: URL, options: AuthorizerOptions): Promise<string> {
  const { authorizer } = createAuthorizer(serverUrl, PERSON, options);
  const error = await assertRejects(() => send(authorizer, serverUrl), AuthorizationRequiredError);
  return await browse(error.authorizationUrl);
}

async function withServers(
  options: ScriptedAuthOptions,
  work: (login: ScriptedAuthServer, serverUrl: URL) => Promise<void>,
): Promise<void> {
  await using login = startScriptedAuthServer(options);
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  await work(login, server.url);
}

Deno.test("GrantKeeper does not go round in circles with a store that takes no version for the right one", async () => {
  const memory = new MemoryRouteStore();
  let writes = 0;
  const lying: RouteStore = {
    get: (key) => memory.get(key),
    set: (_key, _value, _options) => Promise.resolve(++writes > 100 ? "0" : undefined),
    delete: (key) => memory.delete(key),
  };
  const keeper = new GrantKeeper({
    store: toAuthStore(lying),
    address: { kind: "grant", parts: ["calendar"] },
    now: Date.now,
  });
  await keeper.load();
  await keeper.save({
    issuer: "https://login.example.com",
    tokenEndpoint: "https://login.example.com/token",
    resource: "https://mcp.example.com/mcp",
    client: { clientId: "a", method: "none" },
    scopes: [],
    tokens: { accessToken: "t", refreshToken: "r", scope: undefined, issuedAtMs: 1, expiresAtMs: undefined },
  });
  assert(writes < 10, `${writes} writes`);
  assertEquals(keeper.usable?.tokens?.accessToken, "t", "it is kept in memory");
});

Deno.test("AuthStore.write() troubles no store with what is too large, so that nobody else loses it", async () => {
  const routes = new FaultyRouteStore(Date.now);
  const store = new AuthStore({ store: routes, storeSecret: STORE_SECRET });
  const address = { kind: "grant", parts: ["a"] } as const;
  for (const length of [60_000, 1_000_000]) {
    assertEquals(await store.write(address, { a: "x".repeat(length) }, { ttlMs: 60_000 }), undefined);
  }
  assertEquals(routes.operations, []);
  assert(await store.write(address, { a: "x".repeat(44_000) }, { ttlMs: 60_000 }) !== undefined);
  assertEquals((await store.read(address))?.value, { a: "x".repeat(44_000) });
});

Deno.test("A server that lists endless scopes gets one flow, and costs nobody else the store", async () => {
  await using login = startScriptedAuthServer();
  const scopes = Array.from({ length: 500 }, (_, index) => "/".repeat(250) + index);
  await using server = startResourceServer({
    find: () => undefined,
    issuers: () => [login.issuer],
    metadata: (same, path) => path.endsWith("/mcp") ? { ...same, scopes_supported: scopes } : undefined,
  });
  const routes = new MemoryRouteStore();
  const { authorizer } = createAuthorizer(server.url, PERSON, { store: toAuthStore(routes) });
  const urls = new Set<string>();
  for (let calls = 0; calls < 3; calls++) {
    const error = await assertRejects(() => send(authorizer, server.url), AuthorizationRequiredError);
    urls.add(error.authorizationUrl);
  }
  assertEquals([urls.size, login.count("/register")], [1, 1]);
  assert([...urls][0]!.length < 32_000);
});

Deno.test("Who refreshes too late, as its store lags behind, takes the token of the one who was faster", async () => {
  const spent = new Set<string | null>();
  const token = (form: URLSearchParams) => {
    const refresh = form.get("refresh_token");
    const isSpent = refresh !== null && spent.has(refresh);
    spent.add(refresh);
    return isSpent ? Response.json({ error: "invalid_grant" }, { status: 400 }) : undefined;
  };
  await withServers({ token }, async (login, serverUrl) => {
    const routes = new MemoryRouteStore();
    let old: RouteStoreItem | undefined;
    const lagging: RouteStore = {
      get: (key) => old !== undefined && key[2] === "grant" ? Promise.resolve(old) : routes.get(key),
      set: async (key, value, options) => {
        const version = await routes.set(key, value, options);
        // As Deno KV: what was refused is read strongly the next time.
        if (version === undefined) old = undefined;
        return version;
      },
      delete: (key, options) => routes.delete(key, options),
    };
    let grantKey: RouteKey = [];
    const watched: RouteStore = {
      get: (key) => routes.get(key),
      set: (key, value, options) => {
        if (key[2] === "grant") grantKey = key;
        return routes.set(key, value, options);
      },
      delete: (key, options) => routes.delete(key, options),
    };
    const one = createAuthorizer(serverUrl, PERSON, { store: toAuthStore(watched), onAuthorize: browse }).authorizer;
    const two = createAuthorizer(serverUrl, PERSON, { store: toAuthStore(lagging) }).authorizer;
    assertEquals([await send(one, serverUrl), await send(two, serverUrl)], [200, 200]);
    old = await routes.get(grantKey);
    login.revoke();
    assertEquals([await send(one, serverUrl), await send(two, serverUrl)], [200, 200]);
    assertEquals([login.forms.length, login.count("/authorize")], [3, 1]);
  });
});

Deno.test("finishAuthorization() takes no flow whose record was put in the place of another", async () => {
  await withServers({}, async (login, serverUrl) => {
    const routes = new MemoryRouteStore();
    const written = new Map<string, { readonly key: RouteKey; readonly item: RouteStoreItem }>();
    const watched: RouteStore = {
      get: (key) => routes.get(key),
      set: async (key, value, options) => {
        const version = await routes.set(key, value, options);
        if (key[2] === "state") written.set(key.join("/"), { key, item: { value, version: version ?? "" } });
        return version;
      },
      delete: (key, options) => routes.delete(key, options),
    };
    const store = toAuthStore(watched);
    const callbacks = [await begin(serverUrl, { store }), await begin(serverUrl, { store, principal: "Mercurius" })];
    const [one, two] = [...written.values()];
    const moved = new Map([[one!.key.join("/"), two!.item], [two!.key.join("/"), one!.item]]);
    const swapped = toAuthStore({ ...watched, get: async (key) => moved.get(key.join("/")) ?? await routes.get(key) });
    for (const callbackUrl of callbacks) {
      const finish = () => finishAuthorization(callbackUrl, { store: swapped, fetch });
      await assertRejects(finish, MCPError, "its state is not known");
    }
    assertEquals(login.forms.length, 0);
    assertEquals((await finishAuthorization(callbacks[1]!, { store, fetch })).principal, "Mercurius");
  });
});

Deno.test("finishAuthorization() takes a state once of two isolates at the same time", async () => {
  using kv = await Deno.openKv(":memory:");
  await withServers({}, async (login, serverUrl) => {
    const open = () => toAuthStore(new KvRouteStore(kv));
    const callbackUrl = await begin(serverUrl, { store: open() });
    const finish = () => finishAuthorization(callbackUrl, { store: open(), fetch });
    const outcomes = await Promise.allSettled([finish(), finish(), finish()]);
    assertEquals(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected", "rejected"]);
    assertEquals(login.forms.length, 1);
  });
});

Deno.test("finishAuthorization() believes an error and no code where an answer has both", async () => {
  await withServers({}, async (login, serverUrl) => {
    const store = new AuthStore();
    const callbackUrl = await begin(serverUrl, { store });
    const finish = () => finishAuthorization(`${callbackUrl}&error=access_denied`, { store, fetch });
    await assertRejects(finish, MCPError, "(access_denied)");
    assertEquals(login.forms.length, 0);
  });
});

Deno.test("finishAuthorization() uses up no state for one who has left, and tells that a used one is for good", async () => {
  await withServers({ token: () => new Response(null, { status: 503 }) }, async (login, serverUrl) => {
    const store = new AuthStore();
    const callbackUrl = await begin(serverUrl, { store });
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(() => finishAuthorization(callbackUrl, { store, fetch, signal }), Error, "enough");
    const error = await assertRejects(() => finishAuthorization(callbackUrl, { store, fetch }), MCPError, "again");
    assertEquals([error.code, error.retryable, error.httpStatus], ["auth_failed", false, 503]);
    assertEquals(login.forms.length, 1);
  });
});

Deno.test("MCPClientManager.finishAuthorization() finishes no flow of another principal than its own", async () => {
  await withServers({}, async (login, serverUrl) => {
    const authStore = new AuthStore();
    const callbackUrl = await begin(serverUrl, { store: authStore, principal: "Ada" });
    await using foreign = new MCPClientManager({ agents: {} }, { authStore, principal: "Bob" });
    await assertRejects(() => foreign.finishAuthorization(callbackUrl), MCPError, "its state is not known");
    const agents = { Bob: { servers: { calendar: { url: serverUrl.href } } } };
    await using manager = new MCPClientManager({ agents }, { authStore });
    const client = manager.openClient("Bob");
    await assertRejects(() => client.finishAuthorization(callbackUrl), MCPError, "its state is not known");
    assertEquals(login.forms.length, 0);
    assertEquals((await manager.finishAuthorization(callbackUrl)).principal, "Ada");
  });
});

Deno.test("MCPClientManager.finishAuthorization() tells of its deadline with a code", async () => {
  const gate = Promise.withResolvers<undefined>();
  await withServers({ token: () => gate.promise }, async (_login, serverUrl) => {
    const authStore = new AuthStore();
    const callbackUrl = await begin(serverUrl, { store: authStore });
    await using manager = new MCPClientManager({ agents: {} }, { authStore });
    const finish = () => manager.finishAuthorization(callbackUrl, { timeoutMs: 50 });
    const error = await assertRejects(finish, MCPError).finally(() => gate.resolve(undefined));
    assertEquals(error.code, "deadline_exceeded");
  });
});
