/**
 * Messages to the MCP endpoint of a gateway over a directory in memory, without a network.
 *
 * @module
 */

import type { Harness } from "../gateway/gateway_support.ts";
import { type Answer, read, toModern } from "./northbound_support.ts";

/** The endpoint of agent Kairos. */
export const PATH = "/agents/Kairos/mcp";

/** Headers of a message; `null` removes one. */
export type SentHeaders = Readonly<Record<string, string | null>>;

/** Where a message goes. */
export interface SendTo {
  /** The path. @default {"/agents/Kairos/mcp"} */
  readonly path?: string;
  /** The key; `null` is none. @default {That of agent Kairos} */
  readonly key?: string | null;
}

/** Sends a body as it is. */
export async function send(
  { ask }: Harness,
  body: unknown,
  headers: SentHeaders = {},
  { path = PATH, ...init }: SendTo = {},
): Promise<Answer> {
  const all = { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers };
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return await read(await ask(path, { method: "POST", headers: Object.fromEntries(sent), body: text, ...init }));
}

/** Sends a modern request. */
export function modern(
  harness: Harness,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  headers: SentHeaders = {},
): Promise<Answer> {
  const { headers: own, body } = toModern(method, params);
  return send(harness, body, { ...own, ...headers });
}

/** Sends a legacy request. */
export function legacy(
  harness: Harness,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  headers: SentHeaders = {},
): Promise<Answer> {
  const message = { jsonrpc: "2.0", id: 1, method, params };
  return send(harness, message, { "mcp-protocol-version": "2025-11-25", ...headers });
}
