/**
 * The JSON Schema of a server in a configuration.
 *
 * @module
 */

import { type AUTH_KEYS, GRANTS, TOKEN_AUTHS } from "../auth/auth_config.ts";
import { ALGORITHMS, MAX_NAME_LENGTH } from "../auth/auth_texts.ts";
import type { JsonObject } from "../protocol.ts";
import {
  choice,
  flag,
  inAnyCase,
  mapping,
  type Properties,
  record,
  REFERENCE,
  refTo,
  textOr,
  urlOf,
  whole,
} from "./schema_parts.ts";
import { ERAS, PINS, type SERVER_KEYS, TRANSPORTS, TYPES } from "./server_checks.ts";
import { MAX_PATTERN_LENGTH, MAX_TIMEOUT_MS, OWNED_HEADERS, type TOOL_FILTER_KEYS } from "./server_fields.ts";

const PATTERNS: JsonObject = {
  type: "array",
  items: { anyOf: [{ type: "string", minLength: 1, maxLength: MAX_PATTERN_LENGTH }, REFERENCE] },
};

const TOOL_FILTER: Properties<typeof TOOL_FILTER_KEYS> = {
  allow: {
    ...PATTERNS,
    description: "Patterns of the tools that are let through; none at all lets nothing through.",
    default: ["*"],
  },
  deny: { ...PATTERNS, description: "Patterns of the tools that are withheld; it wins over allow.", default: [] },
};

const text = (description: string): JsonObject => ({ description, type: "string", minLength: 1 });

const AUTH: Properties<typeof AUTH_KEYS> = {
  grant: choice(
    GRANTS.keys(),
    "How tokens are had. Default: authorization_code with a redirectUrl, else client_credentials.",
  ),
  clientId: text("The id of the client, where it was registered beforehand."),
  clientSecret: text("The secret of the client: write a reference, such as ${SECRET}."),
  privateKey: text(
    "The private key of the client instead of a secret: PKCS #8 as PEM, or a JWK as JSON. Write a reference.",
  ),
  algorithm: choice(ALGORITHMS, "The algorithm of the private key. Default: what the key is made for."),
  tokenAuth: choice(
    TOKEN_AUTHS.keys(),
    "How the secret is sent: auto goes by what the authorization server lists.",
    "auto",
  ),
  scope: text("Scopes to ask for in any case, separated by spaces."),
  redirectUrl: text("Where a person is sent back to: https, or http on loopback."),
  clientMetadataUrl: text("The URL of the client's metadata document, used as its id where that is taken."),
  clientName: textOr(
    { minLength: 1, maxLength: MAX_NAME_LENGTH },
    "The name that the client registers under by itself. Default: Portolan.",
  ),
  issuers: {
    description:
      "The only authorization servers to trust, by their exact issuers. Default: those that the server names.",
    type: "array",
    items: { type: "string", minLength: 1 },
  },
  allowPrivate: flag("Whether what the server names may be a loopback or private address.", false),
};

const needs = (...required: string[]): JsonObject => ({ required });
const without = (...keys: string[]): JsonObject => ({ not: { anyOf: keys.map((key) => needs(key)) } });
const grantIs = (grant: string): JsonObject => ({ properties: { grant: { const: grant } }, required: ["grant"] });

const AUTH_RULES: JsonObject = {
  allOf: [
    {
      if: { anyOf: [grantIs("authorization_code"), { ...without("grant"), required: ["redirectUrl"] }] },
      then: {
        required: ["redirectUrl"],
        dependencies: { clientSecret: ["clientId"], clientMetadataUrl: without("clientId") },
        ...without("privateKey", "algorithm"),
      },
    },
    {
      if: { anyOf: [grantIs("client_credentials"), without("grant", "redirectUrl")] },
      then: {
        required: ["clientId"],
        oneOf: [needs("clientSecret"), needs("privateKey")],
        dependencies: { algorithm: ["privateKey"] },
        ...without("redirectUrl", "clientMetadataUrl", "clientName"),
      },
    },
  ],
};

const SERVER: Properties<typeof SERVER_KEYS> = {
  url: urlOf("The endpoint, http or https, without user name and password: they belong among the headers."),
  transport: choice(TRANSPORTS.keys(), "Which transport to speak: auto is Streamable HTTP, then SSE.", "auto"),
  era: choice(ERAS.keys(), "Which protocol era to speak: legacy is up to 2025-11-25, modern from 2026-07-28.", "auto"),
  headers: record(
    { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$", not: { pattern: toOwned() } },
    { type: "string" },
    "Headers of every request to this server's own origin: write ${NAME} for a secret of the agent.",
  ),
  timeoutMs: whole(
    1,
    MAX_TIMEOUT_MS,
    "The longest that any one operation may take, in milliseconds. Default: 10000 for connecting, 30000 for a call.",
  ),
  tools: mapping(TOOL_FILTER, {
    description: "Which of its tools the agent may see and call; * stands for any characters.",
  }),
  pin: choice(
    PINS.keys(),
    "What to do about a tool that is no longer what it was first seen as: nothing, tell it, or withhold it too.",
    "off",
  ),
  watch: flag("Whether to keep a stream open on which the server tells of changes. Not for the edge.", false),
  trustAnnotations: flag("Whether a call of a tool that says it is read-only or idempotent may be sent again.", false),
  validateArguments: flag("Whether arguments are checked against the tool's schema before they are sent.", true),
  validateResults: flag("Whether results are checked against the tool's schema.", true),
  auth: refTo("auth"),
  allowPrivate: flag("Whether the URL may name a private address; loopback needs no leave.", false),
};

const TYPE = choice(TYPES.keys(), "Which transport to speak, in the words of other programs. Default: both are tried.");

/** What is defined for servers. */
export const SERVER_DEFINITIONS: Readonly<Record<string, JsonObject>> = {
  server: mapping(SERVER, { required: ["url"], ...credentialRule() }),
  ecosystemServer: mapping({ ...SERVER, type: TYPE }, {
    required: ["url"],
    allOf: [{ not: { required: ["type", "transport"] } }, credentialRule()],
  }),
  auth: mapping(AUTH, {
    description: "How to get tokens by OAuth 2.1, instead of an authorization header.",
    ...AUTH_RULES,
  }),
};

function toOwned(): string {
  return `^(${[...OWNED_HEADERS].map(inAnyCase).join("|")}|${inAnyCase("mcp-param-")}.*)$`;
}

/** A token of `auth` and a header would be two credentials in one place. */
function credentialRule(): JsonObject {
  const hasHeader = { propertyNames: { not: { pattern: `^${inAnyCase("authorization")}$` } } };
  return { dependencies: { auth: { properties: { headers: hasHeader } } } };
}
