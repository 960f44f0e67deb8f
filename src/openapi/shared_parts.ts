/**
 * Parts that the gateway's own document and those of agents have in common.
 *
 * @module
 */

import { PROBLEM_KINDS, type ProblemCode } from "../gateway/problem.ts";
import type { JsonObject } from "../protocol.ts";

const text = { type: "string" } as const;
const fields = { type: "object", additionalProperties: true } as const;

/**
 * A reference to a component.
 *
 * @param kind Its kind.
 * @param name Its name.
 * @returns The reference.
 */
export function toRef(kind: "schemas" | "parameters" | "headers" | "responses", name: string): JsonObject {
  return { $ref: `#/components/${kind}/${name}` };
}

/**
 * The content of a body of JSON.
 *
 * @param schema Its schema.
 * @param type Its media type. @default {application/json}
 * @returns The content.
 */
export function toContent(schema: JsonObject, type = "application/json"): JsonObject {
  return { [type]: { schema } };
}

/** What a call answers, and how it fails. */
export const CALL_SCHEMAS: Readonly<Record<string, JsonObject>> = {
  Problem: {
    type: "object",
    description: "A problem document (RFC 9457).",
    required: ["type", "title", "status", "code", "detail", "requestId"],
    properties: {
      type: { ...text, description: "`urn:portolan:problem:` and the code." },
      title: { ...text, description: "The kind of problem in words." },
      status: { type: "integer", description: "The status of the response." },
      code: { ...text, enum: Object.keys(PROBLEM_KINDS), description: "What failed, from a closed list." },
      detail: { ...text, description: "This problem in words." },
      server: { ...text, description: "The server concerned." },
      requestId: { ...text, description: "The request's id, as in the header X-Request-Id." },
      retryAfterMs: { type: "number", description: "How long to wait before the next attempt, in milliseconds." },
      suggestions: { type: "array", items: text, description: "Names that may have been meant, nearest first." },
      faults: { type: "array", items: { $ref: "#/components/schemas/Fault" }, description: "What is wrong, by place." },
    },
  },
  Fault: {
    type: "object",
    required: ["path", "message"],
    properties: {
      path: { ...text, description: "Where, as a path of keys: `lines[1].at`; empty for the whole value." },
      message: { ...text, description: "What is wrong and what to write instead." },
    },
  },
  RoutedResult: {
    type: "object",
    description: "What a tool answered, and who answered.",
    required: ["server", "tool", "route", "result"],
    properties: {
      server: { ...text, description: "The server that answered." },
      tool: { ...text, description: "The tool's name at that server." },
      route: { ...text, enum: ["memory", "cache", "discovery"], description: "How the owner was found." },
      result: { $ref: "#/components/schemas/ToolResult" },
    },
  },
  ToolResult: {
    type: "object",
    description: "The result of a tool, as MCP has it (`CallToolResult`).",
    required: ["content"],
    properties: {
      content: { type: "array", items: { $ref: "#/components/schemas/ContentBlock" } },
      structuredContent: { description: "What matches the tool's output schema." },
      isError: { type: "boolean", description: "Whether the tool itself failed." },
    },
    additionalProperties: true,
  },
  ContentBlock: {
    description: "One block of a result's content: text, media, a link to a resource, or a resource.",
    ...fields,
    required: ["type"],
    properties: {
      type: { ...text, description: "`text`, `image`, `audio`, `resource_link`, or `resource`." },
      text: { ...text, description: "The text, of `text`." },
      data: { ...text, description: "The bytes as Base64, of `image` and `audio`." },
      mimeType: { ...text, description: "The media type." },
      uri: { ...text, description: "The URI, of `resource_link`." },
      resource: { ...fields, description: "The resource itself, of `resource`." },
    },
  },
};

/** What a caller may say of a request. */
export const CALL_PARAMETERS: Readonly<Record<string, JsonObject>> = {
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    required: false,
    description: "The same key is never called twice by the same caller and agent, within a day: 1 to 255 printable " +
      'ASCII characters, in quotes. The answer to a call that was made before says "Idempotency-Replayed: true".',
    schema: { type: "string", minLength: 1 },
  },
  RequestTimeout: {
    name: "X-Request-Timeout-Ms",
    in: "header",
    required: false,
    description: "How long the caller waits, in milliseconds, where that is less than the gateway would.",
    schema: { type: "integer", minimum: 1 },
  },
};

/** What comes with answers. */
export const HEADERS: Readonly<Record<string, JsonObject>> = {
  IdempotencyReplayed: {
    description: "`true` where the call was made for an earlier request with the same Idempotency-Key.",
    schema: { type: "string", enum: ["true"] },
  },
  RetryAfter: { description: "How long to wait before the next attempt, in seconds.", schema: { type: "integer" } },
  RequestId: { description: "The request's id.", schema: { type: "string" } },
  RateLimit: { description: "What is left of the limits, and for how long (RateLimit header fields).", schema: text },
  RateLimitPolicy: { description: "The limits (RateLimit header fields).", schema: text },
  ETag: { description: "Stands for this version of the document.", schema: text },
};

/** How callers say who they are. */
export const SECURITY: Readonly<Record<string, JsonObject>> = {
  bearer: { type: "http", scheme: "bearer", description: "A key that is bound to agents." },
};

/**
 * The responses of problems, by status.
 *
 * @param codes The codes.
 * @param isJsonRpc Whether they are carried by JSON-RPC. @default {false}
 * @returns For each status a response that names its codes.
 */
export function toProblemResponses(codes: readonly ProblemCode[], isJsonRpc = false): JsonObject {
  const content = isJsonRpc
    ? toContent(toRef("schemas", "JsonRpcMessage"))
    : toContent(toRef("schemas", "Problem"), "application/problem+json");
  const kinds = [...new Set(codes)].flatMap((code) => {
    const [status, title] = PROBLEM_KINDS[code];
    // With faults, it is 422.
    const faulty = { status: 422, code, title: "The arguments do not match the tool's schema" };
    return [{ status, code, title }, ...(code === "invalid_arguments" ? [faulty] : [])];
  });
  const byStatus = Map.groupBy(kinds, ({ status }) => status);
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => a - b).map(([status, kinds]) => [
      String(status),
      {
        description: kinds.map(({ code, title }) => `\`${code}\`: ${title}.`).join(" "),
        headers: toProblemHeaders(status),
        content,
      },
    ]),
  );
}

function toProblemHeaders(status: number): JsonObject {
  const always = { "X-Request-Id": toRef("headers", "RequestId") };
  if (status !== 409 && status !== 429 && status !== 503) return always;
  const wait = { ...always, "Retry-After": toRef("headers", "RetryAfter") };
  if (status !== 429) return wait;
  const limits = {
    "RateLimit": toRef("headers", "RateLimit"),
    "RateLimit-Policy": toRef("headers", "RateLimitPolicy"),
  };
  return { ...wait, ...limits };
}
