/**
 * What an agent offers, as server capabilities: what its servers are known to offer, and what they may offer as long as
 * that is not known.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { Exchange } from "./exchange.ts";
import { METHOD_NOT_FOUND, RpcError } from "./rpc.ts";

/** What a capability is called. */
export type Offered = "resources" | "prompts" | "completions" | "logging";

/**
 * Tells what an agent offers.
 *
 * @param exchange The request.
 * @param hasNotices Whether the caller can be told of changes, and of what is logged.
 * @returns The capabilities. No server is asked.
 */
export function toCapabilities(exchange: Exchange, hasNotices: boolean): JsonObject {
  const offers = readOffers(exchange);
  const listChanged = (name: string) => hasNotices && offers(name, "listChanged") ? { listChanged: true } : {};
  const subscribe = hasNotices && offers("resources", "subscribe") ? { subscribe: true } : {};
  return {
    tools: listChanged("tools"),
    ...(offers("resources") ? { resources: { ...subscribe, ...listChanged("resources") } } : {}),
    ...(offers("prompts") ? { prompts: listChanged("prompts") } : {}),
    ...(offers("completions") ? { completions: {} } : {}),
    ...(hasNotices && offers("logging") ? { logging: {} } : {}),
  };
}

/**
 * Refuses a method that is not offered.
 *
 * @param exchange The request.
 * @param name The capability that it belongs to.
 * @throws {RpcError} With `-32601`, as for a method that does not exist.
 */
export function checkOffered(exchange: Exchange, name: Offered): void {
  if (!readOffers(exchange)(name)) throw unknownMethod(exchange.frame.era);
}

/**
 * The error of a method that does not exist.
 *
 * @param era The era of the caller.
 * @returns The error.
 */
export function unknownMethod(era: "legacy" | "modern"): RpcError {
  const status = era === "modern" ? 404 : 200;
  return new RpcError(METHOD_NOT_FOUND, "Cannot serve the request as there is no such method", { status });
}

function readOffers({ client }: Exchange): (name: string, part?: string) => boolean {
  const infos = Object.keys(client.getStatus().servers).map((server) => client.getServerInfo(server));
  return (name, part) =>
    infos.some((info) => {
      if (info === undefined) return true;
      const offered = info.capabilities[name];
      return isJsonObject(offered) && (part === undefined || offered[part] === true);
    });
}
