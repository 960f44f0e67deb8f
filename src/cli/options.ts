/**
 * The options that commands share, as the parser of the command line reads them.
 *
 * @module
 */

import { parseDuration } from "./duration.ts";

/** Takes a word as it is. */
export function asText(word: string): string {
  return word;
}

/**
 * An option that takes a word as it is.
 *
 * @param placeholder What stands for the word.
 * @param brief What it is for.
 * @returns The option.
 */
export function textOption(placeholder: string, brief: string) {
  return { kind: "parsed", parse: asText, optional: true, placeholder, brief } as const;
}

const json = {
  kind: "boolean",
  optional: true,
  brief: "Answer in JSON; the default unless a person looks at the output",
} as const;
const color = {
  kind: "boolean",
  optional: true,
  brief: "Use colours; else NO_COLOR, FORCE_COLOR and the terminal decide",
} as const;

/** The options of every command. */
export const OUTPUT_OPTIONS = { json, color } as const;

/** The options of commands that read a configuration file. */
export const FILE_OPTIONS = {
  config: textOption("file", "The configuration file; else PORTOLAN_CONFIG, else portolan.yaml"),
  ...OUTPUT_OPTIONS,
} as const;

/** The options of commands that ask a gateway. */
export const GATEWAY_OPTIONS = {
  url: textOption("address", "Ask a running gateway instead of a file, as http://127.0.0.1:8000; else PORTOLAN_URL"),
  key: textOption(
    "key",
    'A key of the gateway, or "-" for standard input; better PORTOLAN_KEY, which no other process sees',
  ),
  timeout: {
    kind: "parsed",
    parse: parseDuration,
    optional: true,
    placeholder: "time",
    brief: "The longest to wait, as 500ms, 30s or 2m",
  },
} as const;

/** The options of commands that ask the agents of a file or of a gateway. */
export const AGENT_OPTIONS = { ...FILE_OPTIONS, ...GATEWAY_OPTIONS } as const;
