/**
 * The page that Prometheus reads: what was counted, and how the agents stand now.
 *
 * @module
 */

import type { AgentStatus, ServerStatus } from "../status.ts";
import { VERSION } from "../version.ts";
import { DURATION_BOUNDS, type GatewayMetrics } from "./gateway_metrics.ts";
import { type MetricFamily, writeHistograms, writeNumbers } from "./prometheus_text.ts";
import { type Series, SeriesTable } from "./series_table.ts";

/** What a page shows. */
export interface MetricsView {
  /** What was counted. */
  readonly metrics: GatewayMetrics;
  /** How each agent that may be seen stands; no other is shown. */
  readonly agents: Readonly<Record<string, AgentStatus>>;
  /** How many requests of all callers are under way; `undefined` where what all callers do may not be seen. */
  readonly requests: number | undefined;
}

/** How many series a family of states may have. */
const MAX_SERIES = 4_000;

const BREAKER_VALUES = { closed: 0, half_open: 1, open: 2 } as const;
const SERVER_LABELS = ["agent", "server"];

const CALLS: MetricFamily = {
  name: "portolan_calls_total",
  help: "Calls of tools that have ended. The tool is named as its server names it, once that has answered for it.",
  labels: ["agent", "server", "tool", "outcome", "door"],
};
const DURATIONS: MetricFamily = {
  name: "portolan_call_duration_seconds",
  help: "How long calls of tools took, connecting included.",
  labels: SERVER_LABELS,
};
const ROUTES: MetricFamily = {
  name: "portolan_routes_total",
  help:
    "How the owners of the tools that were called were found: known in memory, read from the cache, or by discovery.",
  labels: ["agent", "route"],
};
const CONNECTIONS: MetricFamily = {
  name: "portolan_connections_total",
  help: "What happened to the connections to servers: connected, recovered, failed.",
  labels: ["agent", "server", "event"],
};
const ANSWERS: MetricFamily = {
  name: "portolan_http_requests_total",
  help: "Requests of all callers that were answered, refused ones included; the route is empty where there is none.",
  labels: ["route", "method", "status"],
};
const REQUESTS: MetricFamily = {
  name: "portolan_requests_in_flight",
  help: "Requests of all callers that are being answered.",
  labels: [],
};
const BUILD_INFO: MetricFamily = {
  name: "portolan_build_info",
  help: "Always 1; the labels say what runs.",
  labels: ["version"],
};

/** What is told of each server, as it stands now. */
const GAUGES: readonly (Omit<MetricFamily, "labels"> & {
  readonly read: (status: ServerStatus) => number | undefined;
})[] = [
  {
    name: "portolan_server_connected",
    help: "Whether the server is connected: 1 or 0.",
    read: ({ state }) => state === "connected" ? 1 : 0,
  },
  {
    name: "portolan_breaker_state",
    help: "The circuit breaker of the server: 0 is closed, 1 half open, 2 open.",
    read: ({ breaker }) => BREAKER_VALUES[breaker],
  },
  {
    name: "portolan_server_requests_running",
    help: "Requests to the server that are under way.",
    read: ({ running }) => running,
  },
  {
    name: "portolan_server_requests_waiting",
    help: "Requests to the server that wait for their turn.",
    read: ({ waiting }) => waiting,
  },
  {
    name: "portolan_server_tools",
    help: "Tools that the server lists and the filters let through.",
    read: ({ toolCount }) => toolCount,
  },
];

const STATES: MetricFamily = {
  name: "portolan_server_state",
  help: "Always 1; the label says where the connection to the server stands.",
  labels: [...SERVER_LABELS, "state"],
};

/**
 * Writes the page.
 *
 * @param view What it shows.
 * @returns The text, in the format of Prometheus.
 */
export function writeMetricsPage({ metrics, agents, requests }: MetricsView): string {
  const isVisible = ({ labels: [agent = ""] }: Series<unknown>) => Object.hasOwn(agents, agent);
  const servers = Object.entries(agents).flatMap(([agent, { servers }]) =>
    Object.entries(servers).map(([server, status]) => ({ labels: [agent, server], status }))
  );
  return [
    writeNumbers("gauge", BUILD_INFO, [{ labels: [VERSION], value: 1 }]),
    ...(requests === undefined ? [] : [
      writeNumbers("gauge", REQUESTS, [{ labels: [], value: requests }]),
      writeNumbers("counter", ANSWERS, metrics.requests),
    ]),
    writeNumbers("counter", CALLS, metrics.calls.filter(isVisible)),
    writeHistograms(DURATIONS, DURATION_BOUNDS, metrics.durations.filter(isVisible)),
    writeNumbers("counter", ROUTES, metrics.routes.filter(isVisible)),
    writeNumbers("counter", CONNECTIONS, metrics.connections.filter(isVisible)),
    writeNumbers("gauge", STATES, addUp(servers.map(({ labels, status }) => [[...labels, status.state], 1]))),
    ...GAUGES.map(({ name, help, read }) => {
      const values = servers.map(({ labels, status }) => [labels, read(status)] as const);
      return writeNumbers("gauge", { name, help, labels: SERVER_LABELS }, addUp(values));
    }),
  ].join("");
}

/** What has the same labels, or no labels of its own any more, is one series: twice the same would be no page. */
function addUp(values: readonly (readonly [labels: readonly string[], value: number | undefined])[]) {
  const table = new SeriesTable(MAX_SERIES, () => ({ sum: 0 }));
  for (const [labels, value] of values) {
    if (value !== undefined) table.at(labels).sum += value;
  }
  return table.list().map(({ labels, value }) => ({ labels, value: value.sum }));
}
