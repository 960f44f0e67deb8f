/**
 * The doors through which a call comes in: the client, the REST route, the MCP endpoint in both eras.
 *
 * @module
 */

import { isMCPError, type MCPClientManager } from "@portolan/mcp";
import type { JsonObject } from "../../src/protocol.ts";
import { textOf } from "../support/client_support.ts";

/** What came of a call, as its caller sees it. */
export interface Outcome {
  /** `ok`, or the code of the failure. */
  readonly code: string;
  /** The text of the result. */
  readonly text?: unknown;
  /** The server that the failure names. */
  readonly server?: unknown;
  /** How long to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: unknown;
  /** Everything that was said. */
  readonly seen: unknown;
}

/** What a door leads to. */
export interface House {
  /** The agents. */
  readonly manager: MCPClientManager;
  /** Where the gateway listens. */
  readonly origin: string;
  /** A key of the agent. */
  readonly key: string;
}

/** A request as one of the gateway's doors wants it. */
export interface DoorRequest {
  /** The path. */
  readonly path: string;
  /** The headers, without a key. */
  readonly headers: Readonly<Record<string, string>>;
  /** The method. */
  readonly method: "GET" | "POST";
  /** The body. */
  readonly body?: string;
}

/** A door of the gateway. */
export interface GatewayDoor {
  /** Whether the answers are JSON-RPC. */
  readonly isMcp: boolean;
  /** The request that calls a tool. */
  toCall(agent: string, tool: string, args: JsonObject): DoorRequest;
  /** The request that lists the tools. */
  toList(agent: string): DoorRequest;
  /** Reads the answer to a call, or a refusal. */
  read(response: Response): Promise<Outcome>;
  /** Reads the names of a list. */
  readList(response: Response): Promise<readonly string[]>;
}

/** A way to call a tool of the agent Kairos. */
export type Door = (house: House, tool: string, args: JsonObject) => Promise<Outcome>;

/** The statuses of the REST route by code. */
const STATUSES: Readonly<Record<string, number>> = {
  ok: 200,
  unauthenticated: 401,
  host_refused: 403,
  origin_refused: 403,
  tool_not_found: 404,
  agent_not_found: 404,
  body_too_large: 413,
  unsupported_media_type: 415,
  unauthorized: 502,
  authorization_required: 502,
  auth_failed: 502,
  forbidden: 502,
  upstream_error: 502,
  outcome_unknown: 502,
  bad_response: 502,
  too_large: 502,
  redirect_refused: 502,
  session_lost: 502,
  unreachable: 503,
  circuit_open: 503,
  rate_limited: 503,
  overloaded: 503,
  deadline_exceeded: 504,
};

const REST: GatewayDoor = {
  isMcp: false,
  toCall: (agent, tool, args) => ({
    path: `/agents/${encodeURIComponent(agent)}/tools/${encodeURIComponent(tool)}`,
    headers: { "content-type": "application/json" },
    method: "POST",
    body: JSON.stringify(args),
  }),
  toList: (agent) => ({ path: `/agents/${encodeURIComponent(agent)}/tools`, headers: {}, method: "GET" }),
  async read(response) {
    const body = await response.json();
    const seen = [[...response.headers], body];
    if (response.ok) return { code: "ok", text: textOf(body.result), seen };
    const { code, server, retryAfterMs, faults } = body;
    const expected = code === "invalid_arguments" ? (faults === undefined ? 400 : 422) : STATUSES[code];
    if (expected !== response.status) throw new Error(`${code} came with status ${response.status}`);
    const retryAfter = response.headers.get("retry-after");
    if (retryAfterMs !== undefined && Number(retryAfter) !== Math.ceil(retryAfterMs / 1_000)) {
      throw new Error(`Retry-After is ${retryAfter} where retryAfterMs is ${retryAfterMs}`);
    }
    return { code, server, retryAfterMs, seen };
  },
  async readList(response) {
    const { tools } = await response.json();
    return tools.map(({ name }: { readonly name: string }) => name);
  },
};

/** The id of every request that is sent to the MCP endpoint. */
const ID = "the id of the caller";

function toMcp(version: "2025-11-25" | "2026-07-28"): GatewayDoor {
  const isModern = version === "2026-07-28";
  const meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1.0.0" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const toRequest = (agent: string, method: string, name: string | undefined, params: JsonObject): DoorRequest => ({
    path: `/agents/${encodeURIComponent(agent)}/mcp`,
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": version,
      ...(isModern && { "mcp-method": method, ...(name !== undefined && { "mcp-name": toHeader(name) }) }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: ID, method, params: { ...params, ...(isModern && { _meta: meta }) } }),
  });
  return {
    isMcp: true,
    toCall: (agent, name, args) => toRequest(agent, "tools/call", name, { name, arguments: args }),
    toList: (agent) => toRequest(agent, "tools/list", undefined, {}),
    async read(response) {
      const message = await response.json();
      const seen = [[...response.headers], message];
      if (message.jsonrpc !== "2.0") throw new Error(`This is no JSON-RPC message: ${JSON.stringify(message)}`);
      if (message.error === undefined) {
        if (message.id !== ID) throw new Error(`The answer has another id: ${message.id}`);
        const text = textOf(message.result);
        // Arguments that do not fit the schema are for the model to mend (specification, Tools, Error Handling).
        const isRefusal = message.result.isError === true && String(text).startsWith("Cannot call tool ");
        return isRefusal ? { code: "invalid_arguments", server: "faulty", seen } : { code: "ok", text, seen };
      }
      // What is no request has only the code of JSON-RPC.
      const { code = String(message.error.code), server, retryAfterMs } = message.error.data ?? {};
      return { code, server, retryAfterMs, seen };
    },
    async readList(response) {
      const { result } = await response.json();
      return result.tools.map(({ name }: { readonly name: string }) => name);
    },
  };
}

/** A name that is no plain header value is written in Base64 (specification 2026-07-28, Transports). */
function toHeader(name: string): string {
  if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(name)) return name;
  const bytes = Array.from(new TextEncoder().encode(name), (byte) => String.fromCharCode(byte));
  return `=?base64?${btoa(bytes.join(""))}?=`;
}

/** The doors of the gateway by name. */
export const GATEWAY_DOORS: Readonly<Record<string, GatewayDoor>> = {
  "the REST route": REST,
  "the MCP endpoint, 2025-11-25": toMcp("2025-11-25"),
  "the MCP endpoint, 2026-07-28": toMcp("2026-07-28"),
};

/** Sends a request through a door, with a key. */
export async function send({ origin, key }: House, request: DoorRequest): Promise<Response> {
  const { path, headers, method, body } = request;
  const init = { method, headers: { ...headers, authorization: `Bearer ${key}` } };
  return await fetch(origin + path, body === undefined ? init : { ...init, body });
}

async function callClient({ manager }: House, tool: string, args: JsonObject): Promise<Outcome> {
  try {
    const result = await manager.openClient("Kairos").callTool(tool, args);
    return { code: "ok", text: textOf(result), seen: result };
  } catch (error) {
    if (!isMCPError(error)) throw error;
    const { code, server, retryAfterMs } = error;
    return { code, server, retryAfterMs, seen: error };
  }
}

const toDoor = (door: GatewayDoor): Door => async (house, tool, args) =>
  await door.read(await send(house, door.toCall("Kairos", tool, args)));

/** All doors by name. */
export const DOORS: Readonly<Record<string, Door>> = {
  "the client": callClient,
  ...Object.fromEntries(Object.entries(GATEWAY_DOORS).map(([name, door]) => [name, toDoor(door)])),
};
