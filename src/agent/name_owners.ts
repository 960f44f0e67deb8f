/**
 * Which servers could own a name, before all of them have said what they list.
 *
 * @module
 */

import type { CollisionPolicy } from "../config/agent_checks.ts";

/** What is known of who owns a name. */
export interface OwnerQuestion {
  /** The name. */
  readonly name: string;
  /** The server that owns it among those that have listed; `undefined` where it is none of them, or several. */
  readonly owner: string | undefined;
  /** Whether the name stands for anything among what has been listed. */
  readonly known: boolean;
  /** All servers, in the order of the configuration. */
  readonly servers: readonly string[];
  /** Those among them that have not listed yet, in the same order. */
  readonly unknown: readonly string[];
  /** Who owns a bare name that several servers list. */
  readonly policy: CollisionPolicy;
}

/**
 * The servers whose list could change what a name stands for: as long as there are any, the order in which servers
 * answer must not decide.
 *
 * @param question What is known.
 * @returns The servers to wait for, in order; none where the answer is final.
 */
export function serversToAwait(question: OwnerQuestion): readonly string[] {
  const { name, known, servers, unknown, policy } = question;
  const namespace = namespaceOf(name, servers);
  if (namespace !== undefined) return known ? [] : unknown.filter((server) => server === namespace);
  return policy === "prefix" ? [] : claimantsOf(question);
}

/**
 * As {@linkcode serversToAwait}, of names that lie in no server's namespace and are never left to qualified ones alone.
 *
 * @param question What is known.
 * @returns The servers to wait for, in order; none where the answer is final.
 */
export function claimantsOf(
  { owner, servers, unknown, policy }: Omit<OwnerQuestion, "name" | "known">,
): readonly string[] {
  if (owner === undefined || policy !== "first") return unknown;
  const before = servers.indexOf(owner);
  return unknown.filter((server) => servers.indexOf(server) < before);
}

/**
 * The server to which a qualified name belongs, whether or not it lists such a name.
 *
 * @param name Any name.
 * @param servers The names of all servers.
 * @returns The server with the longest name for which `name` begins with `server__`, or `undefined`.
 */
export function namespaceOf(name: string, servers: readonly string[]): string | undefined {
  const owners = servers.filter((server) => name.startsWith(`${server}__`));
  return owners.sort((a, b) => b.length - a.length)[0];
}

/**
 * The first entry of each key: the one of the server that comes first.
 *
 * @param entries The entries, in the order of the servers.
 * @param toKey Tells the key of an entry.
 * @returns The entries without those of a key that was there before.
 */
export function firstOfEach<T>(entries: readonly T[], toKey: (entry: T) => string): readonly T[] {
  const first = new Map<string, T>();
  for (const entry of entries) if (!first.has(toKey(entry))) first.set(toKey(entry), entry);
  return [...first.values()];
}
