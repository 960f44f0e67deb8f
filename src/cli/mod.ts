/**
 * The command line of Portolan, as a program and as a function.
 *
 * ```sh
 * deno run -A jsr:@portolan/mcp/cli --help
 * ```
 *
 * What the program does with the runtime stands here; all else is given it.
 *
 * @module
 */

import { InterruptedError } from "./cli_error.ts";
import type { CliIO, CliStream } from "./io.ts";
import { runCli } from "./run_cli.ts";

export type { CliIO, CliStream } from "./io.ts";
export { runCli } from "./run_cli.ts";

const ENCODER = new TextEncoder();

type DenoStream = typeof Deno.stdout;

function toStream(stream: DenoStream): CliStream {
  return {
    isTerminal: stream.isTerminal(),
    get columns() {
      try {
        return Deno.consoleSize().columns;
      } catch {
        return undefined;
      }
    },
    write(text) {
      let rest = ENCODER.encode(text);
      while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    },
  };
}

function createIO(signal: AbortSignal): CliIO {
  return {
    env: Deno.env.toObject(),
    os: Deno.build.os,
    cwd: Deno.cwd(),
    stdin: {
      isTerminal: Deno.stdin.isTerminal(),
      readText: () => new Response(Deno.stdin.readable).text(),
    },
    stdout: toStream(Deno.stdout),
    stderr: toStream(Deno.stderr),
    signal,
    fetch,
    now: Date.now,
    readTextFile: (path) => Deno.readTextFile(path),
    writeNewTextFile: (path, text) => Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 }),
  };
}

async function main(): Promise<void> {
  const interrupted = new AbortController();
  // "deno task" passes an interrupt on that the terminal has sent already: the second says nothing new.
  Deno.addSignalListener("SIGINT", () => interrupted.abort(new InterruptedError()));
  Deno.exit(await runCli(Deno.args, createIO(interrupted.signal)));
}

if (import.meta.main) void main();
