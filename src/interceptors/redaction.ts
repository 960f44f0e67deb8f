/**
 * Takes out of requests and results what is not to be passed on.
 *
 * @module
 */

import type { LogMessage } from "../context.ts";
import type { Progress } from "../protocol.ts";
import type { CallToolOptions } from "../tool_client.ts";
import { checkCount } from "./checks.ts";
import { isPlain, MAX_DEPTH } from "../frozen_json.ts";
import type { Interceptor } from "./interceptor.ts";
import { REDACTED, type RedactionPattern } from "./redaction_patterns.ts";

/**
 * What is taken out, and where.
 *
 * @example
 * ```ts
 * import { redaction, type RedactionOptions, redactionPatterns } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const options: RedactionOptions = { patterns: [redactionPatterns.email], in: "arguments", replacement: "[address]" };
 * assertEquals(typeof redaction(options).callTool, "function");
 * ```
 */
export interface RedactionOptions {
  /** What is taken out of each text, one pattern after the other. */
  readonly patterns: readonly RedactionPattern[];
  /** In which direction: to the server, from it, or both. @default {"both"} */
  readonly in?: "arguments" | "results" | "both" | undefined;
  /** What stands for what was taken out; functions among the patterns say that themselves. @default {"[redacted]"} */
  readonly replacement?: string | undefined;
  /** A longer text is not looked through: all of it is replaced. A count of UTF-16 units. @default {1_000_000} */
  readonly maxTextLength?: number | undefined;
}

type Redact = (text: string) => string;

/** Members of content that are no texts: kinds, addresses, bytes. */
const NO_TEXT: ReadonlySet<string> = new Set(["type", "role", "uri", "mimeType", "blob"]);
/** What holds content. */
const CONTENT: ReadonlySet<string> = new Set(["content", "contents", "messages"]);

/**
 * Makes an interceptor that takes texts out of the arguments of calls, prompts and completions, and out of the results
 * of calls, prompts and resources, with the progress and the log messages of calls. In results it looks through
 * `structuredContent` and `_meta` as a whole, and through all of the content but kinds, URIs, media types and Base64.
 * Names of members and numbers stay. What a pattern throws fails the request: nothing is passed on that was not looked through.
 *
 * @example
 * ```ts
 * import { redaction, redactionPatterns } from "@portolan/mcp/interceptors";
 *
 * const { email, jwt } = redactionPatterns;
 * const discreet = redaction({ patterns: [email, jwt, /\bproject-\d{4}\b/], in: "results" });
 * ```
 *
 * @param options What is taken out, and where.
 * @returns The interceptor.
 * @throws {TypeError} If an exact text is empty.
 * @throws {RangeError} If `maxTextLength` is no whole number of at least 1.
 */
export function redaction(options: RedactionOptions): Interceptor {
  const { in: where = "both", replacement = REDACTED, maxTextLength = 1_000_000 } = options;
  checkCount("maxTextLength", maxTextLength);
  const passes = options.patterns.map((pattern) => toPass(pattern, replacement));
  const redact = (text: string) => {
    let redacted = text;
    for (const pass of passes) {
      if (redacted.length > maxTextLength) return replacement;
      redacted = pass(redacted);
    }
    return redacted;
  };
  const toArguments = <T>(given: T) => where === "results" ? undefined : redactAll(given, redact);
  const toResult = <T>(result: T) => where === "arguments" ? result : redactResult(result, redact);
  const toOptions = (given: CallToolOptions) => where === "arguments" ? undefined : toListeners(given, redact);

  return {
    async callTool(request, next) {
      const changes = { args: toArguments(request.args), options: toOptions(request.options) };
      return toResult(await next(request.with(changes)));
    },
    async getPrompt(request, next) {
      return toResult(await next(request.with({ args: toArguments(request.args) })));
    },
    async readResource(_request, next) {
      return toResult(await next());
    },
    async complete(request, next) {
      const { name, ...typed } = request.argument;
      const redacted = toArguments(typed);
      return await next(redacted && request.with({ argument: { name, ...redacted } }));
    },
  };
}

function toPass(pattern: RedactionPattern, replacement: string): Redact {
  if (typeof pattern === "function") return pattern;
  if (pattern === "") throw new TypeError("Cannot take out an empty text as it is everywhere");
  // A copy of the expression: the caller's own would remember where it stopped.
  const search = typeof pattern === "string" ? pattern : new RegExp(pattern, `${pattern.flags.replace(/[gy]/g, "")}g`);
  // As a function, the replacement is taken as it is: a `$&` in it would bring back what was taken out.
  return (text) => text.replaceAll(search, () => replacement);
}

/** The value with all texts in it redacted. */
function redactAll<T>(value: T, redact: Redact, isContent = false): T {
  const change = (given: unknown, depth: number, inContent: boolean): unknown => {
    if (typeof given === "string") return redact(given);
    const part = writesItself(given) ? toWritten(given) : given;
    if (typeof part === "string") return redact(part);
    const isArray = Array.isArray(part);
    if (!isArray && !isPlain(part)) return part;
    // What is too deep to be looked through is not passed on.
    if (depth === MAX_DEPTH) return REDACTED;
    if (isArray) return part.map((item) => change(item, depth + 1, inContent));
    const members = Object.entries(part).map(([key, member]) => {
      const stays = inContent && (NO_TEXT.has(key) || (key === "data" && isMedia(part)));
      return [key, stays ? member : change(member, depth + 1, inContent && key !== "_meta")];
    });
    return Object.fromEntries(members);
  };
  // The shape is the same: texts have become texts.
  return change(value, 0, isContent) as T;
}

/** Whether only JSON tells what is sent of a value: an instance, or what has a `toJSON` of its own. */
function writesItself(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return ("toJSON" in value && typeof value.toJSON === "function") || (!Array.isArray(value) && !isPlain(value));
}

/** What is sent of a value. */
function toWritten(value: object): unknown {
  const text: string | undefined = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}

function isMedia({ type }: Readonly<Record<string, unknown>>): boolean {
  return type === "image" || type === "audio";
}

function redactResult<T>(given: T, redact: Redact): T {
  const result = writesItself(given) ? toWritten(given) as T : given;
  if (!isPlain(result)) return result;
  const members = Object.entries(result).map(([key, member]) => [key, redactAll(member, redact, CONTENT.has(key))]);
  return Object.fromEntries(members) as T;
}

function toListeners({ onProgress, onLog }: CallToolOptions, redact: Redact): CallToolOptions {
  return {
    ...(onProgress && { onProgress: (progress: Progress) => onProgress(redactAll(progress, redact)) }),
    ...(onLog && { onLog: (message: LogMessage) => onLog({ ...message, data: redactAll(message.data, redact) }) }),
  };
}
