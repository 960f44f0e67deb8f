/**
 * The configuration files of other MCP programs, and where they are.
 *
 * @module
 */

import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol.ts";
import { CliError } from "../cli_error.ts";
import type { CliIO } from "../io.ts";

/** A program whose files are known. */
export type Editor = "claude" | "cursor" | "vscode";

/** What a file says. */
export interface EditorFile {
  /** Its path. */
  readonly path: string;
  /** The servers by name, as they were written. */
  readonly servers: ReadonlyMap<string, JsonValue>;
  /** What the file asks a person for, by the id that `${input:…}` names: a description, where there is one. */
  readonly inputs: ReadonlyMap<string, string>;
}

const MAX_LENGTH = 8 * 1_048_576;

/**
 * Reads a file of Claude Desktop, Claude Code, Cursor, VS Code, or another program that writes as one of them does.
 *
 * @param text Its text: JSON, in which comments and trailing commas may stand.
 * @param path Its path.
 * @param cwd The folder whose project is meant where a file knows several.
 * @returns What it says; `undefined` where it says nothing of servers, as the settings of an editor may.
 * @throws {CliError} If it is none of those: `invalid_file`. Nothing of the text is quoted.
 */
export function readEditorFile(text: string, path: string, cwd: string): EditorFile | undefined {
  if (text.length > MAX_LENGTH) throw refuse(path, "it is longer than 8 MiB");
  const errors: ParseError[] = [];
  const root: unknown = parse(text.replace(/^\ufeff/, ""), errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split("\n").length;
    throw refuse(path, `it is no JSON: line ${line}: ${printParseErrorCode(first.error)}`);
  }
  if (!isJsonObject(root)) throw refuse(path, "it is no JSON object");
  const groups = groupsOf(root, cwd);
  if (groups.length === 0) return undefined;
  const servers = new Map<string, JsonValue>();
  for (const group of groups) {
    for (const [name, server] of Object.entries(group)) if (!servers.has(name)) servers.set(name, server);
  }
  return { path, servers, inputs: inputsOf(isJsonObject(root.mcp) ? root.mcp : root) };
}

/** Where servers stand: nearest first. */
function groupsOf(root: JsonObject, cwd: string): readonly JsonObject[] {
  const { projects, mcp } = root;
  const project = isJsonObject(projects) ? projects[cwd] : undefined;
  const places = [
    isJsonObject(project) ? project.mcpServers : undefined,
    root.mcpServers,
    root.servers,
    // The settings of VS Code, before it had a file for them.
    isJsonObject(mcp) ? mcp.servers : undefined,
    root["mcp.servers"],
  ];
  return places.filter(isJsonObject);
}

function inputsOf({ inputs }: JsonObject): ReadonlyMap<string, string> {
  const entries = (Array.isArray(inputs) ? inputs : []).filter(isJsonObject).flatMap(({ id, description }) => {
    return typeof id === "string" ? [[id, typeof description === "string" ? description : ""] as const] : [];
  });
  return new Map(entries);
}

/**
 * Where a program keeps its files.
 *
 * @param editor The program.
 * @param io Where the folders are known.
 * @returns The paths, nearest to the project first.
 */
export function placesOf(editor: Editor, { env, os, cwd }: CliIO): readonly string[] {
  const home = env.HOME ?? env.USERPROFILE ?? "";
  const settings = os === "windows"
    ? env.APPDATA ?? `${home}/AppData/Roaming`
    : os === "darwin"
    ? `${home}/Library/Application Support`
    : env.XDG_CONFIG_HOME || `${home}/.config`;
  switch (editor) {
    case "claude":
      return [`${cwd}/.mcp.json`, `${home}/.claude.json`, `${settings}/Claude/claude_desktop_config.json`];
    case "cursor":
      return [`${cwd}/.cursor/mcp.json`, `${home}/.cursor/mcp.json`];
    case "vscode":
      return [`${cwd}/.vscode/mcp.json`, `${settings}/Code/User/mcp.json`, `${settings}/Code/User/settings.json`];
  }
}

function refuse(path: string, reason: string): CliError {
  return new CliError("invalid_file", `Cannot import from "${path}" as ${reason}`);
}
