import { assertEquals, assertThrows } from "@std/assert";
import { RequestError } from "../../src/gateway/request_error.ts";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { parseBatch } from "../../src/rest/batch.ts";

function faultsOf(body: JsonObject): readonly string[] {
  const error = assertThrows(() => parseBatch(body), RequestError);
  assertEquals(error.code, "invalid_batch");
  return error.faults.map(({ path }) => path);
}

const CALL = { tool: "search", arguments: { query: "ahoy" } };

Deno.test("parseBatch() reads calls with and without what may be left out", () => {
  const body = { calls: [{ ...CALL, id: "a", idempotencyKey: "k 1" }, { tool: "list" }], concurrency: 2 };
  assertEquals(parseBatch(body), {
    calls: [
      { id: "a", tool: "search", args: { query: "ahoy" }, idempotencyKey: "k 1" },
      { id: undefined, tool: "list", args: {}, idempotencyKey: undefined },
    ],
    concurrency: 2,
  });
  assertEquals(parseBatch({ calls: [CALL] }).concurrency, 8);
  assertEquals(parseBatch({ calls: Array(64).fill(CALL), concurrency: 16 }).calls.length, 64);
});

Deno.test("parseBatch() refuses a number of calls, or of calls at once, out of bounds", () => {
  for (const calls of [[], Array(65).fill(CALL), {}, "calls", null] as JsonValue[]) {
    assertEquals(faultsOf({ calls })[0], "calls");
  }
  assertEquals(faultsOf({}), ["calls"]);
  for (const concurrency of [0, 17, 1.5, "8", null] as JsonValue[]) {
    assertEquals(faultsOf({ calls: [CALL], concurrency }), ["concurrency"]);
  }
});

Deno.test("parseBatch() tells every fault with its path", () => {
  const calls: JsonValue[] = [
    CALL,
    "call",
    { tool: "", arguments: [] },
    { tool: 7, id: 7, idempotencyKey: "" },
    { tool: "a", id: "x".repeat(129), idempotencyKey: "é" },
    { tool: "a", args: {} },
  ];
  assertEquals(faultsOf({ calls, concurency: 2 }), [
    "",
    "calls[1]",
    "calls[2].tool",
    "calls[2].arguments",
    "calls[3].tool",
    "calls[3].id",
    "calls[3].idempotencyKey",
    "calls[4].id",
    "calls[4].idempotencyKey",
    "calls[5]",
  ]);
});

Deno.test("S3 parseBatch() repeats nothing of what it refuses", () => {
  const error = assertThrows(
    () => parseBatch({ calls: [{ canary: 1, tool: ["canary"], id: { canary: 1 } }], canary: 1 }),
    RequestError,
  );
  assertEquals(JSON.stringify([error.message, error.faults]).includes("canary"), false);
});
