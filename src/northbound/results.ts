/**
 * Results as each era has them (specification 2026-07-28, Responses and Caching).
 *
 * @module
 */

import { PREFIX } from "../connection/modern_envelope.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { VERSION } from "../version.ts";
import type { Exchange } from "./exchange.ts";

const SERVER_INFO = `${PREFIX}serverInfo`;

/** How long a result may be used again, and by whom. */
export interface Freshness {
  /** How long, in milliseconds. */
  readonly ttlMs: number;
  /** Whether every caller may be given it, or only the one that asked. */
  readonly cacheScope: "public" | "private";
}

/**
 * How the gateway names itself.
 *
 * @param agent The agent that is asked.
 * @returns Name and version, and the agent as a title for people.
 */
export function toServerInfo(agent: string): JsonObject {
  return { name: "portolan", version: VERSION, title: agent };
}

/**
 * Completes a result for its caller. Who answered is the agent, not the server behind it; callers of the legacy era are
 * not told, as some show their model whatever metadata they do not know.
 *
 * @param exchange The request that it answers.
 * @param result The result; its own `_meta` is kept, but for who answered.
 * @param freshness How long it may be used again, where the method is one that says so.
 * @returns The result.
 */
export function toEraResult(exchange: Exchange, result: JsonObject, freshness?: Freshness): JsonObject {
  const { [SERVER_INFO]: _, ...meta } = isJsonObject(result._meta) ? result._meta : {};
  if (exchange.frame.era === "legacy") return toLegacyResult(result, meta);
  return {
    resultType: "complete",
    ...result,
    ...(freshness === undefined ? {} : {
      ttlMs: Math.max(0, Math.floor(freshness.ttlMs)),
      // Where there are keys, what one caller sees may not be for another.
      cacheScope: exchange.services.open ? freshness.cacheScope : "private",
    }),
    _meta: { ...meta, [SERVER_INFO]: toServerInfo(exchange.agent) },
  };
}

function toLegacyResult(result: JsonObject, meta: JsonObject): JsonObject {
  const { resultType: _, ttlMs: __, cacheScope: ___, _meta: ____, ...rest } = result;
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta };
}
