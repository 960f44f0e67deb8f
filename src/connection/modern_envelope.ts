/**
 * What every request of the modern era carries (specification 2026-07-28, Overview, `_meta`, and Streamable HTTP,
 * Request Metadata).
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue, parseJsonObject } from "../protocol.ts";
import { VERSION } from "../version.ts";
import { toHeaderValue } from "./param_headers.ts";

/** The protocol versions of the modern era that are spoken here, best first. */
export const MODERN_VERSIONS: readonly string[] = ["2026-07-28"];

/** JSON-RPC code: the server does not implement the version of the request. */
export const UNSUPPORTED_VERSION = -32022;

/** What the protocol's own fields of `_meta` and its extensions begin with. */
export const PREFIX = "io.modelcontextprotocol/";
/** How this client names itself; servers must not act on it. */
const CLIENT_INFO = { name: "portolan", version: VERSION };

/**
 * Completes the parameters of a request.
 *
 * @param params Its own parameters.
 * @param protocolVersion The version that is spoken.
 * @param capabilities What the client can do.
 * @returns The parameters with the envelope; a `_meta` of their own is kept.
 */
export function toModernParams(
  params: JsonObject,
  protocolVersion: string,
  capabilities: JsonObject = {},
): JsonObject {
  const own = params._meta;
  const meta: JsonObject = {
    ...(isJsonObject(own) ? own : {}),
    [`${PREFIX}protocolVersion`]: protocolVersion,
    [`${PREFIX}clientInfo`]: { ...CLIENT_INFO },
    [`${PREFIX}clientCapabilities`]: capabilities,
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
export function addModernHeaders(headers: Record<string, string>, method: string, params: JsonObject): void {
  headers["mcp-method"] = method;
  const name: JsonValue | undefined = params.name ?? params.uri ?? params.taskId;
  if (typeof name === "string") headers["mcp-name"] = toHeaderValue(name);
}

/** A JSON-RPC error. */
export interface RpcError extends JsonObject {
  /** What failed. */
  code: number;
}

/**
 * The JSON-RPC error in the body of a non-2xx answer.
 *
 * @param text The body.
 * @returns The error, or `undefined` where the body holds none.
 */
export function readRpcError(text: string): RpcError | undefined {
  const error = parseJsonObject(text)?.error;
  return isJsonObject(error) && typeof error.code === "number" ? { ...error, code: error.code } : undefined;
}

/**
 * Whether a non-2xx answer is one that a modern server gives: its own codes, an unknown method as 404, or a standard
 * error about the parameters. Codes from -32000 to -32019 are those of legacy servers.
 *
 * @param status The HTTP status.
 * @param code The JSON-RPC code of its body.
 * @returns Whether the server speaks the modern era.
 */
export function isModernError(status: number, code: number): boolean {
  if (code <= -32020 && code >= -32099) return true;
  return code === -32601 ? status === 404 : code === -32602 || code === -32603;
}
