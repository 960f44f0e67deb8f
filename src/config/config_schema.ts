/**
 * The JSON Schema of the configuration, for editors.
 *
 * @module
 */

import { type LIMIT_NAMES, MAX_CALLS } from "../limits/limits_config.ts";
import type { JsonObject } from "../protocol.ts";
import { MAX_AGENT_NAME_LENGTH, MAX_SERVER_NAME_LENGTH } from "../server_config.ts";
import { POLICIES } from "./agent_checks.ts";
import { type AGENT_KEYS, ECOSYSTEM_KEYS, FILE_KEYS } from "./config_data.ts";
import {
  JWT_ALGORITHMS,
  type JWT_KEYS,
  MAX_CLOCK_TOLERANCE_MS,
  MAX_PUBLIC_KEYS,
  PRIVATE_MEMBERS,
} from "./jwt_config.ts";
import type { KEY_KEYS } from "./key_config.ts";
import {
  choice,
  flag,
  inAnyCase,
  mapping,
  nameOf,
  type Properties,
  record,
  refTo,
  textOr,
  urlOf,
  whole,
} from "./schema_parts.ts";
import { SERVER_DEFINITIONS } from "./server_schema.ts";

const DIGEST = textOr(
  { pattern: `^${inAnyCase("sha")}256:[0-9A-Fa-f]{64}$` },
  "sha256: and the digest of the key, never the key itself.",
);
const TEXT: JsonObject = { type: "string" };

const KEY: Properties<typeof KEY_KEYS> = {
  digest: DIGEST,
  id: textOr(
    { pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" },
    "The name to see and to revoke it by. Default: the first 16 digits of the digest.",
  ),
  expiresAt: textOr(
    {
      pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,3})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?$",
    },
    "When it ends: a date, whose first moment in UTC is meant, or a date with a time and a zone.",
  ),
};

const LIMITS: Properties<typeof LIMIT_NAMES> = {
  callsPerMinute: whole(
    0,
    MAX_CALLS,
    "How many calls all callers of an agent may make in any minute, on all isolates.",
    0,
  ),
  callsPerMinutePerCaller: whole(0, MAX_CALLS, "How many calls each caller of an agent may make in any minute.", 0),
  concurrentCalls: whole(0, MAX_CALLS, "How many calls of an agent may be under way at once in one isolate.", 0),
  concurrentCallsPerCaller: whole(
    0,
    MAX_CALLS,
    "How many calls of each caller may be under way at once in one isolate.",
    0,
  ),
  callsPerLease: whole(
    0,
    MAX_CALLS,
    "How many calls an isolate takes from the store at once. Default: a twentieth of the limit.",
  ),
};

const SCOPE = textOr({ pattern: "^[!#-\\[\\]-~]{1,128}$" }, "A scope, or what it begins with.");

const AGENTS_RULE = mapping({ claim: TEXT, scope: SCOPE }, {
  description:
    "What names the agents that a token opens: a claim, or scopes that begin with a text. Default: the claim portolan_agents.",
  oneOf: [{ required: ["claim"] }, { required: ["scope"] }],
});
const ADMIN_RULE = mapping({ claim: TEXT, value: TEXT, scope: SCOPE }, {
  description: "What makes a caller an administrator: a claim with a value, or a scope. Default: nothing does.",
  oneOf: [{ required: ["claim", "value"] }, { required: ["scope"] }],
  dependencies: { value: ["claim"] },
});
const PUBLIC_KEY: JsonObject = {
  type: "object",
  required: ["kty"],
  properties: { kty: { enum: ["RSA", "EC", "OKP"] } },
  not: { anyOf: PRIVATE_MEMBERS.map((member) => ({ required: [member] })) },
};
const ALGORITHM = choice(JWT_ALGORITHMS, "An algorithm.");

const ISSUER: Properties<typeof JWT_KEYS> = {
  issuer: urlOf("Who issues the tokens, exactly as they say it in iss."),
  audience: oneOrMore(TEXT, "What else than the gateway's own URLs a token may name as its audience."),
  algorithms: oneOrMore(ALGORITHM, "The algorithms to accept. Default: RS256, PS256, ES256, ES384, EdDSA, Ed25519."),
  jwksUrl: urlOf("Where the issuer's public keys are. Default: where its metadata says."),
  jwks: mapping({ keys: { type: "array", maxItems: MAX_PUBLIC_KEYS, items: PUBLIC_KEY } }, {
    description: "The issuer's public keys themselves, instead of a URL.",
    required: ["keys"],
  }),
  agents: AGENTS_RULE,
  admin: ADMIN_RULE,
  clockToleranceMs: {
    description: "How far the issuer's clock may be off, in milliseconds.",
    type: "integer",
    minimum: 0,
    maximum: MAX_CLOCK_TOLERANCE_MS,
    default: 5_000,
  },
  typ: { ...TEXT, description: "What a token has to say in typ, such as at+jwt. Default: anything." },
  allowPrivate: flag("Whether the issuer and its keys may be at private addresses; loopback needs no leave.", false),
};

const SERVERS = (definition: string, description: string) =>
  record(nameOf(MAX_SERVER_NAME_LENGTH), refTo(definition), description);

const AGENT: Properties<typeof AGENT_KEYS> = {
  servers: {
    description: "Its servers, in the order that decides who owns a bare name: names of the file's, or its own.",
    anyOf: [
      { type: "array", items: TEXT, uniqueItems: true },
      SERVERS("server", "Servers of this agent alone, by name."),
    ],
  },
  secrets: record(
    nameOf(MAX_SERVER_NAME_LENGTH),
    record({ pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" }, TEXT, "Values for ${NAME} in the fields of this server."),
    "Secrets of the agent for each server: write ${env:NAME} for a variable of the environment.",
  ),
  collisions: {
    description: "Who owns a bare tool name that several servers list: the first of them, or nobody.",
    enum: [...POLICIES],
    default: "first",
  },
  keys: {
    description: "The gateway's bearer keys for this agent, by their digests; at most two are good at a time.",
    type: "array",
    items: { anyOf: [DIGEST, mapping(KEY, { required: ["digest"] })] },
  },
  limits: refTo("limits"),
};

const FILE: Properties<typeof FILE_KEYS> & Properties<typeof ECOSYSTEM_KEYS> = {
  $schema: { ...TEXT, description: "This schema, for editors; nothing else looks at it." },
  servers: SERVERS("server", "Servers that agents name in their lists."),
  agents: record(nameOf(MAX_AGENT_NAME_LENGTH), refTo("agent"), "The agents by name."),
  mcpServers: SERVERS(
    "ecosystemServer",
    'The servers of one agent called "default", as other MCP programs write them.',
  ),
  secrets: AGENT.secrets,
  collisions: AGENT.collisions,
  keys: AGENT.keys,
  limits: refTo("limits"),
  jwt: {
    description: "Whose tokens the gateway takes instead of a key: one issuer, or several.",
    anyOf: [refTo("issuer"), { type: "array", items: refTo("issuer") }],
  },
  publicUrl: textOr(
    { pattern: `^${inAnyCase("http")}[Ss]?://[^\\s/?#]+/?$` },
    "Where callers reach the gateway: its origin, https but on loopback.",
  ),
};

/**
 * The JSON Schema of the configuration (draft-07, which editors know best). It accepts whatever the parser does, and
 * refuses what can be told without the environment: unknown keys, wrong types, words that are none of the known ones.
 *
 * @example
 * ```ts
 * import { toConfigSchema } from "./config_schema.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toConfigSchema().$schema, "http://json-schema.org/draft-07/schema#");
 * ```
 *
 * @returns The schema, as plain data of the caller's own.
 */
export function toConfigSchema(): JsonObject {
  const only = (keys: readonly string[]) => ({
    properties: Object.fromEntries(keys.map((key) => [key, true])),
    additionalProperties: false,
  });
  return structuredClone({
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Portolan configuration",
    description: "MCP servers and the agents that use them.",
    type: "object",
    properties: FILE,
    if: { required: ["mcpServers"] },
    then: only(ECOSYSTEM_KEYS),
    else: { required: ["agents"], ...only(FILE_KEYS) },
    definitions: {
      ...SERVER_DEFINITIONS,
      agent: mapping(AGENT, { required: ["servers"] }),
      limits: mapping(LIMITS, { description: "How much may be used through the gateway; 0 is no limit." }),
      issuer: mapping(ISSUER, { required: ["issuer"], not: { required: ["jwksUrl", "jwks"] } }),
    },
  });
}

function oneOrMore(items: JsonObject, description: string): JsonObject {
  return { description, anyOf: [items, { type: "array", minItems: 1, items }] };
}
