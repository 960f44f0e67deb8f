/**
 * Whether a URI follows a template of a server (RFC 6570). No regular expression is made of what a server sends.
 *
 * @module
 */

/** Longer templates, and URIs, match nothing: what a server sends must not cost time. */
const MAX_TEMPLATE_LENGTH = 512;
const MAX_URI_LENGTH = 2_048;
/** Templates with more expressions match nothing. */
const MAX_EXPRESSIONS = 16;

/** A list of variables: names of letters, digits, `_`, `.`, `%`, with `*` or a prefix length. */
const VARIABLES = /^[\w.%]+(?:\*|:\d{1,4})?(?:,[\w.%]+(?:\*|:\d{1,4})?)*$/;

/** A text that is there as it is. */
interface Literal {
  readonly text: string;
  /** For each of its beginnings: how much of its end is a beginning too (Knuth, Morris and Pratt). */
  readonly borders: Uint16Array;
}

/** A run of at least one character, behind a character that begins it. */
interface Gap {
  readonly lead: string;
  /** The characters that end the run, as bits of {@linkcode STOPS}. */
  readonly stops: number;
  /** Whether it can be missing, with its lead. */
  readonly optional: boolean;
}

/** The characters that end a run, and the bit of each. */
const STOPS: ReadonlyMap<string, number> = new Map([["/", 1], ["?", 2], ["#", 4]]);
const [NOTHING, FRAGMENT, QUERY, SEGMENT] = [0, 4, 6, 7];

/** The operators and what ends their values; a value of `+` and `#` may hold anything (RFC 6570, section 3.2). */
const GAPS: ReadonlyMap<string, Gap> = new Map([
  ["", { lead: "", stops: SEGMENT, optional: false }],
  ["+", { lead: "", stops: NOTHING, optional: false }],
  ["#", { lead: "#", stops: NOTHING, optional: true }],
  [".", { lead: ".", stops: SEGMENT, optional: true }],
  ["/", { lead: "/", stops: SEGMENT, optional: true }],
  [";", { lead: ";", stops: SEGMENT, optional: true }],
  ["?", { lead: "?", stops: FRAGMENT, optional: true }],
  ["&", { lead: "&", stops: FRAGMENT, optional: true }],
]);
/** Several path segments: `{/a,b}` and `{/a*}`. */
const SEGMENTS: Gap = { lead: "/", stops: QUERY, optional: true };

/** A template, taken apart. */
export interface UriTemplate {
  /** How many parts it has: matching a URI takes as many steps for each of its characters. */
  readonly size: number;
  /**
   * Whether a URI can have come of the template. Takes time in proportion to the lengths of both.
   *
   * @param uri Any URI.
   * @returns Whether it follows the template.
   */
  matches(uri: string): boolean;
}

/**
 * What every URI of a template begins with: most URIs are told from most templates by that.
 *
 * @param text The template.
 * @returns The text before its first variable.
 */
export function startOfTemplate(text: string): string {
  return text.split("{", 1)[0] ?? "";
}

/**
 * Takes a template apart. Values have at least one character; those of `{var}` hold no `/`, `?` or `#`, and the
 * parameters of `{?a,b}` may be missing and stand in any order.
 *
 * @example
 * ```ts
 * import { parseUriTemplate } from "./uri_template.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const template = parseUriTemplate("db://{table}/rows{?from,to}");
 * assertEquals(template?.matches("db://users/rows?to=9"), true);
 * assertEquals(template?.matches("db://users/rows?drop=1"), false);
 * ```
 *
 * @param text The template.
 * @returns The template, or `undefined` where it is malformed, too long, or uses an operator that nobody has defined.
 */
export function parseUriTemplate(text: string): UriTemplate | undefined {
  if (text.length > MAX_TEMPLATE_LENGTH) return undefined;
  const parts: (Literal | Gap)[] = [];
  const parameters = new Set<string>();
  let expressions = 0;
  for (let at = 0; at < text.length;) {
    const open = text.indexOf("{", at);
    const literal = text.slice(at, open === -1 ? undefined : open);
    if (literal.includes("}")) return undefined;
    if (literal !== "") parts.push({ text: literal, borders: bordersOf(literal) });
    if (open === -1) break;
    const close = text.indexOf("}", open);
    const expression = close === -1 ? undefined : parseExpression(text.slice(open + 1, close));
    if (expression === undefined || ++expressions > MAX_EXPRESSIONS) return undefined;
    parts.push(expression.gap);
    for (const parameter of expression.parameters) parameters.add(parameter);
    at = close + 1;
  }
  return {
    size: parts.length,
    matches: (uri) => {
      if (uri.length > MAX_URI_LENGTH) return false;
      return (parameters.size === 0 || areKnown(uri, parameters, parts)) && follow(uri, parts);
    },
  };
}

function parseExpression(text: string): { gap: Gap; parameters: readonly string[] } | undefined {
  const operator = /^[\w%]/.test(text) ? "" : text.slice(0, 1);
  const variables = text.slice(operator.length);
  const gap = GAPS.get(operator);
  if (gap === undefined || !VARIABLES.test(variables)) return undefined;
  if (operator === "/" && /[,*]/.test(variables)) return { gap: SEGMENTS, parameters: [] };
  const isQuery = operator === "?" || operator === "&";
  return { gap, parameters: isQuery ? variables.split(",").map((name) => name.replace(/:\d+$/, "")) : [] };
}

/** Whether the parameters of a URI's query are the template's; one that is exploded can have any name. */
function areKnown(uri: string, parameters: ReadonlySet<string>, parts: readonly (Literal | Gap)[]): boolean {
  const query = /\?([^#]*)/.exec(uri)?.[1];
  if (query === undefined || [...parameters].some((name) => name.endsWith("*"))) return true;
  if (parts.some((part) => "text" in part && part.text.includes("?"))) return true;
  return query.split("&").every((pair) => parameters.has(pair.replace(/=.*$/s, "")));
}

/**
 * Goes through the parts with all places of the URI that can have been reached so far, instead of trying one way after
 * the other: the time is bounded whatever the template is.
 */
function follow(uri: string, parts: readonly (Literal | Gap)[]): boolean {
  const stops = new Uint8Array(uri.length);
  for (const [char, bit] of STOPS) {
    for (let at = uri.indexOf(char); at !== -1; at = uri.indexOf(char, at + 1)) stops[at] = bit;
  }
  let reached = new Uint8Array(uri.length + 1);
  reached[0] = 1;
  for (const part of parts) {
    const next = new Uint8Array(uri.length + 1);
    if ("text" in part) {
      passLiteral(uri, part, reached, next);
    } else {
      if (part.optional) next.set(reached);
      passGap(uri, part, stops, reached, next);
    }
    reached = next;
  }
  return reached[uri.length] === 1;
}

/** Finds all places of the text in one walk. */
function passLiteral(uri: string, { text, borders }: Literal, reached: Uint8Array, next: Uint8Array): void {
  let fits = 0;
  for (let at = 0; at < uri.length; at++) {
    const code = uri.charCodeAt(at);
    while (fits > 0 && (fits === text.length || text.charCodeAt(fits) !== code)) fits = borders[fits - 1]!;
    if (text.charCodeAt(fits) === code) fits++;
    if (fits === text.length) next[at + 1] = reached[at + 1 - fits]!;
  }
}

function bordersOf(text: string): Uint16Array {
  const borders = new Uint16Array(text.length);
  for (let at = 1, fits = 0; at < text.length; at++) {
    while (fits > 0 && text.charCodeAt(fits) !== text.charCodeAt(at)) fits = borders[fits - 1]!;
    if (text.charCodeAt(fits) === text.charCodeAt(at)) fits++;
    borders[at] = fits;
  }
  return borders;
}

function passGap(uri: string, gap: Gap, stops: Uint8Array, reached: Uint8Array, next: Uint8Array): void {
  const { lead, stops: ending } = gap;
  const leadCode = lead.charCodeAt(0);
  let inside = false;
  for (let at = lead.length; at < uri.length; at++) {
    const start = at - lead.length;
    if (reached[start] === 1 && (lead === "" || uri.charCodeAt(start) === leadCode)) inside = true;
    if ((stops[at]! & ending) !== 0) inside = false;
    if (inside) next[at + 1] = 1;
  }
}
