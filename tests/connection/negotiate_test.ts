import { assertEquals } from "@std/assert";
import { type EraVerdict, negotiateEra } from "../../src/connection/negotiate.ts";
import { Deadline } from "../../src/deadline.ts";
import type { MCPErrorCode } from "../../src/errors.ts";
import { createGuardedFetch } from "../../src/guarded_fetch.ts";
import type { JsonObject } from "../../src/protocol.ts";
import {
  acceptedOnly,
  answer,
  answerSse,
  type Behaviour,
  drop,
  hang,
  hangAfterHead,
  htmlPage,
  invalidJson,
  oversizeJson,
  rateLimited,
  redirectTo,
  rpcError,
  sseBreaks,
  sseEnds,
  status,
  wrongId,
} from "../support/behaviours.ts";
import { failureOf, until } from "../support/client_support.ts";
import { refusedUrl, startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { refusal } from "../support/modern_script.ts";
import { startModernServer } from "../support/modern_server.ts";

const LEGACY: EraVerdict = { era: "legacy" };
const MODERN: EraVerdict = { era: "modern", protocolVersion: "2026-07-28" };
/** What the real modern servers say of themselves. */
const REAL_MODERN: EraVerdict = {
  ...MODERN,
  info: {
    implementation: { name: "modern", version: "1.0.0" },
    capabilities: { tools: { listChanged: true } },
    instructions: undefined,
  },
};
/** A server that says nothing of itself. */
const SILENT_MODERN: EraVerdict = {
  ...MODERN,
  info: { implementation: undefined, capabilities: {}, instructions: undefined },
};
const MIB = 1024 * 1024;

async function negotiate(url: string, timeoutMs = 10_000): Promise<EraVerdict> {
  using deadline = new Deadline(timeoutMs);
  const send = createGuardedFetch({ server: "files", url: new URL(url), headers: {} });
  return await negotiateEra({ server: "files", send, deadline, now: Date.now });
}

/** Real servers of every kind. */
const REAL: readonly (readonly [string, EraVerdict, () => Promise<AsyncDisposable & { readonly url: string }>])[] = [
  ["modern", REAL_MODERN, () => Promise.resolve(startModernServer())],
  ["modern with streams", REAL_MODERN, () => Promise.resolve(startModernServer({ sse: true }))],
  ["of both eras", REAL_MODERN, () => Promise.resolve(startModernServer({ dualEra: true }))],
  ["legacy with sessions", LEGACY, () => startMCPServer()],
  ["legacy with sessions and JSON", LEGACY, () => startMCPServer({ json: true })],
  ["legacy without sessions", LEGACY, () => startMCPServer({ stateful: false })],
  ["legacy without sessions, with JSON", LEGACY, () => startMCPServer({ stateful: false, json: true })],
  ["SSE of 2024-11-05", LEGACY, () => startMCPServer({ transport: "sse" })],
];

for (const [what, verdict, start] of REAL) {
  Deno.test(`negotiateEra() finds out the era of a real server: ${what}`, async () => {
    await using server = await start();
    assertEquals(await negotiate(server.url), verdict);
  });
}

/** Answers to `server/discover` that a server of the modern era gives. */
const IS_MODERN: Readonly<Record<string, Behaviour>> = {
  "JSON": answer({ resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: {} }),
  "an event stream": answerSse({ supportedVersions: ["2026-07-28"] }, ": hello\n\n"),
  "several versions": answer({ supportedVersions: ["2025-11-25", "2026-07-28", "2027-01-01"] }),
};

for (const [what, behaviour] of Object.entries(IS_MODERN)) {
  Deno.test(`negotiateEra() takes for modern: ${what}`, async () => {
    await using server = startRawServer({ "server/discover": behaviour });
    assertEquals(await negotiate(server.url), SILENT_MODERN);
  });
}

Deno.test("negotiateEra() takes what a server says of itself, unless it is malformed or too long", async () => {
  const serverInfo = { name: "s", title: "S", version: "1" };
  const said = { supportedVersions: ["2026-07-28"], capabilities: { prompts: {} }, instructions: "x".repeat(20_000) };
  const _meta = { "io.modelcontextprotocol/serverInfo": serverInfo };
  await using server = startRawServer({ "server/discover": answer({ ...said, _meta }) });
  const expected = { implementation: serverInfo, capabilities: { prompts: {} }, instructions: "x".repeat(16_384) };
  assertEquals(await negotiate(server.url), { ...MODERN, info: expected } as EraVerdict);
  const malformed = answer({
    ...said,
    capabilities: [],
    instructions: 7,
    _meta: { ..._meta, ...{ [Object.keys(_meta)[0]!]: "s" } },
  });
  await using other = startRawServer({ "server/discover": malformed });
  assertEquals(await negotiate(other.url), SILENT_MODERN);
});

/** Answers that are no sign of the modern era. */
const IS_LEGACY: Readonly<Record<string, Behaviour>> = {
  "400 without a body": status(400),
  "400 with a legacy error": refusal(400, -32000),
  "400 with a page": status(400, { body: "<html>Bad request</html>" }),
  "404 without a body": status(404),
  "404 with method not found": refusal(404, -32601),
  "404 with a session error": refusal(404, -32001),
  "405": status(405),
  "406": status(406),
  "415": status(415),
  "500, as to a method that it does not know": status(500),
  "200 with method not found": rpcError(-32601, "Method not found"),
  "200 with invalid request": rpcError(-32600, "Not initialized"),
  "an empty result": answer({}),
  "versions of the legacy era alone": answer({ supportedVersions: ["2025-11-25"] }),
  "versions that are no list": answer({ supportedVersions: "2026-07-28" }),
  "an unsupported version, a legacy one as well": refusal(400, -32022, { supported: ["2025-11-25", "2027-01-01"] }),
  "an unsupported version, legacy ones alone": refusal(400, -32022, { supported: ["2025-06-18", "2025-11-25"] }),
  "an unsupported version without a list": refusal(400, -32022),
  "F14 an HTML page": htmlPage,
  "F13 invalid JSON": invalidJson,
  "F5 an SSE answer that ends": sseEnds(),
  "F22 another id": wrongId(),
  "202": acceptedOnly,
};

for (const [what, behaviour] of Object.entries(IS_LEGACY)) {
  Deno.test(`negotiateEra() takes for legacy: ${what}`, async () => {
    await using server = startRawServer({ "server/discover": behaviour });
    assertEquals([await negotiate(server.url), server.requests.length], [LEGACY, 1]);
    await until(() => server.openStreams() === 0);
  });
}

for (const httpStatus of [400, 200]) {
  Deno.test(`negotiateEra() rejects with unsupported_protocol where all versions are unknown: ${httpStatus}`, async () => {
    const behaviour = refusal(httpStatus, -32022, { supported: ["2027-01-01", "2028-01-01"] });
    await using server = startRawServer({ "server/discover": behaviour });
    const error = await failureOf(() => negotiate(server.url), "unsupported_protocol");
    assertEquals([error.server, error.message.includes("words of the server")], ["files", false]);
  });
}

Deno.test("negotiateEra() asks once more where the version is refused and listed all the same", async () => {
  const refuse = refusal(400, -32022, { supported: ["2026-07-28"] });
  const discover = answer({ supportedVersions: ["2026-07-28"], capabilities: {} });
  const answers = [refuse, discover];
  await using server = startRawServer({ "server/discover": (context) => answers.shift()!(context) });
  assertEquals([(await negotiate(server.url)).era, server.requests.length], ["modern", 2]);
});

Deno.test("negotiateEra() rejects with unsupported_protocol where the version that is listed is refused again", async () => {
  const refuse = refusal(400, -32022, { supported: ["2026-07-28"] });
  await using server = startRawServer({ "server/discover": refuse });
  await failureOf(() => negotiate(server.url), "unsupported_protocol");
  assertEquals(server.requests.length, 2);
});

/** Answers that say nothing of the era: the next attempt asks again. */
const NO_VERDICT: readonly (readonly [string, Behaviour, MCPErrorCode])[] = [
  ["F11 401", status(401), "unauthorized"],
  ["F11 403", status(403), "forbidden"],
  ["F10 429", status(429), "rate_limited"],
  ["F10 503 with Retry-After", rateLimited(60, 503), "rate_limited"],
  ["F12 502", status(502), "upstream_error"],
  ["F12 503", status(503), "upstream_error"],
  ["F12 504", status(504), "upstream_error"],
  ["F2 hangs", hang, "deadline_exceeded"],
  ["F2 hangs after the head", hangAfterHead, "deadline_exceeded"],
  ["drops the connection", drop, "unreachable"],
  ["F6 breaks off", sseBreaks, "unreachable"],
  ["F15 redirects elsewhere", redirectTo("http://127.0.0.1:9/mcp"), "redirect_refused"],
  ["F17 16 MiB", oversizeJson(16 * MIB), "too_large"],
];

for (const [what, behaviour, code] of NO_VERDICT) {
  Deno.test(`negotiateEra() rejects with ${code}, which is no verdict: ${what}`, async () => {
    await using server = startRawServer({ "server/discover": behaviour });
    await failureOf(() => negotiate(server.url, code === "deadline_exceeded" ? 500 : 10_000), code);
    assertEquals(server.requests.length, 1);
    await until(() => server.openStreams() === 0);
  });
}

Deno.test("F1 negotiateEra() rejects with unreachable where the connection is refused", async () => {
  await failureOf(() => negotiate(refusedUrl()), "unreachable");
});

Deno.test("negotiateEra() asks by one POST of server/discover that stands alone", async () => {
  await using server = startModernServer();
  await negotiate(server.url);
  const [{ method, headers, body }] = [server.requests[0]!];
  assertEquals([server.requests.length, method], [1, "POST"]);
  assertEquals(
    ["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id"].map((name) => headers.get(name)),
    ["2026-07-28", "server/discover", null, null],
  );
  const { _meta } = (body as { params: { _meta: JsonObject } }).params;
  assertEquals(_meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
  assertEquals(_meta["io.modelcontextprotocol/clientCapabilities"], {});
  assertEquals((_meta["io.modelcontextprotocol/clientInfo"] as JsonObject).name, "portolan");
});
