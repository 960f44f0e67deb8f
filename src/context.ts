/**
 * What servers offer besides tools, as documented types of our own: resources, prompts, completion, log messages
 * (specification 2025-11-25 and 2026-07-28, Server Features). Fields that a server adds are kept.
 *
 * @module
 */

import type { ContentBlock, Icon, JsonObject, ResourceContents } from "./protocol.ts";

/**
 * A resource as its server lists it (specification: Resources, `Resource`).
 *
 * @example
 * ```ts
 * import type { Resource } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toLink = ({ uri, name, title = name }: Resource) => `[${title}](${uri})`;
 * assertEquals(toLink({ uri: "notes://today", name: "today.md", title: "Today" }), "[Today](notes://today)");
 * ```
 */
export interface Resource {
  /** The URI to read it by; unique at its server. */
  readonly uri: string;
  /** Its name. */
  readonly name: string;
  /** A title for people. */
  readonly title?: string | undefined;
  /** What it is, for the model. */
  readonly description?: string | undefined;
  /** Its media type. */
  readonly mimeType?: string | undefined;
  /** Its size in bytes, before any encoding. */
  readonly size?: number | undefined;
  /** Icons for a user interface. */
  readonly icons?: readonly Icon[] | undefined;
  /** Further fields: `annotations`, `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * A family of resources whose URIs follow a template (specification: Resources, `ResourceTemplate`).
 *
 * @example
 * ```ts
 * import type { ResourceTemplate } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const variablesOf = ({ uriTemplate }: ResourceTemplate) => uriTemplate.match(/(?<=\{)\w+(?=\})/g) ?? [];
 * assertEquals([...variablesOf({ uriTemplate: "notes://{year}/{month}", name: "notes" })], ["year", "month"]);
 * ```
 */
export interface ResourceTemplate {
  /** The template of the URIs (RFC 6570). */
  readonly uriTemplate: string;
  /** Its name. */
  readonly name: string;
  /** A title for people. */
  readonly title?: string | undefined;
  /** What the resources are, for the model. */
  readonly description?: string | undefined;
  /** The media type of all of them, where they have the same. */
  readonly mimeType?: string | undefined;
  /** Icons for a user interface. */
  readonly icons?: readonly Icon[] | undefined;
  /** Further fields: `annotations`, `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * What reading a resource gave (specification: `ReadResourceResult`).
 *
 * @example
 * ```ts
 * import type { ResourceResult } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const textOf = ({ contents }: ResourceResult) => contents.map(({ text = "" }) => text).join("\n");
 * assertEquals(textOf({ contents: [{ uri: "notes://today", text: "The harbour is open." }] }), "The harbour is open.");
 * ```
 */
export interface ResourceResult {
  /** The contents; several where the resource has parts. */
  readonly contents: readonly ResourceContents[];
  /** Further fields: `ttlMs`, `cacheScope`, `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * An argument of a prompt (specification: `PromptArgument`).
 *
 * @example
 * ```ts
 * import type { PromptArgument } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toLabel = ({ name, title = name, required = false }: PromptArgument) => required ? `${title} *` : title;
 * assertEquals(toLabel({ name: "city", title: "City", required: true }), "City *");
 * ```
 */
export interface PromptArgument {
  /** Its name. */
  readonly name: string;
  /** A title for people. */
  readonly title?: string | undefined;
  /** What it is. */
  readonly description?: string | undefined;
  /** Whether it must be given. */
  readonly required?: boolean | undefined;
  /** Further fields. */
  readonly [field: string]: unknown;
}

/**
 * A prompt as its server lists it (specification: Prompts, `Prompt`).
 *
 * @example
 * ```ts
 * import type { Prompt } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const prompt: Prompt = { name: "greet", arguments: [{ name: "who", required: true }, { name: "tone" }] };
 * const needed = (prompt.arguments ?? []).filter(({ required }) => required === true).map(({ name }) => name);
 * assertEquals(needed, ["who"]);
 * ```
 */
export interface Prompt {
  /** The name to get it by. */
  readonly name: string;
  /** A title for people. */
  readonly title?: string | undefined;
  /** What it is for. */
  readonly description?: string | undefined;
  /** Its arguments. */
  readonly arguments?: readonly PromptArgument[] | undefined;
  /** Icons for a user interface. */
  readonly icons?: readonly Icon[] | undefined;
  /** Further fields: `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * A message of a prompt (specification: `PromptMessage`).
 *
 * @example
 * ```ts
 * import type { PromptMessage } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toText = ({ content }: PromptMessage) => content.type === "text" ? content.text : `[${content.type}]`;
 * assertEquals(toText({ role: "user", content: { type: "text", text: "Greet the crew" } }), "Greet the crew");
 * ```
 */
export interface PromptMessage {
  /** Who says it. */
  readonly role: "user" | "assistant";
  /** What is said. */
  readonly content: ContentBlock;
}

/**
 * A prompt with its arguments filled in (specification: `GetPromptResult`).
 *
 * @example
 * ```ts
 * import type { FeatureClient, PromptMessage, PromptResult } from "@portolan/mcp";
 *
 * async function begin(client: FeatureClient, who: string): Promise<readonly PromptMessage[]> {
 *   const { messages }: PromptResult = await client.getPrompt("greet", { who });
 *   return messages;
 * }
 * ```
 */
export interface PromptResult {
  /** What it is for. */
  readonly description?: string | undefined;
  /** The messages. */
  readonly messages: readonly PromptMessage[];
  /** Further fields: `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * Whose argument is completed: a prompt's, or a variable of a resource template (specification: Completion).
 *
 * @example
 * ```ts
 * import type { CompletionReference } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const nameOf = (reference: CompletionReference) => reference.type === "ref/prompt" ? reference.name : reference.uri;
 * assertEquals(nameOf({ type: "ref/prompt", name: "greet" }), "greet");
 * assertEquals(nameOf({ type: "ref/resource", uri: "notes://{year}" }), "notes://{year}");
 * ```
 */
export type CompletionReference =
  | { readonly type: "ref/prompt"; readonly name: string }
  | { readonly type: "ref/resource"; readonly uri: string };

/**
 * What is completed (specification: `CompleteRequest`).
 *
 * @example
 * ```ts
 * import type { CompletionArgument, FeatureClient } from "@portolan/mcp";
 *
 * async function suggest(client: FeatureClient, value: string): Promise<readonly string[]> {
 *   const argument: CompletionArgument = { name: "month", value, context: { year: "2026" } };
 *   return (await client.complete({ type: "ref/resource", uri: "notes://{year}/{month}" }, argument)).values;
 * }
 * ```
 */
export interface CompletionArgument {
  /** The argument's name. */
  readonly name: string;
  /** What has been typed of it. */
  readonly value: string;
  /** Arguments that are known already; some completions depend on them. */
  readonly context?: Readonly<Record<string, string>> | undefined;
}

/**
 * Values that an argument could have (specification: `CompleteResult`).
 *
 * @example
 * ```ts
 * import type { Completion } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toHint = ({ values, hasMore = false }: Completion) => hasMore ? [...values, "…"] : values;
 * assertEquals(toHint({ values: ["Rome", "Rotterdam"], total: 9, hasMore: true }), ["Rome", "Rotterdam", "…"]);
 * ```
 */
export interface Completion {
  /** At most 100 values, best first. */
  readonly values: readonly string[];
  /** How many there are in all, where the server says. */
  readonly total?: number | undefined;
  /** Whether there are more than these. */
  readonly hasMore?: boolean | undefined;
}

/**
 * How grave a log message is, mildest first (RFC 5424; specification: Logging).
 *
 * @example
 * ```ts
 * import { type LogLevel, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const logLevel: LogLevel = "warning";
 * const logs: unknown[] = [];
 * await using client = new SingleServerMCPClient("files", { url: "http://localhost:9/mcp" }, {
 *   logLevel,
 *   onLog: ({ data }) => logs.push(data),
 * });
 * assertEquals(logs, []);
 * ```
 */
export type LogLevel = "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";

/** All levels, mildest first (specification: Logging, Log Levels). */
export const LOG_LEVELS: readonly LogLevel[] = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
];

/**
 * A log message of a server (specification: Logging). Deprecated by 2026-07-28, spoken by many servers.
 *
 * @example
 * ```ts
 * import type { LogMessage } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * // As JSON, so that a server cannot write lines of its own into the log.
 * const toLine = ({ server, level, data }: LogMessage) => `${level} ${server}: ${JSON.stringify(data)}`;
 * assertEquals(toLine({ server: "files", level: "info", data: "a\nb" }), String.raw`info files: "a\nb"`);
 * ```
 */
export interface LogMessage {
  /** The server that sent it. */
  readonly server: string;
  /** How grave it is. */
  readonly level: LogLevel;
  /** The part of the server that says it. */
  readonly logger?: string | undefined;
  /** What it says: any JSON value. It is text of the server: do not trust it. */
  readonly data: unknown;
}

/**
 * What a server says of itself; for people and models, not for decisions (specification: Lifecycle, Discovery).
 *
 * @example
 * ```ts
 * import type { ServerInfo } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const hasPrompts = ({ capabilities }: ServerInfo) => capabilities.prompts !== undefined;
 * const implementation = { name: "greeter", version: "1.0.0" };
 * assertEquals(hasPrompts({ implementation, capabilities: { prompts: { listChanged: true } } }), true);
 * ```
 */
export interface ServerInfo {
  /** Its name, version, title, as it gives them. */
  readonly implementation?: JsonObject | undefined;
  /** What it offers: `tools`, `resources`, `prompts`, `completions`, `logging`, `extensions`. */
  readonly capabilities: JsonObject;
  /** How it is to be used, for the model. */
  readonly instructions?: string | undefined;
}
