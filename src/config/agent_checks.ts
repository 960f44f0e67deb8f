/**
 * Checks what an agent has besides its servers: its secrets and its collision policy.
 *
 * @module
 */

import { addWrongType, type FaultList, keyPath, quote, readMapping } from "./config_checks.ts";
import type { ServerSecrets } from "./server_checks.ts";

/**
 * Who owns a bare tool name that several servers list: the one listed `first`; nobody, all names are qualified
 * (`prefix`); nobody, and a call by the bare name fails with `tool_ambiguous` (`error`).
 *
 * @example
 * ```ts
 * import { type CollisionPolicy, MultiServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const collisions: CollisionPolicy = "prefix";
 * const servers = { files: { url: "http://localhost:9/a" }, backup: { url: "http://localhost:9/b" } };
 * await using client = new MultiServerMCPClient("Kairos", { servers, collisions });
 * assertEquals(client.servers, ["files", "backup"]);
 * ```
 */
export type CollisionPolicy = "first" | "prefix" | "error";

/** The words for who owns a bare name. */
export const POLICIES: readonly CollisionPolicy[] = ["first", "prefix", "error"];

/**
 * Checks an agent's secrets for all its servers.
 *
 * @param value The secrets as they were written.
 * @param path Where they are.
 * @param servers The names of the agent's servers.
 * @param faults Takes the faults.
 * @param read Reads one value; `undefined` after a fault.
 * @returns The secrets of every server, also of those that have none.
 */
export function checkSecrets(
  value: unknown,
  path: string,
  servers: readonly string[],
  faults: FaultList,
  read: (value: unknown, path: string) => string | undefined,
): ReadonlyMap<string, ServerSecrets> {
  const secrets = new Map<string, ServerSecrets>();
  for (const name of servers) secrets.set(name, { path: keyPath(path, name), values: new Map() });
  if (value === undefined) return secrets;
  for (const [server, members] of readMapping(value, path, "a mapping of server names to secrets", faults) ?? []) {
    const at = keyPath(path, server);
    if (!secrets.has(server)) faults.addUnknown(at, "server", server, servers);
    secrets.set(server, { path: at, values: checkServerSecrets(members, at, faults, read) });
  }
  return secrets;
}

/**
 * Checks the secrets of one server.
 *
 * @param value The secrets as they were written.
 * @param path Where they are.
 * @param faults Takes the faults.
 * @param read Reads one value; `undefined` after a fault.
 * @returns The values by name; `undefined` for one that had a fault.
 */
export function checkServerSecrets(
  value: unknown,
  path: string,
  faults: FaultList,
  read: (value: unknown, path: string) => string | undefined,
): ReadonlyMap<string, string | undefined> {
  const values = new Map<string, string | undefined>();
  for (const [name, member] of readMapping(value, path, "a mapping of names to strings", faults) ?? []) {
    const at = keyPath(path, name);
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) {
      faults.add(at, 'Cannot be the name of a secret: write a letter, then letters, digits or "_"');
    } else {
      values.set(name, read(member, at));
    }
  }
  return values;
}

/**
 * Reads a secret as it is, without looking for references in it.
 *
 * @param value Anything.
 * @param path Where it is.
 * @param faults Takes the fault.
 * @returns The secret; or `undefined` after a fault.
 */
export function readSecret(value: unknown, path: string, faults: FaultList): string | undefined {
  if (typeof value === "string") return value;
  addWrongType(value, path, "a string, in quotes where it looks like a number", faults);
  return undefined;
}

/**
 * Checks an agent's collision policy.
 *
 * @param value The policy as it was written.
 * @param path Where it is.
 * @param faults Takes the fault.
 * @returns The policy; or `undefined` where it was not given or after a fault.
 */
export function checkCollisions(value: unknown, path: string, faults: FaultList): CollisionPolicy | undefined {
  if (value === undefined) return undefined;
  const policy = POLICIES.find((known) => known === value);
  if (policy !== undefined) return policy;
  const wanted = `one of ${POLICIES.map(quote).join(", ")}`;
  if (typeof value === "string") faults.add(path, `Unknown policy: write ${wanted}`);
  else addWrongType(value, path, wanted, faults);
  return undefined;
}
