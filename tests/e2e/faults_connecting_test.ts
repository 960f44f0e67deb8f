import { assertEquals } from "@std/assert";
import { MultiServerMCPClient } from "@portolan/mcp";
import { hang, rateLimited, redirectTo, status } from "../support/behaviours.ts";
import { codeOf, failureOf, textOf, until } from "../support/client_support.ts";
import { refusedUrl, startRawServer, startSilentServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { faultTest } from "./_fault_case.ts";

/** Servers at addresses where nothing can be sent to, and the words that say why. */
const UNREACHABLE: readonly (readonly [string, () => string, string])[] = [
  ["F1 refuses the connection", refusedUrl, "the connection was refused"],
  ["F16 does not resolve", () => "http://nowhere.invalid/mcp", "its host name does not resolve"],
];

for (const [row, toUrl, words] of UNREACHABLE) {
  Deno.test(`${row}: unreachable at once, the other server is not affected`, async () => {
    await using good = await startMCPServer({ name: "good" });
    await using client = new MultiServerMCPClient("Kairos", {
      servers: { down: { url: toUrl() }, good: { url: good.url } },
    });
    assertEquals(await client.connectToServers(), { down: false, good: true });
    assertEquals(client.getConnectionStatus().down?.lastError?.message.includes(words), true);
    const error = await failureOf(() => client.callTool("down__echo"), "unreachable");
    assertEquals([error.server, error.retryable], ["down", true]);
    assertEquals(textOf(await client.callTool("whoami")), "good");
  });
}

Deno.test("F16 speaks plain HTTP where TLS is expected: unreachable with the reason", async () => {
  await using server = await startMCPServer();
  const servers = { plain: { url: server.url.replace("http:", "https:") } };
  await using client = new MultiServerMCPClient("Kairos", { servers });
  await failureOf(() => client.callTool("plain__whoami"), "unreachable");
  assertEquals(client.getConnectionStatus().plain?.lastError?.message.includes("TLS handshake failed"), true);
  assertEquals(server.requests, []);
});

Deno.test("F2 accepts the connection and says nothing: deadline_exceeded, socket closed", async () => {
  await using silent = startSilentServer();
  await using good = await startMCPServer({ name: "good" });
  const servers = { silent: { url: silent.url, timeoutMs: 200 }, good: { url: good.url } };
  await using client = new MultiServerMCPClient("Kairos", { servers });
  const connecting = client.connectToServers();
  assertEquals(textOf(await client.callTool("good__whoami")), "good");
  assertEquals(await connecting, { silent: false, good: true });
  const { state, lastError } = client.getConnectionStatus().silent!;
  assertEquals([state, lastError?.code, lastError?.message.includes("phase connect")], [
    "failed",
    "deadline_exceeded",
    true,
  ]);
  assertEquals(silent.acceptedConnections(), 1);
  await until(() => silent.openConnections() === 0);
});

for (
  const [row, method] of [["F2", "initialize"], ["F3", "notifications/initialized"], ["F3", "tools/list"]] as const
) {
  faultTest(`${row} hangs on ${method}: one budget covers the whole handshake`, { [method]: hang }, async (fault) => {
    const { client, faulty } = fault;
    assertEquals(await client.connectToServers({ timeoutMs: 700 }), { faulty: false, good: true });
    const { state, lastError } = client.getConnectionStatus().faulty!;
    assertEquals([state, lastError?.code], ["failed", "deadline_exceeded"]);
    await until(() => faulty.openStreams() === 0);
    assertEquals(faulty.count(method), 1);
  });
}

for (const [code, expected] of [[401, "unauthorized"], [403, "forbidden"]] as const) {
  faultTest(
    `F11 answers ${code} to initialize: ${expected}, no retry and no SSE`,
    { initialize: status(code) },
    async ({
      client,
      faulty,
      call,
    }) => {
      assertEquals(await client.connectToServers(), { faulty: false, good: true });
      assertEquals((await failureOf(() => call(), expected)).server, "faulty");
      assertEquals(faulty.requests.map(({ method, rpcMethod }) => rpcMethod ?? method), [
        "server/discover",
        "initialize",
      ]);
    },
  );
}

for (const code of [502, 503, 504]) {
  faultTest(
    `F12 answers ${code} to initialize: upstream_error, no SSE`,
    { initialize: status(code) },
    async (fault) => {
      const { client, faulty } = fault;
      assertEquals(await client.connectToServers(), { faulty: false, good: true });
      assertEquals(client.getConnectionStatus().faulty?.lastError?.code, "upstream_error");
      assertEquals(faulty.requests.filter(({ method }) => method === "GET"), []);
    },
  );
}

faultTest("F10 answers 429 with Retry-After to initialize: rate_limited", { initialize: rateLimited(60) }, async ({
  client,
  faulty,
}) => {
  assertEquals(await client.connectToServers(), { faulty: false, good: true });
  assertEquals(client.getConnectionStatus().faulty?.lastError?.code, "rate_limited");
  assertEquals(faulty.count("initialize"), 1);
});

for (const method of ["initialize", "notifications/initialized", "tools/list", "tools/call"]) {
  Deno.test(`F15 redirects ${method} to another origin: refused, not one request leaves`, async () => {
    await using other = startRawServer();
    await using server = startRawServer({ [method]: redirectTo(other.url) });
    const servers = { s: { url: server.url, headers: { authorization: "Bearer hunter22" } } };
    await using client = new MultiServerMCPClient("Kairos", { servers });
    await client.connectToServers();
    const call = codeOf(client.callTool("s__echo"));
    assertEquals([await call, other.acceptedConnections()], ["redirect_refused", 0]);
    assertEquals(client.getConnectionStatus().s?.lastError?.code, "redirect_refused");
  });
}
