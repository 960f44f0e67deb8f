/**
 * What a server's configuration says under `auth`: its type, its checks and its defaults.
 *
 * @module
 */

import { checkKeys, type FaultList, keyPath, quote, readList, readMapping } from "../config/config_checks.ts";
import { checkChoice, checkFlag, type FieldCheck, readText, type TextField } from "../config/server_fields.ts";
import { renderTemplate, templateText } from "../config/template.ts";
import { Secret } from "../secrets.ts";
import { checkAuthText } from "./auth_texts.ts";

/**
 * How tokens are had: for a person who authorizes, or for the client itself.
 *
 * @example
 * ```ts
 * import { type GrantChoice, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const grant: GrantChoice = "authorization_code";
 * const auth = { grant, redirectUrl: "https://agents.example.com/oauth/callback" };
 * await using client = new SingleServerMCPClient("calendar", { url: "https://cal.example.com/mcp", auth });
 * assertEquals(client.getStatus().state, "idle");
 * ```
 */
export type GrantChoice = "authorization_code" | "client_credentials";

/**
 * How the client's secret is sent: `auto` goes by what the authorization server lists.
 *
 * @example
 * ```ts
 * import type { AuthConfig, TokenAuthChoice } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * // For an authorization server that takes the secret in the body alone and does not say so.
 * const tokenAuth: TokenAuthChoice = "post";
 * const auth: AuthConfig = { clientId: "kairos", clientSecret: "${CALENDAR_SECRET}", tokenAuth };
 * assertEquals(auth.tokenAuth, "post");
 * ```
 */
export type TokenAuthChoice = "auto" | "basic" | "post";

/**
 * How to get tokens by OAuth 2.1. `${NAME}` in its texts is replaced as in `url` and `headers`.
 *
 * @example For the client itself, and for a person
 * ```ts
 * import type { AuthConfig } from "@portolan/mcp";
 *
 * const machine: AuthConfig = { clientId: "kairos", clientSecret: "${CALENDAR_SECRET}" };
 * const person: AuthConfig = { redirectUrl: "https://agents.example.com/oauth/callback" };
 * ```
 */
export interface AuthConfig {
  /** How tokens are had. @default {"authorization_code" with a `redirectUrl`, else "client_credentials"} */
  readonly grant?: GrantChoice | undefined;
  /** The id of the client, where it was registered beforehand. */
  readonly clientId?: string | undefined;
  /**
   * The secret of the client. It goes to the authorization server that the server names at first, and to no other; list
   * that one under `issuers` to trust not even the server's first word.
   */
  readonly clientSecret?: string | undefined;
  /** The private key of the client instead of a secret: PKCS #8 as PEM, or a JWK as JSON. */
  readonly privateKey?: string | undefined;
  /** The algorithm of the private key. @default {what the key is made for} */
  readonly algorithm?: string | undefined;
  /** How the secret is sent. @default {"auto"} */
  readonly tokenAuth?: TokenAuthChoice | undefined;
  /** Scopes to ask for in any case, besides those that the server asks for; separated by spaces. */
  readonly scope?: string | undefined;
  /** Where a person is sent back to: https, or http on loopback. */
  readonly redirectUrl?: string | undefined;
  /** The URL of the client's metadata document, used as its id where the authorization server takes that. */
  readonly clientMetadataUrl?: string | undefined;
  /** The name that a client registers under by itself. @default {"Portolan"} */
  readonly clientName?: string | undefined;
  /** The only authorization servers to trust, by their exact issuers. @default {those that the server names} */
  readonly issuers?: readonly string[] | undefined;
  /** Whether what a server names may be a loopback or private address. @default {false} */
  readonly allowPrivate?: boolean | undefined;
}

/** The `auth` of a server whose shape was checked. Its texts may still refer to secrets. */
export interface CheckedAuth {
  /** How tokens are had. */
  readonly grant: GrantChoice;
  /** How the secret is sent. */
  readonly tokenAuth: TokenAuthChoice;
  /** The texts by their key. */
  readonly texts: ReadonlyMap<AuthTextKey, TextField>;
  /** The authorization servers to trust. */
  readonly issuers: readonly TextField[];
  /** Whether special addresses are allowed. */
  readonly allowPrivate: boolean;
}

/** The keys whose values are texts. */
export type AuthTextKey = typeof TEXT_KEYS[number];

/** The `auth` of a server with its secrets and defaults filled in. */
export interface ResolvedAuth {
  /** How tokens are had. */
  readonly grant: GrantChoice;
  /** How the secret is sent. */
  readonly tokenAuth: TokenAuthChoice;
  /** The id of the client, where it was registered beforehand. */
  readonly clientId: string | undefined;
  /** The secret of the client. */
  readonly clientSecret: Secret | undefined;
  /** The private key of the client. */
  readonly privateKey: Secret | undefined;
  /** The algorithm of the private key, or `undefined` for what it is made for. */
  readonly algorithm: string | undefined;
  /** Scopes to ask for in any case. */
  readonly scope: string | undefined;
  /** Where a person is sent back to. */
  readonly redirectUrl: string | undefined;
  /** The URL of the client's metadata document. */
  readonly clientMetadataUrl: string | undefined;
  /** The name that a client registers under by itself. */
  readonly clientName: string;
  /** The only authorization servers to trust; empty: those that the server names. */
  readonly issuers: readonly string[];
  /** Whether what a server names may be a loopback or private address. */
  readonly allowPrivate: boolean;
}

/** A text with its secrets filled in, as the check of the server's other texts has it. */
export interface FilledText {
  /** Where it is. */
  readonly path: string;
  /** The text; `undefined` where a secret is missing. */
  readonly text: string | undefined;
  /** What to add to a fault. */
  readonly suffix: string;
}

const TEXT_KEYS = [
  "clientId",
  "clientSecret",
  "privateKey",
  "algorithm",
  "scope",
  "redirectUrl",
  "clientMetadataUrl",
  "clientName",
] as const;
/** The keys of an `auth`. */
export const AUTH_KEYS = ["grant", ...TEXT_KEYS, "tokenAuth", "issuers", "allowPrivate"] as const;
const SYNONYMS = new Map([
  ["client_id", "clientId"],
  ["client_secret", "clientSecret"],
  ["scopes", "scope"],
  ["redirectUri", "redirectUrl"],
  ["redirect_uri", "redirectUrl"],
  ["issuer", "issuers"],
]);
/** The words for a grant. */
export const GRANTS: ReadonlyMap<string, GrantChoice> = new Map([
  ["authorization_code", "authorization_code"],
  ["client_credentials", "client_credentials"],
]);
/** The words for how a secret is sent. */
export const TOKEN_AUTHS: ReadonlyMap<string, TokenAuthChoice> = new Map([["auto", "auto"], ["basic", "basic"], [
  "post",
  "post",
]]);
/** Keys that say nothing with a grant. */
const FOREIGN: Readonly<Record<GrantChoice, readonly string[]>> = {
  authorization_code: ["privateKey", "algorithm"],
  client_credentials: ["redirectUrl", "clientMetadataUrl", "clientName"],
};

/**
 * Checks the shape of a server's `auth`, and everything in it that does not depend on secrets.
 *
 * @param value The value as it was written.
 * @param path Where it is.
 * @param check The environment, and who takes the faults.
 * @returns The checked parts; or `undefined` where there is none, or after a fault.
 */
export function checkAuth(value: unknown, path: string, check: FieldCheck): CheckedAuth | undefined {
  if (value === undefined) return undefined;
  const { faults } = check;
  const before = faults.count;
  const fields = readMapping(value, path, 'a mapping with a "clientId" or a "redirectUrl"', faults);
  if (fields === undefined) return undefined;
  const at = (key: string) => keyPath(path, key);
  checkKeys(fields, path, AUTH_KEYS, faults, SYNONYMS);
  const byDefault = fields.has("redirectUrl") ? "authorization_code" : "client_credentials";
  const grant = checkChoice(fields.get("grant"), at("grant"), "grant", GRANTS, check) ?? byDefault;
  const tokenAuth = checkChoice(fields.get("tokenAuth"), at("tokenAuth"), "tokenAuth", TOKEN_AUTHS, check) ?? "auto";
  const allowPrivate = checkFlag(fields.get("allowPrivate"), at("allowPrivate"), check) ?? false;
  checkTogether(fields, grant, path, faults);
  const texts = new Map<AuthTextKey, TextField>();
  for (const key of TEXT_KEYS) {
    const field = fields.has(key) ? readText(fields.get(key), at(key), "a string", check) : undefined;
    const text = field && templateText(field.template);
    if (text !== undefined) addFault(at(key), checkAuthText(key, text), "", faults);
    if (field !== undefined) texts.set(key, field);
  }
  const issuers = checkIssuers(fields.get("issuers"), at("issuers"), check);
  return faults.count > before ? undefined : { grant, tokenAuth, texts, issuers, allowPrivate };
}

/**
 * The texts of an `auth` that may refer to secrets.
 *
 * @param auth The checked parts, or `undefined`.
 * @returns The texts.
 */
export function textsOfAuth(auth: CheckedAuth | undefined): readonly TextField[] {
  return auth === undefined ? [] : [...auth.texts.values(), ...auth.issuers];
}

/**
 * Writes a checked `auth` so that it reads as the same without an environment.
 *
 * @param auth The checked parts.
 * @returns The `auth`, its references to secrets left.
 */
export function toAuthConfig({ grant, tokenAuth, texts, issuers, allowPrivate }: CheckedAuth): AuthConfig {
  const render = ({ template }: TextField) => renderTemplate(template);
  const written = Object.fromEntries([...texts].map(([key, field]) => [key, render(field)]));
  const listed = issuers.length > 0 ? { issuers: issuers.map(render) } : {};
  return { grant, tokenAuth, ...written, ...listed, allowPrivate };
}

/**
 * Fills an `auth` with secrets.
 *
 * @param auth The checked parts.
 * @param fill Fills one text.
 * @param faults Takes the faults.
 * @returns The `auth`; or `undefined` after a fault, or where a secret is missing.
 */
export function fillAuth(
  auth: CheckedAuth,
  fill: (field: TextField) => FilledText,
  faults: FaultList,
): ResolvedAuth | undefined {
  const before = faults.count;
  let isMissing = false;
  const read = (key: AuthTextKey | "issuers", field: TextField | undefined): string | undefined => {
    if (field === undefined) return undefined;
    const { path, text, suffix } = fill(field);
    if (text === undefined) isMissing = true;
    // A fixed text was checked already.
    else if (templateText(field.template) === undefined) addFault(path, checkAuthText(key, text), suffix, faults);
    return text;
  };
  const text = (key: AuthTextKey) => read(key, auth.texts.get(key));
  const secret = (key: AuthTextKey) => {
    const value = text(key);
    return value === undefined ? undefined : new Secret(value);
  };
  const { grant, tokenAuth, allowPrivate } = auth;
  const filled: ResolvedAuth = {
    grant,
    tokenAuth,
    clientId: text("clientId"),
    clientSecret: secret("clientSecret"),
    privateKey: secret("privateKey"),
    algorithm: text("algorithm"),
    scope: text("scope"),
    redirectUrl: text("redirectUrl"),
    clientMetadataUrl: text("clientMetadataUrl"),
    clientName: text("clientName") ?? "Portolan",
    issuers: auth.issuers.map((field) => read("issuers", field) ?? ""),
    allowPrivate,
  };
  return isMissing || faults.count > before ? undefined : filled;
}

/** Which keys need each other, and which exclude each other. */
function checkTogether(
  fields: ReadonlyMap<string, unknown>,
  grant: GrantChoice,
  path: string,
  faults: FaultList,
): void {
  const at = (key: string) => keyPath(path, key);
  for (const key of FOREIGN[grant].filter((key) => fields.has(key))) {
    faults.add(at(key), `Cannot be used with the grant ${quote(grant)}: remove it`);
  }
  if (grant === "authorization_code") {
    if (!fields.has("redirectUrl")) faults.add(at("redirectUrl"), "Missing: write where a person is sent back to");
    if (fields.has("clientSecret") && !fields.has("clientId")) {
      faults.add(at("clientId"), "Missing: write the client's id");
    }
    if (fields.has("clientMetadataUrl") && fields.has("clientId")) {
      faults.add(at("clientMetadataUrl"), 'Cannot stand beside "clientId": remove one');
    }
    return;
  }
  if (!fields.has("clientId")) faults.add(at("clientId"), "Missing: write the client's id");
  if (!fields.has("clientSecret") && !fields.has("privateKey")) {
    faults.add(at("clientSecret"), 'Missing: write the client\'s secret, or a "privateKey"');
  }
  if (fields.has("clientSecret") && fields.has("privateKey")) {
    faults.add(at("privateKey"), 'Cannot stand beside "clientSecret": remove one');
  }
  if (fields.has("algorithm") && !fields.has("privateKey")) {
    faults.add(at("algorithm"), 'Cannot be used without a "privateKey": remove it');
  }
}

function checkIssuers(value: unknown, path: string, check: FieldCheck): readonly TextField[] {
  if (value === undefined) return [];
  const fields: TextField[] = [];
  for (const [index, item] of (readList(value, path, "a list of issuers", check.faults) ?? []).entries()) {
    const at = keyPath(path, index);
    const field = readText(item, at, "an issuer as a string", check);
    const text = field && templateText(field.template);
    if (text !== undefined) addFault(at, checkAuthText("issuers", text), "", check.faults);
    if (field !== undefined) fields.push(field);
  }
  return fields;
}

function addFault(path: string, fault: string | undefined, suffix: string, faults: FaultList): void {
  if (fault !== undefined) faults.add(path, fault + suffix);
}
