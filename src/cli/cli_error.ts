/**
 * Failures that are the command line's own, or a gateway's.
 *
 * @module
 */

import type { JsonObject } from "../protocol.ts";

/**
 * Why a command cannot be run.
 *
 * | code | meaning |
 * |---|---|
 * | `invalid_usage` | the command line has a fault |
 * | `invalid_file` | a file that was named has faults |
 * | `file_not_found`, `file_exists` | a file is not there, or is there already |
 * | `bad_gateway_answer` | what answers at the URL is no gateway |
 */
export type CliErrorCode = "invalid_usage" | "invalid_file" | "file_not_found" | "file_exists" | "bad_gateway_answer";

/** A command that cannot be run. Its message says what to do. */
export class CliError extends Error {
  /** Why. */
  readonly code: CliErrorCode;

  /**
   * Creates an error.
   *
   * @param code Why the command cannot be run.
   * @param message What could not be done, and what to do.
   * @param options The error underneath.
   */
  constructor(code: CliErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "CliError";
    this.code = code;
  }
}

/** The reason of an interruption by the person. */
export class InterruptedError extends Error {
  /** Creates the reason. */
  constructor() {
    super("Interrupted");
    this.name = "InterruptedError";
  }
}

/** A problem that a gateway answered. */
export class GatewayProblem extends Error {
  /** What failed, from the gateway's closed list. */
  readonly code: string;
  /** The whole document. */
  readonly problem: JsonObject;

  /**
   * Takes the document.
   *
   * @param problem The document.
   */
  constructor(problem: JsonObject) {
    super(String(problem.detail ?? problem.title));
    this.name = "GatewayProblem";
    this.code = String(problem.code);
    this.problem = problem;
  }
}
