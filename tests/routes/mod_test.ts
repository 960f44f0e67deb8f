import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { createGateway } from "../../routes/mod.ts";
import { AGENTS, fakeDirectory, openHarness, post, problemOf } from "../gateway/gateway_support.ts";
import { IS_DENO_2_5 } from "../support/runtime.ts";

const PATHS: readonly [method: string, path: string][] = [
  ["GET", "/status"],
  ["GET", "/agents/Kairos/status"],
  ["GET", "/agents/Kairos/tools"],
  ["POST", "/agents/Kairos/tools/search"],
  ["GET", "/agents/Kairos/routes/search"],
  ["POST", "/agents/Kairos/reconnect"],
];

/** Sends bytes to a server and reads the status line of the answer. */
async function sendRaw(port: number, text: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  const answer = await new Response(connection.readable).text();
  return answer.split("\r\n")[0] ?? "";
}

function serveOpen() {
  const directory = fakeDirectory(AGENTS);
  const gateway = createGateway({ directory }, { open: "loopback" });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
  return { directory, server, port: server.addr.port };
}

Deno.test("createGateway() refuses to serve without keys unless it is open by choice", () => {
  const directory = fakeDirectory([]);
  assertThrows(() => createGateway({ directory }, {}), TypeError, "neither keys nor");
  assertThrows(() => createGateway({ directory }, { keys: {} }), TypeError, "neither keys nor");
  assertThrows(() => createGateway({ directory }, { open: "loopback", maxBodyBytes: 0 }), RangeError);
});

Deno.test("createGateway() asks nothing of the directory by itself", () => {
  const directory = fakeDirectory(AGENTS);
  createGateway({ directory }, { open: "loopback" });
  assertEquals(directory.asked, []);
});

for (const [method, path] of PATHS) {
  Deno.test(`S2 ${method} ${path} answers 401 without a key, with a wrong one, and with one in the query`, async () => {
    const { ask, directory } = await openHarness();
    const attempts = [
      await ask(path, { method, key: null }),
      await ask(path, { method, key: "wrong-key" }),
      await ask(`${path}?key=kairos-key&access_token=kairos-key&authorization=Bearer%20kairos-key`, {
        method,
        key: null,
      }),
      await ask(path, { method, key: null, headers: { authorization: "Basic a2Fpcm9zLWtleQ==" } }),
      await ask(path, { method, key: null, headers: { "x-api-key": "kairos-key", cookie: "key=kairos-key" } }),
    ];
    for (const [index, response] of attempts.entries()) {
      // Only who has sent a bearer token is told that it is not good (RFC 6750, section 3.1).
      const challenge = index === 1 ? 'Bearer error="invalid_token"' : "Bearer";
      assertEquals([response.status, response.headers.get("www-authenticate")], [401, challenge]);
      assertEquals((await problemOf(response)).code, "unauthenticated");
    }
    assertEquals(directory.asked, []);
  });

  if (path.startsWith("/agents/")) {
    Deno.test(`S2 ${method} ${path} answers the same for a forbidden agent and an unknown one`, async () => {
      const { ask, directory } = await openHarness();
      const forbidden = await ask(path.replace("Kairos", "Mercurius"), { method });
      const unknown = await ask(path.replace("Kairos", "Nobody"), { method });
      const withoutIds = (response: Response) => [...response.headers].filter(([name]) => name !== "x-request-id");
      assertEquals([forbidden.status, unknown.status], [404, 404]);
      assertEquals(withoutIds(forbidden), withoutIds(unknown));
      assertEquals(await problemOf(forbidden), await problemOf(unknown));
      assertEquals(directory.asked, []);
    });
  }
}

Deno.test("S2 an agent_not_found suggests only agents that the key opens", async () => {
  const { ask } = await openHarness();
  assertEquals((await problemOf(await ask("/agents/Mercurios/status"))).suggestions, undefined);
  assertEquals((await problemOf(await ask("/agents/Mercurios/status", { key: "admin-key" }))).suggestions, [
    "Mercurius",
  ]);
});

Deno.test("S6 agents and tools called like a member of Object are like any unknown name", async () => {
  const { ask, directory } = await openHarness();
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    for (const key of ["kairos-key", "admin-key"]) {
      const response = await ask(`/agents/${name}/tools`, { key });
      assertEquals([response.status, (await problemOf(response)).code], [404, "agent_not_found"]);
    }
    await (await ask(`/agents/Kairos/tools/${name}`, post("{}"))).body?.cancel();
    assertEquals(directory.asked.at(-1)?.values, [name, {}]);
  }
});

Deno.test("S1 a foreign Host or Origin gets 403 before the key is looked at and the body is read", async () => {
  const { ask } = await openHarness({}, { allowedHosts: ["gateway.test"] });
  for (const headers of [{ host: "evil.example" }, { origin: "https://evil.example" }, { origin: "null" }]) {
    let pulled = 0;
    const body = new ReadableStream({ pull: (controller) => (pulled++, controller.close()) }, { highWaterMark: 0 });
    const response = await ask("/agents/Kairos/tools/search", { ...post(body, headers), key: null });
    assertEquals([response.status, pulled], [403, 0]);
    await response.body?.cancel();
  }
});

Deno.test("S1 an open gateway on a socket serves loopback names and nothing else", async () => {
  const { directory, server, port } = serveOpen();
  const send = (line: string, headers: string) =>
    sendRaw(port, `${line} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
  assertEquals(await send("GET /status", `Host: localhost:${port}\r\n`), "HTTP/1.1 200 OK");
  for (const host of ["", "Host: evil.example\r\n", "Host:\r\n", "Host: a b\r\n"]) {
    assertEquals(await send("GET /status", host), "HTTP/1.1 403 Forbidden", host);
  }
  assertEquals(await send("GET http://evil.example/status", "Host: localhost\r\n"), "HTTP/1.1 403 Forbidden");
  // Deno 2.5 hands two hosts on as one, which is none.
  const twoHosts = IS_DENO_2_5 ? "HTTP/1.1 403 Forbidden" : "HTTP/1.1 400 Bad Request";
  assertEquals(await send("GET /status", "Host: localhost\r\nHost: evil.example\r\n"), twoHosts);
  assertEquals(await send("GET /status", "Host: localhost\r\nOrigin: null\r\n"), "HTTP/1.1 403 Forbidden");
  assertEquals(directory.asked, []);
  await server.shutdown();
});

Deno.test("S4 a tool's name with CR LF reaches the agent as data", async () => {
  const { directory, server, port } = serveOpen();
  const head = "POST /agents/Kairos/tools/a%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  assertEquals(await sendRaw(port, head), "HTTP/1.1 200 OK");
  assertEquals(directory.asked.at(-1)?.values, ["a\r\nX-Evil: 1", {}]);
  await server.shutdown();
});

Deno.test("S4 a request whose end is ambiguous or whose headers are malformed is refused", async () => {
  const { directory, server, port } = serveOpen();
  const smuggled = "0\r\n\r\nPOST /agents/Kairos/tools/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const headers = [
    // Deno 2.5 goes by the chunks, and takes what follows them for the next request: a proxy in front of it has to agree.
    ...(IS_DENO_2_5 ? [] : ["Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"]),
    "Transfer-Encoding: xchunked\r\n",
    "Content-Length: 2\r\nContent-Length: 3\r\n",
    "Content-Length : 2\r\n",
    "X-Split: a\rb\r\n",
    " X-Folded: a\r\n",
  ];
  for (const header of headers) {
    const head = `POST /agents/Kairos/tools/x HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`;
    assertEquals(await sendRaw(port, head + smuggled), "HTTP/1.1 400 Bad Request", header);
  }
  assertEquals(directory.asked, []);
  await server.shutdown();
});

Deno.test("a path with another method answers 405 with Allow, one that does not exist 404", async () => {
  const { ask } = await openHarness();
  const answer = async (method: string, path: string) => {
    const response = await ask(path, { method });
    return [response.status, (await problemOf(response)).code, response.headers.get("allow")];
  };
  assertEquals(await answer("DELETE", "/status"), [405, "method_not_allowed", "GET, HEAD"]);
  assertEquals(await answer("GET", "/agents/Kairos/tools/search"), [405, "method_not_allowed", "POST"]);
  assertEquals(await answer("PUT", "/healthz"), [405, "method_not_allowed", "GET, HEAD"]);
  assertEquals(await answer("GET", "/nowhere"), [404, "not_found", null]);
  assertEquals(await answer("GET", "/agents/Nobody/status"), [404, "agent_not_found", null]);
});

Deno.test("HEAD answers like GET without a body", async () => {
  const { ask } = await openHarness();
  const response = await ask("/status", { method: "HEAD" });
  assertEquals([response.status, await response.text()], [200, ""]);
  assertEquals((await ask("/agents/Kairos/reconnect", { method: "HEAD" })).status, 405);
});

Deno.test("every response is kept out of caches, has an id, and tells browsers to be careful", async () => {
  const { ask } = await openHarness();
  for (const path of ["/", "/healthz", "/status", "/nowhere", "/agents/Nobody/status"]) {
    const { headers, body } = await ask(path);
    await body?.cancel();
    assertEquals(headers.get("cache-control"), "no-store", path);
    assertEquals(headers.get("x-content-type-options"), "nosniff", path);
    assertEquals(headers.get("content-security-policy"), "default-src 'none'; frame-ancestors 'none'", path);
    assertMatch(headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  }
});

Deno.test("a request's id is taken from the caller only where it is short and plain", async () => {
  const { ask } = await openHarness();
  const idFor = async (id: string) => {
    const response = await ask("/healthz", { headers: { "x-request-id": id } });
    await response.body?.cancel();
    return response.headers.get("x-request-id");
  };
  assertEquals(await idFor("trace-1"), "trace-1");
  for (const id of ["a b", "<script>", "x".repeat(65)]) assertEquals(await idFor(id) === id, false);
});

Deno.test("GET / names the routes and no agent, without a key", async () => {
  const { ask } = await openHarness();
  const text = await (await ask("/", { key: null })).text();
  assertEquals([text.includes("POST /agents/:agent/tools/:tool"), text.includes("Kairos")], [true, false]);
});

Deno.test("an allowed origin may ask from a browser, and no other", async () => {
  const { ask } = await openHarness({}, { allowedOrigins: ["https://app.example.com"] });
  const preflight = (origin: string) =>
    ask("/status", { method: "OPTIONS", key: null, headers: { origin, "access-control-request-method": "GET" } });
  const allowed = await preflight("https://app.example.com");
  assertEquals([allowed.status, allowed.headers.get("access-control-allow-origin")], [204, "https://app.example.com"]);
  const refused = await preflight("https://evil.example");
  assertEquals([refused.status, refused.headers.get("access-control-allow-origin")], [403, null]);
  await refused.body?.cancel();
});
