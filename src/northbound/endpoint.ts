/**
 * The MCP endpoint of every agent, in both eras, without an SDK: a message in, a response out.
 *
 * @module
 */

import type { Access } from "../callers/access.ts";
import { type AgentClient, openAgent } from "../gateway/agent_directory.ts";
import type { RouteDeps } from "../gateway/gateway_env.ts";
import { readJson } from "../gateway/json_body.ts";
import { callTool } from "./calls.ts";
import type { Exchange, Method } from "./exchange.ts";
import { readFrame } from "./frame.ts";
import { discover, initialize } from "./handshake.ts";
import { listTools } from "./lists.ts";
import { METHOD_NOT_FOUND, readMessage, RpcError, type RpcRequest, writeResult } from "./rpc.ts";
import { errorResponse, toRpcError } from "./rpc_errors.ts";
import { INVALID_REQUEST } from "./rpc.ts";

/** One request to the endpoint. */
export interface EndpointCall {
  /** The HTTP request; its body has not been read. */
  readonly request: Request;
  /** The agent that is asked. */
  readonly agent: string;
  /** Who asks. */
  readonly access: Access;
  /** The id of the HTTP request. */
  readonly requestId: string;
}

const LEGACY_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["initialize", initialize],
  ["ping", () => ({})],
  ["tools/list", listTools],
  ["tools/call", callTool],
]);

const MODERN_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["server/discover", discover],
  ["tools/list", listTools],
  ["tools/call", callTool],
]);

/** Answers the requests of MCP clients. One for each gateway. */
export class McpEndpoint {
  readonly #deps: RouteDeps;

  /**
   * Creates the endpoint.
   *
   * @param deps What the routes share.
   */
  constructor(deps: RouteDeps) {
    this.#deps = deps;
  }

  /**
   * Answers a POST.
   *
   * @param call The request.
   * @returns The response; every failure is a JSON-RPC error.
   */
  async post(call: EndpointCall): Promise<Response> {
    const { request, requestId } = call;
    try {
      const client = openAgent(this.#deps.directory, call.access, call.agent);
      const body = await this.#deps.inFlight.run(request.signal, () => readJson(request, this.#deps.maxBodyBytes));
      const message = readMessage(body);
      if (message.kind === "request") return await this.#answer(call, client, message);
      if (message.kind === "notification") return new Response(null, { status: 202 });
      throw new RpcError(INVALID_REQUEST, "Cannot take the response as nothing was asked", { status: 400 });
    } catch (error) {
      return this.#fail(error, requestId);
    }
  }

  async #answer(call: EndpointCall, client: AgentClient, request: RpcRequest): Promise<Response> {
    let era: "legacy" | "modern" | undefined;
    try {
      const frame = readFrame(call.request.headers, request);
      era = frame.era;
      const method = (era === "modern" ? MODERN_METHODS : LEGACY_METHODS).get(request.method);
      if (method === undefined) {
        const status = era === "modern" ? 404 : 200;
        throw new RpcError(METHOD_NOT_FOUND, "Cannot serve the request as there is no such method", { status });
      }
      const { agent, access } = call;
      const open = this.#deps.open;
      const { headers } = call.request;
      const result = await this.#deps.inFlight.run(call.request.signal, async (signal) => {
        const exchange: Exchange = { agent, client, access, open, request, frame, headers, signal };
        return await method(exchange);
      });
      return new Response(writeResult(request.id, result), { headers: { "content-type": "application/json" } });
    } catch (error) {
      return this.#fail(error, call.requestId, request, era);
    }
  }

  #fail(error: unknown, requestId: string, request?: RpcRequest, era?: "legacy" | "modern"): Response {
    const rpcError = toRpcError(error, requestId, era);
    if (rpcError.data?.code === "internal") this.#deps.onInternalError(error, requestId);
    return errorResponse(rpcError, request?.id ?? rpcError.id);
  }
}
