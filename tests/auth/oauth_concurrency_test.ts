/** Many who need a token at once, in one isolate and in several. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import type { RouteStore } from "../../src/route_store.ts";
import { startAuthServer } from "../support/auth_server.ts";
import { startResourceServer } from "../support/auth_resource.ts";
import { startScriptedAuthServer } from "../support/auth_script.ts";
import { browse, createAuthorizer, REDIRECT_URL, send, toAuthStore } from "../support/auth_support.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";

const PERSON = { redirectUrl: REDIRECT_URL };
const FIVE = [1, 2, 3, 4, 5];

/** What several isolates share, opened once for each of them. */
async function withStores(kind: string, work: (open: () => Promise<RouteStore>) => Promise<void>): Promise<void> {
  if (kind === "memory") {
    const store = new MemoryRouteStore();
    return await work(() => Promise.resolve(store));
  }
  const folder = await Deno.makeTempDir();
  const opened: Deno.Kv[] = [];
  try {
    await work(async () => {
      const kv = await Deno.openKv(`${folder}/routes.db`);
      opened.push(kv);
      return new KvRouteStore(kv);
    });
  } finally {
    for (const kv of opened) kv.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("Five requests that are refused at once refresh once and all succeed, with rotation", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => ["read"] });
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  for (let times = 1; times <= 3; times++) {
    login.revoke("AccessToken");
    assertEquals(await Promise.all(FIVE.map(() => send(authorizer, server.url))), [200, 200, 200, 200, 200]);
    assertEquals(login.count("refresh_token"), times);
  }
  assert(login.tokenRequests.every(({ isGranted }) => isGranted), "no refresh token is used twice");
  assertEquals(login.count("authorization_code"), 1);
});

for (const kind of ["memory", "Deno KV"]) {
  Deno.test(`Two isolates that share a store in ${kind} refresh once for ten requests`, async () => {
    await using login = await startAuthServer();
    await using server = startResourceServer({
      find: login.find,
      issuers: () => [login.issuer],
      needs: () => ["read"],
    });
    await withStores(kind, async (open) => {
      const isolates = [1, 2].map(async () =>
        createAuthorizer(server.url, PERSON, { onAuthorize: browse, store: toAuthStore(await open()) }).authorizer
      );
      const [one, two] = await Promise.all(isolates);
      assertEquals(await send(one!, server.url), 200);
      assertEquals(await send(two!, server.url), 200);
      assertEquals([login.count("authorization_code"), login.count("refresh_token")], [1, 0]);
      for (let times = 1; times <= 3; times++) {
        login.revoke("AccessToken");
        const statuses = await Promise.all([one, two].flatMap((isolate) => FIVE.map(() => send(isolate!, server.url))));
        assertEquals(new Set(statuses), new Set([200]));
        assertEquals(login.count("refresh_token"), times);
      }
      assert(login.tokenRequests.every(({ isGranted }) => isGranted));
    });
  });
}

Deno.test("A request with a token that another isolate has replaced is sent again without a word to anybody", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => ["read"] });
  const store = toAuthStore(new MemoryRouteStore());
  const one = createAuthorizer(server.url, PERSON, { onAuthorize: browse, store }).authorizer;
  const two = createAuthorizer(server.url, PERSON, { store }).authorizer;
  assertEquals([await send(one, server.url), await send(two, server.url)], [200, 200]);
  login.revoke("AccessToken");
  assertEquals(await send(one, server.url), 200);
  const before = [login.paths.length, server.paths.length];
  assertEquals(await send(two, server.url), 200);
  assertEquals([login.paths.length, server.paths.length - 2], before, "the refused request and its repetition");
});

Deno.test("An isolate that dies between a refresh and its save costs one authorization, and no more", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => ["read"] });
  const routes = new MemoryRouteStore();
  const first = createAuthorizer(server.url, PERSON, { onAuthorize: browse, store: toAuthStore(routes) });
  assertEquals(await send(first.authorizer, server.url), 200);
  login.revoke("AccessToken");
  const writes: RouteStore = {
    get: (key) => routes.get(key),
    // What a dead isolate would have written is never there, its lease included.
    set: (_key, _value, _options) => Promise.resolve("0"),
    delete: () => Promise.resolve(true),
  };
  const dying = createAuthorizer(server.url, PERSON, { store: toAuthStore(writes) });
  assertEquals(await send(dying.authorizer, server.url), 200);
  login.revoke("AccessToken");
  const next = createAuthorizer(server.url, PERSON, { onAuthorize: browse, store: toAuthStore(routes) });
  assertEquals(await send(next.authorizer, server.url), 200);
  assertEquals([login.count("authorization_code"), login.count("refresh_token")], [2, 2]);
});

for (const fault of ["rejects", "hangs"] as const) {
  Deno.test(`A store that is away costs no token: it ${fault}`, async () => {
    const client = { client_id: "m2m", client_secret: "a secret of more than 32 bytes, by far", redirect_uris: [] };
    await using login = await startAuthServer({
      clients: [{ ...client, grant_types: ["client_credentials"], response_types: [] }],
    });
    await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
    const routes = new FaultyRouteStore(Date.now);
    routes.fault = fault;
    const config = { clientId: client.client_id, clientSecret: client.client_secret };
    const { authorizer } = createAuthorizer(server.url, config, { store: toAuthStore(routes) });
    assertEquals(await send(authorizer, server.url), 200);
    login.revoke("ClientCredentials");
    assertEquals(await Promise.all(FIVE.map(() => send(authorizer, server.url))), [200, 200, 200, 200, 200]);
    assertEquals(login.count("client_credentials"), 2);
    routes.releaseHung();
  });
}

Deno.test("Requests that are refused in different words refresh one after the other, once, also without a store", async () => {
  await using login = await startAuthServer();
  let challenges = 0;
  await using server = startResourceServer({
    find: login.find,
    issuers: () => [login.issuer],
    needs: () => ["read"],
    challenge: (text) => `${text}, realm="${++challenges}"`,
  });
  const routes = new FaultyRouteStore(Date.now);
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse, store: toAuthStore(routes) });
  assertEquals(await send(authorizer, server.url), 200);
  routes.fault = "rejects";
  login.revoke("AccessToken");
  assertEquals(await Promise.all(FIVE.map(() => send(authorizer, server.url))), [200, 200, 200, 200, 200]);
  assertEquals(login.count("refresh_token"), 1);
});

Deno.test("Who waits for another isolate's refresh tries by itself once that one's lease has passed", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => ["read"] });
  let nowMs = Date.now();
  const now = () => nowMs;
  const routes = new MemoryRouteStore({ now });
  const store = toAuthStore(routes, now);
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse, store, now });
  assertEquals(await send(authorizer, server.url), 200);
  login.revoke("AccessToken");
  const owner = ["calendar", server.url.href, "Kairos", "authorization_code", ""];
  assert(await store.lease(owner, 15_000) !== undefined, "the one that dies takes the lease");
  const waiting = send(authorizer, server.url);
  assertEquals(await store.lease(owner, 15_000), undefined);
  nowMs += 15_001;
  assertEquals(await waiting, 200);
  assertEquals(login.count("refresh_token"), 1);
});

Deno.test("One who gives up does not end the refresh of the others", async () => {
  const [gate, arrival] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using login = startScriptedAuthServer({
    token: async (form) => {
      if (form.get("grant_type") !== "refresh_token") return undefined;
      arrival.resolve();
      await gate.promise;
      return undefined;
    },
  });
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  login.revoke();
  const impatient = new AbortController();
  const gone = assertRejects(() => send(authorizer, server.url, "tools/list", impatient.signal), Error, "enough");
  const patient = send(authorizer, server.url);
  await arrival.promise;
  impatient.abort(new Error("enough"));
  await gone;
  gate.resolve();
  assertEquals(await patient, 200);
  assertEquals(login.forms.length, 2);
});

Deno.test("An authorization server that is out of order is told as that, and the token is kept", async () => {
  let isDown = false;
  await using login = startScriptedAuthServer({
    token: () => isDown ? new Response("canary", { status: 503 }) : undefined,
  });
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  login.revoke();
  isDown = true;
  const error = await assertRejects(() => send(authorizer, server.url), MCPError);
  assertEquals([error.code, error.retryable, error.httpStatus], ["auth_failed", true, 503]);
  assert(!Deno.inspect(error).includes("canary"));
  isDown = false;
  assertEquals(await send(authorizer, server.url), 200);
  assertEquals(login.count("/authorize"), 1);
});
