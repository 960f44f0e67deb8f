import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { RequestError } from "../../src/gateway/request_error.ts";
import { parseRequestTimeout, withinTime } from "../../src/rest/request_timeout.ts";
import type { RequestOptions } from "../../src/tool_client.ts";

Deno.test("parseRequestTimeout() takes a positive integer, and what no timer can be set for as the longest", () => {
  assertEquals(parseRequestTimeout(undefined), undefined);
  assertEquals(["1", "0250", "2500"].map(parseRequestTimeout), [1, 250, 2_500]);
  assertEquals(parseRequestTimeout("999999999999999"), 2_147_483_647);
});

for (const header of ["", "0", "-1", "1.5", "1e3", "0x10", "ten", "1, 2", "1 ", "Infinity", "9".repeat(16)]) {
  Deno.test(`parseRequestTimeout() refuses ${JSON.stringify(header)}`, () => {
    assertEquals(assertThrows(() => parseRequestTimeout(header), RequestError).code, "invalid_header");
  });
}

Deno.test("withinTime() hands a shorter time on, and prolongs nothing by a longer one", async () => {
  const { signal } = new AbortController();
  const optionsOf = (timeoutMs: number | undefined) =>
    withinTime(timeoutMs, signal, (options) => Promise.resolve(options));
  assertEquals(await optionsOf(undefined), { signal });
  assertEquals(await optionsOf(30_000), { signal, timeoutMs: 30_000 });
  const options: RequestOptions = await optionsOf(30_001);
  assertEquals([options.timeoutMs, options.signal === signal], [undefined, false]);
});

Deno.test("withinTime() rejects with the caller's reason where the caller gives up a long work", async () => {
  const caller = new AbortController();
  const waiting = withinTime(60_000, caller.signal, ({ signal }) => {
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  });
  caller.abort("gone");
  assertEquals(await waiting.catch((reason) => reason), "gone");
});

Deno.test("withinTime() hands a failure of the work on as it is", async () => {
  const failure = new MCPError("unreachable", "Cannot reach it");
  const { signal } = new AbortController();
  for (const timeoutMs of [undefined, 1_000, 60_000]) {
    const error = await assertRejects(() => withinTime(timeoutMs, signal, () => Promise.reject(failure)));
    assertEquals(error, failure);
  }
});
