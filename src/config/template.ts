/**
 * Texts with references: `${NAME}` to a secret, `${env:NAME}` and `${env:NAME:-default}` to the environment.
 *
 * `$${` is a literal `${`. In general `2n` dollars before a brace are `n` dollars and a brace, and `2n + 1` dollars are
 * `n` dollars and a reference, so that every text can be written; dollars elsewhere stand for themselves.
 *
 * @module
 */

/** A reference inside a text. */
export interface TemplateReference {
  /** Where the value comes from. */
  readonly from: "secrets" | "env";
  /** The name of the secret or of the environment variable. */
  readonly name: string;
  /** The text to use where the variable is not set or empty, or `undefined` where there is none. */
  readonly fallback: string | undefined;
}

/** A parsed text: literal texts, which are never looked at again, and references. */
export type Template = readonly (string | TemplateReference)[];

const REFERENCE = /\{(env:)?([A-Za-z_][A-Za-z0-9_]{0,127})(?::-([^}]*))?\}/y;

/**
 * Splits a text into its literal parts and its references.
 *
 * @example
 * ```ts
 * import { parseTemplate } from "./template.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseTemplate("Bearer ${TOKEN}"), ["Bearer ", { from: "secrets", name: "TOKEN", fallback: undefined }]);
 * assertEquals(parseTemplate("$${TOKEN}"), ["${TOKEN}"]);
 * ```
 *
 * @param text The text as it was written.
 * @returns The parts, without empty or neighbouring literals; or, for a malformed reference, a fault text that does
 * not quote the text.
 */
export function parseTemplate(text: string): Template | string {
  const parts: (string | TemplateReference)[] = [];
  let from = 0;
  let brace = text.indexOf("{");
  while (brace !== -1) {
    let run = brace;
    while (run > from && text[run - 1] === "$") run--;
    const dollars = brace - run;
    push(parts, text.slice(from, run) + "$".repeat(Math.floor(dollars / 2)));
    from = brace;
    if (dollars % 2 === 1) {
      REFERENCE.lastIndex = brace;
      const match = REFERENCE.exec(text);
      const [, env, name, fallback] = match ?? [];
      if (match === null || name === undefined || !isFallback(env, fallback)) return malformed(brace);
      parts.push({ from: env === undefined ? "secrets" : "env", name, fallback });
      from = brace + match[0].length;
      brace = text.indexOf("{", from);
    } else {
      brace = text.indexOf("{", brace + 1);
    }
  }
  push(parts, text.slice(from));
  return parts;
}

/**
 * Replaces references by their values, once: a value that itself looks like a reference stays as it is.
 *
 * @example
 * ```ts
 * import { fillTemplate, parseTemplate } from "./template.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const template = parseTemplate("Bearer ${TOKEN}");
 * if (typeof template !== "string") assertEquals(fillTemplate(template, () => "${A}"), ["Bearer ${A}"]);
 * ```
 *
 * @param template The parsed text.
 * @param valueOf The value of a reference, or `undefined` to keep the reference.
 * @returns The parts, without empty or neighbouring literals.
 */
export function fillTemplate(
  template: Template,
  valueOf: (reference: TemplateReference) => string | undefined,
): Template {
  const parts: (string | TemplateReference)[] = [];
  for (const part of template) {
    const value = typeof part === "string" ? part : valueOf(part);
    if (value !== undefined) push(parts, value);
    else parts.push(part);
  }
  return parts;
}

/**
 * The references of a template.
 *
 * @param template The parsed text.
 * @returns Its references, in order.
 */
export function templateReferences(template: Template): readonly TemplateReference[] {
  return template.filter((part) => typeof part !== "string");
}

/**
 * The text of a template that has no references left.
 *
 * @param template The parsed text.
 * @returns The text, or `undefined` where a reference is left.
 */
export function templateText(template: Template): string | undefined {
  return template.every((part) => typeof part === "string") ? template.join("") : undefined;
}

/**
 * Writes a template as the text that {@linkcode parseTemplate} reads back as the same template.
 *
 * @example
 * ```ts
 * import { renderTemplate } from "./template.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(renderTemplate(["a ${b}"]), "a $${b}");
 * ```
 *
 * @param template The parts.
 * @returns The text, with everything escaped that would otherwise be read as a reference.
 */
export function renderTemplate(template: Template): string {
  let text = "";
  for (const part of template) {
    if (typeof part === "string") {
      text += escapeLiteral(part);
    } else {
      const fallback = part.fallback === undefined ? "" : `:-${part.fallback}`;
      text += `${"$".repeat(trailingDollars(text))}\${${part.from === "env" ? "env:" : ""}${part.name}${fallback}}`;
    }
  }
  return text;
}

function escapeLiteral(text: string): string {
  let escaped = "";
  let from = 0;
  for (let brace = text.indexOf("{"); brace !== -1; brace = text.indexOf("{", brace + 1)) {
    const before = text.slice(from, brace);
    escaped += `${before}${"$".repeat(trailingDollars(before))}{`;
    from = brace + 1;
  }
  return escaped + text.slice(from);
}

function trailingDollars(text: string): number {
  let end = text.length;
  while (end > 0 && text[end - 1] === "$") end--;
  return text.length - end;
}

/** A default is for the environment alone, and a reference inside it would be cut at its first brace. */
function isFallback(env: string | undefined, fallback: string | undefined): boolean {
  return fallback === undefined || (env !== undefined && !fallback.includes("${"));
}

function push(parts: (string | TemplateReference)[], text: string): void {
  const last = parts.at(-1);
  if (text === "") return;
  if (typeof last === "string") parts[parts.length - 1] = last + text;
  else parts.push(text);
}

function malformed(brace: number): string {
  return `Malformed reference at character ${brace}: ` +
    'write "${NAME}", "${env:NAME}" or "${env:NAME:-default}", or "$${" for a literal "${"';
}
