/**
 * What the page shows of one tool, and what it does with a form that was sent.
 *
 * @module
 */

import type { Fault } from "../errors.ts";
import type { Problem } from "../gateway/problem.ts";
import type { OwnedTool, RoutedResult, ToolRoute } from "../status.ts";
import { type Answer, LIST_HEADERS, type PageApi, toSegment } from "./api.ts";
import type { ToolsAnswer } from "./api_types.ts";
import { readSchemaForm } from "./read_schema_form.ts";

/** What the fields of a tool's form begin with. */
export const FORM_PREFIX = "arg";

/** A tool as it is looked at. */
export interface LookedUpTool {
  /** The tool. */
  readonly tool: OwnedTool;
  /** Where it is routed, and why. */
  readonly route: Answer<ToolRoute>;
}

/**
 * Looks a tool up.
 *
 * @param api The gateway's interface.
 * @param agent Whose tool it is.
 * @param name The name that it is listed by.
 * @returns The tool, or why it cannot be shown.
 */
export async function lookUpTool(api: PageApi, agent: string, name: string): Promise<LookedUpTool | Problem> {
  const path = `/agents/${toSegment(agent)}`;
  const [list, route] = await Promise.all([
    api.get<ToolsAnswer>(`${path}/tools`, LIST_HEADERS),
    api.get<ToolRoute>(`${path}/routes/${toSegment(name)}`),
  ]);
  if (!list.ok) return list.problem;
  const tool = list.value.tools.find((one) => one.name === name) ?? findByRoute(list.value, route);
  if (tool !== undefined) return { tool: { ...tool, name }, route };
  if (!route.ok) return route.problem;
  return {
    type: "urn:portolan:problem:tool_not_found",
    title: "No such tool",
    status: 404,
    code: "tool_not_found",
    detail: "Cannot show the tool as no list has it",
    requestId: list.requestId,
  };
}

/** A tool can be called by its qualified name too, under which it is not listed. */
function findByRoute({ tools }: ToolsAnswer, route: Answer<ToolRoute>): OwnedTool | undefined {
  if (!route.ok) return undefined;
  return tools.find(({ server, toolName }) => server === route.value.server && toolName === route.value.tool);
}

/** What became of a form. */
export type SentForm =
  | { readonly faults: readonly Fault[] }
  | { readonly faults?: undefined; readonly answer: Answer<RoutedResult> };

/**
 * Calls a tool with what a form says.
 *
 * @param api The gateway's interface.
 * @param call The agent, the tool, and the form.
 * @returns How the call ended, or what is wrong with the form.
 */
export async function callByForm(
  api: PageApi,
  { agent, tool, form }: { readonly agent: string; readonly tool: OwnedTool; readonly form: URLSearchParams },
): Promise<SentForm> {
  const read = readSchemaForm(form, tool.tool.inputSchema, FORM_PREFIX);
  if ("faults" in read) return { faults: read.faults };
  const answer = await api.post<RoutedResult>(`/agents/${toSegment(agent)}/tools/${toSegment(tool.name)}`, read.args);
  // What is wrong with a value stands beside its field.
  const faults = answer.ok || answer.problem.status !== 422 ? [] : answer.problem.faults ?? [];
  return faults.length > 0 ? { faults } : { answer };
}
