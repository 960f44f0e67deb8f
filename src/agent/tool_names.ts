/**
 * Exposed tool names: an exact, injective table from a name to the server and tool behind it.
 *
 * Everything that begins with `server__` of a configured server is that server's namespace (the longest server name
 * that fits owns it), whether or not it lists such a tool at the moment. So no server can take over a qualified name of
 * another, not even while that one is down. All made-up names (cut or sanitised) lie in their server's namespace too.
 *
 * @module
 */

import type { CollisionPolicy } from "../server_config.ts";
import type { ShadowedTool } from "../status.ts";

/** A server and the tools it lists. */
export interface ListedServer {
  /** The configured name: at most 32 of `[A-Za-z0-9_-]`. */
  readonly server: string;
  /** The names of its tools as the server gives them; taken as a set. */
  readonly tools: readonly string[];
}

/** What a name stands for. */
export type NameMatch =
  | {
    /** One server owns the name. */
    readonly kind: "owned";
    /** The server that owns it. */
    readonly server: string;
    /** The tool's name at that server. */
    readonly tool: string;
    /** The name under which the tool is listed. */
    readonly exposedAs: string;
    /** Why this server owns the name, in words. */
    readonly reason: string;
    /** Other servers that list a tool of literally this name, in the order of the configuration. */
    readonly shadowedServers: readonly string[];
  }
  | {
    /** Several servers list the name and the policy gives it to none. */
    readonly kind: "ambiguous";
    /** The servers that list it, in the order of the configuration, and the names to call instead. */
    readonly owners: readonly { readonly server: string; readonly exposedAs: string }[];
  };

/** A tool and the one name under which it is listed. */
export interface ExposedName {
  /** The name: at most 64 of `[A-Za-z0-9_-]`, unique in the table. */
  readonly name: string;
  /** The server behind it. */
  readonly server: string;
  /** The tool's name at that server. */
  readonly tool: string;
}

/** The names of one agent's tools. */
export interface NameTable {
  /** Each tool exactly once, under its best name; servers in the order of the configuration, tools sorted. */
  readonly exposed: readonly ExposedName[];
  /** Tools whose bare name belongs to another tool, or to none. */
  readonly shadowed: readonly ShadowedTool[];
  /**
   * Looks a name up: an exposed name, a qualified one, or a name as a server spells it.
   *
   * @param name Any string.
   * @returns What it stands for, or `undefined` where it stands for nothing.
   */
  resolve(name: string): NameMatch | undefined;
}

interface Entry {
  readonly server: string;
  readonly tool: string;
  readonly qualified: string;
  /** Every name in the server's namespace that stands for the tool: the qualified one, and `server__tool` as it is. */
  readonly spellings: readonly string[];
  exposedAs: string;
}

const MAX_NAME_CHARS = 64;
const MAX_SERVER_CHARS = 32;
const SERVER_NAME = /^[A-Za-z0-9_-]{1,32}$/;
const EXPOSABLE_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Builds the table. A pure function of the order of the servers, their sets of tools and the policy.
 *
 * @example
 * ```ts
 * import { createNameTable } from "./tool_names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const table = createNameTable([{ server: "files", tools: ["read"] }, { server: "disk", tools: ["read"] }], "first");
 * assertEquals(table.exposed.map(({ name }) => name), ["read", "disk__read"]);
 * ```
 *
 * @param servers The servers in the order of the configuration.
 * @param policy Who owns a bare name that several servers list.
 * @returns The table.
 * @throws {TypeError} If a server's name is malformed or given twice.
 */
export function createNameTable(servers: readonly ListedServer[], policy: CollisionPolicy): NameTable {
  const configured = checkServers(servers);
  const entries: Entry[] = [];
  const matches = new Map<string, NameMatch>();
  const listedBy = new Map<string, Entry[]>();
  for (const { server, tools } of servers) {
    for (const entry of qualifyAll(server, tools, configured)) {
      entries.push(entry);
      const listed = listedBy.get(entry.tool);
      if (listed === undefined) listedBy.set(entry.tool, [entry]);
      else listed.push(entry);
    }
  }
  const shadowed = policy === "prefix" ? [] : shareBareNames(listedBy, configured, policy, entries, matches);
  for (const entry of entries) {
    const { server, tool, exposedAs } = entry;
    const reason = `it is the qualified name of a tool of server "${server}"`;
    for (const name of entry.spellings) {
      const others = policy === "prefix" ? [] : (listedBy.get(name) ?? []).filter((other) => other.server !== server);
      const shadowedServers = others.map((other) => other.server);
      matches.set(name, { kind: "owned", server, tool, exposedAs, reason, shadowedServers });
    }
  }
  return {
    exposed: entries.map(({ exposedAs, server, tool }) => ({ name: exposedAs, server, tool })),
    shadowed,
    resolve: (name) => matches.get(name),
  };
}

/**
 * The qualified name of a tool: `server__tool`, or a sanitised one with a hash where that is no valid name. A table
 * gives another one only where two names of one server's tools would be equal, or where `server__tool` lies in the
 * namespace of a server with a longer name.
 *
 * @param server The configured name.
 * @param tool The tool's name at that server.
 * @returns A name of at most 64 of `[A-Za-z0-9_-]`.
 */
export function qualifyToolName(server: string, tool: string): string {
  const plain = `${server}__${tool}`;
  return tool !== "" && EXPOSABLE_NAME.test(plain) ? plain : hashedName(server, tool, 0);
}

function checkServers(servers: readonly ListedServer[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { server } of servers) {
    if (!SERVER_NAME.test(server)) throw new TypeError(`Cannot name the tools of server "${server}": malformed name`);
    if (names.has(server)) throw new TypeError(`Cannot name the tools of server "${server}": it is given twice`);
    names.add(server);
  }
  return names;
}

/** One server's tools, sorted, with qualified names that are unique because its namespace is its own. */
function qualifyAll(server: string, tools: readonly string[], configured: ReadonlySet<string>): Entry[] {
  const sorted = [...new Set(tools)].sort();
  const taken = new Set(sorted.map((tool) => `${server}__${tool}`));
  return sorted.map((tool) => {
    const plain = `${server}__${tool}`;
    const own = namespaceOwner(plain, configured) === server ? [plain] : [];
    let qualified = own.length === 1 ? qualifyToolName(server, tool) : hashedName(server, tool, 0);
    for (let salt = 1; qualified !== plain && taken.has(qualified); salt++) qualified = hashedName(server, tool, salt);
    taken.add(qualified);
    return { server, tool, qualified, spellings: [...new Set([qualified, ...own])], exposedAs: qualified };
  });
}

/** Gives every bare name to its owner under the policy, exposes it there, and reports the others. */
function shareBareNames(
  listedBy: ReadonlyMap<string, readonly Entry[]>,
  configured: ReadonlySet<string>,
  policy: CollisionPolicy,
  entries: readonly Entry[],
  matches: Map<string, NameMatch>,
): ShadowedTool[] {
  const reserved = new Set(entries.flatMap(({ spellings }) => spellings));
  const bareOwner = new Map<string, string | undefined>();
  for (const [tool, listed] of listedBy) {
    const namespace = namespaceOwner(tool, configured);
    if (namespace !== undefined) bareOwner.set(tool, namespace);
    const claimants = listed.filter(({ server }) => namespace === undefined || namespace === server);
    const [owner] = claimants;
    if (owner === undefined || (namespace !== undefined && reserved.has(tool))) continue;
    if (policy === "error" && claimants.length > 1) {
      bareOwner.set(tool, undefined);
      const owners = claimants.map(({ server, qualified }) => ({ server, exposedAs: qualified }));
      matches.set(tool, { kind: "ambiguous", owners });
      continue;
    }
    bareOwner.set(tool, owner.server);
    if (EXPOSABLE_NAME.test(tool)) owner.exposedAs = tool;
    const shadowedServers = listed.filter((other) => other !== owner).map(({ server }) => server);
    const reason = shadowedServers.length === 0
      ? `only server "${owner.server}" lists it`
      : namespace !== undefined
      ? `names that begin with "${owner.server}__" belong to server "${owner.server}"`
      : `server "${owner.server}" is the first in the configuration that lists it`;
    const { server, exposedAs } = owner;
    matches.set(tool, { kind: "owned", server, tool, exposedAs, reason, shadowedServers });
  }
  const isShadowed = ({ server, tool }: Entry) => {
    const match = matches.get(tool);
    return match?.kind !== "owned" || match.server !== server;
  };
  return entries.filter(isShadowed).map(({ tool, server, qualified }) => (
    { tool, owner: bareOwner.get(tool), server, exposedAs: qualified }
  ));
}

/** The server with the longest name for which `name` begins with `server__`, or `undefined`. */
function namespaceOwner(name: string, configured: ReadonlySet<string>): string | undefined {
  for (let at = name.lastIndexOf("__", MAX_SERVER_CHARS); at > 0; at = name.lastIndexOf("__", at - 1)) {
    const server = name.slice(0, at);
    if (configured.has(server)) return server;
  }
  return undefined;
}

/** A made-up name. After `server__` it holds no second `__`, hence it cannot lie in a longer server's namespace. */
function hashedName(server: string, tool: string, salt: number): string {
  const suffix = hash53(tool, salt).toString(36);
  const room = MAX_NAME_CHARS - server.length - 3 - suffix.length;
  const words = tool.slice(0, MAX_NAME_CHARS).replace(/[^A-Za-z0-9-]+/g, "_").replace(/^_/, "").slice(0, room);
  const stem = words.replace(/_$/, "");
  return stem === "" ? `${server}__${suffix}` : `${server}__${stem}_${suffix}`;
}

/** A fast hash of 53 bits (cyrb53); collisions are resolved by the caller, so that it need not be cryptographic. */
function hash53(text: string, seed: number): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
