import { assert, assertEquals } from "@std/assert";
import { parser } from "@prometheus-io/lezer-promql";
import { createGateway } from "../../routes/mod.ts";
import { MCPClientManager } from "../../src/client_manager.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { readFamilies, readSamples } from "./_scrape.ts";

interface Target {
  readonly expr: string;
  readonly refId: string;
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly description: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly Target[];
  }[];
  readonly templating: { readonly list: readonly { readonly type: string; readonly query: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

const FILE = new URL("grafana_dashboard.json", import.meta.url);
const VARIABLE_QUERY = /^label_values\((\w+), (\w+)\)$/;

const readDashboard = async (): Promise<Dashboard> => JSON.parse(await Deno.readTextFile(FILE));

/** What a query names: each metric, the labels that it asks of it, and those that the result is grouped by. */
function readQuery(expr: string) {
  // What Grafana fills in, as it would: a duration.
  const query = expr.replaceAll(/\$__(rate_interval|range)\b/g, "5m");
  const text = (node: { from: number; to: number }) => query.slice(node.from, node.to);
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouped = new Set<string>();
  let isGrouping = false;
  parser.parse(query).iterate({
    enter(node) {
      assertEquals(node.type.isError, false, `${query} at ${node.from}`);
      if (node.name === "VectorSelector") selectors.push({ metric: "", labels: [] });
      if (node.name === "GroupingLabels") isGrouping = true;
      const selector = selectors.at(-1);
      if (node.name === "Identifier" && selector !== undefined) selector.metric = text(node);
      if (node.name === "LabelName") isGrouping ? grouped.add(text(node)) : selector?.labels.push(text(node));
    },
    leave(node) {
      if (node.name === "GroupingLabels") isGrouping = false;
    },
  });
  return { selectors, grouped };
}

/** The page of a gateway that has had some calls, read by its administrator. */
async function readPage(): Promise<string> {
  await using upstream = await startMCPServer();
  const servers = { files: { url: upstream.url }, gone: { url: "http://127.0.0.1:9/mcp" } };
  await using directory = new MCPClientManager({ agents: { Kairos: { servers } } });
  const gateway = createGateway({ directory }, { open: "loopback" });
  const peer = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 } } as const;
  const ask = async (path: string, init?: RequestInit) => {
    const request = new Request(`http://localhost${path}`, { ...init, headers: { host: "localhost" } });
    return await (await gateway.fetch(request, peer)).text();
  };
  await ask("/agents/Kairos/tools/whoami", { method: "POST" });
  return await ask("/metrics");
}

Deno.test("The dashboard of Grafana asks for what /metrics serves, and nothing else", async () => {
  const page = await readPage();
  const labelsOf = new Map<string, Set<string>>();
  for (const { name, labels } of readSamples(page)) {
    const known = labelsOf.get(name) ?? new Set();
    for (const label of Object.keys(labels)) known.add(label);
    labelsOf.set(name, known);
  }
  const { panels, templating, annotations } = await readDashboard();
  const queries = [...panels.flatMap(({ targets }) => targets), ...annotations.list].map(({ expr }) => readQuery(expr));
  const used = new Set<string>();
  const check = (metric: string, labels: readonly string[]) => {
    used.add(metric.replace(/_(bucket|sum|count)$/, ""));
    const known = labelsOf.get(metric);
    assert(known !== undefined, `/metrics serves no ${metric}`);
    for (const label of labels) assert(known.has(label), `${metric} has no label ${label}`);
  };
  for (const { selectors, grouped } of queries) {
    assert(selectors.length > 0);
    for (const { metric, labels } of selectors) check(metric, [...labels, ...grouped]);
  }
  for (const { type, query } of templating.list) {
    if (type === "datasource") continue;
    const [, metric = "", label = ""] = VARIABLE_QUERY.exec(query) ?? [];
    check(metric, [label]);
  }
  assertEquals([...used].sort(), [...readFamilies(page).keys()].sort(), "each family is shown");
});

Deno.test("The dashboard of Grafana has panels with ids, words and places of their own", async () => {
  const { panels } = await readDashboard();
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = new Set<string>();
  let area = 0;
  for (const { title, description, gridPos: { x, y, w, h }, targets } of panels) {
    assert(title !== "" && description !== "" && x + w <= 24);
    assertEquals(new Set(targets.map(({ refId }) => refId)).size, targets.length);
    area += w * h;
    for (let cx = x; cx < x + w; cx++) for (let cy = y; cy < y + h; cy++) cells.add(`${cx},${cy}`);
  }
  assertEquals(cells.size, area, "no panel lies over another");
});
