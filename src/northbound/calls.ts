/**
 * Uses of what an agent offers, relayed to the server that owns it.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { Exchange } from "./exchange.ts";
import { toEraResult } from "./results.ts";
import { INVALID_PARAMS, RpcError } from "./rpc.ts";

/**
 * Answers `tools/call`.
 *
 * @param exchange The request.
 * @returns What the tool answered.
 */
export async function callTool(exchange: Exchange): Promise<JsonObject> {
  const { client, request, frame, signal } = exchange;
  const { name, arguments: args = {} } = request.params;
  if (typeof name !== "string") throw new RpcError(INVALID_PARAMS, 'Cannot call a tool as "params" has no name');
  if (!isJsonObject(args)) throw new RpcError(INVALID_PARAMS, 'Cannot call the tool as "arguments" is no JSON object');
  const { result } = await client.callToolRouted(name, args, { signal, trace: frame.trace });
  return toEraResult(exchange, result as unknown as JsonObject);
}
