/**
 * A gateway on loopback with one agent, "Kairos", before servers of a test, and requests to its MCP endpoint as raw as
 * they are on the wire.
 *
 * @module
 */

import { createGateway, type Gateway, type GatewayOptions } from "../../routes/mod.ts";
import { MCPClientManager } from "../../src/client_manager.ts";
import type { ServerConfig } from "../../src/server_config.ts";

/** What a gateway of a test is to be like. */
export interface NorthboundOptions {
  /** The servers behind the agent, by name. */
  readonly servers: Readonly<Record<string, ServerConfig>>;
  /** Who may use it. @default {Loopback, without keys} */
  readonly gateway?: GatewayOptions;
  /** The secret that instances share. */
  readonly storeSecret?: Uint8Array;
}

/** A running gateway. */
export interface Northbound extends AsyncDisposable {
  /** The MCP endpoint of the agent. */
  readonly url: string;
  /** The gateway. */
  readonly gateway: Gateway;
  /** The agents. */
  readonly manager: MCPClientManager;
}

/** Starts a gateway on a free port of loopback. */
export function startNorthbound(north: NorthboundOptions): Northbound {
  const { servers, gateway: options = { open: "loopback" }, storeSecret } = north;
  const manager = new MCPClientManager({ agents: { Kairos: { servers }, Mercurius: { servers } } });
  const gateway = createGateway({ directory: manager, storeSecret }, options);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
  return {
    url: `http://127.0.0.1:${server.addr.port}/agents/Kairos/mcp`,
    gateway,
    manager,
    async [Symbol.asyncDispose]() {
      await gateway.drain({ graceMs: 0 });
      await server.shutdown();
      await manager.close();
    },
  };
}

/** What came back. */
export interface Answer {
  /** The status. */
  readonly status: number;
  /** The headers. */
  readonly headers: Headers;
  /** Every JSON-RPC message, in order: one where the answer is JSON. */
  // deno-lint-ignore no-explicit-any -- Tests look into answers at any depth.
  readonly messages: readonly any[];
  /** The last message: the response. */
  // deno-lint-ignore no-explicit-any -- As above.
  readonly last: any;
}

/** How a message is sent. */
export interface SendOptions {
  /** Headers besides those of the era; `null` removes one. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** The capabilities of a modern caller. @default {{}} */
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** Further fields of `_meta`. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** The id. @default {1} */
  readonly id?: unknown;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

const PREFIX = "io.modelcontextprotocol/";

/** The headers and the body of a modern request. */
export function toModern(
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  options: SendOptions = {},
): { headers: Record<string, string | null>; body: Record<string, unknown> } {
  const name = params.name ?? params.uri;
  return {
    headers: {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof name === "string" ? { "mcp-name": name } : {}),
      ...options.headers,
    },
    body: {
      jsonrpc: "2.0",
      id: options.id ?? 1,
      method,
      params: {
        ...params,
        _meta: {
          [`${PREFIX}protocolVersion`]: "2026-07-28",
          [`${PREFIX}clientInfo`]: { name: "test", version: "1.0.0" },
          [`${PREFIX}clientCapabilities`]: options.capabilities ?? {},
          ...options.meta,
        },
      },
    },
  };
}

/** Sends a body as it is. */
export async function send(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string | null>> = {},
  init: RequestInit = {},
): Promise<Answer> {
  return await read(await open(url, body, headers, init));
}

/** Sends a body and hands back the response before it has been read. */
export async function open(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string | null>> = {},
  init: RequestInit = {},
): Promise<Response> {
  const all = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...headers,
  };
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
  return await fetch(url, {
    method: "POST",
    headers: Object.fromEntries(sent),
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });
}

/** Sends a modern request. */
export async function askModern(
  url: string,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  options: SendOptions = {},
): Promise<Answer> {
  const { headers, body } = toModern(method, params, options);
  return await send(url, body, headers, options.signal === undefined ? {} : { signal: options.signal });
}

/** Sends a legacy request. */
export async function askLegacy(
  url: string,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  options: SendOptions = {},
): Promise<Answer> {
  const { id = 1, headers = {}, meta, signal } = options;
  const all = { ...params, ...(meta === undefined ? {} : { _meta: meta }) };
  const version = method === "initialize" ? {} : { "mcp-protocol-version": "2025-11-25" };
  return await send(url, { jsonrpc: "2.0", id, method, params: all }, { ...version, ...headers }, {
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Reads a response to its end. */
export async function read(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  const messages = isStream
    ? text.split("\n\n").flatMap((event) => /^data: (.*)$/m.exec(event)?.[1] ?? []).map((data) => JSON.parse(data))
    : text === ""
    ? []
    : [JSON.parse(text)];
  return { status, headers, messages, last: messages.at(-1) };
}

/** A legacy caller that has begun. */
export interface LegacyCaller {
  /** Its session, where it has one. */
  readonly id: string | undefined;
  /** What the endpoint said of itself. */
  // deno-lint-ignore no-explicit-any -- Tests look into answers at any depth.
  readonly initialized: any;
  /**
   * Sends a request, and answers what it is asked meanwhile.
   */
  call(
    method: string,
    params?: Readonly<Record<string, unknown>>,
    // deno-lint-ignore no-explicit-any -- As above.
    onAsked?: (request: any) => Readonly<Record<string, unknown>> | undefined,
    meta?: Readonly<Record<string, unknown>>,
  ): Promise<Answer>;
  /** Sends a message as it is, in the session. */
  post(message: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** The headers that go with every message. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Begins as a legacy client does, with these capabilities. */
export async function beginSession(
  url: string,
  capabilities: Readonly<Record<string, unknown>>,
  further: Readonly<Record<string, string>> = {},
): Promise<LegacyCaller> {
  const { headers: answered, last } = await askLegacy(url, "initialize", {
    protocolVersion: "2025-11-25",
    capabilities,
    clientInfo: { name: "test", version: "1.0.0" },
  }, { headers: further });
  const id = answered.get("mcp-session-id") ?? undefined;
  const headers = {
    "mcp-protocol-version": "2025-11-25",
    ...(id === undefined ? {} : { "mcp-session-id": id }),
    ...further,
  };
  const post = (message: Readonly<Record<string, unknown>>) => send(url, { jsonrpc: "2.0", ...message }, headers);
  await post({ method: "notifications/initialized" });
  let lastId = 1;
  return {
    id,
    initialized: last.result,
    headers,
    post,
    async call(method, params = {}, onAsked = () => undefined, meta = undefined) {
      const all = { ...params, ...(meta === undefined ? {} : { _meta: meta }) };
      const response = await open(url, { jsonrpc: "2.0", id: ++lastId, method, params: all }, headers);
      // deno-lint-ignore no-explicit-any -- As above.
      const messages: any[] = [];
      for await (const message of messagesOf(response)) {
        messages.push(message);
        if (message.method === undefined || message.id === undefined) continue;
        const answer = onAsked(message);
        if (answer !== undefined) await post({ id: message.id, ...answer });
      }
      return { status: response.status, headers: response.headers, messages, last: messages.at(-1) };
    },
  };
}

/** The messages of a response, as they come. */
// deno-lint-ignore no-explicit-any -- As above.
export async function* messagesOf(response: Response): AsyncGenerator<any> {
  if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true) {
    yield* (await read(response)).messages;
    return;
  }
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const events = (text + chunk).split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}
