/**
 * Interceptors around a client of tools.
 *
 * @module
 */

import type { Tool, ToolResult } from "../protocol.ts";
import type { CallToolOptions, RequestOptions, ToolClient } from "../tool_client.ts";
import { createChain, type InterceptOptions, type InterceptorChain } from "./chain.ts";
import type { Interceptor } from "./interceptor.ts";

/**
 * Puts interceptors around a client of tools. The client may be anything that lists and calls tools, also one that has
 * interceptors around it already. Closing the result closes the client.
 *
 * @example
 * ```ts
 * import type { ToolClient } from "@portolan/mcp";
 * import { type Interceptor, interceptTools } from "@portolan/mcp/interceptors";
 *
 * const timed: Interceptor = {
 *   async callTool(request, next) {
 *     const startedAt = performance.now();
 *     try {
 *       return await next();
 *     } finally {
 *       console.debug(`${request.name}: ${performance.now() - startedAt} ms`);
 *     }
 *   },
 * };
 * const withTimes = (client: ToolClient) => interceptTools(client, [timed]);
 * ```
 *
 * @param client The client; whoever closes the result closes it.
 * @param interceptors The first one is the outermost.
 * @param options The default deadline, and what is known of tools.
 * @returns A client whose requests pass through the interceptors.
 * @throws {TypeError} If an interceptor intercepts nothing.
 * @throws {RangeError} If `timeoutMs` is not a positive number.
 */
export function interceptTools(
  client: ToolClient,
  interceptors: readonly Interceptor[],
  options: InterceptOptions = {},
): ToolClient {
  return new InterceptedToolClient(client, toClientChain(client, interceptors, options));
}

/**
 * Makes a chain that asks a client for what is not known of its tools.
 *
 * @param client The client.
 * @param interceptors The first one is the outermost.
 * @param options The default deadline, and what is known of tools.
 * @returns The chain.
 * @throws {TypeError} If an interceptor intercepts nothing.
 * @throws {RangeError} If `timeoutMs` is not a positive number.
 */
export function toClientChain(
  client: ToolClient,
  interceptors: readonly Interceptor[],
  options: InterceptOptions,
): InterceptorChain {
  return createChain(interceptors, { ...options, listTools: (listOptions) => client.listTools(listOptions) });
}

/** The tools of a client, through a chain. */
export class InterceptedToolClient implements ToolClient {
  readonly #client: ToolClient;
  readonly #chain: InterceptorChain;

  /**
   * Wraps a client.
   *
   * @param client The client.
   * @param chain The chain.
   */
  constructor(client: ToolClient, chain: InterceptorChain) {
    this.#client = client;
    this.#chain = chain;
  }

  /** As {@linkcode ToolClient.listTools}. */
  async listTools(options: RequestOptions = {}): Promise<readonly Tool[]> {
    return await this.#chain.run({ kind: "list_tools", options }, (request) => this.#client.listTools(request.options));
  }

  /** As {@linkcode ToolClient.callTool}. */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallToolOptions = {},
  ): Promise<ToolResult> {
    return await this.#chain.run(
      { kind: "call_tool", name, args, options },
      (request) => this.#client.callTool(request.name, request.args, request.options),
    );
  }

  /** Closes the client. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  /** As {@linkcode InterceptedToolClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
