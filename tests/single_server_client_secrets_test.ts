import { assertEquals } from "@std/assert";
import { SingleServerMCPClient } from "@portolan/mcp";
import {
  acceptedOnly,
  type Behaviour,
  drop,
  hang,
  htmlPage,
  invalidJson,
  oversizeJson,
  rateLimited,
  redirectTo,
  rpcError,
  sessionGone,
  sseBreaks,
  sseEnds,
  status,
  wrongId,
} from "./support/behaviours.ts";
import { assertNoCanary, CANARY } from "./support/client_support.ts";
import { refusedUrl, startRawServer } from "./support/fault_server.ts";

/** A server whose secrets ride in its path, its query and two headers. */
function configFor(url: string) {
  return {
    config: {
      url: `${url}/\${KEY}?key=\${KEY}`,
      headers: { authorization: "Bearer ${KEY}", "x-api-key": "${KEY}" },
    },
    options: { secrets: { KEY: CANARY } },
  };
}

/** Everything a caller can see of a client and of what it rejects with. */
async function assertShowsNothing(client: SingleServerMCPClient, work: Promise<unknown>): Promise<void> {
  const outcome = await work.catch((error) => error);
  assertEquals(outcome instanceof Error, true, Deno.inspect(outcome));
  for (const value of [outcome, client, client.getStatus()]) assertNoCanary(value);
}

const FAULTS: Readonly<Record<string, Behaviour>> = {
  "401": status(401, { body: CANARY, headers: { "www-authenticate": `Bearer realm="canary"` } }),
  "404": status(404, { body: CANARY }),
  "500": status(500, { body: CANARY }),
  "429": rateLimited(1),
  drop,
  hang,
  htmlPage,
  invalidJson,
  sseEnds: sseEnds(),
  sseBreaks,
  acceptedOnly,
  "wrong id": wrongId(CANARY),
  "JSON-RPC error": rpcError(-32000, CANARY, { detail: CANARY }),
  redirect: redirectTo(`http://127.0.0.2:1/${encodeURIComponent(CANARY)}?key=${CANARY}`),
  "redirect to nowhere": redirectTo(`http://[${CANARY}`),
  "too large": oversizeJson(9_000_000),
};

for (const [fault, behaviour] of Object.entries(FAULTS)) {
  for (const method of ["initialize", "notifications/initialized", "tools/list", "tools/call"]) {
    // A notification needs no answer: what is wrong with its answer harms nobody.
    if (method === "notifications/initialized" && !["401", "404", "500", "429", "drop", "hang"].includes(fault)) {
      continue;
    }
    Deno.test(`SingleServerMCPClient shows no secret: ${fault} to ${method}`, async () => {
      await using server = startRawServer({ [method]: behaviour, GET: status(404, { body: CANARY }) });
      const { config, options } = configFor(server.url);
      await using client = new SingleServerMCPClient("files", config, options);
      const timeoutMs = fault === "hang" ? 500 : 5_000;
      const work = method === "tools/call" ? client.callTool("echo", {}, { timeoutMs }) : client.connect({ timeoutMs });
      await assertShowsNothing(client, work);
      const { headers, path, query } = server.requests[0]!;
      assertEquals([headers.get("authorization"), headers.get("x-api-key")], [`Bearer ${CANARY}`, CANARY]);
      assertEquals(decodeURIComponent(path + query), `/mcp/${CANARY}?key=${CANARY}`);
    });
  }
}

Deno.test("SingleServerMCPClient shows no secret: refused, lost session, abort, closed", async () => {
  const refused = configFor(refusedUrl());
  await using down = new SingleServerMCPClient("down", refused.config, refused.options);
  for (let i = 0; i < 3; i++) await assertShowsNothing(down, down.callTool("echo"));

  await using server = startRawServer({ "tools/call": sessionGone() }, { sessionId: CANARY });
  const { config, options } = configFor(server.url);
  const client = new SingleServerMCPClient("files", config, options);
  await assertShowsNothing(client, client.callTool("echo"));
  await assertShowsNothing(client, client.callTool("echo", {}, { signal: AbortSignal.abort() }));
  await client.close();
  await assertShowsNothing(client, client.callTool("echo"));
});

Deno.test("SingleServerMCPClient shows no secret of a working connection", async () => {
  await using server = startRawServer({}, { sessionId: CANARY });
  const { config, options } = configFor(server.url);
  await using client = new SingleServerMCPClient("files", config, options);
  await client.callTool("echo");
  await client.connect();
  for (const value of [client, client.getStatus(), await client.listTools()]) assertNoCanary(value);
  assertEquals(client.getStatus().url, `${server.url}/\${KEY}`);
  const sent = server.requests.map(({ headers }) => headers.get("x-api-key"));
  assertEquals(new Set(sent), new Set([CANARY]));
});
