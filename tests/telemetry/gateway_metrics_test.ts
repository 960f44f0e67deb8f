import { assertEquals } from "@std/assert";
import type { CallRecord } from "../../src/gateway/call_record.ts";
import type { AgentStatus, ServerStatus } from "../../src/status.ts";
import { GatewayMetrics, type GatewayMetricsOptions } from "../../src/telemetry/gateway_metrics.ts";
import { writeMetricsPage } from "../../src/telemetry/metrics_page.ts";
import { RECORD as CALL } from "../support/call_record.ts";
import { findValues, readFamilies, readSamples } from "./_scrape.ts";

const SERVER: ServerStatus = {
  server: "files",
  url: "http://localhost/mcp",
  state: "connected",
  era: "modern",
  transport: "streamable_http",
  protocolVersion: "2026-07-28",
  toolCount: 3,
  toolsFrom: "server",
  toolsPartial: false,
  toolsTtlMs: undefined,
  warnings: [],
  latencyMs: 1,
  latency: undefined,
  breaker: "half_open",
  running: 2,
  waiting: 1,
  connectedAtMs: 0,
  lastError: undefined,
};

function toAgent(agent: string, servers: Record<string, ServerStatus> = { files: SERVER }): AgentStatus {
  return { agent, connectedServers: 1, totalServers: 1, totalTools: 3, servers, shadowed: [] };
}

/** The page after some calls. */
function pageOf(calls: readonly Partial<CallRecord>[], options: GatewayMetricsOptions = {}): string {
  const metrics = new GatewayMetrics(options);
  for (const call of calls) metrics.countCall({ ...CALL, ...call });
  return writeMetricsPage({ metrics, agents: { Kairos: toAgent("Kairos") }, requests: 4 });
}

const failed = { toolName: undefined, route: undefined, outcome: "unreachable" } as const;

Deno.test("writeMetricsPage() counts calls by agent, server, tool, outcome and door", () => {
  const page = pageOf([{}, {}, { door: "mcp", outcome: "tool_error" }]);
  const labels = { agent: "Kairos", server: "files", tool: "read_file" };
  assertEquals(findValues(page, "portolan_calls_total", { ...labels, outcome: "ok", door: "rest" }), [2]);
  assertEquals(findValues(page, "portolan_calls_total", { ...labels, outcome: "tool_error", door: "mcp" }), [1]);
  assertEquals(findValues(page, "portolan_routes_total", { agent: "Kairos", route: "memory" }), [3]);
});

Deno.test("writeMetricsPage() counts requests by route, method and status, of methods that callers make up as one", () => {
  const metrics = new GatewayMetrics();
  const request = { route: "/agents/:agent/tools/:tool", method: "POST", status: 401 };
  for (const more of [{}, {}, { status: 200 }, { method: "BREW" }, { method: "SIFT" }, { route: "", status: 404 }]) {
    metrics.countRequest({ ...request, ...more });
  }
  const page = writeMetricsPage({ metrics, agents: {}, requests: 0 });
  const count = (labels: Record<string, string>) => findValues(page, "portolan_http_requests_total", labels);
  const { route } = request;
  assertEquals([count({ route, method: "POST", status: "401" }), count({ status: "200" })], [[2], [1]]);
  assertEquals([count({ method: "_other" }), count({ route: "", status: "404" })], [[2], [1]]);
  const unseen = writeMetricsPage({ metrics, agents: {}, requests: undefined });
  assertEquals(unseen.includes("http_requests"), false, "it tells of all callers");
});

Deno.test("writeMetricsPage() writes durations as a histogram whose buckets add up", () => {
  const page = pageOf([{ durationMs: 4 }, { durationMs: 5 }, { durationMs: 90 }, { durationMs: 31_000 }]);
  const samples = readSamples(page).filter(({ name }) => name === "portolan_call_duration_seconds_bucket");
  assertEquals(samples.map(({ labels, value }) => [labels.le, value]), [
    ["0.005", 2],
    ["0.025", 2],
    ["0.1", 3],
    ["0.25", 3],
    ["1", 3],
    ["2.5", 3],
    ["10", 3],
    ["30", 3],
    ["+Inf", 4],
  ]);
  assertEquals(findValues(page, "portolan_call_duration_seconds_count"), [4]);
  assertEquals(findValues(page, "portolan_call_duration_seconds_sum").map((sum) => Math.round(sum * 1_000)), [31_099]);
  assertEquals(readFamilies(page).get("portolan_call_duration_seconds")?.type, "HISTOGRAM");
});

Deno.test("writeMetricsPage() shows how each server stands", () => {
  const page = pageOf([]);
  const at = { agent: "Kairos", server: "files" };
  const gauges = ["server_connected", "breaker_state", "server_requests_running", "server_requests_waiting"];
  assertEquals(gauges.map((name) => findValues(page, `portolan_${name}`, at)), [[1], [1], [2], [1]]);
  assertEquals(findValues(page, "portolan_server_state", { ...at, state: "connected" }), [1]);
  assertEquals(findValues(page, "portolan_server_tools", at), [3]);
  assertEquals(findValues(page, "portolan_requests_in_flight"), [4]);
  assertEquals(findValues(page, "portolan_build_info"), [1]);
});

Deno.test("writeMetricsPage() shows agents that are not in view nowhere", () => {
  const metrics = new GatewayMetrics();
  for (const agent of ["Kairos", "Mercurius"]) {
    metrics.countCall({ ...CALL, agent });
    metrics.countEvent({ type: "failed", agent, server: "files", code: "unreachable", message: "x" });
  }
  const page = writeMetricsPage({ metrics, agents: { Kairos: toAgent("Kairos") }, requests: undefined });
  assertEquals([page.includes("Mercurius"), page.includes("requests_in_flight")], [false, false]);
  assertEquals(findValues(page, "portolan_connections_total", { event: "failed" }), [1]);
});

Deno.test("GatewayMetrics.countCall() takes no text of a caller for a tool", () => {
  const page = pageOf([
    { ...failed, tool: "canary", server: undefined, outcome: "tool_not_found" },
    { ...failed, tool: "canary" },
  ]);
  assertEquals([findValues(page, "portolan_calls_total", { tool: "" }), page.includes("canary")], [[1, 1], false]);
});

Deno.test("GatewayMetrics.countCall() names a tool that fails where it has answered before", () => {
  const page = pageOf([{ ...failed }, {}, { ...failed }, { ...failed, server: "mail" }]);
  const unreachable = (tool: string) => findValues(page, "portolan_calls_total", { tool, outcome: "unreachable" });
  assertEquals([unreachable("read_file"), unreachable("")], [[1], [1, 1]]);
});

Deno.test("S4 GatewayMetrics.countCall() keeps hostile names of tools to their lines, and few", () => {
  const names = ['q"} 1\nevil 2', "back\\slash", "bidi\u202e", "bidi\u202d", "\u0000", "\r\n# EOF", "x".repeat(5_000)];
  const page = pageOf(names.map((name) => ({ tool: name, toolName: name })), { maxTools: 1_000 });
  const samples = readSamples(page);
  const tools = samples.filter(({ name }) => name === "portolan_calls_total").map(({ labels }) => labels.tool);
  assertEquals(tools, [
    'q"} 1\ufffdevil 2',
    "back\\slash",
    "bidi\ufffd",
    "\ufffd",
    "\ufffd\ufffd# EOF",
    "x".repeat(128),
  ]);
  assertEquals(samples.some(({ name }) => !name.startsWith("portolan_")), false);
});

Deno.test("GatewayMetrics.countCall() keeps the tools of one server from using up the room of others", () => {
  const many = Array.from({ length: 50 }, (_, index) => ({ tool: `t${index}`, toolName: `t${index}` }));
  const page = pageOf([...many, { server: "mail", tool: "send", toolName: "send" }], { maxTools: 10, maxSeries: 100 });
  const tools = (server: string) =>
    readSamples(page).filter(({ name, labels }) => name === "portolan_calls_total" && labels.server === server).length;
  assertEquals([tools("files"), tools("mail")], [11, 1]);
  assertEquals(findValues(page, "portolan_calls_total", { tool: "_other" }), [40]);
});

Deno.test("GatewayMetrics.countCall() has no more series than agreed", () => {
  const many = Array.from({ length: 500 }, (_, index) => ({ server: `s${index}` }));
  const page = pageOf(many, { maxSeries: 20 });
  const perFamily = Map.groupBy(readSamples(page), ({ name }) => name);
  assertEquals(perFamily.get("portolan_calls_total")?.length, 21);
  assertEquals(perFamily.get("portolan_call_duration_seconds_count")?.length, 21);
  assertEquals(findValues(page, "portolan_calls_total", { server: "_other", tool: "_other" }), [480]);
});
