/**
 * Tool calls as any program sends them: over HTTP to the gateway.
 *
 * @module
 */

import type { JsonObject, RoutedResult, RouteSource } from "../../mod.ts";
import type { Problem } from "../../routes/mod.ts";
import type { Screen } from "./screen.ts";

/** A call that the demo makes. */
export interface DemoCall {
  /** The agent that calls. */
  readonly agent: string;
  /** The name by which it calls the tool. */
  readonly name: string;
  /** The arguments. */
  readonly args: JsonObject;
  /** The server that has to answer. */
  readonly server: string;
  /** How the gateway has to know the owner. */
  readonly route: RouteSource;
  /** The text that has to come back. */
  readonly text: string;
  /** What the call shows. */
  readonly shows: string;
}

/** The calls: a name that two servers list, the same at the other server, and a tool of another agent. */
export const DEMO_CALLS: readonly DemoCall[] = [
  {
    shows: "Two servers list echo: the one that is listed first owns the bare name",
    agent: "Kairos",
    name: "echo",
    args: { message: "Land ho" },
    server: "everything",
    route: "memory",
    text: "Echo: Land ho",
  },
  {
    shows: "The other one answers by its qualified name",
    agent: "Kairos",
    name: "everything-sse__echo",
    args: { message: "Land ho" },
    server: "everything-sse",
    route: "memory",
    text: "Echo: Land ho",
  },
  {
    shows: "Another agent, with servers of its own",
    agent: "Mercurius",
    name: "distance",
    args: { from: "Genoa", to: "Venice" },
    server: "harbour",
    route: "memory",
    text: "Genoa to Venice: 158 nautical miles",
  },
];

/** The call of a gateway that has just started and knows no more than the routes in KV. */
export const COLD_CALL: DemoCall = {
  shows: "A second gateway on the same KV store, cold: it asks the owner and no other server",
  agent: "Kairos",
  name: "tide",
  args: { harbour: "Lisbon", hour: 3 },
  server: "harbour",
  route: "cache",
  text: "Lisbon at 3 h: 1.37 m",
};

/**
 * Makes a call and shows it.
 *
 * @param origin Where the gateway is.
 * @param call The call.
 * @param screen Where to show it.
 * @param signal Ends the call.
 * @returns What is wrong with the answer; empty where it is as it has to be.
 */
export async function showCall(
  origin: string,
  call: DemoCall,
  screen: Screen,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const path = `/agents/${call.agent}/tools/${call.name}`;
  const startedAt = performance.now();
  const response = await fetch(origin + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(call.args),
    signal,
  });
  const body: unknown = await response.json();
  const tookMs = Math.ceil(performance.now() - startedAt);
  screen.print("", `  ${screen.paint(`# ${call.shows}`, "dim")}`, `  POST ${path}  ${JSON.stringify(call.args)}`);
  if (!response.ok) {
    const { code, detail } = body as Problem;
    screen.print(`  ${screen.paint(`${response.status} ${code}`, "red")} ${detail}`);
    return [`the call of ${call.name} was answered ${response.status} ${code}`];
  }
  const { server, tool, route, result } = body as RoutedResult;
  const text = result.content.map((block) => block.type === "text" ? block.text : `[${block.type}]`).join(" ");
  const facts = [["server", server], ["tool", tool], ["route", route]].map(([label, value]) =>
    `${screen.paint(`${label}`, "dim")} ${screen.paint(`${value}`, "cyan")}`
  );
  screen.print(
    `  ${facts.join("  ")}  ${screen.paint(`${tookMs} ms`, "dim")}`,
    `  ${screen.paint("→", "green")} ${text}`,
  );
  if (server !== call.server) return [`the call of ${call.name} went to ${server} instead of ${call.server}`];
  if (route !== call.route) return [`the call of ${call.name} was routed from ${route} instead of ${call.route}`];
  if (text !== call.text) return [`the call of ${call.name} was answered "${text}"`];
  return [];
}
