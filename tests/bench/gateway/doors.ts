/**
 * The ways in which a gateway is asked to call a tool.
 *
 * @module
 */

import { HttpSocket, type RequestBytes, type SocketAnswer, toRequestBytes } from "./http_socket.ts";

/** Makes the request of one connection; no two connections send the same id. */
export type Door = (index: number) => RequestBytes;

const TEXT = "ahoy";
const LEGACY_VERSION = "2025-11-25";
const MODERN_VERSION = "2026-07-28";
const PREFIX = "io.modelcontextprotocol/";
const CLIENT_INFO = { name: "bench", version: "1.0.0" };

/** A call by this gateway's REST. */
export function restDoor(origin: URL, agent: string, tool: string): Door {
  const url = new URL(`/agents/${agent}/tools/${tool}`, origin);
  const bytes = toRequestBytes(url, { text: TEXT }, { accept: "application/json" });
  return () => bytes;
}

/** A call of a stateless server of the modern era. */
export function modernDoor(url: URL, tool: string): Door {
  const _meta = {
    [`${PREFIX}protocolVersion`]: MODERN_VERSION,
    [`${PREFIX}clientInfo`]: CLIENT_INFO,
    [`${PREFIX}clientCapabilities`]: {},
  };
  const headers = { "mcp-protocol-version": MODERN_VERSION, "mcp-method": "tools/call", "mcp-name": tool };
  return (index) => toRequestBytes(url, toCall(index, { ...toParams(tool), _meta }), headers);
}

/** A call of a legacy server, in a session where it has any. */
export async function legacyDoor(url: URL, tool: string): Promise<Door> {
  const headers: Record<string, string> = { "mcp-protocol-version": LEGACY_VERSION };
  using socket = await HttpSocket.open(url);
  const params = { protocolVersion: LEGACY_VERSION, capabilities: {}, clientInfo: CLIENT_INFO };
  const initialize = { jsonrpc: "2.0", id: "hello", method: "initialize", params };
  const hello = check(await socket.ask(toRequestBytes(url, initialize)), "protocolVersion");
  const session = hello.headers.get("mcp-session-id");
  if (session !== undefined) headers["mcp-session-id"] = session;
  const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
  await socket.ask(toRequestBytes(url, initialized, headers));
  return (index) => toRequestBytes(url, toCall(index, toParams(tool)), headers);
}

/** A call by the REST of mcp-hub. */
export function hubDoor(origin: URL, server: string, tool: string): Door {
  const url = new URL("/api/servers/tools", origin);
  const bytes = toRequestBytes(url, { server_name: server, tool, arguments: { text: TEXT } });
  return () => bytes;
}

/** Makes sure that it is the answer. */
export function check(answer: SocketAnswer, part = `"${TEXT}"`): SocketAnswer {
  if (answer.status === 200 && answer.text.includes(part)) return answer;
  throw new Error(`Not the answer: ${answer.status} ${answer.text.slice(0, 200)}`);
}

function toParams(tool: string) {
  return { name: tool, arguments: { text: TEXT } };
}

function toCall(index: number, params: unknown) {
  return { jsonrpc: "2.0", id: `call${index}`, method: "tools/call", params };
}
