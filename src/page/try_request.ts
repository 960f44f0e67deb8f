/**
 * A request that a person writes by the forms of an operation: what it asks for, and the same as a command.
 *
 * @module
 */

import type { Fault } from "../errors.ts";
import type { JsonObject, JsonValue } from "../protocol.ts";
import type { ApiOperation, ApiParameter } from "./api_document.ts";

/** The types of which an answer can be asked for. */
export const ACCEPTED = ["application/json", "text/event-stream"] as const;

/** What is sent. */
export interface TryRequest {
  /** The method. */
  readonly method: string;
  /** The path, with its query. */
  readonly target: string;
  /** The headers, without the key. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. */
  readonly body: JsonObject | undefined;
}

/** Everything that a header's value may have. */
const HEADER_TEXT = /^[\x20-\x7e]*$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * The parameters of an operation as the schema of one form.
 *
 * @param operation The operation.
 * @param agents The agents that there are to choose from.
 * @returns The schema.
 */
export function toParameterSchema({ parameters }: ApiOperation, agents: readonly string[]): JsonObject {
  const members = parameters.map((parameter): readonly [string, JsonObject] => {
    const { name, schema } = parameter;
    const isAgent = name === "agent" && parameter.isRequired && agents.length > 0;
    const choices = isAgent ? { enum: [...agents] } : schema;
    return [toKey(parameter, parameters), { ...choices, title: name }];
  });
  return {
    type: "object",
    properties: Object.fromEntries(members),
    required: parameters.flatMap((parameter) => parameter.isRequired ? [toKey(parameter, parameters)] : []),
  };
}

/**
 * Makes the request of an operation.
 *
 * @param operation The operation.
 * @param values The values of its parameters, by the keys of {@linkcode toParameterSchema}.
 * @param body Its body.
 * @param accept Of which type the answer is to be.
 * @returns The request, or what is wrong with the parameters.
 */
export function toTryRequest(
  operation: ApiOperation,
  values: JsonObject,
  body: JsonObject | undefined,
  accept: string = ACCEPTED[0],
): TryRequest | { readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  let { path } = operation;
  const query = new URLSearchParams();
  const headers: Record<string, string> = { accept };
  for (const parameter of operation.parameters) {
    const key = toKey(parameter, operation.parameters);
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value === undefined) continue;
    const text = toText(value);
    const fault = findFault(parameter, text);
    if (fault !== undefined) faults.push({ path: key, message: fault });
    else if (parameter.place === "path") path = path.replaceAll(`{${parameter.name}}`, () => encodeURIComponent(text));
    else if (parameter.place === "query") query.append(parameter.name, text);
    else headers[parameter.name.toLowerCase()] = text;
  }
  if (faults.length > 0) return { faults };
  if (body !== undefined) headers["content-type"] = "application/json";
  return { method: operation.method, target: `${path}${query.size === 0 ? "" : `?${query}`}`, headers, body };
}

/**
 * Writes a request as a command for a shell.
 *
 * @param request The request.
 * @param origin Where the gateway is reached.
 * @param hasKey Whether a key is sent; it is taken from the environment.
 * @returns The command.
 */
export function toCurl({ method, target, headers, body }: TryRequest, origin: string, hasKey: boolean): string {
  const parts = [
    `curl${method === "GET" ? "" : ` -X ${method}`} ${quote(`${origin}${target}`)}`,
    ...(hasKey ? ['-H "authorization: Bearer $PORTOLAN_KEY"'] : []),
    ...Object.entries(headers).flatMap(([name, value]) => {
      return name === "accept" && value === ACCEPTED[0] ? [] : [`-H ${quote(`${name}: ${value}`)}`];
    }),
    ...(headers.accept === ACCEPTED[1] ? ["--no-buffer"] : []),
    ...(body === undefined ? [] : [`-d ${quote(JSON.stringify(body))}`]),
  ];
  return parts.join(" \\\n  ");
}

/** The name of a parameter, with its place where there are two of the name. */
function toKey({ place, name }: ApiParameter, all: readonly ApiParameter[]): string {
  return all.filter((other) => other.name === name).length > 1 ? `${place}_${name}` : name;
}

function toText(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function findFault({ place, name }: ApiParameter, text: string): string | undefined {
  if (!text.isWellFormed()) return "Has half a character in it";
  if (place === "path" && /^\.{0,2}$/.test(text)) return "Cannot be a part of a path: write a name";
  if (place !== "header") return undefined;
  return TOKEN.test(name) && HEADER_TEXT.test(text) ? undefined : "A header has printable ASCII characters only";
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
