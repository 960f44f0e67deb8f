import { assertEquals, assertRejects } from "@std/assert";
import { createGuardedFetch } from "../src/guarded_fetch.ts";
import { Secret } from "../src/secrets.ts";
import { drop, ok, redirectTo, sequence, status } from "./support/behaviours.ts";
import { assertNoCanary, CANARY, failureOf } from "./support/client_support.ts";
import { type RawServer, startRawServer } from "./support/fault_server.ts";

const BODY = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } });

function guard(server: RawServer, fetch?: typeof globalThis.fetch) {
  const headers = { authorization: new Secret(`Bearer ${CANARY}`) };
  const guarded = createGuardedFetch({ server: "files", url: new URL(server.url), headers, fetch });
  return {
    post: (url?: URL) => {
      const signal = new AbortController().signal;
      return guarded({ method: "POST", headers: { "x-own": "1" }, body: BODY, signal, url });
    },
    get: (url?: URL) => {
      return guarded({ method: "GET", headers: {}, signal: new AbortController().signal, url });
    },
  };
}

async function drain(response: Response): Promise<number> {
  await response.body?.cancel();
  return response.status;
}

Deno.test("createGuardedFetch() sends the credentials with every request to the server's own origin", async () => {
  await using server = startRawServer();
  const { post } = guard(server);
  await drain(await post());
  await drain(await post(new URL("/messages?session=1", server.url)));
  const sent = server.requests.map(({ path, query, headers }) => [path + query, headers.get("authorization")]);
  assertEquals(sent, [["/mcp", `Bearer ${CANARY}`], ["/messages?session=1", `Bearer ${CANARY}`]]);
  assertEquals(server.requests[0]?.headers.get("x-own"), "1");
});

for (const [name, change] of [["port", { port: "1" }], ["scheme", { protocol: "https:" }]] as const) {
  Deno.test(`createGuardedFetch() refuses another ${name} before anything is sent`, async () => {
    await using server = startRawServer();
    const url = Object.assign(new URL(server.url), change);
    const error = await failureOf(() => guard(server).post(url), "redirect_refused");
    assertEquals([error.server, error.retryable], ["files", false]);
    assertEquals(server.acceptedConnections(), 0);
  });
}

for (const code of [301, 302, 303, 307, 308] as const) {
  Deno.test(`F15 createGuardedFetch() sends not one request to another origin: ${code}`, async () => {
    await using other = startRawServer();
    await using server = startRawServer({
      "tools/call": redirectTo(`${other.url}?key=${CANARY}`, code),
      GET: redirectTo(other.url, code),
    });
    const { post, get } = guard(server);
    for (const send of [post, get]) assertNoCanary(await failureOf(() => send(), "redirect_refused"));
    assertEquals([server.requests.length, other.acceptedConnections()], [2, 0]);
  });
}

for (const code of [307, 308] as const) {
  Deno.test(`createGuardedFetch() follows a redirect within the origin with method, body and credentials: ${code}`, async () => {
    await using server = startRawServer({ "tools/call": sequence(redirectTo("/mcp/", code), ok) });
    assertEquals(await drain(await guard(server).post()), 200);
    const [first, second] = server.requests;
    assertEquals([first?.path, second?.path, second?.method], ["/mcp", "/mcp/", "POST"]);
    assertEquals([second?.body, second?.headers.get("authorization")], [JSON.parse(BODY), `Bearer ${CANARY}`]);
  });
}

for (const code of [301, 302, 303] as const) {
  Deno.test(`createGuardedFetch() refuses a redirect that would turn a POST into a GET: ${code}`, async () => {
    await using server = startRawServer({
      "tools/call": redirectTo("/mcp/", code),
      GET: sequence(redirectTo("/x", code), ok),
    });
    await failureOf(() => guard(server).post(), "redirect_refused");
    assertEquals(server.requests.length, 1);
    assertEquals(await drain(await guard(server).get()), 405);
  });
}

Deno.test("createGuardedFetch() follows three redirects and no more", async () => {
  await using server = startRawServer({ "tools/call": redirectTo("/mcp") });
  await failureOf(() => guard(server).post(), "redirect_refused");
  assertEquals(server.requests.length, 4);
});

for (const headers of [undefined, { location: "http://[" }]) {
  Deno.test(`createGuardedFetch() refuses a redirect to nowhere: ${JSON.stringify(headers)}`, async () => {
    await using server = startRawServer({ "tools/call": status(307, headers && { headers }) });
    await failureOf(() => guard(server).post(), "redirect_refused");
  });
}

Deno.test("createGuardedFetch() sends a POST once although a kept connection closes before the answer", async () => {
  // Deno's `fetch` sends a POST with a text as its body again in this case; tests/support/support_test.ts pins that.
  await using server = startRawServer({ "tools/call": sequence(ok, drop) });
  const { post } = guard(server);
  await (await post()).text();
  await assertRejects(() => post(), TypeError);
  assertEquals([server.count("tools/call"), server.acceptedConnections()], [2, 1]);
});

Deno.test("createGuardedFetch() sends nothing where the signal is aborted", async () => {
  await using server = startRawServer();
  const guarded = createGuardedFetch({ server: "files", url: new URL(server.url), headers: {} });
  const signal = AbortSignal.abort("left");
  const sent = guarded({ method: "POST", headers: {}, body: BODY, signal });
  assertEquals(await sent.catch((error) => error), "left");
  assertEquals(server.requests.length, 0);
});

Deno.test("createGuardedFetch() uses the fetch it is given, and lets no redirect be followed by it", async () => {
  await using server = startRawServer();
  const seen: (RequestRedirect | undefined)[] = [];
  const { post } = guard(server, (url, init) => {
    seen.push(init?.redirect);
    return fetch(url, init);
  });
  await drain(await post());
  assertEquals(seen, ["manual"]);
});
