/**
 * Who sends a request; or how it is told that nobody knows.
 *
 * @module
 */

import { RequestError } from "../gateway/request_error.ts";
import { type Access, type Authenticator, mayUse } from "./access.ts";
import { type ProtectedResource, toChallenge, toMetadataUrl, toNeededScope } from "./protected_resource.ts";

/** Names that people give a key in a URL. */
const KEY_PARAMETERS = new Set([
  ...["access_token", "api-key", "api_key", "apikey", "auth", "authorization", "bearer", "key", "token", "x-api-key"],
]);

/**
 * Finds who sends a request. Whatever is wrong with a key or a token, its sender is told the same.
 *
 * @param request The request; its body is not read.
 * @param authenticator Knows the callers.
 * @param resource What callers with tokens have to know; `undefined` where none are taken.
 * @returns Who it is, and what it may use.
 * @throws {RequestError} If nobody knows it (`unauthenticated`), or that cannot be found out (`callers_unavailable`).
 */
export async function authenticateRequest(
  request: Request,
  authenticator: Authenticator,
  resource: ProtectedResource | undefined,
): Promise<Access> {
  const authorization = request.headers.get("authorization");
  const access = await authenticator.authenticate(authorization);
  if (access !== undefined) {
    if (access.stepUp === undefined || resource === undefined) return access;
    return { ...access, stepUp: { ...access.stepUp, metadataUrl: toMetadataUrl(resource, new URL(request.url)) } };
  }
  const url = new URL(request.url);
  const challenge = toChallenge({
    // RFC 6750, section 3.1: no error for who has not tried.
    error: /^bearer(?: |$)/i.test(authorization ?? "") ? "invalid_token" : undefined,
    scope: resource && toNeededScope(resource, url),
    metadataUrl: resource && toMetadataUrl(resource, url),
  });
  throw new RequestError("unauthenticated", describe(authorization, url), {
    headers: { "www-authenticate": challenge },
  });
}

/**
 * Whether the sender of a request may still use an agent: its key or token may have ended, or been revoked, since. Where
 * that cannot be found out, what was known goes on.
 *
 * @param request The request.
 * @param authenticator Knows the callers.
 * @param agent The agent.
 * @returns Whether it may.
 */
export async function mayStillUse(request: Request, authenticator: Authenticator, agent: string): Promise<boolean> {
  try {
    const access = await authenticator.authenticate(request.headers.get("authorization"));
    return access !== undefined && mayUse(access, agent);
  } catch (error) {
    if (error instanceof RequestError) return true;
    throw error;
  }
}

function describe(authorization: string | null, url: URL): string {
  if (authorization !== null) {
    return "Cannot serve the request as its key or token is not known, has ended, or is for somebody else";
  }
  if ([...url.searchParams.keys()].some((name) => KEY_PARAMETERS.has(name.toLowerCase()))) {
    return "Cannot take a key from the URL, which logs and histories keep: send it as Authorization: Bearer, " +
      "and replace it by another if it was a good one";
  }
  return "Cannot serve the request without a known key: send it as a bearer token";
}
