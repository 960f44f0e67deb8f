/**
 * What a command says when it fails, and how it ends.
 *
 * @module
 */

import { isMCPError } from "../errors.ts";
import { PROBLEM_KINDS } from "../gateway/problem.ts";
import type { JsonObject } from "../protocol.ts";
import { CliError, GatewayProblem, InterruptedError } from "./cli_error.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit_codes.ts";
import { safeText } from "./safe_text.ts";

/** A failure as it is told. */
export interface ErrorReport {
  /** How the command ends. */
  readonly exitCode: ExitCode;
  /** A sentence for a person; empty where the person knows. */
  readonly text: string;
  /** A problem document (RFC 9457) for a program. */
  readonly problem: JsonObject;
}

/** What to do, where the message itself cannot know that a person sits at a command line. */
const ADVICE: Readonly<Record<string, string>> = {
  insufficient_scope: "get a token with that scope",
  agent_not_found: 'list the agents with "portolan status"',
  authorization_required: 'serve the configuration with "deno task start" and authorize there',
  not_found: 'the gateway may be older than this command, or the key be none for "*"',
  outcome_unknown: "look whether it has run before you call it again",
};

/** In the place of what the gateway says to those who speak HTTP. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  unauthenticated:
    "Cannot use the gateway without a key that it knows: set PORTOLAN_KEY, or pass the key on standard input with --key -",
};

const TITLES: Readonly<Record<string, string>> = {
  invalid_usage: "The command line has a fault",
  invalid_file: "The file has faults",
  file_not_found: "There is no such file",
  file_exists: "The file is there already",
  bad_gateway_answer: "No gateway answers there",
};

/**
 * Tells a failure.
 *
 * @param error What was thrown.
 * @returns How it is told. Nothing of an unknown error's stack is.
 */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof InterruptedError) {
    return toReport({ code: "interrupted", title: "Interrupted", detail: "Interrupted" }, EXIT.interrupted, "");
  }
  if (error instanceof Error && error.name === "BrokenPipe") {
    return toReport({ code: "pipe_closed", title: "Nobody reads", detail: "Nobody reads" }, EXIT.pipeClosed, "");
  }
  if (error instanceof GatewayProblem) {
    const { code, problem } = error;
    return toReport(
      problem,
      exitCodeOf(code),
      OWN_WORDS[code] ?? withFaults(withAdvice(error.message, code), problem.faults),
    );
  }
  if (isMCPError(error)) {
    const { code, message, server, retryAfterMs, suggestions, faults } = error;
    const known: JsonObject = {
      type: `urn:portolan:problem:${code}`,
      title: PROBLEM_KINDS[code]?.[1] ?? code,
      code,
      detail: message,
      ...(server !== undefined && { server }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(suggestions.length > 0 && { suggestions: [...suggestions] }),
      ...(faults.length > 0 && { faults: faults.map(({ path, message }) => ({ path, message })) }),
    };
    return toReport(known, exitCodeOf(code), withAdvice(message, code));
  }
  if (error instanceof CliError) {
    const { code, message } = error;
    const type = `urn:portolan:problem:${code}`;
    return toReport({ type, title: TITLES[code] ?? code, code, detail: message }, exitCodeOf(code), message);
  }
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  const detail = `Cannot finish the command as something failed: ${name}: ${message}`;
  return toReport({ title: "The command failed", code: "internal", detail }, EXIT.failed, detail);
}

function toReport(problem: JsonObject, exitCode: ExitCode, text: string): ErrorReport {
  return { exitCode, text: safeText(text), problem: { ...problem, exitCode } };
}

function withAdvice(message: string, code: string): string {
  const advice = ADVICE[code];
  return advice === undefined || message.includes("\n") || message.endsWith("?") ? message : `${message}: ${advice}`;
}

/** Most details of a problem have their faults in them already. */
function withFaults(text: string, faults: unknown): string {
  if (!Array.isArray(faults) || text.includes("\n")) return text;
  return text + faults.map((fault) => `\n  ${fault?.path ?? ""}: ${fault?.message ?? ""}`).join("");
}
