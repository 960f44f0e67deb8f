/**
 * The port of everything that servers offer: tools, resources, prompts, completion. One server, or many behind one
 * name: the caller cannot tell.
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
} from "./context.ts";
import type { InputHandlers } from "./input.ts";
import type { InputRound } from "./input_round.ts";
import type { RequestOptions, ToolClient } from "./tool_client.ts";

/**
 * What may be said of a read, a prompt, a completion or a subscription.
 *
 * @example
 * ```ts
 * import type { FeatureClient, ReadOptions, ResourceResult } from "@portolan/mcp";
 *
 * const options: ReadOptions = { server: "notes", timeoutMs: 5_000 };
 * const readToday = (client: FeatureClient): Promise<ResourceResult> => client.readResource("notes://today", options);
 * ```
 */
export interface ReadOptions extends RequestOptions {
  /** The server to ask, where several offer the same. @default {The one that lists it} */
  readonly server?: string | undefined;
  /** Answers what the server asks in between, instead of the client's own handlers. */
  readonly input?: InputHandlers | undefined;
  /** How long the time stands still, in all, while `input` is asked, in milliseconds, as of a tool call. */
  readonly inputTimeoutMs?: number | undefined;
  /** Has questions of a server handed to the caller, as `round` of a tool call does; completions ask none. */
  readonly round?: InputRound | undefined;
}

/**
 * A resource that is watched.
 *
 * @example
 * ```ts
 * import type { FeatureClient, ResourceSubscription } from "@portolan/mcp";
 *
 * async function waitForChange(client: FeatureClient, uri: string): Promise<void> {
 *   const { promise, resolve } = Promise.withResolvers<string>();
 *   await using subscription: ResourceSubscription = await client.subscribeResource(uri, resolve);
 *   console.log(`${subscription.server} tells of ${await promise}`);
 * }
 * ```
 */
export interface ResourceSubscription extends AsyncDisposable {
  /** The resource. */
  readonly uri: string;
  /** The server that tells of its changes. */
  readonly server: string;
  /** Ends the subscription. Idempotent. */
  close(): Promise<void>;
}

/**
 * Lists and uses everything that servers offer.
 *
 * @example
 * ```ts
 * import { type FeatureClient, MultiServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * async function readAll(client: FeatureClient): Promise<readonly string[]> {
 *   const results = (await client.listResources()).map(({ uri }) => client.readResource(uri));
 *   return (await Promise.all(results)).flatMap(({ contents }) => contents.map(({ text = "" }) => text));
 * }
 * await using client = new MultiServerMCPClient("Kairos", { servers: {} });
 * assertEquals(await readAll(client), []);
 * ```
 */
export interface FeatureClient extends ToolClient {
  /**
   * The resources that can be read.
   *
   * @param options Deadline and cancellation.
   * @returns Every resource; none where the server has none.
   * @throws {MCPError} If no list could be had.
   */
  listResources(options?: RequestOptions): Promise<readonly Resource[]>;
  /**
   * The templates of resources that can be read.
   *
   * @param options Deadline and cancellation.
   * @returns Every template; none where the server has none.
   * @throws {MCPError} If no list could be had.
   */
  listResourceTemplates(options?: RequestOptions): Promise<readonly ResourceTemplate[]>;
  /**
   * Reads a resource.
   *
   * @param uri Its URI.
   * @param options Deadline, cancellation, and the server where several list it.
   * @returns What it holds.
   * @throws {MCPError} If it could not be read.
   */
  readResource(uri: string, options?: ReadOptions): Promise<ResourceResult>;
  /**
   * Watches a resource.
   *
   * @param uri Its URI.
   * @param onUpdate Told with the URI of what has changed: the resource, or a part of it. What it throws is ignored.
   * @param options Deadline and cancellation of the subscribing, and the server where several list it.
   * @returns The subscription; it lasts until it, or the client, is closed.
   * @throws {MCPError} With `not_supported` if the server does not tell of changes.
   */
  subscribeResource(
    uri: string,
    onUpdate: (uri: string) => void,
    options?: ReadOptions,
  ): Promise<ResourceSubscription>;
  /**
   * The prompts that can be got.
   *
   * @param options Deadline and cancellation.
   * @returns Every prompt under the name to get it by; none where the server has none.
   * @throws {MCPError} If no list could be had.
   */
  listPrompts(options?: RequestOptions): Promise<readonly Prompt[]>;
  /**
   * Gets a prompt with its arguments filled in.
   *
   * @param name The name under which it is listed.
   * @param args Its arguments.
   * @param options Deadline, cancellation, and the server where several list it.
   * @returns The messages.
   * @throws {MCPError} If it could not be had.
   */
  getPrompt(name: string, args?: Readonly<Record<string, string>>, options?: ReadOptions): Promise<PromptResult>;
  /**
   * Asks for values that an argument could have.
   *
   * @param reference Whose argument: a prompt's, or a resource template's.
   * @param argument The argument and what has been typed of it.
   * @param options Deadline, cancellation, and the server where several list it.
   * @returns The values; none where the server completes nothing.
   * @throws {MCPError} If the server failed.
   */
  complete(reference: CompletionReference, argument: CompletionArgument, options?: ReadOptions): Promise<Completion>;
}
