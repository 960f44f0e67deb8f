/**
 * Servers with an address, made into those of a configuration.
 *
 * @module
 */

import { renderTemplate, type Template } from "../../config/template.ts";
import { OWNED_HEADERS } from "../../config/server_fields.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol.ts";
import { type ImportContext, isSecretName, looksSecret, toReference } from "./variables.ts";

/** A server of the configuration, or why there is none. */
export type RemoteServer = { readonly config: JsonObject; readonly secrets: readonly string[] } | {
  readonly refused: string;
};

/** Headers whose value is no secret. */
const PLAIN_HEADERS = new Set(["accept-language", "user-agent"]);
const SCHEME = /^((?:Bearer|Basic|Token|ApiKey|Api-Key|Bot|Digest)\s+)(.+)$/is;
const HTTP_TYPES = new Set(["http", "streamable-http", "streamableHttp", "streamable_http"]);

/** A part of a server that cannot be taken. */
class Refusal extends Error {}

/**
 * Makes a server of the configuration. What is secret in it becomes a variable.
 *
 * @param server The server as it was written.
 * @param context What it is read with.
 * @returns The server, which is not checked yet; or why there is none.
 */
export function toRemoteServer(server: JsonObject, context: ImportContext): RemoteServer {
  const { type } = server;
  const address = server.url ?? server.serverUrl ?? server.httpUrl;
  if (typeof address !== "string") return { refused: 'it has neither a "url" nor a "command"' };
  if (type !== undefined && type !== "sse" && !HTTP_TYPES.has(String(type))) {
    return { refused: "its transport is neither Streamable HTTP nor SSE" };
  }
  try {
    const headers = headersOf(server.headers, context);
    const secrets: string[] = [];
    const url = urlOf(address, headers, secrets, context);
    return {
      config: {
        url,
        ...(type === "sse" && { transport: "sse" }),
        ...(headers.size > 0 && { headers: Object.fromEntries(headers) }),
      },
      secrets,
    };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message };
    throw error;
  }
}

function headersOf(value: JsonValue | undefined, context: ImportContext): Map<string, string> {
  const headers = new Map<string, string>();
  if (!isJsonObject(value)) return headers;
  for (const [name, text] of Object.entries(value)) {
    // The protocol's own are sent anyway.
    if (OWNED_HEADERS.has(name.toLowerCase())) continue;
    if (typeof text === "string") headers.set(name.toLowerCase(), renderTemplate(headerOf(name, text, context)));
  }
  return headers;
}

function headerOf(name: string, text: string, context: ImportContext): Template {
  const purpose = `header "${name}" of "${context.server}"`;
  const template = parse(text, purpose, context);
  if (PLAIN_HEADERS.has(name.toLowerCase())) return template;
  const what = name.replace(/^x-/i, "").replace(/^authorization$/i, "token");
  const hide = (literal: string) => toReference(context.variables.nameFor(literal, context.server, what, purpose));
  // Beside a reference stands what the secret is put into, as "Bearer"; alone, it is the secret.
  const isAlone = template.every((part) => typeof part === "string");
  return template.flatMap((part): Template => {
    if (typeof part !== "string") return [part];
    const [, scheme, secret] = SCHEME.exec(part) ?? [];
    if (scheme !== undefined && secret !== undefined) return [scheme, hide(secret)];
    // In a header for a secret, one word before the reference is a scheme; all else is part of the secret.
    const isSecret = isAlone || (isSecretName(name) && !/^(?:\s*|[A-Za-z-]+\s+)$/.test(part));
    return isSecret ? [hide(part)] : part.split(/(\s+)/).map((word) => looksSecret(word) ? hide(word) : word);
  });
}

function urlOf(text: string, headers: Map<string, string>, secrets: string[], context: ImportContext): string {
  const purpose = `the address of "${context.server}"`;
  const template = parse(text, purpose, context);
  const hide = (literal: string, what: string) => {
    return renderTemplate([toReference(context.variables.nameFor(literal, context.server, what, purpose))]);
  };
  let written = renderTemplate(template);
  const userinfo = /^(https?:\/\/)([^/?#@]*)@/i.exec(written);
  if (userinfo !== null) {
    written = `${userinfo[1]}${written.slice(userinfo[0].length)}`;
    const inWords =
      `"Basic " and the Base64 of the user name and password that stand in the address of "${context.server}"`;
    const name = context.variables.nameFor(userinfo[2] ?? "", context.server, "authorization", inWords);
    if (!headers.has("authorization")) headers.set("authorization", renderTemplate([toReference(name)]));
  }
  const [, origin = "", path = "", query = ""] = /^([^/?#]*:\/\/[^/?#]*|[^/?#]*)([^?#]*)(\?[^#]*)?/.exec(written) ?? [];
  // The path is shown in the status: by a secret of the agent it is shown as its name, by the environment as it is.
  const segments = path.split("/").map((part) => {
    if (part.includes("${") || !looksSecret(part)) return part;
    const name = context.variables.nameFor(part, context.server, "path", purpose);
    secrets.push(name);
    return `\${${name}}`;
  });
  const parameters = query.replace(/^\?/, "").split("&").filter((part) => part !== "").map((part) => {
    const [name = "", ...rest] = part.split("=");
    const value = rest.join("=");
    if (rest.length === 0) return looksSecret(name) ? hide(name, "query") : part;
    const isPlain = value === "" || value.includes("${") || !(isSecretName(name) || looksSecret(value));
    return isPlain ? part : `${name}=${hide(value, name)}`;
  });
  return origin + segments.join("/") + (parameters.length > 0 ? `?${parameters.join("&")}` : "");
}

function parse(text: string, purpose: string, { variables, inputs }: ImportContext): Template {
  const template = variables.parse(text, purpose, inputs);
  if (!("unknown" in template)) return template;
  throw new Refusal(`it refers to "${template.unknown}", which an editor alone knows`);
}
