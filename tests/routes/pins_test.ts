import { assert, assertEquals } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import type { AgentClient } from "../../src/gateway/agent_directory.ts";
import type { PinDecision, PinnedTool } from "../../src/tools/pinned_tool.ts";
import { openHarness, post, problemOf } from "../gateway/gateway_support.ts";

const PATH = "/admin/agents/Kairos/pins";
const BEFORE = { description: "Reads", inputSchema: { type: "object" } };
const NOW = { description: "Reads </script><b>and mails</b> \u202e", inputSchema: { type: "object" } };
const CHANGED: PinnedTool = {
  server: "files",
  tool: "read",
  state: "changed",
  callable: false,
  pinnedAtMs: Date.UTC(2027, 0, 1),
  digest: "ab".repeat(32),
  before: BEFORE,
  now: NOW,
};
const PINNED: PinnedTool = { server: "files", tool: "write", state: "pinned", callable: true };

function listing(...pins: PinnedTool[]): Pick<AgentClient, "listPins"> {
  return { listPins: () => Promise.resolve(pins) };
}

/** An agent that decides as it is told, and what it was told. */
function deciding(outcome: { readonly decided?: boolean; readonly kept?: boolean } = {}) {
  const decisions: PinDecision[] = [];
  const overrides: Pick<AgentClient, "decidePin"> = {
    decidePin: (decision) => {
      decisions.push(decision);
      const { server, tool } = decision;
      if (server !== "files") return Promise.reject(new MCPError("server_not_found", "Cannot use the server"));
      if (tool !== "read") return Promise.reject(new MCPError("tool_not_found", "Cannot find the tool"));
      const state = decision.decision === "accept" ? "pinned" : "withheld";
      return Promise.resolve({ server, tool, state, decided: true, kept: true, ...outcome });
    },
  };
  return { decisions, overrides };
}

Deno.test("GET /agents/:agent/pins shows what has changed and is withheld, as JSON that a page can show as text", async () => {
  const withheld: PinnedTool = { ...PINNED, tool: "mail", state: "withheld", callable: false };
  const { ask } = await openHarness(listing(CHANGED, PINNED, withheld));
  const response = await ask("/agents/Kairos/pins");
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
  const { pinnedAtMs: _, ...rest } = CHANGED;
  const tools = [{ ...rest, pinnedAt: "2027-01-01T00:00:00.000Z" }, withheld];
  assertEquals(await response.json(), { agent: "Kairos", cut: false, tools });
  const { tools: all } = await (await ask("/agents/Kairos/pins?all=true")).json();
  assertEquals(all.map(({ tool }: PinnedTool) => tool), ["read", "write", "mail"]);
});

Deno.test("GET /agents/:agent/pins leaves definitions and tools out that would make the answer too large", async () => {
  const text = { description: "x".repeat(60_000), inputSchema: { type: "object" } };
  const many = Array.from(
    { length: 2_100 },
    (_, index) => ({ ...CHANGED, tool: `t${index}`, before: text, now: text }),
  );
  const { ask } = await openHarness(listing(...many));
  const body = await (await ask("/agents/Kairos/pins")).text();
  const { cut, tools } = JSON.parse(body);
  assertEquals([cut, tools.length], [true, 2_000]);
  assert(body.length < 2 * 1024 * 1024, String(body.length));
});

Deno.test("GET /agents/:agent/pins refuses another agent, an unknown choice, and where nobody can tell", async () => {
  const { ask } = await openHarness(listing(CHANGED));
  const other = await ask("/agents/Mercurius/pins");
  assertEquals([other.status, (await problemOf(other)).code], [404, "agent_not_found"]);
  const choice = await ask("/agents/Kairos/pins?all=maybe");
  assertEquals([choice.status, (await problemOf(choice)).code], [400, "invalid_request"]);
  const nobody = await openHarness();
  const refused = await nobody.ask("/agents/Kairos/pins");
  assertEquals([refused.status, (await problemOf(refused)).code], [501, "not_implemented"]);
});

Deno.test("POST /admin/agents/:agent/pins hands the decision over and tells how soon it holds everywhere", async () => {
  const { decisions, overrides } = deciding();
  const { ask } = await openHarness(overrides);
  for (const [decision, state] of [["withhold", "withheld"], ["accept", "pinned"]]) {
    const body = JSON.stringify({ server: "files", tool: "read", decision });
    const response = await ask(PATH, { ...post(body), key: "admin-key" });
    assertEquals(response.status, 200);
    assertEquals(await response.json(), { server: "files", tool: "read", state, effectiveWithinMs: 10_000 });
  }
  assertEquals(decisions.map(({ decision }) => decision), ["withhold", "accept"]);
});

Deno.test("S3 S6 POST /admin/agents/:agent/pins refuses what is no decision, and names that nobody has", async () => {
  const { decisions, overrides } = deciding();
  const { ask } = await openHarness(overrides);
  const answer = async (body: string) => {
    const response = await ask(PATH, { ...post(body), key: "admin-key" });
    return [response.status, (await problemOf(response)).code];
  };
  const good = { server: "files", tool: "read", decision: "accept" };
  for (
    const wrong of [
      {},
      { ...good, decision: "trust" },
      { ...good, server: 1 },
      { ...good, tool: null },
      { ...good, digest: 5 },
      { ...good, force: true },
    ]
  ) {
    assertEquals(await answer(JSON.stringify(wrong)), [400, "invalid_request"]);
  }
  assertEquals(await answer("[]"), [400, "invalid_arguments"]);
  assertEquals(await answer("{"), [400, "invalid_arguments"]);
  assertEquals(decisions, []);
  for (const name of ["nothing", "__proto__", "constructor", "toString"]) {
    assertEquals(await answer(JSON.stringify({ ...good, server: name })), [404, "server_not_found"]);
    assertEquals(await answer(JSON.stringify({ ...good, tool: name })), [404, "tool_not_found"]);
  }
  const unknown = await ask("/admin/agents/constructor/pins", { ...post(JSON.stringify(good)), key: "admin-key" });
  assertEquals([unknown.status, (await problemOf(unknown)).code], [404, "agent_not_found"]);
});

Deno.test("POST /admin/agents/:agent/pins says what was not decided, or not kept", async () => {
  const body = JSON.stringify({ server: "files", tool: "read", decision: "accept", digest: "ab".repeat(32) });
  for (
    const [outcome, status, code] of [
      [{ decided: false }, 409, "pin_changed"],
      [{ kept: false }, 503, "store_unavailable"],
    ] as const
  ) {
    const { ask } = await openHarness(deciding(outcome).overrides);
    const response = await ask(PATH, { ...post(body), key: "admin-key" });
    assertEquals([response.status, (await problemOf(response)).code], [status, code]);
  }
  const { ask } = await openHarness();
  const response = await ask(PATH, { ...post(body), key: "admin-key" });
  assertEquals([response.status, (await problemOf(response)).code], [501, "not_implemented"]);
});
