/**
 * Checks the single fields of a server's configuration.
 *
 * @module
 */

import { addWrongType, checkKeys, type FaultList, keyPath, quote, readList, readMapping } from "./config_checks.ts";
import { checkServerUrl } from "./server_address.ts";
import { fillTemplate, parseTemplate, type Template, templateReferences, templateText } from "./template.ts";
import type { ToolFilter } from "../tools/tool_filter.ts";

/**
 * Environment variables, as the caller chose to give them.
 *
 * @example
 * ```ts
 * import { type Environment, parseConfig } from "@portolan/mcp/config";
 * import { assertEquals } from "@std/assert";
 *
 * const env: Environment = { FILES_URL: "http://localhost:3001/mcp", UNSET: undefined };
 * const { agents } = parseConfig('mcpServers: { files: { url: "${env:FILES_URL}" } }', { env });
 * assertEquals(agents.default?.servers.files?.url, "http://localhost:3001/mcp");
 * ```
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a check of fields needs. */
export interface FieldCheck {
  /** The environment for `${env:NAME}`, or `undefined` where such references are a fault. */
  readonly env: Environment | undefined;
  /** Takes the faults. */
  readonly faults: FaultList;
}

/** A text that was checked; references to the environment are replaced, those to secrets are left. */
export interface TextField {
  /** Where the text is. */
  readonly path: string;
  /** The text. */
  readonly template: Template;
}

/** Headers that the protocol owns, in lower case; and so are those that begin with `mcp-param-`. */
export const OWNED_HEADERS: ReadonlySet<string> = new Set([
  ...["accept", "connection", "content-length", "content-type", "expect", "host", "keep-alive", "last-event-id"],
  ...["mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id", "te", "trailer", "transfer-encoding"],
  "upgrade",
]);
/** The keys of a tool filter. */
export const TOOL_FILTER_KEYS = ["allow", "deny"] as const satisfies readonly (keyof ToolFilter)[];
/** The longest that an operation may take, in milliseconds. */
export const MAX_TIMEOUT_MS = 3_600_000;
/** How many characters the pattern of a tool's name may have. */
export const MAX_PATTERN_LENGTH = 128;

/**
 * Reads a text and replaces its references to the environment.
 *
 * @param value Anything.
 * @param path Where it is.
 * @param wanted What to write instead, for the fault.
 * @param check The environment, and who takes the faults.
 * @returns The text; or `undefined` after a fault.
 */
export function readText(value: unknown, path: string, wanted: string, check: FieldCheck): TextField | undefined {
  const { env, faults } = check;
  if (typeof value !== "string") {
    addWrongType(value, path, wanted, faults);
    return undefined;
  }
  const parsed = parseTemplate(value);
  if (typeof parsed === "string") {
    faults.add(path, parsed);
    return undefined;
  }
  const before = faults.count;
  const template = fillTemplate(parsed, ({ from, name, fallback }) => {
    if (from !== "env") return undefined;
    const found = env !== undefined && Object.hasOwn(env, name) ? env[name] : undefined;
    if (typeof found === "string" && found !== "") return found;
    if (env === undefined) {
      faults.add(path, `Cannot refer to environment variable ${quote(name)} as no environment was given: pass "env"`);
    } else if (fallback === undefined) {
      const way = `set it, or write a default as in "\${env:${name}:-default}"`;
      faults.add(path, `Cannot find environment variable ${quote(name)}: ${way}`);
    }
    return fallback ?? "";
  });
  return faults.count > before ? undefined : { path, template };
}

/**
 * Reads a text that may not refer to secrets.
 *
 * @param value Anything.
 * @param path Where it is.
 * @param wanted What to write instead, for the fault.
 * @param check The environment, and who takes the faults.
 * @returns The text, with everything replaced; or `undefined` after a fault.
 */
export function readPlainText(value: unknown, path: string, wanted: string, check: FieldCheck): string | undefined {
  const field = readText(value, path, wanted, check);
  if (field === undefined) return undefined;
  const text = templateText(field.template);
  if (text === undefined) {
    const names = templateReferences(field.template).map(({ name }) => `"\${${name}}"`).join(", ");
    check.faults.add(path, `Cannot refer to secrets here, as ${names} does: write "\${env:NAME}", or "$\${" for "\${"`);
  }
  return text;
}

/**
 * Checks the URL of a server.
 *
 * @param path Where it is.
 * @param text The whole URL, or `undefined` where it is not known yet.
 * @param allowPrivate Whether a special address is allowed.
 * @param suffix What to add to a fault.
 * @param faults Takes the fault.
 * @returns The URL; or `undefined` where it is not known or after a fault.
 */
export function checkUrl(
  path: string,
  text: string | undefined,
  allowPrivate: boolean,
  suffix: string,
  faults: FaultList,
): URL | undefined {
  if (text === undefined) return undefined;
  const url = checkServerUrl(text, { allowPrivate });
  if (typeof url !== "string") return url;
  faults.add(path, url + suffix);
  return undefined;
}

/**
 * Checks the names of headers, and the values that refer to no secret.
 *
 * @param value The headers as they were written.
 * @param path Where they are.
 * @param check The environment, and who takes the faults.
 * @returns The headers without fault, by lower-case name.
 */
export function checkHeaders(value: unknown, path: string, check: FieldCheck): ReadonlyMap<string, TextField> {
  const { faults } = check;
  const headers = new Map<string, TextField>();
  if (value === undefined) return headers;
  const names = new Set<string>();
  for (const [key, member] of readMapping(value, path, "a mapping of header names to values", faults) ?? []) {
    const name = key.toLowerCase();
    const at = keyPath(path, key);
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(name)) {
      faults.add(at, "Cannot be the name of a header: write letters, digits and hyphens");
    } else if (OWNED_HEADERS.has(name) || name.startsWith("mcp-param-")) {
      faults.add(at, "Cannot set this header as the protocol owns it: remove it");
    } else if (names.has(name)) {
      faults.add(at, "Cannot set a header twice: upper and lower case are the same, remove one");
    } else {
      const field = readText(member, at, "the value of the header as a string", check);
      if (field && checkHeaderValue(at, templateText(field.template), "", faults)) headers.set(name, field);
    }
    names.add(name);
  }
  return headers;
}

/**
 * Checks the value of a header.
 *
 * @param path Where it is.
 * @param value The whole value, or `undefined` where it is not known yet.
 * @param suffix What to add to a fault.
 * @param faults Takes the fault.
 * @returns Whether there is no fault.
 */
export function checkHeaderValue(path: string, value: string | undefined, suffix: string, faults: FaultList): boolean {
  if (value === undefined || /^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return true;
  const what = /[\r\n]/.test(value) ? "holds a line break" : "holds a character outside of Latin-1 text";
  faults.add(path, `Cannot be sent as a header as its value ${what}: remove it${suffix}`);
  return false;
}

/**
 * Checks the longest time of an operation.
 *
 * @param value The time as it was written.
 * @param path Where it is.
 * @param check The environment, and who takes the faults.
 * @returns The time in milliseconds; or `undefined` where it was not given or after a fault.
 */
export function checkTimeout(value: unknown, path: string, check: FieldCheck): number | undefined {
  const time = readScalar(value, path, check);
  if (time === undefined) return undefined;
  if (typeof time === "number" && Number.isInteger(time) && time >= 1 && time <= MAX_TIMEOUT_MS) return time;
  const wanted = "milliseconds as a whole number from 1 to 3600000";
  // The number is not told, as it may have come from the environment.
  if (typeof time === "number") check.faults.add(path, `Cannot be a time-out as it is out of range: write ${wanted}`);
  else addWrongType(time, path, wanted, check.faults);
  return undefined;
}

/**
 * Checks a yes or no.
 *
 * @param value The flag as it was written.
 * @param path Where it is.
 * @param check The environment, and who takes the faults.
 * @returns The flag; or `undefined` where it was not given or after a fault.
 */
export function checkFlag(value: unknown, path: string, check: FieldCheck): boolean | undefined {
  const flag = readScalar(value, path, check);
  if (flag === undefined || typeof flag === "boolean") return flag;
  addWrongType(flag, path, "true or false", check.faults);
  return undefined;
}

/**
 * Checks a tool filter.
 *
 * @param value The filter as it was written.
 * @param path Where it is.
 * @param check The environment, and who takes the faults.
 * @returns The filter; or `undefined` where it was not given or after a fault.
 */
export function checkTools(value: unknown, path: string, check: FieldCheck): ToolFilter | undefined {
  if (value === undefined) return undefined;
  const fields = readMapping(value, path, 'a mapping with "allow" or "deny"', check.faults);
  if (fields === undefined) return undefined;
  checkKeys(fields, path, TOOL_FILTER_KEYS, check.faults);
  const allow = checkPatterns(fields.get("allow"), keyPath(path, "allow"), check);
  const deny = checkPatterns(fields.get("deny"), keyPath(path, "deny"), check);
  return { ...(allow && { allow }), ...(deny && { deny }) };
}

function checkPatterns(value: unknown, path: string, check: FieldCheck): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const patterns: string[] = [];
  for (const [index, item] of (readList(value, path, "a list of patterns", check.faults) ?? []).entries()) {
    const at = keyPath(path, index);
    const pattern = readPlainText(item, at, 'a pattern as a string, such as "read_*"', check);
    if (pattern === undefined) continue;
    if (pattern.length >= 1 && pattern.length <= MAX_PATTERN_LENGTH) patterns.push(pattern);
    else check.faults.add(at, `Cannot be a pattern of ${pattern.length} characters: write 1 to ${MAX_PATTERN_LENGTH}`);
  }
  return patterns;
}

/**
 * Reads a number or a flag. Environment variables are texts: one that stands for a number or a flag is read as that.
 *
 * @param value Anything.
 * @param path Where it is.
 * @param check The environment, and who takes the faults.
 * @returns The value, of any type; or `undefined` where it was not given or after a fault.
 */
export function readScalar(value: unknown, path: string, check: FieldCheck): unknown {
  if (typeof value !== "string" || !value.includes("${")) return value;
  const text = readPlainText(value, path, "a value", check);
  if (text === undefined) return undefined;
  if (text === "true" || text === "false") return text === "true";
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : text;
}

/**
 * Checks a word that is one of a few.
 *
 * @param value The value as it was written.
 * @param path Where it is.
 * @param what What it chooses, for the fault.
 * @param choices The words, and what they stand for.
 * @param check The environment, and who takes the faults.
 * @returns What was chosen; `undefined` where nothing was given, or after a fault.
 */
export function checkChoice<Choice>(
  value: unknown,
  path: string,
  what: string,
  choices: ReadonlyMap<string, Choice>,
  check: FieldCheck,
): Choice | undefined {
  if (value === undefined) return undefined;
  const wanted = `one of ${[...choices.keys()].map(quote).join(", ")}`;
  const text = readPlainText(value, path, wanted, check);
  if (text === undefined) return undefined;
  const choice = choices.get(text);
  if (choice === undefined) check.faults.add(path, `Unknown ${what}: write ${wanted}`);
  return choice;
}
