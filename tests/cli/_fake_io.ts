/** What is outside of the command line, in memory. */

import { type CliIO, runCli } from "@portolan/mcp/cli";

/** What a run of a command has done. */
export interface Run {
  /** The exit code. */
  readonly code: number;
  /** The answers. */
  readonly stdout: string;
  /** All else that was said. */
  readonly stderr: string;
  /** The files that were written. */
  readonly written: ReadonlyMap<string, string>;
}

/** What a command finds outside of it. */
export interface Outside {
  /** The environment. @default {{}} */
  readonly env?: Readonly<Record<string, string>>;
  /** The files by path. @default {{}} */
  readonly files?: Readonly<Record<string, string>>;
  /** What is on standard input. @default {""} */
  readonly stdin?: string;
  /** Whether a person looks, and how wide the terminal is. @default {undefined, a pipe} */
  readonly terminal?: number;
  /** Told of each text on the standard error, as it comes. */
  readonly onError?: (text: string) => void;
  /** The rest. */
  readonly io?: Partial<CliIO>;
}

/** Runs a command over what is given. */
export async function runCommand(args: readonly string[], outside: Outside = {}): Promise<Run> {
  const { env = {}, files = {}, stdin = "", terminal, onError, io = {} } = outside;
  const written = new Map<string, string>();
  let stdout = "";
  let stderr = "";
  const stream = (write: (text: string) => void) => ({ isTerminal: terminal !== undefined, columns: terminal, write });
  const code = await runCli(args, {
    env,
    os: "linux",
    cwd: "/home/bob/project",
    stdin: { isTerminal: false, readText: () => Promise.resolve(stdin) },
    stdout: stream((text) => stdout += text),
    stderr: stream((text) => {
      stderr += text;
      onError?.(text);
    }),
    signal: new AbortController().signal,
    fetch: () => Promise.reject(new TypeError("No test asks the network by itself")),
    now: () => Date.parse("2026-11-26T12:00:00Z"),
    readTextFile: (path) => {
      const text = files[path];
      return text === undefined ? Promise.reject(new Deno.errors.NotFound()) : Promise.resolve(text);
    },
    writeNewTextFile: (path, text) => {
      if (Object.hasOwn(files, path)) return Promise.reject(new Deno.errors.AlreadyExists());
      written.set(path, text);
      return Promise.resolve();
    },
    ...io,
  });
  return { code, stdout, stderr, written };
}
