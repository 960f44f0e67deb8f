/**
 * Requests as interceptors see them: immutable, each kind with its own fields, all with the same few members.
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
import type { ReadOptions } from "../feature_client.ts";
import type { Tool, ToolResult } from "../protocol.ts";
import type { CallToolOptions, RequestOptions } from "../tool_client.ts";
import type {
  CallToolChanges,
  CompleteChanges,
  GetPromptChanges,
  ReadResourceChanges,
  RequestChanges,
} from "./request_changes.ts";

/**
 * What can be intercepted. Subscribing is not among it: what it gives is no answer but something that lasts, of which
 * an onion around one request would see the beginning alone.
 *
 * @example
 * ```ts
 * import { rateLimit, type RequestKind } from "@portolan/mcp/interceptors";
 *
 * const limit = (...kinds: RequestKind[]) => rateLimit({ limit: 10, windowMs: 1_000, kinds });
 * ```
 */
export type RequestKind =
  | "call_tool"
  | "list_tools"
  | "read_resource"
  | "list_resources"
  | "list_resource_templates"
  | "get_prompt"
  | "list_prompts"
  | "complete";

/**
 * A request of any kind. It is frozen, with everything in it: arguments are a copy, so that neither the caller nor an
 * interceptor changes what another one has looked at. {@linkcode InterceptedRequest.with} makes a changed one.
 *
 * @example
 * ```ts
 * import type { InterceptedRequest } from "@portolan/mcp/interceptors";
 *
 * const toLine = ({ kind, target = "", server = "any" }: InterceptedRequest) => `${kind} ${target} at ${server}`;
 * ```
 */
export interface InterceptedRequest<K extends RequestKind = RequestKind> {
  /** What is asked. */
  readonly kind: K;
  /** What it is about: the name of the tool or prompt, the URI of the resource; `undefined` for lists. */
  readonly target: string | undefined;
  /** The server that will answer, where that is known. */
  readonly server: string | undefined;
  /** Deadline and cancellation. `signal` is always there: it ends with the caller's patience or with the deadline. */
  readonly options: RequestOptions;
  /** How long the request may still take, all interceptors included, in milliseconds. */
  readonly remainingMs: number;
  /**
   * Makes a changed request; this one stays as it is.
   *
   * @param changes What is to be different.
   * @returns The request to pass on.
   */
  with(changes: RequestChanges): InterceptedRequest<K>;
}

/**
 * A request for the tools.
 *
 * @example
 * ```ts
 * import type { ListToolsRequest } from "@portolan/mcp/interceptors";
 *
 * const isUrgent = ({ remainingMs }: ListToolsRequest) => remainingMs < 500;
 * ```
 */
export type ListToolsRequest = InterceptedRequest<"list_tools">;

/**
 * A tool call.
 *
 * @example
 * ```ts
 * import type { CallToolRequest } from "@portolan/mcp/interceptors";
 *
 * const isLarge = ({ args }: CallToolRequest) => JSON.stringify(args).length > 10_000;
 * ```
 */
export interface CallToolRequest extends InterceptedRequest<"call_tool"> {
  /** The name under which the tool is listed. */
  readonly name: string;
  /** Its arguments. */
  readonly args: Readonly<Record<string, unknown>>;
  /** The tool's name. */
  readonly target: string;
  /** The tool's definition, where it is known already. Its annotations are the server's word, no more. */
  readonly tool: Tool | undefined;
  /** Deadline, cancellation, progress, trace. */
  readonly options: CallToolOptions;
  /**
   * Learns the tool's definition; asks for the list of tools where it is not known or known for long.
   *
   * @returns The definition, or `undefined` where no list has it or no list could be had.
   * @throws The reason of the request's signal, where that ends first.
   */
  findTool(): Promise<Tool | undefined>;
  /**
   * Makes a changed call; this one stays as it is.
   *
   * @param changes What is to be different.
   * @returns The call to pass on.
   */
  with(changes: CallToolChanges): CallToolRequest;
}

/**
 * The reading of a resource.
 *
 * @example
 * ```ts
 * import type { ReadResourceRequest } from "@portolan/mcp/interceptors";
 *
 * const isDraft = ({ uri }: ReadResourceRequest) => uri.startsWith("notes://drafts/");
 * ```
 */
export interface ReadResourceRequest extends InterceptedRequest<"read_resource"> {
  /** The resource. */
  readonly uri: string;
  /** Its URI. */
  readonly target: string;
  /** Deadline, cancellation, the server to ask. */
  readonly options: ReadOptions;
  /**
   * Makes a changed request; this one stays as it is.
   *
   * @param changes What is to be different.
   * @returns The request to pass on.
   */
  with(changes: ReadResourceChanges): ReadResourceRequest;
}

/**
 * The getting of a prompt.
 *
 * @example
 * ```ts
 * import type { GetPromptRequest } from "@portolan/mcp/interceptors";
 *
 * const isForCrew = ({ name }: GetPromptRequest) => name.startsWith("crew_");
 * ```
 */
export interface GetPromptRequest extends InterceptedRequest<"get_prompt"> {
  /** The name under which the prompt is listed. */
  readonly name: string;
  /** Its arguments. */
  readonly args: Readonly<Record<string, string>>;
  /** The prompt's name. */
  readonly target: string;
  /** Deadline, cancellation, the server to ask. */
  readonly options: ReadOptions;
  /**
   * Makes a changed request; this one stays as it is.
   *
   * @param changes What is to be different.
   * @returns The request to pass on.
   */
  with(changes: GetPromptChanges): GetPromptRequest;
}

/**
 * A completion.
 *
 * @example
 * ```ts
 * import type { CompleteRequest } from "@portolan/mcp/interceptors";
 *
 * const isShort = ({ argument }: CompleteRequest) => argument.value.length < 2;
 * ```
 */
export interface CompleteRequest extends InterceptedRequest<"complete"> {
  /** Whose argument is completed. */
  readonly reference: CompletionReference;
  /** The argument and what has been typed of it. */
  readonly argument: CompletionArgument;
  /** The prompt's name or the template. */
  readonly target: string;
  /** Deadline, cancellation, the server to ask. */
  readonly options: ReadOptions;
  /**
   * Makes a changed request; this one stays as it is.
   *
   * @param changes What is to be different.
   * @returns The request to pass on.
   */
  with(changes: CompleteChanges): CompleteRequest;
}

/**
 * The request of each kind.
 *
 * @example
 * ```ts
 * import type { RequestsByKind } from "@portolan/mcp/interceptors";
 *
 * type Describers = { readonly [K in keyof RequestsByKind]?: (request: RequestsByKind[K]) => string };
 * ```
 */
export interface RequestsByKind {
  /** A tool call. */
  readonly call_tool: CallToolRequest;
  /** The tools. */
  readonly list_tools: ListToolsRequest;
  /** The reading of a resource. */
  readonly read_resource: ReadResourceRequest;
  /** The resources. */
  readonly list_resources: InterceptedRequest<"list_resources">;
  /** The templates of resources. */
  readonly list_resource_templates: InterceptedRequest<"list_resource_templates">;
  /** The getting of a prompt. */
  readonly get_prompt: GetPromptRequest;
  /** The prompts. */
  readonly list_prompts: InterceptedRequest<"list_prompts">;
  /** A completion. */
  readonly complete: CompleteRequest;
}

/**
 * What each kind of request gives.
 *
 * @example
 * ```ts
 * import type { ResultsByKind } from "@portolan/mcp/interceptors";
 *
 * type Counters = { readonly [K in keyof ResultsByKind]?: (result: ResultsByKind[K]) => number };
 * ```
 */
export interface ResultsByKind {
  /** What the tool answered. */
  readonly call_tool: ToolResult;
  /** The tools. */
  readonly list_tools: readonly Tool[];
  /** What the resource holds. */
  readonly read_resource: ResourceResult;
  /** The resources. */
  readonly list_resources: readonly Resource[];
  /** The templates of resources. */
  readonly list_resource_templates: readonly ResourceTemplate[];
  /** The messages of the prompt. */
  readonly get_prompt: PromptResult;
  /** The prompts. */
  readonly list_prompts: readonly Prompt[];
  /** The values. */
  readonly complete: Completion;
}

/**
 * The request of a kind.
 *
 * @example
 * ```ts
 * import type { RequestOf } from "@portolan/mcp/interceptors";
 *
 * const toLabel = ({ kind, name }: RequestOf<"call_tool" | "get_prompt">) => `${kind}: ${name}`;
 * ```
 */
export type RequestOf<K extends RequestKind> = RequestsByKind[K];

/**
 * What a kind of request gives.
 *
 * @example
 * ```ts
 * import type { ResultOf } from "@portolan/mcp/interceptors";
 *
 * const namesIn = (tools: ResultOf<"list_tools">) => tools.map(({ name }) => name);
 * ```
 */
export type ResultOf<K extends RequestKind> = ResultsByKind[K];

/**
 * Whether a request is a tool call; for the interceptors of any kind.
 *
 * @example
 * ```ts
 * import { type Interceptor, isCallToolRequest } from "@portolan/mcp/interceptors";
 *
 * const logged: Interceptor = {
 *   any(request, next) {
 *     console.debug(request.kind, isCallToolRequest(request) ? request.name : request.target);
 *     return next();
 *   },
 * };
 * ```
 *
 * @param request Any request.
 * @returns Whether it has the members of a tool call.
 */
export function isCallToolRequest(request: InterceptedRequest): request is CallToolRequest {
  return request.kind === "call_tool";
}
