/**
 * The methods of each era.
 *
 * @module
 */

import { LOG_LEVELS } from "../context.ts";
import type { JsonObject } from "../protocol.ts";
import { callTool, complete, getPrompt, readResource } from "./calls.ts";
import type { Exchange, Method } from "./exchange.ts";
import { discover, initialize } from "./handshake.ts";
import { listPrompts, listResources, listTemplates, listTools } from "./lists.ts";
import { unknownMethod } from "./offer.ts";
import { invalidParams } from "./rpc.ts";
import type { Session } from "./session.ts";

const SHARED: readonly (readonly [string, Method])[] = [
  ["tools/call", callTool],
  ["tools/list", listTools],
  ["resources/list", listResources],
  ["resources/templates/list", listTemplates],
  ["resources/read", readResource],
  ["prompts/list", listPrompts],
  ["prompts/get", getPrompt],
  ["completion/complete", complete],
];

const LEGACY: ReadonlyMap<string, Method> = new Map([
  ...SHARED,
  ["initialize", initialize],
  ["ping", () => ({})],
  ["resources/subscribe", subscribe],
  ["resources/unsubscribe", unsubscribe],
  ["logging/setLevel", setLevel],
]);

const MODERN: ReadonlyMap<string, Method> = new Map([...SHARED, ["server/discover", discover]]);

/**
 * Finds a method.
 *
 * @param era The era of the caller.
 * @param name The name of the method.
 * @returns The method.
 * @throws {RpcError} With `-32601` if the era has none of that name.
 */
export function methodOf(era: "legacy" | "modern", name: string): Method {
  const method = (era === "modern" ? MODERN : LEGACY).get(name);
  if (method === undefined) throw unknownMethod(era);
  return method;
}

async function subscribe(exchange: Exchange): Promise<JsonObject> {
  await sessionOf(exchange).subscribe(readUri(exchange), exchange.signal);
  return {};
}

function unsubscribe(exchange: Exchange): JsonObject {
  sessionOf(exchange).unsubscribe(readUri(exchange));
  return {};
}

/** It holds for the session: the servers are shared with callers who want to hear more. */
function setLevel(exchange: Exchange): JsonObject {
  const session = sessionOf(exchange);
  const level = LOG_LEVELS.find((known) => known === exchange.request.params.level);
  if (level === undefined) throw invalidParams('Cannot log as "level" is none');
  session.logLevel = level;
  return {};
}

/** Nothing is remembered of callers without a session, and they are told of nothing that needs it. */
function sessionOf({ session, frame }: Exchange): Session {
  if (session === undefined) throw unknownMethod(frame.era);
  return session;
}

function readUri({ request }: Exchange): string {
  const { uri } = request.params;
  if (typeof uri !== "string") throw invalidParams('Cannot watch a resource as "params" has no uri');
  return uri;
}
