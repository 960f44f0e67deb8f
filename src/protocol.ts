/**
 * The data of MCP that callers see, as documented types of our own: structurally those of the specification
 * (schema 2025-11-25), so that an upgrade of an SDK does not break a caller. Fields a server adds are kept.
 *
 * @module
 */

/**
 * Any value that JSON can hold.
 *
 * @example
 * ```ts
 * import type { JsonValue } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toCount = (value: JsonValue): number => Array.isArray(value) ? value.length : 1;
 * assertEquals(toCount([{ path: "a.txt" }, null, 21]), 3);
 * ```
 */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/**
 * A JSON object.
 *
 * @example
 * ```ts
 * import type { JsonObject, Tool } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const inputSchema: JsonObject = { type: "object", properties: { path: { type: "string" } } };
 * const tool: Tool = { name: "read_file", inputSchema };
 * assertEquals(tool.inputSchema.type, "object");
 * ```
 */
export interface JsonObject {
  /** A member of the object. */
  [key: string]: JsonValue;
}

/**
 * An icon for a user interface (specification: `Icon`).
 *
 * @example
 * ```ts
 * import type { Icon } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const isTrusted = ({ src }: Icon) => src.startsWith("data:") || URL.parse(src)?.host === "cdn.example.com";
 * assertEquals(isTrusted({ src: "https://cdn.example.com/notes.png", mimeType: "image/png", sizes: ["48x48"] }), true);
 * ```
 */
export interface Icon {
  /** Where it is: an `https:` or a `data:` URI. Show it only if that is a place you trust. */
  readonly src: string;
  /** Its media type. */
  readonly mimeType?: string | undefined;
  /** The sizes it can be shown in: `48x48`, or `any`. */
  readonly sizes?: readonly string[] | undefined;
  /** Further fields: `theme`. */
  readonly [field: string]: unknown;
}

/**
 * Hints of a server about its tool; untrusted unless the operator trusts the server (specification: Tools).
 *
 * @example
 * ```ts
 * import type { ToolAnnotations } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * // As the specification has it: a tool that says nothing may destroy something.
 * const mayDestroy = ({ readOnlyHint = false, destructiveHint = true }: ToolAnnotations = {}) =>
 *   !readOnlyHint && destructiveHint;
 * assertEquals(mayDestroy(), true);
 * ```
 */
export interface ToolAnnotations {
  /** A title for people. */
  readonly title?: string | undefined;
  /** The tool changes nothing. */
  readonly readOnlyHint?: boolean | undefined;
  /** The tool may destroy something. */
  readonly destructiveHint?: boolean | undefined;
  /** Calling again with the same arguments changes nothing more. */
  readonly idempotentHint?: boolean | undefined;
  /** The tool talks to an open world. */
  readonly openWorldHint?: boolean | undefined;
  /** Hints of later versions of the specification. */
  readonly [hint: string]: unknown;
}

/**
 * A tool as its server lists it (specification: Tools, `Tool`).
 *
 * @example
 * ```ts
 * import type { Tool } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toLine = ({ name, title = name, description = "" }: Tool) => `${title}: ${description}`;
 * const inputSchema = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
 * assertEquals(toLine({ name: "read_file", description: "Reads a file.", inputSchema }), "read_file: Reads a file.");
 * ```
 */
export interface Tool {
  /** The name to call it by. */
  readonly name: string;
  /** A title for people. */
  readonly title?: string | undefined;
  /** What it does, for the model. */
  readonly description?: string | undefined;
  /** JSON Schema of its arguments. */
  readonly inputSchema: JsonObject;
  /** JSON Schema of `structuredContent`. */
  readonly outputSchema?: JsonObject | undefined;
  /** Hints about its behaviour. */
  readonly annotations?: ToolAnnotations | undefined;
  /** Icons for a user interface. */
  readonly icons?: readonly Icon[] | undefined;
  /** Whether it runs as a task (specification 2025-11-25, Tasks). */
  readonly execution?: { readonly taskSupport?: string | undefined } | undefined;
  /** Fields of later versions of the specification. */
  readonly [field: string]: unknown;
}

/**
 * Text of a result.
 *
 * @example
 * ```ts
 * import type { ContentBlock, TextContent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const isText = (block: ContentBlock): block is TextContent => block.type === "text";
 * const link: ContentBlock = { type: "resource_link", uri: "notes://today", name: "today.md" };
 * const content: ContentBlock[] = [{ type: "text", text: "ahoy" }, link];
 * assertEquals(content.filter(isText).map(({ text }) => text), ["ahoy"]);
 * ```
 */
export interface TextContent {
  /** The kind of block. */
  readonly type: "text";
  /** The text. */
  readonly text: string;
  /** Further fields: `annotations`, `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * An image or a sound of a result.
 *
 * @example
 * ```ts
 * import type { MediaContent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toDataUrl = ({ data, mimeType }: MediaContent) => `data:${mimeType};base64,${data}`;
 * assertEquals(toDataUrl({ type: "image", data: "iVBO", mimeType: "image/png" }), "data:image/png;base64,iVBO");
 * ```
 */
export interface MediaContent {
  /** The kind of block. */
  readonly type: "image" | "audio";
  /** The bytes, as base64. */
  readonly data: string;
  /** The media type of the bytes. */
  readonly mimeType: string;
  /** Further fields: `annotations`, `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * A link to a resource of the server.
 *
 * @example
 * ```ts
 * import type { FeatureClient, ResourceLinkContent, ResourceResult } from "@portolan/mcp";
 *
 * const follow = (client: FeatureClient, { uri }: ResourceLinkContent, server: string): Promise<ResourceResult> =>
 *   client.readResource(uri, { server });
 * ```
 */
export interface ResourceLinkContent {
  /** The kind of block. */
  readonly type: "resource_link";
  /** The URI of the resource. */
  readonly uri: string;
  /** The name of the resource. */
  readonly name: string;
  /** Further fields: `title`, `description`, `mimeType`, `annotations`, `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * What a resource holds: text, or bytes as Base64 (specification: `TextResourceContents`, `BlobResourceContents`).
 *
 * @example
 * ```ts
 * import type { ResourceContents } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toBytes = ({ text, blob = "" }: ResourceContents) =>
 *   text === undefined ? Uint8Array.fromBase64(blob) : new TextEncoder().encode(text);
 * assertEquals(toBytes({ uri: "notes://logo", mimeType: "image/png", blob: "iVBO" }).length, 3);
 * ```
 */
export interface ResourceContents {
  /** The URI of the resource, or of a part of the one that was read. */
  readonly uri: string;
  /** Its media type. */
  readonly mimeType?: string | undefined;
  /** The text, where it is text. */
  readonly text?: string | undefined;
  /** The bytes as Base64, where it is not. */
  readonly blob?: string | undefined;
  /** Further fields: `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * A resource inside a result.
 *
 * @example
 * ```ts
 * import type { EmbeddedResourceContent } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const block: EmbeddedResourceContent = { type: "resource", resource: { uri: "notes://1", text: "ahoy" } };
 * assertEquals(block.resource.text, "ahoy");
 * ```
 */
export interface EmbeddedResourceContent {
  /** The kind of block. */
  readonly type: "resource";
  /** The resource: `uri` with `text` or `blob`. */
  readonly resource: ResourceContents;
  /** Further fields: `annotations`, `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * One block of a result's content (specification: `ContentBlock`).
 *
 * @example
 * ```ts
 * import type { ContentBlock } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * function toText(block: ContentBlock): string {
 *   if (block.type === "text") return block.text;
 *   return block.type === "resource_link" ? `→ ${block.uri}` : `[${block.type}]`;
 * }
 * assertEquals(toText({ type: "image", data: "iVBO", mimeType: "image/png" }), "[image]");
 * ```
 */
export type ContentBlock = TextContent | MediaContent | ResourceLinkContent | EmbeddedResourceContent;

/**
 * What a tool answered (specification: `CallToolResult`). A result with `isError` is a value, not an exception.
 *
 * @example
 * ```ts
 * import type { ToolResult } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const outcomeOf = ({ isError = false, structuredContent }: ToolResult) => isError ? "failed" : structuredContent;
 * assertEquals(outcomeOf({ content: [], structuredContent: { celsius: 21 } }), { celsius: 21 });
 * ```
 */
export interface ToolResult {
  /** The blocks of the answer; empty where the server sent none. */
  readonly content: readonly ContentBlock[];
  /** The answer as data, where the tool has an `outputSchema`; up to 2025-11-25 an object. */
  readonly structuredContent?: JsonValue | undefined;
  /** Whether the tool itself failed; the content says how. */
  readonly isError?: boolean | undefined;
  /** Fields of later versions of the specification. */
  readonly [field: string]: unknown;
}

/**
 * Progress of a running call (specification: Progress).
 *
 * @example
 * ```ts
 * import type { CallToolOptions, Progress } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toShare = ({ progress, total }: Progress) => total === undefined ? undefined : progress / total;
 * const shares: unknown[] = [];
 * const options: CallToolOptions = { onProgress: (progress) => shares.push(toShare(progress)) };
 * options.onProgress?.({ progress: 3, total: 4, message: "Copying" });
 * assertEquals(shares, [0.75]);
 * ```
 */
export interface Progress {
  /** How far the call is; grows with every notice. */
  readonly progress: number;
  /** Where `progress` ends, where the server knows. */
  readonly total?: number | undefined;
  /** What is being done. */
  readonly message?: string | undefined;
  /** Further fields: `_meta`. */
  readonly [field: string]: unknown;
}

/**
 * Whether a value is a plain JSON object: neither null nor an array.
 *
 * @param value Anything.
 * @returns Whether the value is an object with members.
 */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads a JSON object.
 *
 * @param text Any text.
 * @returns The object, or `undefined` where the text is none.
 */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The same text for the same data, in whatever order its members are.
 *
 * @param data Plain data.
 * @returns The text; it holds every value, secrets included.
 */
export function toSortedText(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) => {
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1));
  }) ?? "";
}
