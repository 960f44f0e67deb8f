import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { isSessionLost, MAX_ERROR_BODY_BYTES, readHttpFailure, toHttpError } from "../src/http_failure.ts";
import type { Phase } from "../src/network_errors.ts";
import { oversizeError } from "./support/behaviours.ts";
import { until } from "./support/client_support.ts";
import { startRawServer } from "./support/fault_server.ts";

const NOW_MS = Date.UTC(2026, 10, 25, 12, 0, 0);

function retryAfterOf(value: string | undefined) {
  const headers = value === undefined ? {} : { "retry-after": value };
  return readHttpFailure(new Response(null, { status: 429, headers }), NOW_MS).then(({ retryAfterMs }) => retryAfterMs);
}

const RETRY_AFTER: readonly (readonly [string | undefined, number | undefined])[] = [
  [undefined, undefined],
  ["0", 0],
  ["7", 7_000],
  [" 120 ", 120_000],
  ["Wed, 25 Nov 2026 12:00:30 GMT", 30_000],
  ["Wed, 25 Nov 2026 11:59:00 GMT", 0],
  ["soon", undefined],
  ["-5 apples", undefined],
  ["99999999999999999999", undefined],
  ["", undefined],
];

for (const [value, expected] of RETRY_AFTER) {
  Deno.test(`readHttpFailure() reads Retry-After ${JSON.stringify(value)} as ${expected} ms`, async () => {
    assertEquals(await retryAfterOf(value), expected);
  });
}

Deno.test("readHttpFailure() keeps the start of a short body, also where a character is cut", async () => {
  const short = await readHttpFailure(new Response("no such session", { status: 400 }), NOW_MS);
  assertEquals([short.status, short.text], [400, "no such session"]);
  const empty = await readHttpFailure(new Response(null, { status: 500 }), NOW_MS);
  assertEquals(empty.text, "");
  const wide = await readHttpFailure(new Response("ä".repeat(5_000), { status: 500 }), NOW_MS);
  assertLessOrEqual(wide.text.length, MAX_ERROR_BODY_BYTES);
});

Deno.test("F18 readHttpFailure() reads 2 KiB of a body of 32 MiB and closes it", async () => {
  await using server = startRawServer({ "tools/call": oversizeError(32 * 1024 * 1024) });
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call" });
  const failure = await readHttpFailure(await fetch(server.url, { method: "POST", body }), NOW_MS);
  assertEquals(failure.status, 500);
  assertLessOrEqual(failure.text.length, MAX_ERROR_BODY_BYTES);
  await until(() => server.openStreams() === 0 && server.openConnections() === 0);
});

Deno.test("readHttpFailure() has the status of an answer whose body breaks off", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("broken")),
  });
  assertEquals((await readHttpFailure(new Response(body, { status: 502 }), NOW_MS)).status, 502);
});

Deno.test("isSessionLost() is true for 404 and for a 400 that speaks of the session", () => {
  const lost = (status: number, text: string) => isSessionLost({ status, text, retryAfterMs: undefined });
  assertEquals(lost(404, ""), true);
  assertEquals(lost(400, "Bad Request: No valid session ID provided"), true);
  assertEquals(lost(400, "Mcp-SESSION-id is unknown"), true);
  assertEquals(lost(400, "Bad Request: Server not initialized"), true);
  assertEquals(lost(400, "Bad arguments"), false);
  assertEquals(lost(500, "session store is down"), false);
});

/** Status and `Retry-After` of an answer, what was asked, and the code and the leave to try again that come of it. */
const ERRORS: readonly (readonly [number, number | undefined, Phase, string, boolean])[] = [
  [401, undefined, "connect", "unauthorized", false],
  [403, undefined, "call", "forbidden", false],
  [429, undefined, "call", "rate_limited", true],
  [429, 7_000, "list", "rate_limited", true],
  [503, 7_000, "call", "rate_limited", true],
  [503, undefined, "call", "upstream_error", false],
  [503, undefined, "list", "upstream_error", true],
  [500, undefined, "connect", "upstream_error", true],
  [500, undefined, "call", "upstream_error", false],
  [404, undefined, "connect", "upstream_error", false],
  [418, undefined, "list", "upstream_error", false],
];

for (const [status, retryAfterMs, phase, code, retryable] of ERRORS) {
  const after = retryAfterMs === undefined ? "" : " with Retry-After";
  Deno.test(`toHttpError() makes ${code} of ${status}${after} in phase ${phase}`, () => {
    const error = toHttpError({ status, text: "words of the server", retryAfterMs }, { server: "files", phase });
    assertEquals([error.code, error.retryable, error.httpStatus], [code, retryable, status]);
    assertEquals([error.server, error.retryAfterMs], ["files", retryAfterMs]);
    assertEquals(Deno.inspect(error).includes("words of the server"), false);
    assertLess(error.message.length, 200);
  });
}
