/**
 * Servers that are processes: the edge has none, so there is another way to each.
 *
 * @module
 */

import type { Template } from "../../config/template.ts";
import { quoteTemplate, quoteWord } from "../../operation/shell_text.ts";
import { isJsonObject, type JsonObject } from "../../protocol.ts";
import { type ImportContext, isSecretName, looksSecret, SECRET_WORDS, toReference } from "./variables.ts";

/** A server that is a process, and what starts it behind a bridge. */
export interface Bridge {
  /** The command. It holds no secret: variables stand for those. */
  readonly command: string;
  /** The address that the bridge then has. */
  readonly url: string;
}

const URL_WITH_PASSWORD = /[a-z][a-z0-9+.-]*:\/\/[^/\s]*:[^/\s]*@/i;
/** Also in the middle of a word: in JSON, in a connection string, in a line for a shell, in a query. */
const NAMED_INSIDE = new RegExp(String.raw`(?:${SECRET_WORDS})[\w.-]*["']?\s*[=:]\s*["']?[^\s"'$]`, "i");

/**
 * The words of a process that does nothing but pass on what a remote server says, made into that server.
 *
 * @param server The server as it was written.
 * @returns The remote server; or `undefined` where it is a server of its own.
 */
export function unwrapRemote(server: JsonObject): JsonObject | undefined {
  const words = wordsOf(server);
  const at = words.findIndex((word) => /(?:^|\/)mcp-remote(?:@[\w.^~-]+)?$/.test(word));
  const url = at === -1 ? undefined : words.slice(at + 1).find((word) => /^https?:\/\//i.test(word));
  if (url === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const [index, word] of words.entries()) {
    const [, name, value] = (word === "--header" ? /^([^:]+):\s*(.*)$/s.exec(words[index + 1] ?? "") : null) ?? [];
    if (name !== undefined && value !== undefined) headers.set(name.trim(), value);
  }
  const transport = words[words.indexOf("--transport") + 1] ?? "";
  return {
    ...(words.includes("--transport") && transport.startsWith("sse") && { type: "sse" }),
    url,
    ...(headers.size > 0 && { headers: Object.fromEntries(headers) }),
  };
}

/**
 * The command that starts a process behind a bridge.
 *
 * @param server The server as it was written.
 * @param port The port of the bridge.
 * @param context What its words are read with.
 * @returns The command and the address.
 */
export function toBridge(server: JsonObject, port: number, context: ImportContext): Bridge {
  const [program = "", ...args] = wordsOf(server);
  const words = args.map((word, at) => toTemplate(word, args[at - 1] ?? "", context));
  const own = [quoteWord(program), ...words.map((parts) => quoteTemplate(parts.map(toShellPart)))].join(" ");
  if (isJsonObject(server.env)) {
    for (const name of Object.keys(server.env)) {
      context.variables.note(name, `the environment of "${context.server}", where its bridge runs`);
    }
  }
  const cwd = typeof server.cwd === "string" ? `cd ${quoteWord(server.cwd)} && ` : "";
  const options = `--outputTransport streamableHttp --stateful --port ${port}`;
  return {
    command: `${cwd}npx -y supergateway --stdio ${quoteWord(own)} ${options}`,
    url: `http://localhost:${port}/mcp`,
  };
}

function wordsOf({ command, args }: JsonObject): readonly string[] {
  const own = Array.isArray(args) ? args.filter((word) => typeof word === "string") : [];
  // Cursor takes a whole line for a shell as the command.
  const program = typeof command === "string" ? (own.length === 0 ? command.trim().split(/\s+/) : [command]) : [];
  const words = [...program, ...own];
  // What Windows wants in front is nothing elsewhere.
  return /^cmd(?:\.exe)?$/i.test(words[0] ?? "") && /^\/c$/i.test(words[1] ?? "") ? words.slice(2) : words;
}

function toShellPart(part: Template[number]): string | { readonly name: string } {
  return typeof part === "string" ? part : { name: part.name };
}

/** A word of the process, with a variable in the place of what is secret in it. */
function toTemplate(word: string, before: string, { server, variables, inputs }: ImportContext): Template {
  const purpose = `an argument of "${server}", where its bridge runs`;
  const parsed = variables.parse(word, purpose, inputs);
  // What the editor alone knows is for the person to fill in.
  const hide = (text: string) => toReference(variables.nameFor(text, server, "argument", purpose));
  if ("unknown" in parsed) return [holdsSecret(word, before) ? hide(word) : word];
  if (parsed.some((part) => typeof part !== "string")) {
    return parsed.map((part) => typeof part === "string" && holdsSecret(part, "") ? hide(part) : part);
  }
  const [, head = "", name = "", value = ""] = /^(-{0,2}([A-Za-z][\w.-]*)[=:]\s*)(.+)$/s.exec(word) ?? [];
  if (head !== "" && !/^[a-z]+:\/\//i.test(word) && (isSecretName(name) || looksSecret(value))) {
    return [head, toReference(variables.nameFor(value, server, name, purpose))];
  }
  const isNamed = /^--?[A-Za-z]/.test(before) && isSecretName(before) && !before.includes("=") && !word.startsWith("-");
  const isSecret = isNamed || /\bbearer\s/i.test(word) || looksSecret(word) ||
    holdsSecret(word, before) ||
    (/^https?:\/\/[^?]*\?/i.test(word) && word.split(/[?&=]/).some((part) => isSecretName(part) || looksSecret(part)));
  if (!isSecret) return [word];
  return [toReference(variables.nameFor(word, server, isNamed ? before : "argument", purpose))];
}

function holdsSecret(word: string, before: string): boolean {
  const isUser = /^(?:-u|--(?:proxy-)?user)$/.test(before) && word.includes(":");
  return isUser || URL_WITH_PASSWORD.test(word) || NAMED_INSIDE.test(word);
}
