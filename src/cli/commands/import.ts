/**
 * `portolan import`: a configuration out of what other programs know.
 *
 * @module
 */

import { stringify } from "@std/yaml";
import { CliError } from "../cli_error.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import { type Editor, type EditorFile, placesOf, readEditorFile } from "../import/editor_file.ts";
import { type ImportedServer, type ImportedServers, importServers } from "../import/import_servers.ts";
import type { OutputFlags } from "../output.ts";
import { safeLine, safeText } from "../safe_text.ts";
import type { Session } from "../session.ts";

/** The options of the command. */
export interface ImportFlags extends OutputFlags {
  /** The program whose files are looked for. */
  readonly from?: Editor | undefined;
  /** The agent that is given the servers. */
  readonly agent: string;
  /** Whether servers that need a bridge are given its address. */
  readonly bridges: boolean;
  /** The file to write. */
  readonly write?: string | undefined;
}

/** Reads the files of an editor, and prints or writes a configuration; tells what it could not take and what to do. */
export const importCommand = toCommand(async (session, flags: ImportFlags, path?: string) => {
  if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(flags.agent)) {
    throw new CliError("invalid_usage", 'Cannot use that --agent: write a letter, then letters, digits, "_" or "-"');
  }
  const files = await readFiles(session, flags, path);
  const imported = importServers(files, { agent: flags.agent, withBridges: flags.bridges });
  const { config } = imported;
  if (config === undefined && flags.json !== true) {
    tell(session, imported);
    throw new CliError("invalid_file", "Cannot make a configuration as none of the servers can be used as it is");
  }
  const text = (isYaml: boolean) => isYaml ? toYaml(config, files) : `${JSON.stringify(config, undefined, 2)}\n`;
  if (flags.write !== undefined && config !== undefined) {
    await write(session, flags.write, text(!flags.write.endsWith(".json")));
  }
  if (flags.json === true) {
    session.output.json({
      ...imported,
      ...(flags.write !== undefined && config !== undefined && { written: flags.write }),
    });
    return config === undefined ? EXIT.config : EXIT.ok;
  }
  if (flags.write === undefined) session.io.stdout.write(text(true));
  tell(session, imported);
  if (flags.write !== undefined) session.output.note(`Written to "${flags.write}": try "portolan check"`);
  return EXIT.ok;
});

async function readFiles(session: Session, { from }: ImportFlags, path?: string): Promise<readonly EditorFile[]> {
  const { io } = session;
  if ((path === undefined) === (from === undefined)) {
    throw new CliError(
      "invalid_usage",
      "Cannot import without one source: name a file, or --from claude, cursor or vscode",
    );
  }
  if (path !== undefined) {
    const text = path === "-" ? await session.readStdin("the file") : await session.readFile(path);
    const name = path === "-" ? "standard input" : path;
    const file = readEditorFile(text, name, io.cwd);
    if (file !== undefined) return [file];
    throw new CliError("invalid_file", `Cannot import from "${name}" as it has neither "mcpServers" nor "servers"`);
  }
  const files: EditorFile[] = [];
  const places = from === undefined ? [] : placesOf(from, io);
  for (const place of places) {
    try {
      const file = readEditorFile(await session.readFile(place), place, io.cwd);
      if (file !== undefined) files.push(file);
    } catch (error) {
      if (!(error instanceof CliError && error.code === "file_not_found")) throw error;
    }
  }
  if (files.length > 0) return files;
  throw new CliError(
    "file_not_found",
    `Cannot find servers of "${from}" as none of its files has any: ${places.join(", ")}`,
  );
}

async function write(session: Session, path: string, text: string): Promise<void> {
  try {
    await session.io.writeNewTextFile(path, text);
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : "";
    if (name === "AlreadyExists") {
      throw new CliError("file_exists", `Cannot write "${path}" as there is such a file: name another by --write`, {
        cause,
      });
    }
    throw new CliError("invalid_file", `Cannot write the file "${path}" as it failed (${name})`, { cause });
  }
}

function toYaml(config: unknown, files: readonly EditorFile[]): string {
  const sources = files.map(({ path }) => safeLine(path)).join(", ");
  return `# Imported from ${sources} by "portolan import".\n${stringify(config, { lineWidth: -1 })}`;
}

function tell({ output, io }: Session, { servers, variables }: ImportedServers): void {
  const { paintError: paint } = output;
  for (const server of servers) {
    const { was, state, reason, bridge, ignored } = server;
    const name = safeLine(was === undefined ? server.server : `${was} (here "${server.server}")`);
    const mark = state === "imported"
      ? paint("green", "imported")
      : paint("yellow", state === "left_out" ? "left out" : "needs a bridge");
    output.note(`${paint("bold", name)}: ${mark}${reason === undefined ? "" : `, as ${safeLine(reason)}`}`);
    if (bridge !== undefined) output.note(`  start it: ${safeText(bridge.command)}\n  its url:  ${bridge.url}`);
    if (ignored !== undefined) output.note(`  not taken over: ${safeLine(ignored.join(", "))}`);
  }
  if (variables.length > 0) output.note("Set these variables; what stood in the file is not copied:");
  for (const { name, purpose } of variables) output.note(`  ${paint("cyan", name)}  ${safeLine(purpose)}`);
  if (needsBridge(servers)) output.note("With --bridges the addresses of the bridges are in the configuration.");
  if (io.stderr.isTerminal) output.note("");
}

function needsBridge(servers: readonly ImportedServer[]): boolean {
  return servers.some(({ state }) => state === "needs_bridge");
}
