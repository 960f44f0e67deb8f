/**
 * What a configuration says of the tokens that callers of the gateway may bring: JWTs of one issuer.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "../protocol.ts";
import { addWrongType, checkKeys, keyPath, quote, readList, readMapping } from "./config_checks.ts";
import { checkServerUrl } from "./server_address.ts";
import { checkFlag, type FieldCheck, readPlainText } from "./server_fields.ts";

/**
 * Which claim of a token names something: a claim of its own, or scopes.
 *
 * @example
 * ```ts
 * import type { JwtConfig, JwtRule } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * // A token with the scope "agent:Kairos" opens agent Kairos, and one with "portolan:admin" opens all.
 * const agents: JwtRule = { scope: "agent:" };
 * const admin: JwtRule = { scope: "portolan:admin" };
 * const jwt: JwtConfig = { issuer: "https://login.example.com", agents, admin };
 * assertEquals(jwt.agents, { scope: "agent:" });
 * ```
 */
export interface JwtRule {
  /** The name of the claim; its value is a string or a list of strings. */
  readonly claim?: string | undefined;
  /** The value that the claim has or holds, where it is about one: for `admin`. */
  readonly value?: string | undefined;
  /** Instead of a claim: what the scope begins with, for `agents`; the scope itself, for `admin`. */
  readonly scope?: string | undefined;
}

/**
 * Whose tokens callers of the gateway may bring instead of a key. A token has to name the gateway as its audience, an
 * end, and its subject.
 *
 * @example
 * ```ts
 * import { createGateway, type JwtConfig } from "@portolan/mcp/gateway";
 * import { MCPClientManager } from "@portolan/mcp";
 *
 * await using directory = new MCPClientManager({ agents: { Kairos: { servers: {} } } });
 * const jwt: JwtConfig = { issuer: "https://login.example.com", agents: { claim: "roles" } };
 * createGateway({ directory }, { jwt: [jwt], publicUrl: "https://mcp.example.com" });
 * ```
 */
export interface JwtConfig {
  /** Who issues the tokens, exactly as they say it in `iss`. */
  readonly issuer: string;
  /**
   * What else than the gateway's own URLs a token may name as its audience.
   * @default {nothing else; without a public URL it has to be given}
   */
  readonly audience?: readonly string[] | undefined;
  /** The algorithms to accept; none that takes a shared secret. @default {RS256, PS256, ES256, ES384, EdDSA, Ed25519} */
  readonly algorithms?: readonly string[] | undefined;
  /** Where the issuer's public keys are. @default {where the issuer's metadata says} */
  readonly jwksUrl?: string | undefined;
  /** The issuer's public keys themselves, instead of a URL. */
  readonly jwks?: { readonly keys: readonly JsonObject[] } | undefined;
  /** What names the agents that a token opens. @default {{ claim: "portolan_agents" }} */
  readonly agents?: JwtRule | undefined;
  /** What makes a caller one that may do what a key of `*` may. @default {no token does} */
  readonly admin?: JwtRule | undefined;
  /** How far the issuer's clock may be off, in milliseconds, up to 300,000. @default {5_000} */
  readonly clockToleranceMs?: number | undefined;
  /** What a token has to say in `typ`, such as `at+jwt` (RFC 9068). @default {anything} */
  readonly typ?: string | undefined;
  /** Whether the issuer and its keys may be at private addresses; loopback needs no leave. @default {false} */
  readonly allowPrivate?: boolean | undefined;
}

/** The algorithms that can be accepted: signatures, whose public key tells nobody how to sign. */
export const JWT_ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
] as const;

/** The keys of an issuer. */
export const JWT_KEYS = [
  "issuer",
  "audience",
  "algorithms",
  "jwksUrl",
  "jwks",
  "agents",
  "admin",
  "clockToleranceMs",
  "typ",
  "allowPrivate",
] as const satisfies readonly (keyof JwtConfig)[];
const SYNONYMS = new Map([
  ["iss", "issuer"],
  ["aud", "audience"],
  ["jwks_uri", "jwksUrl"],
  ["jwksUri", "jwksUrl"],
  ["clockTolerance", "clockToleranceMs"],
]);
/** Members that only a private or a shared key has (RFC 7518, section 6). */
export const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/** How far an issuer's clock may be off, in milliseconds. */
export const MAX_CLOCK_TOLERANCE_MS = 300_000;
/** How many public keys an issuer may have. */
export const MAX_PUBLIC_KEYS = 64;

/**
 * Reads the issuers of tokens: one mapping, or a list of them.
 *
 * @param value The issuers as they were written.
 * @param path Where they are.
 * @param check The environment, and who takes the faults.
 * @returns The issuers without fault; or `undefined` where there are none.
 */
export function readJwt(value: unknown, path: string, check: FieldCheck): readonly JwtConfig[] | undefined {
  if (value === undefined) return undefined;
  const items = Array.isArray(value) ? value.map((item, index) => [item, keyPath(path, index)] as const) : [
    [value, path] as const,
  ];
  const issuers = new Map<string, JwtConfig>();
  for (const [item, at] of items) {
    const config = readIssuer(item, at, check);
    if (config === undefined) continue;
    if (issuers.has(config.issuer)) check.faults.add(keyPath(at, "issuer"), "Cannot list an issuer twice: remove one");
    issuers.set(config.issuer, config);
  }
  return [...issuers.values()];
}

function readIssuer(value: unknown, path: string, check: FieldCheck): JwtConfig | undefined {
  const { faults } = check;
  const before = faults.count;
  const fields = readMapping(value, path, 'a mapping with "issuer", or a list of such', faults);
  if (fields === undefined) return undefined;
  const at = (key: string) => keyPath(path, key);
  checkKeys(fields, path, JWT_KEYS, faults, SYNONYMS);
  const allowPrivate = checkFlag(fields.get("allowPrivate"), at("allowPrivate"), check) ?? false;
  const readUrl = (key: string, wanted: string) => {
    const text = readPlainText(fields.get(key), at(key), wanted, check);
    if (text !== undefined) checkUrl(text, at(key), allowPrivate, check);
    return text;
  };
  const issuer = readUrl("issuer", "the URL that the tokens name in their iss");
  const jwksUrl = fields.has("jwksUrl") ? readUrl("jwksUrl", "the URL of the issuer's public keys") : undefined;
  const jwks = readKeySet(fields.get("jwks"), at("jwks"), check);
  if (jwksUrl !== undefined && jwks !== undefined) {
    faults.add(at("jwks"), 'Cannot stand beside "jwksUrl": remove one');
  }
  const audience = readTexts(fields.get("audience"), at("audience"), "an audience as a string", check);
  const algorithms = readTexts(fields.get("algorithms"), at("algorithms"), "an algorithm as a string", check);
  for (const [index, algorithm] of (algorithms ?? []).entries()) {
    if ((JWT_ALGORITHMS as readonly string[]).includes(algorithm)) continue;
    const where = Array.isArray(fields.get("algorithms")) ? keyPath(at("algorithms"), index) : at("algorithms");
    faults.add(where, `Cannot be accepted as an algorithm: write one of ${JWT_ALGORITHMS.map(quote).join(", ")}`);
  }
  const agents = readRule(fields.get("agents"), at("agents"), "prefix", check);
  const admin = readRule(fields.get("admin"), at("admin"), "value", check);
  const clockToleranceMs = readTolerance(fields.get("clockToleranceMs"), at("clockToleranceMs"), check);
  const typ = fields.has("typ") ? readPlainText(fields.get("typ"), at("typ"), "a type as a string", check) : undefined;
  if (issuer === undefined || faults.count > before) return undefined;
  const given = { audience, algorithms, jwksUrl, jwks, agents, admin, clockToleranceMs, typ };
  const written = Object.entries(given).filter(([, member]) => member !== undefined);
  return { issuer, ...Object.fromEntries(written), ...(allowPrivate && { allowPrivate }) };
}

function checkUrl(text: string, path: string, allowPrivate: boolean, { faults }: FieldCheck): void {
  const url = checkServerUrl(text, { allowPrivate });
  if (typeof url === "string") return faults.add(path, url);
  const isLoopback = typeof checkServerUrl(text, { allowPrivate: true, allowLoopback: false }) === "string";
  if (url.protocol !== "https:" && !isLoopback) {
    faults.add(path, "Cannot use http here but on loopback: write an https URL");
  }
}

/** One text, or a list of them. */
function readTexts(
  value: unknown,
  path: string,
  wanted: string,
  check: FieldCheck,
): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) {
    const text = readPlainText(value, path, `${wanted}, or a list of such`, check);
    return text === undefined ? undefined : [text];
  }
  if (value.length === 0) check.faults.add(path, `Cannot be an empty list: write ${wanted}`);
  const texts = value.map((item, index) => readPlainText(item, keyPath(path, index), wanted, check));
  return texts.filter((text) => text !== undefined);
}

function readRule(
  value: unknown,
  path: string,
  kind: "prefix" | "value",
  check: FieldCheck,
): JwtRule | undefined {
  if (value === undefined) return undefined;
  const { faults } = check;
  const wanted = kind === "prefix"
    ? 'a mapping with "claim", or with "scope" and what it begins with'
    : 'a mapping with "claim" and "value", or with "scope"';
  const fields = readMapping(value, path, wanted, faults);
  if (fields === undefined) return undefined;
  const known = kind === "prefix" ? ["claim", "scope"] : ["claim", "value", "scope"];
  checkKeys(fields, path, known, faults);
  const read = (key: string) =>
    fields.has(key) ? readPlainText(fields.get(key), keyPath(path, key), "a string", check) : undefined;
  const [claim, scope, wantedValue] = [read("claim"), read("scope"), read("value")];
  if (fields.has("claim") === fields.has("scope")) faults.add(path, `Cannot tell what is meant: write ${wanted}`);
  else if (kind === "value" && fields.has("claim") !== fields.has("value")) {
    faults.add(keyPath(path, "value"), 'Cannot be told from anybody else: write "claim" and "value" together');
  }
  // RFC 6749, section 3.3: it is sent in a header, too.
  if (scope !== undefined && !/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(scope)) {
    faults.add(keyPath(path, "scope"), "Cannot be a scope: write visible ASCII without quotes and backslashes");
  }
  return scope === undefined ? { claim, ...(wantedValue !== undefined && { value: wantedValue }) } : { scope };
}

function readTolerance(value: unknown, path: string, { faults }: FieldCheck): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_CLOCK_TOLERANCE_MS) {
    return value;
  }
  addWrongType(value, path, `milliseconds as a whole number from 0 to ${MAX_CLOCK_TOLERANCE_MS}`, faults);
  return undefined;
}

function readKeySet(value: unknown, path: string, check: FieldCheck): JwtConfig["jwks"] {
  if (value === undefined) return undefined;
  const { faults } = check;
  const fields = readMapping(value, path, 'a mapping with "keys"', faults);
  if (fields === undefined) return undefined;
  checkKeys(fields, path, ["keys"], faults);
  const keys: JsonObject[] = [];
  const items = readList(fields.get("keys"), keyPath(path, "keys"), "a list of public keys", faults) ?? [];
  if (items.length > MAX_PUBLIC_KEYS) {
    faults.add(keyPath(path, "keys"), `Cannot have more than ${MAX_PUBLIC_KEYS} keys: remove some`);
  }
  for (const [index, item] of items.entries()) {
    const at = keyPath(keyPath(path, "keys"), index);
    const members = readMapping(item, at, "a public key as a mapping", faults);
    if (members === undefined) continue;
    if (PRIVATE_MEMBERS.some((member) => members.has(member)) || members.get("kty") === "oct") {
      faults.add(at, "Cannot use a private or shared key: write the public one, and take this one for known to others");
    } else if (!["RSA", "EC", "OKP"].includes(String(members.get("kty")))) {
      faults.add(keyPath(at, "kty"), 'Cannot be the type of a public key: write "RSA", "EC" or "OKP"');
    }
    keys.push(Object.fromEntries(members) as Record<string, JsonValue>);
  }
  return { keys };
}
