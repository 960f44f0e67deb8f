/**
 * What every request of the modern era carries (specification 2026-07-28, Overview, `_meta`, and Streamable HTTP,
 * Request Metadata).
 *
 * @module
 */

import type { JsonObject, JsonValue } from "../protocol.ts";
import { VERSION } from "../version.ts";
import { toHeaderValue } from "./param_headers.ts";

/** The protocol versions of the modern era that are spoken here, best first. */
export const MODERN_VERSIONS: readonly string[] = ["2026-07-28"];

const PREFIX = "io.modelcontextprotocol/";
/** How this client names itself; servers must not act on it. */
const CLIENT_INFO = { name: "portolan", version: VERSION };

/**
 * Completes the parameters of a request.
 *
 * @param params Its own parameters.
 * @param protocolVersion The version that is spoken.
 * @returns The parameters with the envelope; a `_meta` of their own is kept.
 */
export function toModernParams(params: JsonObject, protocolVersion: string): JsonObject {
  const own = params._meta;
  const meta: JsonObject = {
    ...(typeof own === "object" && own !== null && !Array.isArray(own) ? own : {}),
    [`${PREFIX}protocolVersion`]: protocolVersion,
    [`${PREFIX}clientInfo`]: { ...CLIENT_INFO },
    [`${PREFIX}clientCapabilities`]: {},
  };
  return { ...params, _meta: meta };
}

/**
 * Completes the headers of a request.
 *
 * @param headers Its headers so far.
 * @param method Its method.
 * @param params Its parameters.
 */
export function addModernHeaders(headers: Headers, method: string, params: JsonObject): void {
  headers.set("mcp-method", method);
  const name: JsonValue | undefined = params.name ?? params.uri;
  if (typeof name === "string") headers.set("mcp-name", toHeaderValue(name));
}
