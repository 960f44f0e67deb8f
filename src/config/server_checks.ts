/**
 * Checks one server's configuration, and fills it with an agent's secrets.
 *
 * @module
 */

import { checkAuth, type CheckedAuth, fillAuth, type ResolvedAuth, textsOfAuth } from "../auth/auth_config.ts";
import { checkKeys, keyPath, quote, readMapping } from "./config_checks.ts";
import { nearestNames } from "../nearest.ts";
import { Secret } from "../secrets.ts";
import * as field from "./server_fields.ts";
import { fillTemplate, templateReferences, templateText } from "./template.ts";
import type { ToolFilter } from "../tools/tool_filter.ts";

/**
 * Which transport to speak: `auto` is Streamable HTTP, then SSE where the server does not know the former.
 *
 * @example
 * ```ts
 * import type { ServerConfig, TransportChoice } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * // A server of old that is known to speak SSE alone: one request less to find out.
 * const transport: TransportChoice = "sse";
 * const server: ServerConfig = { url: "https://old.example.com/sse", transport };
 * assertEquals(server.transport, "sse");
 * ```
 */
export type TransportChoice = "auto" | "streamable_http" | "sse";

/**
 * Which protocol era to speak: `auto` asks the server; `legacy` is up to 2025-11-25, `modern` from 2026-07-28.
 *
 * @example
 * ```ts
 * import type { EraChoice, ServerConfig } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const eraOf = (isUpgraded: boolean): EraChoice => isUpgraded ? "modern" : "auto";
 * const server: ServerConfig = { url: "https://files.example.com/mcp", era: eraOf(true) };
 * assertEquals(server.era, "modern");
 * ```
 */
export type EraChoice = "auto" | "legacy" | "modern";

/**
 * What to do about a tool whose description or schema is no longer what it was first seen with.
 *
 * @example
 * ```ts
 * import type { PinChoice, ServerConfig } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const pin: PinChoice = "block";
 * const server: ServerConfig = { url: "https://someone-else.example.com/mcp", pin };
 * assertEquals(server.pin, "block");
 * ```
 */
export type PinChoice = "off" | "warn" | "block";

/** One server whose shape was checked. Its texts may still refer to secrets. */
export interface CheckedServer {
  /** The endpoint as text; `undefined` after a fault. */
  readonly url: field.TextField | undefined;
  /** The endpoint; `undefined` where it refers to secrets or after a fault. */
  readonly fixedUrl: URL | undefined;
  /** The headers by lower-case name. */
  readonly headers: ReadonlyMap<string, field.TextField>;
  /** Which transport to speak, where it was given. */
  readonly transport: TransportChoice | undefined;
  /** Which era to speak, where it was given. */
  readonly era: EraChoice | undefined;
  /** The longest any one operation may take in milliseconds, where it was given. */
  readonly timeoutMs: number | undefined;
  /** Which tools are let through, where it was given. */
  readonly tools: ToolFilter | undefined;
  /** What to do about changed tools, where it was given. */
  readonly pin: PinChoice | undefined;
  /** Whether to listen for changes, where it was given. */
  readonly watch: boolean | undefined;
  /** Whether the tools' own hints are believed, where it was given. */
  readonly trustAnnotations: boolean | undefined;
  /** Whether arguments are checked before they are sent, where it was given. */
  readonly validateArguments: boolean | undefined;
  /** Whether results are checked, where it was given. */
  readonly validateResults: boolean | undefined;
  /** How tokens are had, where it was given. */
  readonly auth: CheckedAuth | undefined;
  /** Whether a special address is allowed, where it was given. */
  readonly allowPrivate: boolean | undefined;
}

/** One server with its secrets and defaults filled in. */
export interface FilledServer {
  /** The endpoint, without userinfo and fragment. Its path and query may hold secrets: show the origin only. */
  readonly url: URL;
  /** Which transport to speak. */
  readonly transport: TransportChoice;
  /** Which era to speak. */
  readonly era: EraChoice;
  /** Headers of every request to this server's own origin, by lower-case name; an object without a prototype. */
  readonly headers: Readonly<Record<string, Secret>>;
  /** The longest any one operation may take in milliseconds, or `undefined` for the defaults of the operations. */
  readonly timeoutMs: number | undefined;
  /** Which of its tools the agent may see and call; an empty `allow` lets nothing through. */
  readonly tools: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** What to do about changed tools. */
  readonly pin: PinChoice;
  /** Whether to listen for changes. */
  readonly watch: boolean;
  /** Whether the tools' own hints are believed. */
  readonly trustAnnotations: boolean;
  /** Whether arguments are checked against the tool's schema before they are sent. */
  readonly validateArguments: boolean;
  /** Whether results are checked against the tool's schema. */
  readonly validateResults: boolean;
  /** How tokens are had, or `undefined` where none are. */
  readonly auth: ResolvedAuth | undefined;
  /** Whether the URL may name a special address other than loopback. */
  readonly allowPrivate: boolean;
}

/** The secrets of one agent for one server. */
export interface ServerSecrets {
  /** Where they are. */
  readonly path: string;
  /** The values by name; `undefined` for one whose fault was told. */
  readonly values: ReadonlyMap<string, string | undefined>;
}

/** How to check a server. */
export interface ServerCheck extends field.FieldCheck {
  /** Whether `type` names the transport, as in the ecosystem's `mcpServers`. @default {false} */
  readonly acceptType?: boolean | undefined;
}

/** The keys of a server. */
export const SERVER_KEYS = [
  "url",
  "transport",
  "era",
  "headers",
  "timeoutMs",
  "tools",
  "pin",
  "watch",
  "trustAnnotations",
  "validateArguments",
  "validateResults",
  "auth",
  "allowPrivate",
] as const satisfies readonly (keyof CheckedServer)[];
const STDIO_KEYS = ["command", "args", "env", "cwd"];
const SYNONYMS = new Map([
  ["type", "transport"],
  ["endpoint", "url"],
  ["baseUrl", "url"],
  ["serverUrl", "url"],
  ["httpUrl", "url"],
  ["timeout", "timeoutMs"],
]);
/** The words for a transport. */
export const TRANSPORTS: ReadonlyMap<string, TransportChoice> = new Map([
  ["auto", "auto"],
  ["streamable_http", "streamable_http"],
  ["sse", "sse"],
]);
/** The words for a transport under `type`, as in the ecosystem's `mcpServers`. */
export const TYPES: ReadonlyMap<string, TransportChoice> = new Map([
  ["http", "streamable_http"],
  ["streamable-http", "streamable_http"],
  ["streamableHttp", "streamable_http"],
  ["sse", "sse"],
]);
/** The words for an era. */
export const ERAS: ReadonlyMap<string, EraChoice> = new Map([["auto", "auto"], ["legacy", "legacy"], [
  "modern",
  "modern",
]]);
/** The words for what to do about a changed tool. */
export const PINS: ReadonlyMap<string, PinChoice> = new Map([["off", "off"], ["warn", "warn"], ["block", "block"]]);
const STDIO_FAULT = "Cannot start a server as a process, as the edge has none: " +
  'run it behind a bridge such as supergateway and write the address of that as "url"';

/**
 * Checks the shape of a server's configuration, and everything in it that does not depend on secrets.
 *
 * @param value The configuration as it was written.
 * @param path Where it is.
 * @param check The environment, and who takes the faults.
 * @returns The checked parts; or `undefined` where the value is no mapping.
 */
export function checkServer(value: unknown, path: string, check: ServerCheck): CheckedServer | undefined {
  const { faults, acceptType = false } = check;
  const fields = readMapping(value, path, 'a mapping with a "url"', faults);
  if (fields === undefined) return undefined;
  const at = (key: string) => keyPath(path, key);
  const stdioKey = ["command", "args"].find((key) => fields.has(key)) ??
    (fields.get("type") === "stdio" ? "type" : undefined);
  if (stdioKey !== undefined) faults.add(at(stdioKey), STDIO_FAULT);
  const foreign = stdioKey !== undefined ? [...STDIO_KEYS, "type"] : acceptType ? ["type"] : [];
  checkKeys(fields, path, [...SERVER_KEYS, ...foreign], faults, SYNONYMS);
  const allowPrivate = field.checkFlag(fields.get("allowPrivate"), at("allowPrivate"), check);
  const headers = field.checkHeaders(fields.get("headers"), at("headers"), check);
  const auth = fields.has("auth") ? checkAuth(fields.get("auth"), at("auth"), check) : undefined;
  if (auth !== undefined && headers.has("authorization")) {
    faults.add(keyPath(at("headers"), "authorization"), 'Cannot stand beside "auth": remove one');
  }
  const url = stdioKey === undefined || fields.has("url")
    ? field.readText(fields.get("url"), at("url"), "the http(s) URL of the endpoint", check)
    : undefined;
  return {
    url,
    fixedUrl: url && field.checkUrl(url.path, templateText(url.template), allowPrivate ?? false, "", faults),
    headers,
    auth,
    transport: stdioKey === undefined ? checkTransport(fields, path, check) : undefined,
    era: field.checkChoice(fields.get("era"), at("era"), "era", ERAS, check),
    timeoutMs: field.checkTimeout(fields.get("timeoutMs"), at("timeoutMs"), check),
    tools: field.checkTools(fields.get("tools"), at("tools"), check),
    pin: field.checkChoice(fields.get("pin"), at("pin"), "pin", PINS, check),
    watch: field.checkFlag(fields.get("watch"), at("watch"), check),
    trustAnnotations: field.checkFlag(fields.get("trustAnnotations"), at("trustAnnotations"), check),
    validateArguments: field.checkFlag(fields.get("validateArguments"), at("validateArguments"), check),
    validateResults: field.checkFlag(fields.get("validateResults"), at("validateResults"), check),
    allowPrivate,
  };
}

/**
 * Fills a server with the secrets of an agent.
 *
 * @param server The checked server.
 * @param secrets The agent's secrets for this server.
 * @param check Who takes the faults; with an environment, a fault also shows how to refer to that.
 * @returns The server; or `undefined` where it cannot be used, for a fault of now or of before.
 */
export function fillServer(
  server: CheckedServer,
  secrets: ServerSecrets,
  check: field.FieldCheck,
): FilledServer | undefined {
  const { faults } = check;
  const before = faults.count;
  addMissing(server, secrets, check);
  const fill = ({ path, template }: field.TextField) => {
    const isFixed = templateText(template) !== undefined;
    return {
      path,
      text: templateText(fillTemplate(template, ({ name }) => secrets.values.get(name))),
      suffix: isFixed ? "" : ` (with the secrets at ${secrets.path})`,
    };
  };
  let url = server.fixedUrl;
  if (server.url !== undefined && templateText(server.url.template) === undefined) {
    const { path, text, suffix } = fill(server.url);
    url = field.checkUrl(path, text, server.allowPrivate ?? false, suffix, faults);
  }
  const headers: Record<string, Secret> = Object.create(null);
  for (const [name, header] of server.headers) {
    const { path, text, suffix } = fill(header);
    if (field.checkHeaderValue(path, text, suffix, faults) && text !== undefined) headers[name] = new Secret(text);
  }
  const auth = server.auth && fillAuth(server.auth, fill, faults);
  if (url === undefined || faults.count > before) return undefined;
  return {
    auth,
    url: new URL(url),
    transport: server.transport ?? "auto",
    era: server.era ?? "auto",
    headers: Object.freeze(headers),
    timeoutMs: server.timeoutMs,
    tools: { allow: server.tools?.allow ?? ["*"], deny: server.tools?.deny ?? [] },
    pin: server.pin ?? "off",
    watch: server.watch ?? false,
    trustAnnotations: server.trustAnnotations ?? false,
    validateArguments: server.validateArguments ?? true,
    validateResults: server.validateResults ?? true,
    allowPrivate: server.allowPrivate ?? false,
  };
}

/**
 * Whether a server depends on an agent's secrets.
 *
 * @param server The checked server.
 * @returns Whether a text refers to a secret.
 */
export function refersToSecrets(server: CheckedServer): boolean {
  return textsOf(server).some(({ template }) => templateReferences(template).length > 0);
}

function checkTransport(
  fields: ReadonlyMap<string, unknown>,
  path: string,
  check: ServerCheck,
): TransportChoice | undefined {
  const byType = check.acceptType === true && fields.has("type");
  const key = byType ? "type" : "transport";
  const at = keyPath(path, key);
  if (byType && fields.has("transport")) check.faults.add(at, 'Cannot stand beside "transport": remove one');
  return field.checkChoice(fields.get(key), at, "transport", byType ? TYPES : TRANSPORTS, check);
}

function textsOf(server: CheckedServer): readonly field.TextField[] {
  return [...(server.url ? [server.url] : []), ...server.headers.values(), ...textsOfAuth(server.auth)];
}

function addMissing(server: CheckedServer, secrets: ServerSecrets, { env, faults }: field.FieldCheck): void {
  const users = new Map<string, Set<string>>();
  for (const { path, template } of textsOf(server)) {
    for (const { name } of templateReferences(template)) {
      if (!secrets.values.has(name)) users.set(name, (users.get(name) ?? new Set()).add(path));
    }
  }
  for (const [name, paths] of users) {
    const near = nearestNames(name, secrets.values.keys(), 1).map((other) => `, or did you mean ${quote(other)}`);
    const way = env === undefined ? "" : `, or write "\${env:${name}}" there for an environment variable`;
    const message = `Missing secret for ${[...paths].join(", ")}: add it${near.join("")}${way}`;
    faults.add(keyPath(secrets.path, name), message);
  }
}
