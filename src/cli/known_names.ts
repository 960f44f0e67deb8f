/**
 * The names that a word of the command line may be completed to, as far as they are had quickly.
 *
 * @module
 */

import type { CliContext } from "./command_run.ts";
import { Session, type SessionFlags } from "./session.ts";

/** How long a person waits for the tab key, in milliseconds. */
const TIMEOUT_MS = 2_000;

/**
 * The names of the agents.
 *
 * @param context The command line so far.
 * @returns The names; none where they are not had in time.
 */
export async function knownAgents(context: CliContext): Promise<readonly string[]> {
  return await ask(context, async (session) => {
    await using agents = await session.openAgents();
    return await agents.names(session.request);
  });
}

/**
 * The names of the tools of the agent that the command line names.
 *
 * @param context The command line so far.
 * @returns The names; none where they are not had in time.
 */
export async function knownTools(context: CliContext): Promise<readonly string[]> {
  const [, agent] = wordsWithoutOptions(context.words);
  if (agent === undefined) return [];
  return await ask(context, async (session) => {
    await using agents = await session.openAgents();
    return (await agents.tools(agent, session.request)).map(({ name }) => name);
  });
}

async function ask(
  context: CliContext,
  read: (session: Session) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const flags: SessionFlags = {
    config: optionOf(context.words, "--config"),
    url: optionOf(context.words, "--url"),
    timeout: TIMEOUT_MS,
    json: true,
  };
  try {
    return await read(new Session(context.io, flags));
  } catch {
    // The tab key is no place for an error.
    return [];
  }
}

function optionOf(words: readonly string[], name: string): string | undefined {
  const at = words.indexOf(name);
  return at === -1 ? words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) : words[at + 1];
}

/**
 * For the words of `call`, whose place decides what they are.
 *
 * @param context The command line so far.
 * @returns The names of agents, or of tools, or none.
 */
export async function knownCallWords(context: CliContext): Promise<readonly string[]> {
  const place = wordsWithoutOptions(context.words.slice(0, -1)).length;
  if (place <= 1) return await knownAgents(context);
  return place === 2 ? await knownTools(context) : [];
}

const WITH_VALUE = new Set(["--config", "--url", "--key", "--timeout", "--search", "--limit"]);

/** Of a finished command line: the words that are neither an option nor the value of one. */
function wordsWithoutOptions(words: readonly string[]): readonly string[] {
  return words.filter((word, at) => !word.startsWith("-") && !WITH_VALUE.has(words[at - 1] ?? ""));
}
