/**
 * The tools of an agent as operations of an OpenAPI 3.1 document.
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";
import type { ProblemCode } from "../gateway/problem.ts";
import type { JsonObject } from "../protocol.ts";
import type { OwnedTool } from "../status.ts";
import { VERSION } from "../version.ts";
import { embedSchema } from "./embedded_schema.ts";
import { toOperationIds } from "./operation_ids.ts";
import { toServerLine, toServerText } from "./server_text.ts";
import {
  CALL_PARAMETERS,
  CALL_SCHEMAS,
  HEADERS,
  SECURITY,
  toContent,
  toProblemResponses,
  toRef,
} from "./shared_parts.ts";

const MAX_SUMMARY_CHARS = 120;
const MAX_DESCRIPTION_CHARS = 2_048;
/** How much all schemas of a document may have, in characters of JSON; those of further tools are left out. */
const MAX_SCHEMAS_CHARS = 8 * 1024 * 1024;
const LEFT_OUT = {
  type: "object",
  description: "The schema is left out, as those of the agent are too large together.",
};
/** How long the document is written at a stretch, in milliseconds. */
const STRETCH_MS = 8;
const HINTS = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;

/** What a stream of one call holds. */
export const EVENTS = "Server-sent events: `progress` with `{ progress, total?, message? }`, any number; then " +
  "`result` with what the JSON answer would be, or `problem` with a problem document.";

/** What can go wrong with any call. */
export const CALL_PROBLEMS: readonly ProblemCode[] = [
  "invalid_arguments",
  "invalid_header",
  "unauthenticated",
  "host_refused",
  "origin_refused",
  "denied",
  "agent_not_found",
  "tool_not_found",
  "body_timeout",
  "tool_ambiguous",
  "idempotency_in_progress",
  "result_not_kept",
  "body_too_large",
  "url_too_long",
  "unsupported_media_type",
  "idempotency_key_reused",
  "too_many_requests",
  "headers_too_large",
  "internal",
  "outcome_unknown",
  "upstream_error",
  "bad_response",
  "too_large",
  "unauthorized",
  "forbidden",
  "redirect_refused",
  "session_lost",
  "unsupported_protocol",
  "input_required",
  "authorization_required",
  "auth_failed",
  "invalid_result",
  "not_supported",
  "task_required",
  "task_failed",
  "overloaded",
  "circuit_open",
  "unreachable",
  "rate_limited",
  "store_unavailable",
  "closed",
  "deadline_exceeded",
];

/** The parts of an agent's document that its tools make. */
export interface AgentOperations {
  /** The members of `paths`, as JSON without the braces. */
  readonly paths: string;
  /** The members of `components.schemas`, likewise. */
  readonly schemas: string;
  /** Stands for both. */
  readonly digest: string;
}

/** A document and what stands for it. */
export interface WrittenDocument {
  /** The document as JSON. */
  readonly text: string;
  /** Its entity tag. */
  readonly etag: string;
}

/**
 * Writes the operations of an agent. The event loop goes on meanwhile, whatever the servers list.
 *
 * @param agent The agent.
 * @param tools Its tools.
 * @returns The operations. A tool whose name no path can hold has none.
 */
export async function writeOperations(agent: string, tools: readonly OwnedTool[]): Promise<AgentOperations> {
  // A path of dots alone means another path.
  const named = tools.filter(({ name }) => !/^\.{1,2}$/.test(name));
  const ids = await toOperationIds(named.map(({ name }) => name));
  const paths: string[] = [];
  const schemas: string[] = [];
  let leftChars = MAX_SCHEMAS_CHARS;
  let stretchEndsAt = performance.now() + STRETCH_MS;
  const add = (id: string, suffix: string, schema: JsonObject) => {
    const { components } = embedSchema(leftChars > 0 ? schema : LEFT_OUT, `${id}_${suffix}`);
    for (const [name, component] of components) {
      const text = `${JSON.stringify(name)}:${JSON.stringify(component)}`;
      leftChars -= text.length;
      schemas.push(text);
    }
  };
  for (const owned of named) {
    if (performance.now() > stretchEndsAt) {
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      stretchEndsAt = performance.now() + STRETCH_MS;
    }
    const id = ids.get(owned.name) ?? "";
    const { inputSchema, outputSchema } = owned.tool;
    add(id, "arguments", inputSchema);
    if (outputSchema !== undefined) add(id, "output", outputSchema);
    const path = `/agents/${encodeURIComponent(agent)}/tools/${encodeURIComponent(owned.name)}`;
    paths.push(`${JSON.stringify(path)}:${JSON.stringify({ post: toOperation(owned, id) })}`);
  }
  const parts = { paths: paths.join(), schemas: schemas.join() };
  return { ...parts, digest: await sha256Hex(`${parts.paths}\n${parts.schemas}`) };
}

/**
 * Writes a document.
 *
 * @param agent The agent.
 * @param operations Its operations.
 * @param serverUrl Where the gateway is reached.
 * @returns The document.
 */
export async function writeAgentDocument(
  agent: string,
  operations: AgentOperations,
  serverUrl: string,
): Promise<WrittenDocument> {
  const { paths, schemas, digest } = operations;
  const head = {
    openapi: "3.1.0",
    info: {
      title: `Tools of agent ${toServerLine(agent, MAX_SUMMARY_CHARS)}`,
      version: `${VERSION}+${digest.slice(0, 12)}`,
      description:
        "Each tool is an operation. Summaries, descriptions and schemas are what the servers of the tools say.",
    },
    servers: [{ url: serverUrl }],
    security: [{ bearer: [] }],
  };
  const members = [JSON.stringify(CALL_SCHEMAS).slice(1, -1), ...(schemas === "" ? [] : [schemas])];
  const text = `${open(head)},"paths":{${paths}},"components":${open(COMPONENTS)},"schemas":{${members.join()}}}}`;
  return { text, etag: `"${(await sha256Hex(`${VERSION} ${serverUrl} ${digest}`)).slice(0, 32)}"` };
}

const FAILURES = Object.entries(toProblemResponses(CALL_PROBLEMS));
const COMPONENTS: JsonObject = {
  securitySchemes: { ...SECURITY },
  parameters: { ...CALL_PARAMETERS },
  headers: { ...HEADERS },
  responses: Object.fromEntries(FAILURES.map(([status, response]) => [`Call${status}`, response])),
};
const FAILURE_REFS = Object.fromEntries(FAILURES.map(([status]) => [status, toRef("responses", `Call${status}`)]));

function toOperation({ name, server, toolName, tool }: OwnedTool, id: string): JsonObject {
  const { title, description, inputSchema, outputSchema, annotations } = tool;
  const summary = toServerLine(title ?? annotations?.title ?? "", MAX_SUMMARY_CHARS);
  const text = toServerText(description ?? "", MAX_DESCRIPTION_CHARS);
  const { required } = inputSchema;
  return {
    operationId: id,
    summary: summary === "" ? toServerLine(name, MAX_SUMMARY_CHARS) : summary,
    ...(text === "" ? {} : { description: text }),
    tags: [server],
    parameters: Object.keys(CALL_PARAMETERS).map((parameter) => toRef("parameters", parameter)),
    requestBody: {
      description: "The arguments of the tool.",
      required: Array.isArray(required) && required.length > 0,
      content: toContent(toRef("schemas", `${id}_arguments`)),
    },
    responses: {
      200: {
        description: "What the tool answered, also where it answered `isError`.",
        headers: {
          "X-Request-Id": toRef("headers", "RequestId"),
          "Idempotency-Replayed": toRef("headers", "IdempotencyReplayed"),
        },
        content: {
          ...toContent(toResult(outputSchema === undefined ? undefined : toRef("schemas", `${id}_output`))),
          ...toContent({ type: "string", description: EVENTS }, "text/event-stream"),
        },
      },
      ...FAILURE_REFS,
    },
    "x-mcp-server": server,
    "x-mcp-tool": toolName,
    "x-mcp-annotations": toHints(annotations),
  };
}

function toResult(output: JsonObject | undefined): JsonObject {
  const routed = toRef("schemas", "RoutedResult");
  if (output === undefined) return routed;
  const structured = { type: "object", properties: { structuredContent: output } };
  return { allOf: [routed, { type: "object", properties: { result: structured } }] };
}

/** What is known of hints; whatever else a server adds, a generator might obey. */
function toHints(annotations: OwnedTool["tool"]["annotations"]): JsonObject {
  return Object.fromEntries(HINTS.flatMap((hint) => {
    const value = annotations?.[hint];
    return typeof value === "boolean" ? [[hint, value]] : [];
  }));
}

/** The beginning of an object, to which members are added. */
function open(value: JsonObject): string {
  return JSON.stringify(value).slice(0, -1);
}
