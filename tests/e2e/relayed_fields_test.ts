/** Fields that this package does not know reach the caller as the server sent them. */

import { assertEquals } from "@std/assert";
import { type JsonObject, MemoryRouteStore, MultiServerMCPClient, type Progress } from "@portolan/mcp";
import { answer, type Behaviour, event, sse } from "../support/behaviours.ts";
import { type RawServerScript, startRawServer } from "../support/fault_server.ts";
import { modernScript } from "../support/modern_script.ts";
import { offering } from "./_feature_case.ts";

const META: JsonObject = { "a.example/b": { c: [1, null, "d"] } };
const ICONS = [{ src: "data:image/png;base64,iVBO", mimeType: "image/png", sizes: ["48x48"], theme: "dark" }];
const TOOL: JsonObject = {
  name: "sail",
  title: "Sail",
  description: "Sails.",
  icons: ICONS,
  inputSchema: { type: "object", properties: { to: { type: "string", "x-later": true } }, "x-own": 1 },
  outputSchema: { type: "object", properties: { miles: { type: "number" } } },
  annotations: { title: "Sailing", readOnlyHint: true, "later/hint": "x" },
  execution: { taskSupport: "optional", later: 1 },
  _meta: META,
  later: { a: 1 },
};
const RESULT: JsonObject = {
  content: [{ type: "text", text: "done", annotations: { priority: 1 }, _meta: META, later: 1 }],
  structuredContent: { miles: 7 },
  isError: false,
  _meta: META,
  later: "x",
};
const RESOURCE: JsonObject = { uri: "chart://a", name: "a", icons: ICONS, annotations: { priority: 1 }, _meta: META };
const CONTENTS: JsonObject = { contents: [{ uri: "chart://a", text: "a", _meta: META, later: 1 }], _meta: META };
const PROMPT: JsonObject = { name: "plan", title: "Plan", icons: ICONS, _meta: META, later: 1 };
const MESSAGES: JsonObject = {
  description: "A plan",
  messages: [{ role: "user", content: { type: "text", text: "a", _meta: META }, later: 1 }],
  _meta: META,
};

/** Answers a call with progress that has more than this package knows, and the result. */
const calling = (more: JsonObject): Behaviour => ({ rpc }) => {
  const { progressToken } = (rpc.params._meta ?? {}) as JsonObject;
  const params: JsonObject = { progress: 1, total: 2, message: "half", _meta: META, later: 1 };
  const notice = { method: "notifications/progress", params: { ...params, progressToken: progressToken ?? null } };
  const response = { jsonrpc: "2.0", id: rpc.id ?? null, result: { ...RESULT, ...more } };
  return sse(event({ jsonrpc: "2.0", ...notice }) + event(response));
};

/** What a server answers; `more` is what the results of its era carry. */
function toScript(more: JsonObject): RawServerScript {
  return {
    "tools/list": answer({ tools: [TOOL], ...more }),
    "tools/call": calling(more),
    "resources/list": answer({ resources: [RESOURCE], ...more }),
    "resources/templates/list": answer({ resourceTemplates: [], ...more }),
    "resources/read": answer({ ...CONTENTS, ...more }),
    "prompts/list": answer({ prompts: [PROMPT], ...more }),
    "prompts/get": answer({ ...MESSAGES, ...more }),
    "completion/complete": answer({ completion: { values: ["a"] }, ...more }),
  };
}

const HINTS: JsonObject = { resultType: "complete", ttlMs: 60_000, cacheScope: "public" };
const CAPABILITIES = { tools: {}, resources: {}, prompts: {}, completions: {} };
const ERAS: Readonly<Record<string, { readonly script: RawServerScript; readonly more: JsonObject }>> = {
  legacy: { script: { ...toScript({}), initialize: offering(CAPABILITIES) }, more: {} },
  modern: {
    script: modernScript({
      ...toScript(HINTS),
      "server/discover": answer({ ...HINTS, supportedVersions: ["2026-07-28"], capabilities: CAPABILITIES }),
    }),
    more: HINTS,
  },
};

for (const [era, { script, more }] of Object.entries(ERAS)) {
  Deno.test(`MultiServerMCPClient passes on what a server of the ${era} era says, field by field`, async () => {
    await using server = startRawServer(script);
    const store = new MemoryRouteStore();
    const config = { servers: { harbour: { url: server.url } } };
    for (const source of ["the server", "the store"]) {
      await using client = new MultiServerMCPClient("Kairos", config, { store });
      assertEquals([...await client.listTools()] as unknown, [TOOL], source);
      const told: Progress[] = [];
      const { result } = await client.callToolRouted("sail", {}, { onProgress: (progress) => told.push(progress) });
      assertEquals(result as unknown, { ...RESULT, ...more });
      assertEquals(told, [{ progress: 1, total: 2, message: "half", _meta: META, later: 1 }]);
      assertEquals([...await client.listResources()] as unknown, [RESOURCE]);
      assertEquals(await client.readResource("chart://a") as unknown, { ...CONTENTS, ...more });
      assertEquals([...await client.listPrompts()] as unknown, [PROMPT]);
      assertEquals(await client.getPrompt("plan") as unknown, { ...MESSAGES, ...more });
    }
    assertEquals(server.count("tools/list"), 1);
  });

  Deno.test(`MultiServerMCPClient.complete() sends a server of the ${era} era the arguments that are known`, async () => {
    await using server = startRawServer(script);
    await using client = new MultiServerMCPClient("Kairos", { servers: { harbour: { url: server.url } } });
    const argument = { name: "to", value: "G", context: { from: "Venice" } };
    assertEquals(await client.complete({ type: "ref/prompt", name: "plan" }, argument), { values: ["a"] });
    const [request] = server.requests.filter(({ rpcMethod }) => rpcMethod === "completion/complete");
    const { params: { _meta: _, ...params } } = request!.body as { readonly params: JsonObject };
    assertEquals(params, {
      ref: { type: "ref/prompt", name: "plan" },
      argument: { name: "to", value: "G" },
      context: { arguments: { from: "Venice" } },
    });
  });
}
