import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { asSchema, generateText, isStepCount, jsonSchema } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { type CallTool, toAISDKTools } from "@portolan/mcp/models";
import { MCPError } from "../../src/errors.ts";
import type { Tool, ToolResult } from "../../src/protocol.ts";
import { HUNDRED_TOOLS } from "./hundred_tools.ts";

const QUERY: Tool = {
  name: "data.query",
  description: "Queries rows",
  inputSchema: { type: "object", properties: { $filter: { type: "string" } }, required: ["$filter"] },
};
const RESULT: ToolResult = { content: [{ type: "text", text: "7 rows" }] };

Deno.test("toAISDKTools() gives tools that generateText() calls, and tells the model of the result", async () => {
  const calls: Parameters<CallTool>[] = [];
  const call: CallTool = (...args) => {
    calls.push(args);
    return Promise.resolve(RESULT);
  };
  const { tools, nameOf } = toAISDKTools([...HUNDRED_TOOLS, QUERY], call);
  const toolName = Object.keys(tools).at(-1)!;
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 1, text: 1, reasoning: undefined },
  };
  const model: MockLanguageModelV4 = new MockLanguageModelV4({
    doGenerate: ({ tools = [] }) => {
      const isFirst = model.doGenerateCalls.length === 1;
      const last = tools.at(-1);
      assert(last?.type === "function");
      const [filter] = Object.keys(last.inputSchema.properties ?? {});
      const input = JSON.stringify({ [filter!]: "age gt 9" });
      return Promise.resolve(
        isFirst
          ? {
            content: [{ type: "tool-call", toolCallId: "1", toolName: last.name, input }],
            finishReason: { unified: "tool-calls", raw: undefined },
            usage,
            warnings: [],
          }
          : {
            content: [{ type: "text", text: "There are 7." }],
            finishReason: { unified: "stop", raw: undefined },
            usage,
            warnings: [],
          },
      );
    },
  });
  const controller = new AbortController();
  const { text } = await generateText({
    model,
    prompt: "How many?",
    tools,
    stopWhen: isStepCount(2),
    abortSignal: controller.signal,
  });
  assertEquals(text, "There are 7.");
  assertEquals([nameOf(toolName), calls.length], ["data.query", 1]);
  const [name, args, { signal }] = calls[0]!;
  assertEquals([name, args, signal instanceof AbortSignal], ["data.query", { $filter: "age gt 9" }, true]);
  const told = model.doGenerateCalls[1]!.prompt.at(-1)!;
  assert(told.role === "tool" && told.content[0]?.type === "tool-result");
  assertEquals(told.content[0].output, { type: "text", value: "7 rows" });
});

Deno.test("toAISDKTools() gives schemas that the SDK takes for its own, as they are", async () => {
  const { tools } = toAISDKTools(HUNDRED_TOOLS, () => Promise.resolve(RESULT));
  const { inputSchema } = tools.read_file!;
  assertEquals(asSchema(inputSchema) as unknown, inputSchema);
  assertEquals(
    await asSchema(inputSchema).jsonSchema as unknown,
    HUNDRED_TOOLS.find((t) => t.name === "read_file")!.inputSchema,
  );
  const own = Object.getOwnPropertySymbols(jsonSchema({}));
  assertEquals(Object.getOwnPropertySymbols(inputSchema), own);
  assertEquals(inputSchema["~standard"].validate({ a: 1 }), { value: { a: 1 } });
  assertEquals(inputSchema["~standard"].jsonSchema.input(), { ...inputSchema.jsonSchema });
});

Deno.test("AISDKTool.execute() passes on the caller's signal and what the call throws", async () => {
  const reason = new Error("stop");
  const call: CallTool = (_name, _args, { signal }) => Promise.reject(signal?.reason);
  const { tools } = toAISDKTools(HUNDRED_TOOLS, call);
  const error = await assertRejects(() => tools.read_file!.execute({}, { abortSignal: AbortSignal.abort(reason) }));
  assertEquals(error, reason);
});

Deno.test("AISDKTool.execute() rejects with invalid_arguments for what is no object", async () => {
  const { tools } = toAISDKTools(HUNDRED_TOOLS, () => Promise.resolve(RESULT));
  const error = await assertRejects(() => tools.read_file!.execute([], {}), MCPError);
  assertEquals(error.code, "invalid_arguments");
});

Deno.test("toAISDKTools() refuses a cap of results before any tool runs", () => {
  assertThrows(() => toAISDKTools([QUERY], () => Promise.resolve(RESULT), { maxChars: -1 }), RangeError);
});

Deno.test("AISDKTool.toModelOutput() keeps to the caps of the export", () => {
  const { tools } = toAISDKTools(HUNDRED_TOOLS, () => Promise.resolve(RESULT), { maxChars: 1 });
  assertEquals(tools.read_file!.toModelOutput({ output: RESULT }), {
    type: "text",
    value: "7\n[5 more characters left out]",
  });
});

Deno.test("toAISDKTools() gives a tool called like a member of every object as its own", () => {
  const tool = { ...QUERY, name: "__proto__" };
  const { tools } = toAISDKTools([tool], () => Promise.resolve(RESULT));
  assertEquals(Object.keys(tools), ["__proto__"]);
});
