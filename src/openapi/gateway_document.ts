/**
 * The gateway's own OpenAPI 3.1 document. It says nothing of agents.
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";
import type { ProblemCode } from "../gateway/problem.ts";
import type { JsonObject } from "../protocol.ts";
import { VERSION } from "../version.ts";
import type { WrittenDocument } from "./agent_document.ts";
import type { GatewayRoute, RouteAnswer } from "./gateway_route.ts";
import { GATEWAY_ROUTES } from "./gateway_routes.ts";
import { GATEWAY_SCHEMAS } from "./gateway_schemas.ts";
import {
  CALL_PARAMETERS,
  CALL_SCHEMAS,
  HEADERS,
  SECURITY,
  toContent,
  toProblemResponses,
  toRef,
} from "./shared_parts.ts";

const EVERYWHERE: readonly ProblemCode[] = [
  "host_refused",
  "origin_refused",
  "url_too_long",
  "headers_too_large",
  "internal",
  "overloaded",
];
const TEXT_TYPES = ["application/yaml", "application/json", "text/plain"];
const SEGMENT = /:([A-Za-z]+)/g;

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  agent: "The agent's name.",
  tool: "The name under which the tool is listed, percent-encoded.",
  id: "The name of the key.",
};
const PARAMETERS: Readonly<Record<string, JsonObject>> = {
  ...CALL_PARAMETERS,
  Server: optional("query", "server", "The server to connect to; all that are not connected where it is left out."),
  Agent: optional("query", "agent", "The agent; all where it is left out."),
  IfMatch: optional(
    "header",
    "If-Match",
    "The ETag of the configuration that is replaced; whatever is kept where it is left out.",
  ),
  IfNoneMatch: optional("header", "If-None-Match", "Only where none is kept.", { type: "string", enum: ["*"] }),
  DryRun: optional("query", "dry_run", "Whether it is only checked, and compared with what is served.", {
    type: "boolean",
  }),
  After: optional("query", "after", "The id of the entry that the page follows: the links to pages have it."),
  From: optional("query", "from", "When the first entries happened, as an ISO date or time."),
  To: optional("query", "to", "When the last entries happened before, as an ISO date or time."),
  Limit: optional("query", "limit", "The most entries.", { type: "integer", minimum: 1 }),
  All: optional("query", "all", "Whether those are shown too that are as they were pinned.", {
    type: "string",
    enum: ["true", "false"],
  }),
  McpSession: optional("header", "Mcp-Session-Id", "The session, where `initialize` has begun one."),
};

/**
 * Names the routes, as people read them.
 *
 * @returns Method and path of each.
 */
export function listRoutes(): readonly string[] {
  return GATEWAY_ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
}

/**
 * Writes the document.
 *
 * @returns The document; always the same.
 */
export async function writeGatewayDocument(): Promise<WrittenDocument> {
  const byPath = Map.groupBy(GATEWAY_ROUTES, ({ path }) => path.replaceAll(SEGMENT, "{$1}"));
  const document = {
    openapi: "3.1.0",
    info: {
      title: "Portolan gateway",
      version: VERSION,
      description:
        "Agents and their MCP servers behind one HTTP interface. The tools of an agent as operations are at " +
        "`/agents/{agent}/openapi.json`.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    tags: [
      { name: "gateway", description: "Whether it works." },
      { name: "agents", description: "What agents have." },
      { name: "calls", description: "Calling tools." },
      { name: "mcp", description: "Agents as MCP servers, and where their callers get tokens." },
      { name: "admin", description: "What administrators do." },
      { name: "documents", description: "What programs are generated from." },
    ],
    paths: Object.fromEntries(
      [...byPath].map(([path, routes]) => [
        path,
        Object.fromEntries(routes.map((route) => [route.method, toOperation(route)])),
      ]),
    ),
    components: {
      securitySchemes: SECURITY,
      parameters: PARAMETERS,
      headers: {
        ...HEADERS,
        Link: { description: "Where the next page is (RFC 8288).", schema: { type: "string" } },
      },
      schemas: { ...CALL_SCHEMAS, ...GATEWAY_SCHEMAS },
    },
  };
  const text = JSON.stringify(document);
  return { text, etag: `"${(await sha256Hex(text)).slice(0, 32)}"` };
}

function optional(
  where: "query" | "header",
  name: string,
  description: string,
  schema: JsonObject = { type: "string" },
): JsonObject {
  return { name, in: where, required: false, description, schema };
}

function toOperation(route: GatewayRoute): JsonObject {
  const { id, tag, summary, isKeyless = false, path, parameters = [], body, answers, isJsonRpc, problems = [] } = route;
  const inPath = [...path.matchAll(SEGMENT)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    description: PATH_PARAMETERS[name] ?? "",
    schema: { type: "string" },
  }));
  const failures: readonly ProblemCode[] = [
    ...EVERYWHERE,
    ...(isKeyless ? [] : ["unauthenticated" as const]),
    ...problems,
  ];
  const hasTag = Object.values(answers).some((answer) => answer.hasTag === true);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(isKeyless ? { security: [] } : {}),
    ...(inPath.length + parameters.length === 0
      ? {}
      : { parameters: [...inPath, ...parameters.map((name) => toRef("parameters", name))] }),
    ...(body === undefined ? {} : {
      requestBody: {
        description: body.description,
        required: body.required,
        content: Object.assign(
          {},
          ...(body.isText === true ? TEXT_TYPES : ["application/json"]).map((type) => {
            return toContent(toRef("schemas", body.schema), type);
          }),
        ),
      },
    }),
    responses: {
      ...toProblemResponses(failures, isJsonRpc),
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, toResponse(answer)])),
      ...(hasTag ? { 304: { description: "The version that `If-None-Match` names is the newest." } } : {}),
    },
  };
}

function toResponse(answer: RouteAnswer): JsonObject {
  const { description, schema, events, page, lines, textType, mayBeReplayed, hasTag } = answer;
  return {
    description,
    headers: {
      "X-Request-Id": toRef("headers", "RequestId"),
      ...(mayBeReplayed === true ? { "Idempotency-Replayed": toRef("headers", "IdempotencyReplayed") } : {}),
      ...(hasTag === true ? { ETag: toRef("headers", "ETag") } : {}),
      ...(lines === undefined ? {} : { Link: toRef("headers", "Link") }),
    },
    ...([schema, events, page, lines, textType].every((one) => one === undefined) ? {} : {
      content: {
        ...(schema === undefined ? {} : toContent(toRef("schemas", schema))),
        ...(events === undefined ? {} : toContent({ type: "string", description: events }, "text/event-stream")),
        ...(page === undefined ? {} : toContent({ type: "string", description: page }, "text/html")),
        ...(lines === undefined ? {} : toContent({ type: "string", description: lines }, "application/x-ndjson")),
        ...(textType === undefined ? {} : toContent({ type: "string" }, textType)),
      },
    }),
  };
}
