/**
 * What a message says of itself besides its method: the era, the version, what the caller can be asked (specification
 * 2026-07-28, Overview, `_meta`, and Streamable HTTP, Request Metadata). Nothing of it is remembered.
 *
 * @module
 */

import { MODERN_VERSIONS, PREFIX, UNSUPPORTED_VERSION } from "../connection/modern_envelope.ts";
import { LOG_LEVELS, type LogLevel } from "../context.ts";
import { readTrace } from "../gateway/trace_headers.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { TraceContext } from "../tool_client.ts";
import { fromHeaderValue } from "./header_values.ts";
import { HEADER_MISMATCH, INVALID_PARAMS, RpcError, type RpcId, type RpcRequest } from "./rpc.ts";

/** The protocol versions of the legacy era that are served, best first. */
export const LEGACY_VERSIONS: readonly string[] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/** How a request is served. */
export interface Frame {
  /** The era. */
  readonly era: "legacy" | "modern";
  /** The protocol version. */
  readonly version: string;
  /** What the caller can be asked, as client capabilities; a legacy caller says it once for its session. */
  readonly capabilities: JsonObject;
  /** From which level on the caller wants log messages; `undefined` wants none. */
  readonly logLevel: LogLevel | undefined;
  /** Names the request in notices of progress; `undefined` wants none. */
  readonly progressToken: RpcId | undefined;
  /** The trace that the request belongs to. */
  readonly trace: TraceContext | undefined;
  /** Whether the message names that trace itself, in `_meta`; else it is that of its HTTP request. */
  readonly isTraced: boolean;
}

/** Where a request names what it is about, for the header `Mcp-Name`. */
const NAME_FIELDS: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
]);

/**
 * Whether a message is of the modern era: it has the era's envelope, or its header names a version of it.
 *
 * @param headers The headers.
 * @param method The method.
 * @param params The parameters.
 * @returns Whether it is; one with an unknown version is, too: the error that it gets names the versions.
 */
export function isModern(headers: Headers, method: string, params: JsonObject): boolean {
  const meta = params._meta;
  if (isJsonObject(meta) && Object.hasOwn(meta, `${PREFIX}protocolVersion`)) return true;
  const version = versionOf(headers);
  if (version === undefined || LEGACY_VERSIONS.includes(version)) return false;
  // The handshake negotiates the version in its parameters: its header is of no importance.
  return method !== "initialize" || MODERN_VERSIONS.includes(version);
}

/**
 * Refuses what is no request where its header names a version that nobody knows (specification 2025-11-25, Transports,
 * Protocol Version Header).
 *
 * @param headers The headers.
 * @throws {RpcError} With status 400 if it does.
 */
export function checkVersion(headers: Headers): void {
  const version = versionOf(headers);
  if (version === undefined || LEGACY_VERSIONS.includes(version) || MODERN_VERSIONS.includes(version)) return;
  throw unsupported(version, null);
}

/**
 * Reads what a request says of itself, and checks that its headers say the same.
 *
 * @param headers The headers.
 * @param request The request.
 * @returns How to serve it.
 * @throws {RpcError} With the code and the status that the specification has for it.
 */
export function readFrame(headers: Headers, request: RpcRequest): Frame {
  const { method, params } = request;
  const meta = isJsonObject(params._meta) ? params._meta : {};
  const { progressToken: token } = meta;
  const shared = {
    progressToken: typeof token === "string" || Number.isSafeInteger(token) ? token as RpcId : undefined,
    ...findTrace(headers, meta),
  };
  if (isModern(headers, method, params)) return { ...readEnvelope(headers, request, meta), ...shared };
  // Those who do not say are taken for the first that did not have to (specification 2025-11-25, Transports).
  const version = versionOf(headers) ?? "2025-03-26";
  return { era: "legacy", version, capabilities: {}, logLevel: undefined, ...shared };
}

function readEnvelope(headers: Headers, request: RpcRequest, meta: JsonObject) {
  const { id, method } = request;
  const {
    [`${PREFIX}protocolVersion`]: version,
    [`${PREFIX}clientCapabilities`]: capabilities,
    [`${PREFIX}logLevel`]: level,
  } = meta;
  const header = versionOf(headers);
  if (typeof version !== "string") {
    // A version that nobody knows says more of what is wrong than the envelope that is missing.
    if (header !== undefined && !MODERN_VERSIONS.includes(header)) throw unsupported(header, id);
    throw invalid(`"_meta" has no ${PREFIX}protocolVersion`, id);
  }
  if (header !== version) throw mismatch("MCP-Protocol-Version", "the version in _meta", id);
  if (!MODERN_VERSIONS.includes(version)) throw unsupported(version, id);
  if (!isJsonObject(capabilities)) throw invalid(`"_meta" has no ${PREFIX}clientCapabilities`, id);
  if (headers.get("mcp-method") !== method) throw mismatch("Mcp-Method", "the method", id);
  checkName(headers, request);
  const logLevel = LOG_LEVELS.find((known) => known === level);
  if (level !== undefined && logLevel === undefined) throw invalid(`"_meta" has an unknown ${PREFIX}logLevel`, id);
  return { era: "modern", version, capabilities, logLevel } as const;
}

function checkName(headers: Headers, { id, method, params }: RpcRequest): void {
  const field = NAME_FIELDS.get(method);
  const name = field === undefined ? undefined : params[field];
  if (field === undefined || typeof name !== "string") return;
  const header = headers.get("mcp-name");
  if (header === null || fromHeaderValue(header) !== name) throw mismatch("Mcp-Name", `the ${field} in params`, id);
}

function versionOf(headers: Headers): string | undefined {
  return headers.get("mcp-protocol-version")?.trim();
}

/** The trace of `_meta` goes before that of the headers: a proxy on the way may have begun one of its own there. */
function findTrace(headers: Headers, meta: JsonObject): Pick<Frame, "trace" | "isTraced"> {
  const { traceparent, tracestate } = meta;
  if (typeof traceparent !== "string") return { trace: readTrace(headers), isTraced: false };
  const trace = { traceparent, tracestate: typeof tracestate === "string" ? tracestate : undefined };
  return { trace, isTraced: true };
}

function mismatch(header: string, what: string, id: RpcId): RpcError {
  const message = `Cannot serve the request as its ${header} header is missing or does not match ${what}`;
  return new RpcError(HEADER_MISMATCH, message, { status: 400, id });
}

function unsupported(requested: string, id: RpcId | null): RpcError {
  const data = { supported: [...MODERN_VERSIONS], requested: requested.slice(0, 64) };
  return new RpcError(UNSUPPORTED_VERSION, "Cannot serve the request as its protocol version is not supported", {
    status: 400,
    data,
    id,
  });
}

function invalid(why: string, id: RpcId): RpcError {
  return new RpcError(INVALID_PARAMS, `Cannot serve the request as ${why}`, { status: 400, id });
}
