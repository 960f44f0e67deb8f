/**
 * The data of MCP that callers see, as documented types of our own: structurally those of the specification
 * (schema 2025-11-25), so that an upgrade of an SDK does not break a caller. Fields a server adds are kept.
 *
 * @module
 */

/** Any value that JSON can hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  /** A member of the object. */
  [key: string]: JsonValue;
}

/** Hints of a server about its tool; untrusted unless the operator trusts the server (specification: Tools). */
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

/** A tool as its server lists it (specification: Tools, `Tool`). */
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
  /** Fields of later versions of the specification. */
  readonly [field: string]: unknown;
}

/** Text of a result. */
export interface TextContent {
  /** The kind of block. */
  readonly type: "text";
  /** The text. */
  readonly text: string;
  /** Further fields: `annotations`, `_meta`. */
  readonly [field: string]: unknown;
}

/** An image or a sound of a result. */
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

/** A link to a resource of the server. */
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

/** A resource inside a result. */
export interface EmbeddedResourceContent {
  /** The kind of block. */
  readonly type: "resource";
  /** The resource: `uri` with `text` or `blob`. */
  readonly resource: JsonObject;
  /** Further fields: `annotations`, `_meta`. */
  readonly [field: string]: unknown;
}

/** One block of a result's content (specification: `ContentBlock`). */
export type ContentBlock = TextContent | MediaContent | ResourceLinkContent | EmbeddedResourceContent;

/** What a tool answered (specification: `CallToolResult`). A result with `isError` is a value, not an exception. */
export interface ToolResult {
  /** The blocks of the answer; empty where the server sent none. */
  readonly content: readonly ContentBlock[];
  /** The answer as data, where the tool has an `outputSchema`. */
  readonly structuredContent?: JsonObject | undefined;
  /** Whether the tool itself failed; the content says how. */
  readonly isError?: boolean | undefined;
  /** Fields of later versions of the specification. */
  readonly [field: string]: unknown;
}

/** Progress of a running call (specification: Progress). */
export interface Progress {
  /** How far the call is; grows with every notice. */
  readonly progress: number;
  /** Where `progress` ends, where the server knows. */
  readonly total?: number | undefined;
  /** What is being done. */
  readonly message?: string | undefined;
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
