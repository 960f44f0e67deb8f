/**
 * The bodies of the gateway's requests and answers as schemas.
 *
 * @module
 */

import { MAX_ACTIVITY_ENTRIES } from "../gateway/activity.ts";
import type { JsonObject } from "../protocol.ts";
import { DEFAULT_BATCH_CONCURRENCY, MAX_BATCH_CALLS, MAX_BATCH_CONCURRENCY, MAX_ID_CHARS } from "../rest/batch.ts";
import { MAX_KEY_CHARS } from "../rest/idempotency_key.ts";
import { toRef } from "./shared_parts.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const count = { type: "integer", minimum: 0 } as const;
const number = { type: "number" } as const;
const fields = { type: "object", additionalProperties: true } as const;
const texts = { type: "array", items: text } as const;

/** An object whose members are there, but for those with a name that ends in `?`. */
function object(description: string, members: Readonly<Record<string, JsonObject>>): JsonObject {
  const entries = Object.entries(members);
  const required = entries.flatMap(([name]) => name.endsWith("?") ? [] : [name]);
  const properties = Object.fromEntries(entries.map(([name, schema]) => [name.replace("?", ""), schema]));
  return { type: "object", description, ...(required.length === 0 ? {} : { required }), properties };
}

function mapOf(description: string, schema: JsonObject): JsonObject {
  return { type: "object", description, additionalProperties: schema };
}

function listOf(schema: JsonObject): JsonObject {
  return { type: "array", items: schema };
}

function oneOf(...words: string[]): JsonObject {
  return { type: "string", enum: words };
}

const LATENCY = object("Percentiles of the last answered requests, in milliseconds.", {
  lastMs: number,
  p50Ms: number,
  p99Ms: number,
  count,
});

const KEY: Readonly<Record<string, JsonObject>> = {
  id: { ...text, description: "The name to revoke it by." },
  digestPrefix: text,
  source: oneOf("file", "env", "code", "store"),
  "createdAt?": text,
  "expiresAt?": text,
  "revokedAt?": text,
  active: { ...flag, description: "Whether it opens anything now." },
};
const WITHIN: JsonObject = { ...count, description: "How long until every isolate knows, in milliseconds." };

const PIN_STATE: JsonObject = {
  ...oneOf("pinned", "changed", "withheld"),
  description: "As it was pinned; no longer that; or withheld by decision, changed or not.",
};

/** The schemas by name, besides those of calls. */
export const GATEWAY_SCHEMAS: Readonly<Record<string, JsonObject>> = {
  Index: object("What there is.", { name: text, routes: texts }),
  Health: object("Whether the gateway is alive.", { status: oneOf("alive") }),
  Readiness: object("Whether the gateway can serve.", {
    status: oneOf("ready", "not_ready"),
    "reasons?": listOf(oneOf("starting", "stopping")),
  }),
  Document: { ...fields, description: "An OpenAPI document." },
  Status: object("Every agent that the key opens.", { agents: mapOf("By name.", toRef("schemas", "AgentStatus")) }),
  AgentStatus: object("What is known of an agent.", {
    agent: text,
    connectedServers: count,
    totalServers: count,
    totalTools: count,
    servers: mapOf("By configured name.", toRef("schemas", "ServerStatus")),
    shadowed: listOf(toRef("schemas", "ShadowedTool")),
  }),
  ServerStatus: object("What is known of a server of an agent.", {
    server: text,
    url: { ...text, description: "Without its query and fragment." },
    state: oneOf("idle", "connecting", "connected", "failed", "closed"),
    "era?": oneOf("legacy", "modern"),
    "transport?": oneOf("streamable_http", "sse"),
    "protocolVersion?": text,
    "toolCount?": count,
    "toolsFrom?": oneOf("server", "cache"),
    toolsPartial: flag,
    "toolsTtlMs?": number,
    "toolsUpdatedAtMs?": { ...number, description: "When the list was made, in milliseconds since the epoch." },
    "toolsChangedAtMs?": { ...number, description: "When the list was last seen to differ here." },
    "toolsExpireAtMs?": { ...number, description: "Until when it is used without asking anew; may have passed." },
    "changedTools?": { ...count, description: "How many tools are no longer what they were pinned as." },
    "withheldTools?": { ...count, description: "How many are withheld, by decision or because they have changed." },
    warnings: texts,
    "latencyMs?": number,
    "latency?": LATENCY,
    "latencySamples?": { ...listOf(number), description: "The last answered requests, in milliseconds, oldest first." },
    breaker: oneOf("closed", "open", "half_open"),
    running: count,
    waiting: count,
    "connectedAtMs?": number,
    "lastError?": object("The last failure, kept after a recovery.", { code: text, message: text, atMs: number }),
  }),
  ShadowedTool: object("A bare name that a server lists and another server owns.", {
    tool: text,
    "owner?": text,
    server: text,
    exposedAs: text,
  }),
  ActivityList: object("What happened lately, newest first.", {
    activity: { ...listOf(toRef("schemas", "ActivityEntry")), maxItems: MAX_ACTIVITY_ENTRIES },
  }),
  ActivityEntry: {
    description: "One thing that happened.",
    oneOf: [
      object("A call that has ended.", {
        kind: oneOf("call"),
        id: text,
        at: { ...text, description: "When it began." },
        requestId: text,
        "caller?": { ...text, description: "Who called; left out for whoever may not know." },
        agent: text,
        door: oneOf("rest", "batch", "mcp"),
        tool: { ...text, description: "The name that it was called by." },
        "server?": text,
        "toolName?": { ...text, description: "Its name at that server." },
        "route?": oneOf("memory", "cache", "discovery"),
        outcome: { ...text, description: "`ok`, `tool_error`, `cancelled`, `internal`, or the code of the failure." },
        durationMs: number,
      }),
      object("Something that happened to a server.", {
        kind: oneOf("event"),
        id: text,
        at: text,
        type: { ...text, description: "`connected`, `recovered`, `failed`, `breaker`, `tools_changed` …" },
        agent: text,
        server: text,
        text: { ...text, description: "What happened, in words." },
        "code?": { ...text, description: "What failed." },
      }),
    ],
  },
  ToolList: object("The tools of an agent.", { agent: text, tools: listOf(toRef("schemas", "OwnedTool")) }),
  OwnedTool: object("A tool with the server that owns it.", {
    name: { ...text, description: "The name to call it by." },
    server: text,
    toolName: { ...text, description: "Its name at that server." },
    tool: { ...fields, description: "The tool as its server lists it.", required: ["name", "inputSchema"] },
  }),
  ToolRoute: object("Who owns a tool's name, and how that is known.", {
    name: text,
    server: text,
    tool: text,
    route: oneOf("memory", "cache", "discovery"),
    reason: text,
    ageMs: number,
    fresh: flag,
    shadowedServers: texts,
  }),
  PinList: object("The pinned tools of an agent's servers.", {
    agent: text,
    cut: { ...flag, description: "Whether the answer leaves something out, as it would be too large." },
    tools: listOf(toRef("schemas", "PinnedTool")),
  }),
  PinnedTool: object("A pinned tool. What its server says of it is the server's own text.", {
    server: text,
    tool: { ...text, description: "Its name at that server." },
    state: PIN_STATE,
    callable: { ...flag, description: "Whether it is listed and can be called." },
    "pinnedAt?": text,
    "digest?": { ...text, description: "Stands for what it is now." },
    "before?": toRef("schemas", "ToolText"),
    "now?": toRef("schemas", "ToolText"),
    "note?": { ...text, description: "Why one of the two is missing." },
  }),
  ToolText: object("What a model is told of a tool.", { "description?": text, inputSchema: fields }),
  PinDecision: {
    ...object("What is decided of a pinned tool.", {
      server: text,
      tool: { ...text, description: "Its name at that server." },
      decision: oneOf("accept", "withhold"),
      "digest?": { ...text, description: "The digest of what was looked at: nothing else is accepted." },
    }),
    additionalProperties: false,
  },
  DecidedPin: object("How a pinned tool stands now.", {
    server: text,
    tool: text,
    state: PIN_STATE,
    effectiveWithinMs: WITHIN,
  }),
  Reconnected: mapOf("Server by server, whether it is connected now.", flag),
  AllReconnected: object("Agent by agent, and server by server, whether it is connected now.", {
    agents: mapOf("By agent.", toRef("schemas", "Reconnected")),
  }),
  Flushed: object("What was forgotten.", { flushed: { ...text, description: "The agent, or `*` for all." } }),
  Key: object("What is known of a key.", KEY),
  Keys: object("The keys of an agent.", { agent: text, keys: listOf(toRef("schemas", "Key")) }),
  NewKey: {
    ...object("A key to create.", {
      "id?": { ...text, description: "Its name; a part of its digest where it is left out." },
      "expiresAt?": { ...text, description: "When it ends, as an ISO date or time; never where it is left out." },
    }),
    additionalProperties: false,
  },
  CreatedKey: object("A key that was created.", {
    ...KEY,
    agent: text,
    key: { ...text, description: "The key itself, told this once." },
    effectiveWithinMs: WITHIN,
  }),
  RevokedKey: object("A key that was revoked.", { agent: text, id: text, revokedAt: text, effectiveWithinMs: WITHIN }),
  ConfigText: { ...text, description: "A configuration as YAML or JSON, of at most 256 KiB." },
  Config: object("The configuration that is kept for all isolates.", {
    source: { ...oneOf("store", "file", "text"), description: "Where what is served is from." },
    "version?": text,
    "writtenAt?": text,
    "text?": { ...text, description: "As it was sent. What is from a file or the environment is not told." },
    inUse: { ...flag, description: "Whether what is kept is what this isolate serves." },
    "fault?": { ...text, description: "Why it is not." },
  }),
  ConfigChange: object("What has become of a change.", {
    difference: toRef("schemas", "ConfigDifference"),
    "version?": { ...text, description: "What is kept now." },
    effectiveWithinMs: WITHIN,
  }),
  ConfigDifference: object("What is different: names alone.", {
    added: { ...texts, description: "Agents." },
    removed: { ...texts, description: "Agents." },
    changed: listOf(toRef("schemas", "AgentDifference")),
    gateway: listOf(oneOf("keys", "jwt", "publicUrl", "limits")),
  }),
  AgentDifference: object("What is different about an agent.", {
    agent: text,
    servers: object("Its servers.", { added: texts, removed: texts, changed: texts }),
    order: flag,
    collisions: flag,
    limits: flag,
  }),
  AuditEntry: {
    description: "A line of the audit trail. It holds no arguments, no results and no keys.",
    oneOf: [
      object("A call of a tool.", {
        kind: oneOf("call"),
        id: text,
        at: { ...text, description: "When it began." },
        requestId: text,
        caller: text,
        agent: text,
        door: oneOf("rest", "batch", "mcp"),
        tool: text,
        "server?": text,
        "toolName?": text,
        "argumentsHash?": { ...text, description: "`hmac-sha256:` with the secret of the store, or `sha256:`." },
        outcome: text,
        durationMs: number,
      }),
      object("Something that was done to an agent, or to all.", {
        kind: oneOf("action"),
        id: text,
        at: { ...text, description: "When it ended." },
        requestId: text,
        caller: text,
        action: {
          ...text,
          description:
            "`key_created`, `key_revoked`, `reconnected`, `cache_flushed`, `pin_accepted`, `pin_withheld`, `config_replaced` …",
        },
        agent: { ...text, description: "The agent, or `*` for all." },
        "server?": text,
        "tool?": text,
        "key?": { ...text, description: "The name of the key." },
        outcome: { ...text, description: "`ok`, or the code of the failure." },
      }),
      object("A gap: there was more to write than the trail could hold.", {
        kind: oneOf("loss"),
        id: text,
        at: text,
        lost: { ...count, description: "How many entries are missing before this one." },
      }),
    ],
  },
  ResourceMetadata: object("Metadata of a protected resource (RFC 9728).", {
    resource: text,
    authorization_servers: texts,
    bearer_methods_supported: texts,
    "scopes_supported?": texts,
  }),
  JsonRpcMessage: {
    ...object("A message of JSON-RPC 2.0, as the MCP specification has it.", {
      jsonrpc: { type: "string", enum: ["2.0"] },
      "id?": { type: ["string", "number", "null"] },
      "method?": text,
      "params?": fields,
      "result?": fields,
      "error?": object("What failed.", { code: { type: "integer" }, message: text, "data?": fields }),
    }),
    additionalProperties: true,
  },
  Arguments: { ...fields, description: "The arguments of a tool." },
  Batch: {
    ...object("Calls, and how many of them run at once.", {
      calls: { ...listOf(toRef("schemas", "BatchCall")), minItems: 1, maxItems: MAX_BATCH_CALLS },
      "concurrency?": {
        type: "integer",
        minimum: 1,
        maximum: MAX_BATCH_CONCURRENCY,
        description: `${DEFAULT_BATCH_CONCURRENCY} where it is left out.`,
      },
    }),
    additionalProperties: false,
  },
  BatchCall: {
    ...object("A call.", {
      tool: { ...text, minLength: 1 },
      "arguments?": toRef("schemas", "Arguments"),
      "id?": { ...text, maxLength: MAX_ID_CHARS, description: "Comes back with the answer." },
      "idempotencyKey?": {
        ...text,
        minLength: 1,
        maxLength: MAX_KEY_CHARS,
        description: "As the header Idempotency-Key. That of the batch names each call without one by its place.",
      },
    }),
    additionalProperties: false,
  },
  BatchResults: object("How each call ended, in order.", { results: listOf(toRef("schemas", "BatchResult")) }),
  BatchResult: {
    description: "What the call alone would have answered: a result with `status` 200, or a problem.",
    allOf: [
      object("What every answer has.", { "id?": text, status: { type: "integer" }, "replayed?": flag }),
      { anyOf: [toRef("schemas", "RoutedResult"), toRef("schemas", "Problem")] },
    ],
  },
};
