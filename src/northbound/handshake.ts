/**
 * What the agent says of itself: `initialize` of the legacy era, `server/discover` of the modern one.
 *
 * @module
 */

import { MODERN_VERSIONS } from "../connection/modern_envelope.ts";
import type { JsonObject } from "../protocol.ts";
import type { Exchange } from "./exchange.ts";
import { LEGACY_VERSIONS } from "./frame.ts";
import { toEraResult, toServerInfo } from "./results.ts";
import { INVALID_PARAMS, RpcError } from "./rpc.ts";

/** How long what the agent says of itself may be used again, in milliseconds. */
const DISCOVER_TTL_MS = 60_000;

/**
 * Answers `initialize`.
 *
 * @param exchange The request.
 * @returns The version that was asked for where it is served, else the best one; what the agent offers; who it is.
 */
export function initialize(exchange: Exchange): JsonObject {
  const { protocolVersion } = exchange.request.params;
  if (typeof protocolVersion !== "string") {
    throw new RpcError(INVALID_PARAMS, 'Cannot begin as "params" has no protocolVersion');
  }
  return {
    protocolVersion: LEGACY_VERSIONS.find((version) => version === protocolVersion) ?? LEGACY_VERSIONS[0] ?? "",
    capabilities: toCapabilities(exchange),
    serverInfo: toServerInfo(exchange.agent),
  };
}

/**
 * Answers `server/discover`.
 *
 * @param exchange The request.
 * @returns The versions that are served, and what the agent offers.
 */
export function discover(exchange: Exchange): JsonObject {
  const result = { supportedVersions: [...MODERN_VERSIONS], capabilities: toCapabilities(exchange) };
  return toEraResult(exchange, result, { ttlMs: DISCOVER_TTL_MS, cacheScope: "public" });
}

function toCapabilities(_: Exchange): JsonObject {
  return { tools: {} };
}
