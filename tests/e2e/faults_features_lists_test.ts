/** What goes wrong with the lists of resources, templates and prompts; the rows are those of tools/list. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { type MCPErrorCode, MultiServerMCPClient } from "@portolan/mcp";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/protocol.ts";
import {
  acceptedOnly,
  answer,
  type Behaviour,
  drop,
  endlessSseLine,
  gzipBomb,
  hang,
  hangAfterHead,
  htmlPage,
  invalidJson,
  oversizeError,
  oversizeJson,
  rateLimited,
  redirectTo,
  rpcError,
  slowDrip,
  sseBreaks,
  sseEnds,
  status,
  wrongId,
} from "../support/behaviours.ts";
import { CANARY, codeOf } from "../support/client_support.ts";
import { startRawServer } from "../support/fault_server.ts";
import { features, featureTest } from "./_feature_case.ts";

const MIB = 1024 * 1024;
const MAX_ENTRIES = 2_000;
const MAX_PAGES = 64;

/** A list that a server can have. */
interface Listing {
  readonly method: string;
  readonly field: string;
  readonly key: string;
  /** Lists it at all servers: the keys of what the faulty one has. */
  list(client: MultiServerMCPClient): Promise<readonly string[]>;
}

const LISTINGS: readonly Listing[] = [
  {
    method: "resources/list",
    field: "resources",
    key: "uri",
    list: async (client) => (await client.listResources()).map(({ uri }) => uri),
  },
  {
    method: "resources/templates/list",
    field: "resourceTemplates",
    key: "uriTemplate",
    list: async (client) => (await client.listResourceTemplates()).map(({ uriTemplate }) => uriTemplate),
  },
  {
    method: "prompts/list",
    field: "prompts",
    key: "name",
    list: async (client) => (await client.listOwnedPrompts()).map(({ promptName }) => promptName),
  },
];

/** Lists that cannot be used, the code that the status shows, and how often the list is asked for at most. */
const FAILING: readonly (readonly [string, Behaviour, MCPErrorCode, number])[] = [
  ["F2 no answer", hang, "deadline_exceeded", 1],
  ["F2 no answer after the head", hangAfterHead, "deadline_exceeded", 1],
  ["F5 a stream that ends without the answer", sseEnds(), "bad_response", 1],
  ["F6 a stream that breaks", sseBreaks, "unreachable", 3],
  ["F6 a connection that drops", drop, "unreachable", 3],
  ["F7 500", status(500), "upstream_error", 1],
  ["F10 503 with Retry-After", rateLimited(60, 503), "rate_limited", 1],
  ["F11 403", status(403), "forbidden", 1],
  ["F12 502", status(502), "upstream_error", 3],
  ["F13 invalid JSON", invalidJson, "bad_response", 1],
  ["F14 an HTML page", htmlPage, "bad_response", 1],
  ["F17 64 MiB", oversizeJson(64 * MIB), "too_large", 1],
  ["F18 an error of 32 MiB", oversizeError(32 * MIB), "upstream_error", 1],
  ["F19 a line that never ends", endlessSseLine, "too_large", 1],
  ["F20 a gzip bomb", gzipBomb(64 * MIB), "too_large", 1],
  ["F21 a slow drip", slowDrip(20), "deadline_exceeded", 1],
  ["F22 another id", wrongId(), "bad_response", 1],
  ["a 202 without a body", acceptedOnly, "bad_response", 1],
  ["a JSON-RPC error with secrets", rpcError(-32000, CANARY, { trace: CANARY }), "upstream_error", 1],
  ["a result that is null", answer(null), "bad_response", 1],
  ["a result without a list", answer({}), "bad_response", 1],
  ["F42 input_required", answer({ resultType: "input_required", requestState: "s" }), "bad_response", 1],
  ["-32042", rpcError(-32042, "Visit", { elicitations: [] }), "bad_response", 1],
];

for (const { method, list } of LISTINGS) {
  for (const [row, behaviour, code, mostRequests] of FAILING) {
    featureTest(`${row} to ${method}: ${code}, the other servers' lists stand`, { [method]: behaviour }, async ({
      client,
      faulty,
    }) => {
      assertEquals(await list(client), []);
      assertEquals(client.getConnectionStatus().faulty?.lastError?.code, code);
      assertLessOrEqual(faulty.count(method), mostRequests);
      const asked = faulty.count(method);
      assertEquals(await list(client), []);
      assertEquals(faulty.count(method), asked, "a list that failed just now is not asked for again");
    }, { config: { timeoutMs: code === "deadline_exceeded" ? 300 : 10_000 } });
  }
}

for (const { method, list } of LISTINGS) {
  Deno.test(`F15 redirects ${method} to another origin: refused, not one request leaves`, async () => {
    await using other = startRawServer();
    await using faulty = startRawServer({ ...features(), [method]: redirectTo(other.url) });
    const servers = { faulty: { url: faulty.url, headers: { authorization: "Bearer ${KEY}" } } };
    await using client = new MultiServerMCPClient("Kairos", { servers, secrets: { faulty: { KEY: CANARY } } });
    assertEquals([await codeOf(list(client)), other.acceptedConnections()], ["redirect_refused", 0]);
    assertEquals(faulty.count(method), 1);
  });
}

/** An entry of a list, called by its key. */
function entry({ key }: Listing, text: unknown, more: JsonObject = {}): JsonObject {
  return { name: "n", [key]: text as JsonValue, ...more };
}

/** Pages whose cursors do not end the list, and how many entries and requests come of them. */
const ENDLESS = [
  ["that repeats", () => "again", 2],
  ["that never ends", (page: number) => `${page}`, MAX_PAGES],
] as const;

for (const listing of LISTINGS) {
  const { method, field, list } = listing;
  for (const [what, toCursor, pages] of ENDLESS) {
    let page = 0;
    const behaviour: Behaviour = (context) => {
      page++;
      return answer({ [field]: [entry(listing, `n${page}`)], nextCursor: toCursor(page) })(context);
    };
    featureTest(`F25 ${method} with a cursor ${what}: kept up to the cap`, { [method]: behaviour }, async ({
      client,
      faulty,
    }) => {
      assertEquals((await list(client)).length, pages);
      assertEquals(faulty.count(method), pages);
    });
  }

  const many = Array.from({ length: 10_000 }, (_, at) => entry(listing, `n${at}`));
  featureTest(
    `F31 ${method} with 10,000 entries: capped`,
    { [method]: answer({ [field]: many }) },
    async ({ client }) => {
      const listed = await list(client);
      assertEquals(new Set(listed), new Set(many.slice(0, MAX_ENTRIES).map((one) => one[listing.key])));
    },
  );

  const spoilt: readonly JsonValue[] = [
    null,
    7,
    [],
    {},
    entry(listing, ""),
    entry(listing, 7),
    entry(listing, null),
    entry(listing, "\u001b[31mred"),
    entry(listing, "a\u202egpj.exe"),
    entry(listing, "line\r\nfeed"),
    entry(listing, `x://${"y".repeat(MIB)}`),
    entry(listing, "untitled", { title: 7 }),
    entry(listing, "undescribed", { description: ["words"] }),
    entry(listing, "good"),
    entry(listing, "good"),
  ];
  featureTest(`F26 F32 ${method} with malformed entries and hostile names: dropped one by one`, {
    [method]: answer({ [field]: [...spoilt] }),
  }, async ({ client }) => {
    assertEquals(await list(client), ["good"]);
  });
}

featureTest("F26 prompts/list with malformed arguments: what could not be walked through is dropped", {
  "prompts/list": answer({
    prompts: [
      { name: "text", arguments: "words" },
      { name: "nameless", arguments: [{ description: "nobody" }] },
      { name: "holey", arguments: [null] },
      { name: "fine", arguments: [{ name: "a", required: true }] },
    ],
  }),
}, async ({ client }) => {
  assertEquals((await client.listOwnedPrompts()).map(({ promptName }) => promptName), ["fine"]);
});

featureTest("S6 prompts and resources called like members of every object are names like others", {
  "prompts/list": answer({ prompts: ["constructor", "toString"].map((name) => ({ name })) }),
  "resources/list": answer({ resources: ["__proto__", "constructor"].map((uri) => ({ uri, name: "n" })) }),
}, async ({ client, faulty }) => {
  for (const name of ["constructor", "faulty__toString"]) await client.getPrompt(name);
  for (const uri of ["__proto__", "constructor"]) await client.readResource(uri);
  const sent = faulty.requests.flatMap(({ body }) =>
    isJsonObject(body) && isJsonObject(body.params) ? [body.params] : []
  );
  assertEquals(sent.flatMap(({ name, uri }) => name ?? uri ?? []), [
    "constructor",
    "toString",
    "__proto__",
    "constructor",
  ]);
  assertEquals(await codeOf(client.getPrompt("valueOf")), "prompt_not_found");
  assertEquals(await codeOf(client.readResource("hasOwnProperty")), "resource_not_found");
});
