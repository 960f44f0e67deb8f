import { assertEquals } from "@std/assert";
import { isMCPError, type ServerConfig } from "@portolan/mcp";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { answer, type Behaviour } from "../support/behaviours.ts";
import { textOf } from "../support/client_support.ts";
import { assertNoLag } from "../support/event_loop_lag.ts";
import { type FaultCase, faultTest } from "./_fault_case.ts";

/** A result that costs the server nothing to send. */
function prepared(result: JsonValue): Behaviour {
  const text = JSON.stringify(result);
  return ({ rpc }) => {
    const body = `{"jsonrpc":"2.0","id":${JSON.stringify(rpc.id ?? null)},"result":${text}}`;
    return new Response(body, { headers: { "content-type": "application/json" } });
  };
}

/** Reads the list as directly as can be, and looks at all of it once. */
async function readPlainly({ faulty }: FaultCase): Promise<void> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: "plain", method: "tools/list", params: {} });
  const response = await fetch(faulty.url, { method: "POST", body });
  JSON.stringify(JSON.parse(await response.text()));
}

/** Connects, lists again, and calls, without a noticeable pause. */
async function useAll(fault: FaultCase, expected = "answered"): Promise<void> {
  const { client, call } = fault;
  await client.connectToServers();
  const callOnce = async () => {
    const outcome = await call("a".repeat(30) + "!").then(textOf, (error) => isMCPError(error) ? error.code : error);
    assertEquals(outcome, expected);
  };
  const watched = { plain: () => readPlainly(fault) };
  await assertNoLag({ ...watched, what: "Connecting", work: () => client.reconnect({ server: "faulty" }) });
  await assertNoLag({ ...watched, what: "Looking at the list", work: () => client.listTools() });
  await assertNoLag({ ...watched, what: "Calling", work: callOnce });
}

const ANSWER: JsonObject = {
  content: [{ type: "text", text: "answered" }],
  structuredContent: { text: "a".repeat(30) + "!" },
};
/** Takes longer than the age of the universe to find out that 30 letters and a mark do not match. */
const REDOS: JsonObject = { type: "object", properties: { text: { type: "string", pattern: "^((a+)+)+$" } } };

/** What is checked, and what comes of a call whose arguments and result do not match. */
const CHECKS: readonly (readonly [string, Partial<ServerConfig>, string])[] = [
  ["checked", {}, "invalid_arguments"],
  ["of which the result's is checked", { validateArguments: false }, "invalid_result"],
  ["not checked", { validateArguments: false, validateResults: false }, "answered"],
];

for (const [what, config, expected] of CHECKS) {
  faultTest(`F28 a pattern that takes for ever, in both schemas, ${what}: nobody waits for it`, {
    "tools/list": prepared({ tools: [{ name: "echo", inputSchema: REDOS, outputSchema: REDOS }] }),
    "tools/call": answer(ANSWER),
  }, async (fault) => {
    await useAll(fault, expected);
    assertEquals(fault.client.getConnectionStatus().faulty?.warnings, []);
  }, { config });
}

const PROPERTIES = Object.fromEntries(
  Array.from(
    { length: 6 },
    (_, index) => [`property_${index}`, { type: "string", description: "What it is good for" }],
  ),
);
const MANY = Array.from({ length: 1_999 }, (_, index) => ({
  name: `tool_${index}`,
  description: "One of many",
  inputSchema: { type: "object", properties: PROPERTIES },
  outputSchema: { type: "object" },
}));

faultTest("F29 2,000 tools with schemas: all are kept", {
  "tools/list": prepared({ tools: [{ name: "echo", inputSchema: { type: "object" } }, ...MANY] }),
  "tools/call": answer(ANSWER),
}, async (fault) => {
  await useAll(fault);
  const { toolCount, toolsPartial, warnings } = fault.client.getConnectionStatus().faulty!;
  assertEquals([toolCount, toolsPartial, warnings], [2_000, false, []]);
});

const HUGE: JsonObject = {
  type: "object",
  properties: Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`p${index}`, { type: "string" }])),
};

for (const place of ["inputSchema", "outputSchema"]) {
  faultTest(`F30 a schema of 20,000 properties as ${place}: refused with a warning, the rest kept`, {
    "tools/list": prepared({
      tools: [
        { name: "huge", inputSchema: { type: "object" }, [place]: HUGE },
        { name: "echo", inputSchema: { type: "object" } },
      ],
    }),
    "tools/call": answer(ANSWER),
  }, async (fault) => {
    await useAll(fault);
    const { toolCount, warnings } = fault.client.getConnectionStatus().faulty!;
    assertEquals([toolCount, warnings], [1, [`Dropped tool 1 of page 1: its ${place} passes 65536 characters`]]);
  });
}

/** A schema whose JSON has exactly that many characters. */
function schemaOf(chars: number): JsonObject {
  const empty: JsonObject = { type: "object", description: "" };
  return { ...empty, description: "x".repeat(chars - JSON.stringify(empty).length) };
}

faultTest("F30 a schema of 64 KiB is kept, one of a character more is not", {
  "tools/list": prepared({
    tools: [{ name: "echo", inputSchema: schemaOf(65_536) }, { name: "more", inputSchema: schemaOf(65_537) }],
  }),
}, async ({ client }) => {
  await client.connectToServers();
  const { toolCount, warnings } = client.getConnectionStatus().faulty!;
  assertEquals([toolCount, warnings], [1, ["Dropped tool 2 of page 1: its inputSchema passes 65536 characters"]]);
});
