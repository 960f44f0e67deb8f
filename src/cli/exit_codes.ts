/**
 * How a command ends, as a number that scripts can ask for. The numbers are API: they are added to and never change.
 *
 * @module
 */

/** Every exit code with its name. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  config: 3,
  unavailable: 4,
  refused: 5,
  notFound: 6,
  unanswered: 7,
  interrupted: 130,
  pipeClosed: 141,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each exit code means, for `--help`. */
export const EXIT_MEANINGS: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [EXIT.ok, "All is well"],
  [EXIT.failed, "The tool answered that it failed, a server is down, or something else went wrong"],
  [EXIT.usage, "The command line or the tool's arguments have a fault; nothing was sent"],
  [EXIT.config, "The configuration, or a file to import, has faults"],
  [EXIT.unavailable, "The gateway or the server cannot be reached, or takes no more at the moment"],
  [EXIT.refused, "The key, the token or the rules do not allow it"],
  [EXIT.notFound, "There is no such agent, server, tool or path, or not for this key"],
  [EXIT.unanswered, "No answer in time, or it was lost: the call may have run"],
  [EXIT.interrupted, "Interrupted by Ctrl-C"],
  [EXIT.pipeClosed, "Whoever read the output stopped reading"],
];

const BY_CODE: Readonly<Record<string, ExitCode>> = Object.assign(Object.create(null), {
  invalid_usage: EXIT.usage,
  invalid_arguments: EXIT.usage,
  invalid_request: EXIT.usage,
  file_exists: EXIT.usage,
  invalid_config: EXIT.config,
  invalid_file: EXIT.config,
  unreachable: EXIT.unavailable,
  circuit_open: EXIT.unavailable,
  overloaded: EXIT.unavailable,
  rate_limited: EXIT.unavailable,
  too_many_requests: EXIT.unavailable,
  session_lost: EXIT.unavailable,
  closed: EXIT.unavailable,
  callers_unavailable: EXIT.unavailable,
  store_unavailable: EXIT.unavailable,
  bad_gateway_answer: EXIT.unavailable,
  unauthenticated: EXIT.refused,
  unauthorized: EXIT.refused,
  forbidden: EXIT.refused,
  insufficient_scope: EXIT.refused,
  host_refused: EXIT.refused,
  origin_refused: EXIT.refused,
  authorization_required: EXIT.refused,
  auth_failed: EXIT.refused,
  denied: EXIT.refused,
  key_conflict: EXIT.refused,
  not_found: EXIT.notFound,
  agent_not_found: EXIT.notFound,
  server_not_found: EXIT.notFound,
  tool_not_found: EXIT.notFound,
  tool_ambiguous: EXIT.notFound,
  key_not_found: EXIT.notFound,
  file_not_found: EXIT.notFound,
  deadline_exceeded: EXIT.unanswered,
  outcome_unknown: EXIT.unanswered,
});

/**
 * The exit code of a failure.
 *
 * @param code The code of an `MCPError`, of a problem of the gateway, or of a `CliError`.
 * @returns The exit code.
 */
export function exitCodeOf(code: string): ExitCode {
  return BY_CODE[code] ?? EXIT.failed;
}
