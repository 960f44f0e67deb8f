/**
 * The command line as a function: words in, an exit code out.
 *
 * @module
 */

import { run } from "@stricli/core";
import { CliError } from "./cli_error.ts";
import { type CliContext, tellError } from "./command_run.ts";
import { createApp } from "./command_tree.ts";
import { EXIT } from "./exit_codes.ts";
import type { CliIO } from "./io.ts";
import { wantsColour } from "./style.ts";

/** Options that may stand before the command, and whether a value follows them. */
const LEADING_OPTIONS: ReadonlyMap<string, boolean> = new Map([
  ["--config", true],
  ["--url", true],
  ["--key", true],
  ["--timeout", true],
  ["--json", false],
  ["--no-json", false],
  ["--color", false],
  ["--no-color", false],
]);
const COLOUR_DEPTH = 4;

/**
 * Runs one command.
 *
 * @example
 * ```ts
 * import { type CliIO, runCli } from "@portolan/mcp/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const written: string[] = [];
 * const stream = { isTerminal: false, columns: undefined, write: (text: string) => void written.push(text) };
 * const io: CliIO = {
 *   env: {},
 *   os: "linux",
 *   cwd: "/",
 *   stdin: { isTerminal: false, readText: () => Promise.resolve("") },
 *   stdout: stream,
 *   stderr: stream,
 *   signal: new AbortController().signal,
 *   fetch,
 *   now: Date.now,
 *   readTextFile: () => Promise.resolve("agents: {}"),
 *   writeNewTextFile: () => Promise.resolve(),
 * };
 * assertEquals(await runCli(["status"], io), 0);
 * assertEquals(JSON.parse(written.join("")), { agents: {} });
 * ```
 *
 * @param args The words of the command line, without the program's name.
 * @param io Everything outside of it.
 * @returns The exit code: 0 where all is well; the help lists the others.
 */
export async function runCli(args: readonly string[], io: CliIO): Promise<number> {
  const words = toCommandFirst(args);
  const options = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
  const said: string[] = [];
  const context: CliContext & { process: { exitCode?: number | string | null } } = {
    io,
    words,
    tellsJson: options.includes("--json"),
    exitCode: EXIT.ok,
    process: {
      stdout: {
        write: (text) => io.stdout.write(text),
        getColorDepth: () => hasColours(options, io) ? COLOUR_DEPTH : 1,
      },
      // What the parser refuses is told as all else that fails is.
      stderr: { write: (text) => void said.push(text.trimEnd()) },
    },
  };
  try {
    await run(createApp(), words.length === 0 ? ["--help"] : words, context);
  } catch (error) {
    return tellError(error, context);
  }
  if (context.process.exitCode === EXIT.ok) return context.exitCode;
  return tellError(new CliError("invalid_usage", said.join("\n")), context);
}

function hasColours(options: readonly string[], { env, stdout }: CliIO): boolean {
  const flag = options.includes("--no-color") ? false : options.includes("--color") ? true : undefined;
  return wantsColour({ flag, env, isTerminal: stdout.isTerminal });
}

/** The parser wants the command first; who types an alias may have the shared options before it. */
function toCommandFirst(args: readonly string[]): readonly string[] {
  let at = 0;
  for (let word = args[at]; word !== undefined; word = args[at]) {
    const hasValue = LEADING_OPTIONS.get(word.replace(/=.*$/s, ""));
    if (hasValue === undefined) break;
    at += hasValue && !word.includes("=") ? 2 : 1;
  }
  const leading = args.slice(0, at);
  const rest = args.slice(at);
  const routeLength = rest[0] === "key" ? 2 : 1;
  return leading.length === 0 || rest.length === 0
    ? [...rest, ...leading]
    : [...rest.slice(0, routeLength), ...leading, ...rest.slice(routeLength)];
}
