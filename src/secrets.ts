/**
 * Secrets: values that do not print, and texts from which they are taken out.
 *
 * @module
 */

const PLACEHOLDER = "[secret]";
const MIN_SECRET_LENGTH = 4;
const CREDENTIAL = /^(?:basic|bearer|digest|token|api-?key)[ \t]+(.+)$/i;

/**
 * A value that is shown only on request. As text, in JSON, in the console and in an error it is `[secret]`.
 *
 * @example
 * ```ts
 * import { Secret } from "./secrets.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const secret = new Secret("hunter22");
 * assertEquals(`${secret}`, "[secret]");
 * assertEquals(JSON.stringify({ secret }), '{"secret":"[secret]"}');
 * assertEquals(secret.reveal(), "hunter22");
 * ```
 */
export class Secret {
  readonly #value: string;

  /**
   * Wraps a value.
   *
   * @param value The secret text.
   */
  constructor(value: string) {
    this.#value = value;
  }

  /**
   * Gives the value away; for the place that sends it.
   *
   * @returns The secret text.
   */
  reveal(): string {
    return this.#value;
  }

  /**
   * Stands in for the value in a text.
   *
   * @returns `[secret]`.
   */
  toString(): string {
    return PLACEHOLDER;
  }

  /**
   * Stands in for the value in JSON.
   *
   * @returns `[secret]`.
   */
  toJSON(): string {
    return PLACEHOLDER;
  }

  /**
   * Stands in for the value in Deno's console.
   *
   * @returns `[secret]`.
   */
  [Symbol.for("Deno.customInspect")](): string {
    return PLACEHOLDER;
  }

  /**
   * Stands in for the value in Node's console.
   *
   * @returns `[secret]`.
   */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return PLACEHOLDER;
  }
}

/**
 * Replaces every occurrence of secrets in a text by `[secret]`, also where they overlap, are percent-encoded, are
 * escaped as in JSON, or stand without the `Bearer` that the secret begins with. Secrets shorter than 4 characters
 * are left alone, as they would tear words apart.
 *
 * @example
 * ```ts
 * import { redact } from "./secrets.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(redact("GET /?key=hunter22", ["hunter22"]), "GET /?key=[secret]");
 * ```
 *
 * @param text Any text.
 * @param secrets The values to take out.
 * @returns The text without them.
 */
export function redact(text: string, secrets: Iterable<string | Secret>): string {
  const spans: { start: number; end: number }[] = [];
  for (const form of formsOf(secrets)) {
    for (let start = text.indexOf(form); start !== -1; start = text.indexOf(form, start + 1)) {
      spans.push({ start, end: start + form.length });
    }
  }
  spans.sort((a, b) => a.start - b.start);
  let redacted = "";
  let end = 0;
  for (const span of spans) {
    // Overlapping secrets are one gap: replacing them one after the other would leave the rest of the second.
    if (span.start >= end) redacted += text.slice(end, span.start) + PLACEHOLDER;
    end = Math.max(end, span.end);
  }
  return redacted + text.slice(end);
}

function formsOf(secrets: Iterable<string | Secret>): ReadonlySet<string> {
  const forms = new Set<string>();
  for (const secret of secrets) {
    const value = typeof secret === "string" ? secret : secret.reveal();
    for (const plain of [value, CREDENTIAL.exec(value)?.[1] ?? value]) {
      for (const form of [plain, JSON.stringify(plain).slice(1, -1), encodeURIComponent(plain.toWellFormed())]) {
        if (form.length >= MIN_SECRET_LENGTH) forms.add(form);
      }
    }
  }
  return forms;
}
