/**
 * What the agent says of itself: `initialize` of the legacy era, `server/discover` of the modern one.
 *
 * @module
 */

import { MODERN_VERSIONS } from "../connection/modern_envelope.ts";
import type { JsonObject } from "../protocol.ts";
import type { Exchange } from "./exchange.ts";
import { LEGACY_VERSIONS } from "./frame.ts";
import { toCapabilities } from "./offer.ts";
import { toEraResult, toServerInfo } from "./results.ts";

/** How long what the agent says of itself may be used again, in milliseconds. */
const DISCOVER_TTL_MS = 60_000;

/**
 * Answers `initialize`.
 *
 * @param exchange The request; with its session, where it begins one.
 * @returns The version, what the agent offers, who it is.
 */
export function initialize(exchange: Exchange): JsonObject {
  return {
    protocolVersion: toLegacyVersion(exchange.request.params.protocolVersion),
    capabilities: toCapabilities(exchange, exchange.session !== undefined),
    serverInfo: toServerInfo(exchange.agent),
  };
}

/** The version that was asked for, where it is served, else the best one. */
function toLegacyVersion(requested: unknown): string {
  return LEGACY_VERSIONS.find((version) => version === requested) ?? LEGACY_VERSIONS[0] ?? "";
}

/**
 * Answers `server/discover`.
 *
 * @param exchange The request.
 * @returns The versions that are served, and what the agent offers.
 */
export function discover(exchange: Exchange): JsonObject {
  const result = { supportedVersions: [...MODERN_VERSIONS], capabilities: toCapabilities(exchange, true) };
  return toEraResult(exchange, result, { ttlMs: DISCOVER_TTL_MS, cacheScope: "public" });
}
