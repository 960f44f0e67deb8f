/**
 * What one agent knows of its servers' resources, resource templates and prompts, and who owns a name or a URI.
 *
 * @module
 */

import type { Prompt, Resource, ResourceTemplate } from "../context.ts";
import type { ContextList } from "../server/context_list.ts";
import { KnownLists, type KnownListsDeps, type ListedEntry } from "./known_lists.ts";
import { claimantsOf, namespaceOf, serversToAwait } from "./name_owners.ts";
import type { ListChanges } from "../server/list_changes.ts";
import type { CollisionPolicy } from "../server_config.ts";
import type { OwnedPrompt, OwnedResource, OwnedResourceTemplate } from "../status.ts";
import type { RequestOptions } from "../tool_client.ts";
import { createNameTable, type NameTable } from "./tool_names.ts";
import { parseUriTemplate, startOfTemplate, type UriTemplate } from "./uri_template.ts";

/** How many steps a server's templates may take to be held against a URI, a few milliseconds' worth. */
const MAX_MATCH_STEPS = 500_000;
/** A template that leaves the scheme open claims nothing: it would claim the private URIs of every other server. */
const SCHEME = /^[^:/?#]+:/;

/** What servers list besides tools. */
export type ContextKind = "resources" | "templates" | "prompts";

/** What a name or a URI stands for as far as is known. */
export type ContextOwner =
  /** One server owns it, under this name or URI of its own. */
  | { readonly kind: "owned"; readonly server: string; readonly name: string }
  /** Several servers list it and the policy gives it to none. */
  | { readonly kind: "ambiguous"; readonly owners: readonly string[]; readonly suggestions: readonly string[] }
  /** Servers whose list of that kind could still change the answer. */
  | { readonly kind: "undecided"; readonly list: ContextKind; readonly waitFor: readonly string[] }
  | { readonly kind: "unknown" };

/** Asks a server for its lists. */
export interface ContextReaders {
  /** Lists its resources. */
  readonly resources: (server: string, options: RequestOptions) => Promise<ContextList<Resource>>;
  /** Lists its resource templates. */
  readonly templates: (server: string, options: RequestOptions) => Promise<ContextList<ResourceTemplate>>;
  /** Lists its prompts. */
  readonly prompts: (server: string, options: RequestOptions) => Promise<ContextList<Prompt>>;
}

/** What a catalogue works with. */
export interface ContextCatalogDeps extends Omit<KnownListsDeps<unknown>, "read" | "onChange" | "watched"> {
  /** Who owns a bare name, or a URI, that several servers list. */
  readonly policy: CollisionPolicy;
  /** Asks a server. */
  readonly readers: ContextReaders;
  /** Who watches the lists. @default {undefined, nobody does} */
  readonly changes?: ListChanges | undefined;
}

/** A template of a server; taken apart when a URI that begins like it is first looked for. */
interface Candidate {
  readonly uriTemplate: string;
  readonly start: string;
  /** `null` where it is malformed. */
  parsed: UriTemplate | null | undefined;
}

/** The merged lists of one agent. */
export class ContextCatalog {
  /** The resources, by server. */
  readonly resources: KnownLists<Resource>;
  /** The resource templates, by server. */
  readonly templates: KnownLists<ResourceTemplate>;
  /** The prompts, by server. */
  readonly prompts: KnownLists<Prompt>;
  #policy: CollisionPolicy;
  /** What follows from the lists; computed once. */
  #names: NameTable | undefined;
  #serversOfUri: ReadonlyMap<string, readonly string[]> | undefined;
  #candidates: ReadonlyMap<string, readonly Candidate[]> | undefined;

  /**
   * Creates an empty catalogue.
   *
   * @param deps What it works with.
   */
  constructor({ policy, readers, changes, ...deps }: ContextCatalogDeps) {
    this.#policy = policy;
    const { resources, templates, prompts } = readers;
    const toDeps = (kind: "resources" | "prompts") => ({ ...deps, watched: changes && { changes, kind } });
    this.resources = new KnownLists({
      ...toDeps("resources"),
      read: resources,
      onChange: () => this.#serversOfUri = undefined,
    });
    this.templates = new KnownLists({
      ...toDeps("resources"),
      read: templates,
      onChange: () => this.#candidates = undefined,
    });
    this.prompts = new KnownLists({ ...toDeps("prompts"), read: prompts, onChange: () => this.#names = undefined });
  }

  /** The lists of all kinds. */
  get lists(): readonly [KnownLists<Resource>, KnownLists<ResourceTemplate>, KnownLists<Prompt>] {
    return [this.resources, this.templates, this.prompts];
  }

  /**
   * Puts the servers in another order, and what several list under another policy.
   *
   * @param servers The names of the servers, in order; others come after them.
   * @param policy Who owns a bare prompt name, or a URI, that several servers list.
   */
  arrange(servers: readonly string[], policy: CollisionPolicy): void {
    this.#policy = policy;
    for (const list of this.lists) list.arrange(servers);
  }

  /** Every resource with the server that lists it, in the order of the servers. */
  get ownedResources(): readonly OwnedResource[] {
    return this.resources.entries.map(({ server, entry }) => ({ uri: entry.uri, server, resource: entry }));
  }

  /** Every template with the server that lists it, in the order of the servers. */
  get ownedTemplates(): readonly OwnedResourceTemplate[] {
    return this.templates.entries.map(({ server, entry }) => (
      { uriTemplate: entry.uriTemplate, server, template: entry }
    ));
  }

  /** Every prompt under the name to get it by, in the order of the servers. */
  get ownedPrompts(): readonly OwnedPrompt[] {
    const byServer = new Map(this.prompts.servers.map((server) => {
      return [server, new Map(this.prompts.listOf(server)?.entries.map((prompt) => [prompt.name, prompt]))];
    }));
    return this.#table().exposed.flatMap(({ name, server, tool: promptName }) => {
      const prompt = byServer.get(server)?.get(promptName);
      return prompt === undefined ? [] : [{ name, server, promptName, prompt }];
    });
  }

  /**
   * Who owns the name of a prompt. The order in which servers answered changes nothing.
   *
   * @param name An exposed name, a qualified one, or a name as a server spells it.
   * @returns What is known.
   */
  findPrompt(name: string): ContextOwner {
    const { prompts: { servers, unknownServers: unknown } } = this;
    const match = this.#table().resolve(name);
    const owner = match?.kind === "owned" ? match.server : undefined;
    const known = match !== undefined;
    const waitFor = serversToAwait({ name, owner, known, servers, unknown, policy: this.#policy });
    if (waitFor.length > 0) return { kind: "undecided", list: "prompts", waitFor };
    if (match === undefined) return { kind: "unknown" };
    if (match.kind === "owned") return { kind: "owned", server: match.server, name: match.tool };
    const suggestions = match.owners.map(({ exposedAs }) => exposedAs);
    return { kind: "ambiguous", owners: match.owners.map(({ server }) => server), suggestions };
  }

  /**
   * The server to which a qualified name belongs, whether or not it lists such a prompt.
   *
   * @param name Any name.
   * @returns The server, or `undefined` where the name is no qualified one.
   */
  namespaceOf(name: string): string | undefined {
    return namespaceOf(name, this.prompts.servers);
  }

  /**
   * Who owns a URI: the server that lists it, else the one with a template that names its scheme and that it follows; of
   * several, the policy decides.
   *
   * @param uri Any URI.
   * @returns What is known.
   */
  findResource(uri: string): ContextOwner {
    this.#serversOfUri ??= groupServers(this.resources.entries);
    const listed = this.#ownerOf("resources", this.#serversOfUri.get(uri) ?? [], uri);
    if (listed.kind !== "unknown") return listed;
    const matching = this.templates.servers.filter((server) => {
      return isFollowed(this.#templates().get(server) ?? [], uri);
    });
    return this.#ownerOf("templates", matching, uri);
  }

  /**
   * Who owns a template: the server that lists it.
   *
   * @param uriTemplate Any template.
   * @returns What is known.
   */
  findTemplate(uriTemplate: string): ContextOwner {
    const listing = this.templates.servers.filter((server) => {
      return this.#templates().get(server)?.some((template) => template.uriTemplate === uriTemplate);
    });
    return this.#ownerOf("templates", listing, uriTemplate);
  }

  /** Under `prefix` and `error` what several list belongs to none of them: a URI cannot be qualified. */
  #ownerOf(list: "resources" | "templates", owners: readonly string[], name: string): ContextOwner {
    const { servers, unknownServers: unknown } = this[list];
    const [owner] = owners;
    const waitFor = claimantsOf({ owner, servers, unknown, policy: this.#policy });
    if (waitFor.length > 0) return { kind: "undecided", list, waitFor };
    if (owner === undefined) return { kind: "unknown" };
    if (owners.length > 1 && this.#policy !== "first") return { kind: "ambiguous", owners, suggestions: owners };
    return { kind: "owned", server: owner, name };
  }

  #table(): NameTable {
    return this.#names ??= createNameTable(
      this.prompts.servers.map((server) => {
        return { server, tools: this.prompts.listOf(server)?.entries.map(({ name }) => name) ?? [] };
      }),
      this.#policy,
    );
  }

  #templates(): ReadonlyMap<string, readonly Candidate[]> {
    return this.#candidates ??= new Map(this.templates.servers.map((server) => {
      const entries = this.templates.listOf(server)?.entries ?? [];
      const candidates = entries.map(({ uriTemplate }) => {
        return { uriTemplate, start: startOfTemplate(uriTemplate), parsed: undefined };
      });
      return [server, candidates];
    }));
  }
}

/** Whether a URI follows one of a server's templates; those that are beyond its share of time count for nothing. */
function isFollowed(candidates: readonly Candidate[], uri: string): boolean {
  let steps = 0;
  for (const candidate of candidates) {
    if (!SCHEME.test(candidate.start) || !uri.startsWith(candidate.start)) continue;
    const parsed = candidate.parsed ??= parseUriTemplate(candidate.uriTemplate) ?? null;
    steps += parsed === null ? candidate.uriTemplate.length : parsed.size * uri.length;
    if (steps > MAX_MATCH_STEPS) return false;
    if (parsed?.matches(uri) === true) return true;
  }
  return false;
}

/** The servers that list each URI, in their order, each once. */
function groupServers(entries: readonly ListedEntry<Resource>[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { server, entry: { uri } } of entries) {
    const group = groups.get(uri);
    if (group === undefined) groups.set(uri, [server]);
    else if (group.at(-1) !== server) group.push(server);
  }
  return groups;
}
