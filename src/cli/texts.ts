/**
 * What the parser of the command line says, in this project's words.
 *
 * @module
 */

import {
  type ApplicationText,
  ArgumentParseError,
  FlagNotFoundError,
  text_en,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { didYouMean } from "../nearest.ts";

const HELP = "see --help";

/** The texts. */
export const TEXTS: ApplicationText = {
  ...text_en,
  headers: { usage: "Usage", aliases: "Aliases", commands: "Commands", flags: "Options", arguments: "Arguments" },
  keywords: { default: "default:", separator: "between them:" },
  briefs: {
    help: "Tell this",
    helpAll: "Tell this, with what is hidden",
    version: "Tell the version",
    argumentEscapeSequence: "What follows is no option, whatever it looks like",
  },
  noCommandRegisteredForInput: ({ input, corrections }) => {
    // They come in quotes of another kind.
    const near = didYouMean(corrections.map((one) => one.replaceAll("`", "")));
    return `Cannot run "${input}" as there is no such command${near === "" ? `: ${HELP}` : near}`;
  },
  exceptionWhileParsingArguments: (error) => describe(error),
  formatException: (error) => error instanceof Error ? error.message : String(error),
};

function describe(error: unknown): string {
  if (error instanceof FlagNotFoundError) {
    const near = didYouMean(error.corrections.map((one) => `--${one.replace(/^--/, "")}`));
    return `Cannot use option "--${error.input}" as there is none of that name here${near === "" ? `: ${HELP}` : near}`;
  }
  if (error instanceof ArgumentParseError) {
    const { externalFlagNameOrPlaceholder: name, exception } = error;
    return exception instanceof Error ? exception.message : `Cannot use the value of ${name}: ${HELP}`;
  }
  if (error instanceof UnsatisfiedPositionalError) {
    return `Cannot run the command without <${error.placeholder}>: ${HELP}`;
  }
  if (error instanceof UnexpectedPositionalError) {
    return `Cannot use "${error.input}" as the command takes no more than ${error.expectedCount} words: ${HELP}`;
  }
  if (error instanceof UnsatisfiedFlagError) {
    return `Cannot use option "--${error.externalFlagName}" without a value: ${HELP}`;
  }
  return `Cannot use the command line: ${error instanceof Error ? error.message : String(error)}; ${HELP}`;
}
