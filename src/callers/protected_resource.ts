/**
 * The gateway as a resource of OAuth 2.1: what it says of itself (RFC 9728), and what it asks for (RFC 6750).
 *
 * @module
 */

import type { JsonObject } from "../protocol.ts";

/** What callers with tokens have to know of the gateway. */
export interface ProtectedResource {
  /** Who issues the tokens that it takes. */
  readonly issuers: readonly string[];
  /** Where callers reach it; `undefined` for where a request came to. */
  readonly publicUrl: string | undefined;
  /** What a scope begins with that opens an agent; `undefined` where no issuer names agents by scopes. */
  readonly scopePrefix: string | undefined;
}

/** What a challenge says. */
export interface ChallengeOptions {
  /** Why the request was refused; not said to who has sent no key and no token. */
  readonly error?: "invalid_token" | "insufficient_scope" | undefined;
  /** The scope that is needed. */
  readonly scope?: string | undefined;
  /** Where the metadata of the resource is. */
  readonly metadataUrl?: string | undefined;
}

/** Where the metadata of the whole gateway is; that of an agent's MCP endpoint is below it. */
export const METADATA_PATH = "/.well-known/oauth-protected-resource";

/**
 * Whether a text could name an agent: whether there is one is not asked, so that nothing is told of it.
 *
 * @param text The text.
 * @returns Whether it could.
 */
export function isAgentName(text: string): boolean {
  return text.length <= 64 && /^[A-Za-z][A-Za-z0-9_-]*$/.test(text);
}

/**
 * Writes the value of `WWW-Authenticate`.
 *
 * @param options What to say; its texts hold no quotes.
 * @returns The challenge.
 */
export function toChallenge(options: ChallengeOptions = {}): string {
  const { error, scope, metadataUrl } = options;
  const params = [["error", error], ["scope", scope], ["resource_metadata", metadataUrl]]
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}="${value}"`);
  return ["Bearer", params.join(", ")].filter((part) => part !== "").join(" ");
}

/**
 * Where the metadata of the resource is that a request is about: the MCP endpoint of one agent, or the whole gateway.
 *
 * @param resource The gateway.
 * @param url The URL of the request.
 * @returns The URL of the metadata.
 */
export function toMetadataUrl(resource: ProtectedResource, url: URL): string {
  const agent = agentIn(url);
  const isMCP = agent !== undefined && url.pathname === `/agents/${agent}/mcp`;
  return (resource.publicUrl ?? url.origin) + METADATA_PATH + (isMCP ? url.pathname : "");
}

/**
 * The scope that a request needs, as far as its path tells.
 *
 * @param resource The gateway.
 * @param url The URL of the request.
 * @returns The scope, or `undefined` where the path names no agent, or agents are not named by scopes.
 */
export function toNeededScope(resource: ProtectedResource, url: URL): string | undefined {
  const agent = agentIn(url);
  return resource.scopePrefix === undefined || agent === undefined ? undefined : resource.scopePrefix + agent;
}

/**
 * The metadata of a resource. It is made from the request alone: an agent that exists reads like one that does not.
 *
 * @param resource The gateway.
 * @param url The URL of the request for the metadata.
 * @param agent The agent whose MCP endpoint it is about, or `undefined` for the whole gateway.
 * @returns The document.
 */
export function toResourceMetadata(resource: ProtectedResource, url: URL, agent: string | undefined): JsonObject {
  const { issuers, publicUrl = url.origin, scopePrefix } = resource;
  return {
    resource: publicUrl + (agent === undefined ? "" : `/agents/${agent}/mcp`),
    authorization_servers: [...issuers],
    bearer_methods_supported: ["header"],
    ...(scopePrefix !== undefined && agent !== undefined && { scopes_supported: [scopePrefix + agent] }),
  };
}

function agentIn(url: URL): string | undefined {
  const name = /^\/agents\/([^/]+)\//.exec(url.pathname)?.[1];
  return name !== undefined && isAgentName(name) ? name : undefined;
}
