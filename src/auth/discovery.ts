/**
 * Finds out which authorization server gives tokens for a server, and what that can do. Nothing that is found is used
 * before it has proved whose it is.
 *
 * @module
 */

import type { JsonObject } from "../protocol.ts";
import { type AddressRules, isTrustedOrigin } from "./auth_address.ts";
import type { AuthFetch } from "./auth_fetch.ts";
import { toMetadataUrls } from "./metadata_urls.ts";
import { toAuthError } from "./oauth_errors.ts";

/** What an authorization server says of itself (RFC 8414), as far as it is used here. */
export interface IssuerMetadata {
  /** Its identifier, exactly as it was asked for. */
  readonly issuer: string;
  /** Where a person authorizes. */
  readonly authorizationEndpoint: string | undefined;
  /** Where tokens are given. */
  readonly tokenEndpoint: string;
  /** Where clients register. */
  readonly registrationEndpoint: string | undefined;
  /** The scopes it lists. */
  readonly scopes: readonly string[] | undefined;
  /** How it takes the challenge of PKCE. */
  readonly challengeMethods: readonly string[];
  /** How clients may prove who they are. */
  readonly authMethods: readonly string[] | undefined;
  /** Whether its responses name it (RFC 9207). */
  readonly namesItself: boolean;
  /** Whether a client's id may be the URL of its metadata. */
  readonly takesClientUrls: boolean;
}

/** For what a token is wanted, and where it is to be had. */
export interface AuthTarget {
  /** The resource, as its metadata spells it (RFC 8707). */
  readonly resource: string;
  /** The scopes that its metadata lists. */
  readonly scopes: readonly string[] | undefined;
  /** The authorization server. */
  readonly metadata: IssuerMetadata;
}

/** What discovery needs. */
export interface DiscoveryDeps {
  /** The configured name of the server. */
  readonly server: string;
  /** Whom the operator trusts. */
  readonly rules: AddressRules;
  /** The way out. */
  readonly send: AuthFetch;
}

interface Resource {
  readonly resource: string;
  readonly scopes: readonly string[] | undefined;
  /** Acceptable issuers, best first. */
  readonly issuers: readonly string[];
  /** Whether the issuers are two spellings of one that nobody has named. */
  readonly isGuess: boolean;
}

const MAX_TEXT_LENGTH = 2_048;
const MAX_ITEMS = 500;
const MAX_ISSUERS = 10;

/**
 * Finds the authorization server of a resource.
 *
 * @param deps What discovery needs.
 * @param metadataUrl Where the server said its metadata is, or `undefined` where it did not.
 * @param preferred The issuer to stay with, where the resource still lists it.
 * @param signal Ends the search.
 * @returns The target.
 * @throws {MCPError} If there is none that may be used (`auth_failed`).
 */
export async function discoverTarget(
  deps: DiscoveryDeps,
  metadataUrl: string | undefined,
  preferred: string | undefined,
  signal: AbortSignal,
): Promise<AuthTarget> {
  const { server, rules } = deps;
  const { resource, scopes, issuers, isGuess } = await findResource(deps, metadataUrl, signal);
  const trusted = rules.issuers.length === 0 ? issuers : issuers.filter((issuer) => rules.issuers.includes(issuer));
  const issuer = trusted.find((one) => one === preferred) ?? trusted[0];
  if (issuer === undefined) {
    const why = issuers.length === 0
      ? "its metadata names no authorization server"
      : 'it names none of the authorization servers that are listed under "issuers"';
    throw toAuthError(server, why);
  }
  const metadata = await findIssuer(deps, issuer, isGuess ? trusted : [issuer], signal);
  return { resource, scopes, metadata };
}

/** The metadata of the resource (RFC 9728): where the server says, else at its path, else at its root. */
async function findResource(
  deps: DiscoveryDeps,
  metadataUrl: string | undefined,
  signal: AbortSignal,
): Promise<Resource> {
  const { server, rules, send } = deps;
  const { origin, pathname } = rules.serverUrl;
  if (metadataUrl !== undefined) {
    const url = URL.parse(metadataUrl);
    if (url === null || !isTrustedOrigin(url, rules)) {
      throw toAuthError(server, "it says that its metadata is at another origin");
    }
    const { status, json } = await send({ url: metadataUrl, signal });
    if (status === 200 && json !== undefined) return readResource(deps, json);
    throw toAuthError(server, `its metadata cannot be read (HTTP ${status})`, { retryable: status >= 500 });
  }
  const path = pathname.replace(/\/$/, "");
  const root = `${origin}/.well-known/oauth-protected-resource`;
  for (const url of new Set([root + path, root])) {
    const { status, json } = await send({ url, signal });
    if (status === 200 && json?.resource !== undefined) return readResource(deps, json);
    if (status >= 500) throw toAuthError(server, `its metadata cannot be read (HTTP ${status})`, { retryable: true });
  }
  // Servers from before 2025-06-18 have no such metadata and are their own authorization server. Who guesses an
  // identifier guesses both of its spellings.
  return { resource: origin + path, scopes: undefined, issuers: [origin, `${origin}/`], isGuess: true };
}

function readResource({ server, rules }: DiscoveryDeps, json: JsonObject): Resource {
  const resource = readText(json.resource);
  const url = resource === undefined ? null : URL.parse(resource);
  if (resource === undefined || url === null || resource.includes("#") || !covers(url, rules.serverUrl)) {
    throw toAuthError(server, "its metadata is of another resource than the configured URL");
  }
  const issuers = (readTexts(json.authorization_servers) ?? []).slice(0, MAX_ISSUERS);
  return { resource, scopes: readTexts(json.scopes_supported), issuers, isGuess: false };
}

/** Whether a resource is the server, or something that the server is a part of. */
function covers(resource: URL, serverUrl: URL): boolean {
  const asFolder = (path: string) => path.endsWith("/") ? path : `${path}/`;
  return resource.origin === serverUrl.origin && asFolder(serverUrl.pathname).startsWith(asFolder(resource.pathname));
}

/** The metadata of an authorization server: of several places the first whose document is of that very issuer. */
async function findIssuer(
  { server, send }: DiscoveryDeps,
  issuer: string,
  accepted: readonly string[],
  signal: AbortSignal,
): Promise<IssuerMetadata> {
  let why = "the authorization server has no metadata";
  let retryable = false;
  const urls = toMetadataUrls(issuer);
  if (urls === undefined) throw toAuthError(server, "it names an authorization server that is no URL");
  for (const url of urls) {
    const { status, json } = await send({ url, signal });
    if (status >= 500) retryable = true;
    if (status !== 200 || json === undefined) continue;
    const name = readText(json.issuer);
    const tokenEndpoint = readText(json.token_endpoint);
    if (name === undefined || !accepted.includes(name)) {
      why = "the authorization server's metadata is of another issuer";
    } else if (tokenEndpoint === undefined) why = "the authorization server's metadata names no token endpoint";
    else return readIssuer(json, name, tokenEndpoint);
  }
  throw toAuthError(server, why, { retryable });
}

function readIssuer(json: JsonObject, issuer: string, tokenEndpoint: string): IssuerMetadata {
  return {
    issuer,
    tokenEndpoint,
    authorizationEndpoint: readText(json.authorization_endpoint),
    registrationEndpoint: readText(json.registration_endpoint),
    scopes: readTexts(json.scopes_supported),
    challengeMethods: readTexts(json.code_challenge_methods_supported) ?? [],
    authMethods: readTexts(json.token_endpoint_auth_methods_supported),
    namesItself: json.authorization_response_iss_parameter_supported === true,
    takesClientUrls: json.client_id_metadata_document_supported === true,
  };
}

function readText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT_LENGTH ? value : undefined;
}

function readTexts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.slice(0, MAX_ITEMS).map(readText).filter((text) => text !== undefined);
}
