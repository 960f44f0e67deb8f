/**
 * Servers that misbehave: one that refuses, one that is silent, one whose every answer a test decides.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../../src/protocol.ts";
import { type Behaviour, type BehaviourContext, event, sse } from "./behaviours.ts";
import { type RecordedRequest, Recorder } from "./recorder.ts";
import { serveTcpHttp, type TcpHttpServer } from "./tcp_http.ts";

/** Behaviours by JSON-RPC method, or by `GET` and `DELETE`; without one the answer is correct. */
export type RawServerScript = Readonly<Record<string, Behaviour | undefined>>;

/** What the correct answers of a raw server are like. */
export interface RawServerOptions {
  /** The session id that it gives; without one it has no sessions. */
  readonly sessionId?: string;
  /** The tools it lists. @default {one tool, `echo`} */
  readonly tools?: readonly JsonValue[];
  /** Whether its correct answers are SSE instead of JSON. @default {false} */
  readonly sse?: boolean;
}

/** A running fault server. */
export interface FaultServer extends AsyncDisposable {
  /** The endpoint. */
  readonly url: string;
  /** How many sockets are open. */
  openConnections(): number;
  /** How many sockets were ever accepted. */
  acceptedConnections(): number;
  /** Closes every socket. Idempotent. */
  stop(): Promise<void>;
}

/** A running raw server. */
export interface RawServer extends FaultServer {
  /** Every request, in the order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How many requests had this JSON-RPC method. */
  count(rpcMethod: string): number;
  /** How many exchanges are open: not answered yet, or with an answer whose body has not ended. */
  openStreams(): number;
}

/** A URL on loopback whose port refuses connections. */
export function refusedUrl(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return `http://127.0.0.1:${port}/mcp`;
}

/** Starts a server that accepts connections and never answers. */
export function startSilentServer(): FaultServer {
  return toFaultServer(serveTcpHttp(({ signal }) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    signal.addEventListener("abort", () => resolve(Response.error()), { once: true });
    return promise;
  }));
}

/** Starts a server that answers correctly except where the script says otherwise. */
export function startRawServer(script: RawServerScript = {}, options: RawServerOptions = {}): RawServer {
  const behaviours = new Map(Object.entries(script));
  const recorder = new Recorder();
  const server = serveTcpHttp(async (request) => {
    const recorded = await recorder.record(request);
    const context = toContext(request, recorded, options);
    const behaviour = behaviours.get(recorded.rpcMethod ?? request.method);
    return await recorder.track(async () => await (behaviour?.(context) ?? context.respondOk()));
  });
  return {
    ...toFaultServer(server),
    requests: recorder.requests,
    count: (rpcMethod) => recorder.count(rpcMethod),
    openStreams: () => recorder.openStreams(),
  };
}

function toFaultServer(server: TcpHttpServer): FaultServer {
  return {
    url: `http://127.0.0.1:${server.port}/mcp`,
    openConnections: () => server.openConnections(),
    acceptedConnections: () => server.acceptedConnections(),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function toContext(request: Request, recorded: RecordedRequest, options: RawServerOptions): BehaviourContext {
  const { body, rpcId: id, rpcMethod: method = "" } = recorded;
  const params = isJsonObject(body) && isJsonObject(body.params) ? body.params : {};
  const respondOk = () => {
    const result = id === undefined ? undefined : resultOf(method, params, options);
    if (result === undefined) return new Response(null, { status: request.method === "POST" ? 202 : 405 });
    const message = { jsonrpc: "2.0", id: id ?? null, result };
    const response = options.sse === true ? sse(event(message)) : Response.json(message);
    if (method === "initialize" && options.sessionId !== undefined) {
      response.headers.set("mcp-session-id", options.sessionId);
    }
    return response;
  };
  return { request, rpc: { method, id, params }, respondOk };
}

const ECHO: JsonObject = { name: "echo", inputSchema: { type: "object" } };

function resultOf(method: string, params: JsonObject, { tools = [ECHO] }: RawServerOptions): JsonObject {
  if (method === "initialize") {
    return {
      protocolVersion: params.protocolVersion ?? "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "raw", version: "1.0.0" },
    };
  }
  if (method === "tools/list") return { tools: [...tools] };
  if (method === "tools/call") {
    const text = isJsonObject(params.arguments) ? params.arguments.text : undefined;
    return { content: [{ type: "text", text: typeof text === "string" ? text : "ok" }] };
  }
  return {};
}
