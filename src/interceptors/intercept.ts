/**
 * Interceptors around a client of everything that servers offer.
 *
 * @module
 */

import type {
  Completion,
  CompletionArgument,
  CompletionReference,
  Prompt,
  PromptResult,
  Resource,
  ResourceResult,
  ResourceTemplate,
} from "../context.ts";
import type { FeatureClient, ReadOptions, ResourceSubscription } from "../feature_client.ts";
import type { Tool, ToolResult } from "../protocol.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";
import type { InterceptOptions, InterceptorChain } from "./chain.ts";
import { InterceptedToolClient, toClientChain } from "./intercept_tools.ts";
import type { Interceptor } from "./interceptor.ts";

/**
 * Puts interceptors around a client. Closing the result closes the client; a subscription goes to the client as it is.
 *
 * @example
 * ```ts
 * import type { FeatureClient } from "@portolan/mcp";
 * import { approval, intercept, rateLimit, retryPolicy } from "@portolan/mcp/interceptors";
 *
 * const guarded = (client: FeatureClient, ask: (question: string) => Promise<boolean>) =>
 *   intercept(client, [
 *     rateLimit({ limit: 20, windowMs: 1_000, wait: true }),
 *     approval({ ask: ({ name }) => ask(`May I use ${name}?`) }),
 *     retryPolicy({ attempts: 3 }),
 *   ]);
 * ```
 *
 * @param client The client; whoever closes the result closes it.
 * @param interceptors The first one is the outermost.
 * @param options The default deadline, and what is known of tools.
 * @returns A client whose requests pass through the interceptors.
 * @throws {TypeError} If an interceptor intercepts nothing.
 * @throws {RangeError} If `timeoutMs` is not a positive number.
 */
export function intercept(
  client: FeatureClient,
  interceptors: readonly Interceptor[],
  options: InterceptOptions = {},
): FeatureClient {
  return new InterceptedClient(client, toClientChain(client, interceptors, options));
}

class InterceptedClient implements FeatureClient {
  readonly #client: FeatureClient;
  readonly #chain: InterceptorChain;
  readonly #tools: InterceptedToolClient;

  constructor(client: FeatureClient, chain: InterceptorChain) {
    this.#client = client;
    this.#chain = chain;
    this.#tools = new InterceptedToolClient(client, chain);
  }

  async listTools(options?: RequestOptions): Promise<readonly Tool[]> {
    return await this.#tools.listTools(options);
  }

  async callTool(
    name: string,
    args?: Readonly<Record<string, unknown>>,
    options?: CallToolOptions,
  ): Promise<ToolResult> {
    return await this.#tools.callTool(name, args, options);
  }

  async listResources(options: RequestOptions = {}): Promise<readonly Resource[]> {
    return await this.#chain.run(
      { kind: "list_resources", options },
      (request) => this.#client.listResources(request.options),
    );
  }

  async listResourceTemplates(options: RequestOptions = {}): Promise<readonly ResourceTemplate[]> {
    return await this.#chain.run(
      { kind: "list_resource_templates", options },
      (request) => this.#client.listResourceTemplates(request.options),
    );
  }

  async readResource(uri: string, options: ReadOptions = {}): Promise<ResourceResult> {
    return await this.#chain.run(
      { kind: "read_resource", uri, options },
      (request) => this.#client.readResource(request.uri, request.options),
    );
  }

  async subscribeResource(
    uri: string,
    onUpdate: (uri: string) => void,
    options?: ReadOptions,
  ): Promise<ResourceSubscription> {
    return await this.#client.subscribeResource(uri, onUpdate, options);
  }

  async listPrompts(options: RequestOptions = {}): Promise<readonly Prompt[]> {
    return await this.#chain.run(
      { kind: "list_prompts", options },
      (request) => this.#client.listPrompts(request.options),
    );
  }

  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: ReadOptions = {},
  ): Promise<PromptResult> {
    return await this.#chain.run(
      { kind: "get_prompt", name, args, options },
      (request) => this.#client.getPrompt(request.name, request.args, request.options),
    );
  }

  async complete(
    reference: CompletionReference,
    argument: CompletionArgument,
    options: ReadOptions = {},
  ): Promise<Completion> {
    return await this.#chain.run(
      { kind: "complete", reference, argument, options },
      (request) => this.#client.complete(request.reference, request.argument, request.options),
    );
  }

  async close(): Promise<void> {
    await this.#tools.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
