/**
 * What every command has in common: a session before, a report after.
 *
 * @module
 */

import type { CommandContext } from "@stricli/core";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import type { CliIO } from "./io.ts";
import { toSafeJson } from "./output.ts";
import { reportError } from "./report_error.ts";
import { Session, type SessionFlags } from "./session.ts";

/** What commands are called with by the parser of the command line. */
export interface CliContext extends CommandContext {
  /** What is outside of the command line. */
  readonly io: CliIO;
  /** All words of the command line. */
  readonly words: readonly string[];
  /** Whether failures are told as JSON. */
  readonly tellsJson: boolean;
  /** How the command ended. */
  exitCode: ExitCode;
}

/**
 * Makes a command for the parser.
 *
 * @param run Does the work; what it rejects with is told.
 * @returns The command.
 */
export function toCommand<FLAGS extends SessionFlags, ARGS extends readonly (string | undefined)[]>(
  run: (session: Session, flags: FLAGS, ...args: ARGS) => Promise<ExitCode>,
): (this: CliContext, flags: FLAGS, ...args: ARGS) => Promise<void> {
  return async function (flags, ...args) {
    try {
      this.exitCode = await run(new Session(this.io, flags), flags, ...args);
    } catch (error) {
      this.exitCode = tellError(error, this);
    }
  };
}

/**
 * Tells a failure on the standard error.
 *
 * @param error What was thrown.
 * @param context Where it is told, and how.
 * @returns How the command ends.
 */
export function tellError(error: unknown, { io, tellsJson }: Pick<CliContext, "io" | "tellsJson">): ExitCode {
  const { exitCode, text, problem } = reportError(error);
  if (exitCode === EXIT.pipeClosed) return exitCode;
  if (tellsJson) io.stderr.write(`${toSafeJson(problem, 0)}\n`);
  else if (text !== "") io.stderr.write(`${text}\n`);
  return exitCode;
}
