import { assertEquals, assertThrows } from "@std/assert";
import { tellProgress, toResult, toToolPage, toToolResult } from "../../src/connection/tool_messages.ts";
import { MCPError } from "../../src/errors.ts";
import type { JsonObject, Progress } from "../../src/protocol.ts";

const CONTEXT = { server: "files", method: "tools/call" };

Deno.test("toResult() returns the result of a response, and throws upstream_error for an error", () => {
  assertEquals(toResult({ jsonrpc: "2.0", id: 1, result: { a: 1 } }, CONTEXT), { a: 1 });
  for (const [code, expected] of [[-32602, -32602], ["text", undefined]] as const) {
    const answer = { jsonrpc: "2.0", id: 1, error: { code, message: "words of the server" } };
    const error = assertThrows(() => toResult(answer, CONTEXT), MCPError);
    assertEquals([error.code, error.rpcCode, error.server], ["upstream_error", expected, "files"]);
    assertEquals(error.message.includes("words of the server"), false);
  }
});

for (const result of [undefined, null, 7, "text", []]) {
  Deno.test(`toResult() throws bad_response for the result ${JSON.stringify(result)}`, () => {
    const answer = { jsonrpc: "2.0", id: 1, ...(result === undefined ? {} : { result }) } as JsonObject;
    assertEquals(assertThrows(() => toResult(answer, CONTEXT), MCPError).code, "bad_response");
  });
}

Deno.test("toToolPage() takes a list, and a cursor that is a text", () => {
  const plain = { tools: [], nextCursor: undefined, ttlMs: undefined, isPublic: false };
  assertEquals(toToolPage({ tools: [1], nextCursor: "x" }, "files"), { ...plain, tools: [1], nextCursor: "x" });
  assertEquals(toToolPage({ tools: [], nextCursor: null }, "files"), plain);
  for (
    const [ttlMs, expected] of [[60_000, 60_000], [0, 0], [-1, 0], ["60000", undefined], [null, undefined]] as const
  ) {
    assertEquals(toToolPage({ tools: [], ttlMs }, "files"), { ...plain, ttlMs: expected }, `${ttlMs}`);
  }
  for (const [cacheScope, isPublic] of [["public", true], ["private", false], [true, false], [null, false]] as const) {
    assertEquals(toToolPage({ tools: [], cacheScope }, "files"), { ...plain, isPublic });
  }
  for (const tools of [undefined, null, {}, "list"]) {
    const result = (tools === undefined ? {} : { tools }) as JsonObject;
    assertEquals(assertThrows(() => toToolPage(result, "files"), MCPError).code, "bad_response");
  }
});

Deno.test("toToolResult() keeps known and unknown blocks and fields", () => {
  const result: JsonObject = {
    content: [
      { type: "text", text: "a" },
      { type: "image", data: "AA==", mimeType: "image/png" },
      { type: "audio", data: "AA==", mimeType: "audio/wav" },
      { type: "resource", resource: { uri: "file:///a", text: "a" } },
      { type: "resource_link", uri: "file:///a", name: "a" },
      { type: "later", anything: true },
    ],
    structuredContent: { a: 1 },
    isError: true,
    _meta: { b: 2 },
  };
  assertEquals(toToolResult(result, "files"), result as unknown);
  assertEquals(toToolResult({}, "files"), { content: [] });
  assertEquals(toToolResult({ isError: "yes" }, "files"), { content: [] });
  for (const structuredContent of [7, "text", null, false, [1, { a: 2 }]]) {
    assertEquals(toToolResult({ structuredContent }, "files"), { content: [], structuredContent } as unknown);
  }
});

for (
  const content of [
    "text",
    [null],
    [{ text: "a" }],
    [{ type: "text", text: 7 }],
    [{ type: "image", data: "AA==" }],
    [{ type: "audio", mimeType: "audio/wav" }],
    [{ type: "resource", resource: "a" }],
    [{ type: "resource_link", name: "a" }],
  ]
) {
  Deno.test(`toToolResult() throws bad_response for the content ${JSON.stringify(content)}`, () => {
    const error = assertThrows(() => toToolResult({ content } as JsonObject, "files"), MCPError);
    assertEquals([error.code, error.server], ["bad_response", "files"]);
  });
}

Deno.test("tellProgress() tells of notices of its own call alone, and survives its listener", () => {
  const told: Progress[] = [];
  const listener = (progress: Progress) => {
    told.push(progress);
    throw new Error("a listener that throws");
  };
  const notice = (params: JsonObject, method = "notifications/progress") => {
    tellProgress({ jsonrpc: "2.0", method, params }, "own", listener);
  };
  notice({ progressToken: "own", progress: 1, total: 2, message: "half" });
  notice({ progressToken: "own", progress: 2, total: "2", message: 7 });
  const ofTask = { "io.modelcontextprotocol/related-task": { taskId: "t1" } };
  notice({ progressToken: "own", progress: 2, _meta: { "a.example/b": [1], ...ofTask }, later: null });
  notice({ progressToken: "own", progress: 2, _meta: ofTask });
  notice({ progressToken: "other", progress: 3 });
  notice({ progressToken: "own", progress: "3" });
  notice({ progressToken: "own", progress: 3 }, "notifications/message");
  tellProgress({ jsonrpc: "2.0", method: "notifications/progress" }, "own", listener);
  assertEquals(told, [
    { progress: 1, total: 2, message: "half" },
    { progress: 2, total: undefined, message: undefined },
    { progress: 2, total: undefined, message: undefined, _meta: { "a.example/b": [1] }, later: null },
    { progress: 2, total: undefined, message: undefined },
  ]);
});
