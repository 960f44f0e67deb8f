/**
 * Finds the owner of a prompt, a resource or a template, asking the servers that could be it, and sends a request there
 * and nowhere else.
 *
 * @module
 */

import type { ContextCatalog, ContextKind, ContextOwner } from "./context_catalog.ts";
import type { KnownLists } from "./known_lists.ts";
import { type Deadline, OPERATION_TIMEOUT_MS } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { FeatureClient, ReadOptions } from "../feature_client.ts";
import { hasAnswers } from "../input_round.ts";
import { didYouMean, nearestNames, quoteAll } from "../nearest.ts";
import { toNoListError } from "./no_list_error.ts";

/** A list that is younger than this is not asked for again because of an unknown name, in milliseconds. */
const RECHECK_AFTER_MS = 5_000;
/** JSON-RPC codes with which a server refuses what it no longer has (specification: Resources and Prompts, Errors). */
const REFUSED = new Set([-32002, -32601, -32602]);
const MAX_SHOWN_LENGTH = 200;

/** What is looked for. */
export interface ContextTarget {
  /** What is to be done with it, for the error: `read resource`. */
  readonly action: string;
  /** A prompt by its name, a resource by its URI, or a template by its text or by a URI that follows it. */
  readonly kind: "prompt" | "resource" | "template";
  /** The name, the URI or the template. */
  readonly name: string;
}

/** A server that requests go to. */
export interface ContextMember {
  /** Its client. */
  readonly client: FeatureClient;
  /** The longest any operation with it may take in milliseconds, where the configuration says. */
  readonly timeoutMs: number | undefined;
}

/** What a router works with. */
export interface ContextRouterDeps {
  /** Whose servers they are. */
  readonly agent: string;
  /** What is known. */
  readonly catalog: ContextCatalog;
  /** The server of a name; throws `server_not_found` where there is none. */
  readonly memberOf: (server: string) => ContextMember;
}

/** Sends a request to the owner, under the name that the owner gives it. */
export type ContextSend<T> = (client: FeatureClient, name: string, options: ReadOptions) => Promise<T>;

type Found = Extract<ContextOwner, { kind: "owned" }>;

/** Routes the requests of one agent that are no tool calls. */
export class ContextRouter {
  readonly #deps: ContextRouterDeps;

  /**
   * Creates a router.
   *
   * @param deps What it works with.
   */
  constructor(deps: ContextRouterDeps) {
    this.#deps = deps;
  }

  /**
   * Sends a request to the owner of its target. Where the owner refuses it because it has dropped the target, that may
   * have a new owner, and the request goes there.
   *
   * @param target What is asked for.
   * @param options What the caller said of the request; `server` names the owner.
   * @param deadline The end of it, finding the owner included.
   * @param send Sends it.
   * @returns What the owner answered.
   * @throws {MCPError} With `prompt_not_found` or `resource_not_found` if no server lists the target; with
   * `prompt_ambiguous` or `resource_ambiguous` if several do and the policy gives it to none; with `server_not_found`
   * if `options.server` is none of the agent's; or the owner's own error.
   */
  async use<T>(target: ContextTarget, options: ReadOptions, deadline: Deadline, send: ContextSend<T>): Promise<T> {
    const { server: forced, ...rest } = options;
    const startedAt = performance.now();
    for (let refusal: { server: string; error: unknown } | undefined;;) {
      const { server, name } = forced === undefined
        ? await this.#find(target, deadline)
        : await this.#findAt(forced, target, deadline);
      // Answers and state are for the server that asked, and for no other.
      if (refusal !== undefined && (refusal.server === server || hasAnswers(rest.round))) throw refusal.error;
      const { client, timeoutMs: configuredMs } = this.#deps.memberOf(server);
      const totalMs = options.timeoutMs ?? configuredMs ?? OPERATION_TIMEOUT_MS;
      const timeoutMs = Math.max(1, totalMs - (performance.now() - startedAt));
      const outdated = this.#listsOf(target).filter((list) => list.isOutdated(server, RECHECK_AFTER_MS));
      try {
        return await send(client, name, { ...rest, timeoutMs });
      } catch (error) {
        const refused = isMCPError(error) && REFUSED.has(error.rpcCode ?? 0);
        if (!refused || forced !== undefined || refusal !== undefined || outdated.length === 0) throw error;
        for (const list of outdated) list.invalidate(server);
        await Promise.all(outdated.map((list) => list.askAll([server], { signal: deadline.signal })));
        refusal = { server, error };
      }
    }
  }

  /**
   * The error of a list that not one server has given.
   *
   * @param what What cannot be done without it.
   * @param list The list.
   * @param servers The servers, at least one.
   * @returns The error that leads a person to the authorization server, where one has to authorize; else an `MCPError`
   * with the code of the first server's failure.
   */
  toNoList(what: string, list: KnownLists<unknown>, servers: readonly string[]): MCPError {
    return toNoListError(
      what,
      servers.map((server) => {
        const error = list.listOf(server)?.failure;
        return { server, code: error?.code ?? "deadline_exceeded", error };
      }),
    );
  }

  async #find(target: ContextTarget, deadline: Deadline): Promise<Found> {
    let found = this.#lookUp(target);
    let rechecked = false;
    const unauthorized = this.#unauthorizedOf(target);
    try {
      for (;; found = this.#lookUp(target)) {
        if (found.kind === "undecided") {
          await this.#askUntilOneSettles(found.list, found.waitFor, deadline);
        } else if (found.kind === "unknown" && !rechecked) {
          rechecked = true;
          await this.#recheck(target, unauthorized, deadline);
        } else {
          break;
        }
      }
    } catch (error) {
      if (!deadline.passed) throw error;
      const awaited = found.kind === "undecided" ? found.waitFor : this.#listsOf(target)[0].servers;
      const message = `Cannot ${target.action} ${shown(target)} as the deadline passed while asking the servers ` +
        `${quoteAll(awaited)} whether they list it; a request with { server } waits for that one alone`;
      throw new MCPError("deadline_exceeded", message, { retryable: true });
    }
    if (found.kind === "owned") return found;
    throw found.kind === "ambiguous" ? this.#toAmbiguous(target, found) : this.#toNotFound(target);
  }

  /** What the caller sends to a server of its choice goes there, listed or not; a prompt's name may be a qualified one. */
  async #findAt(server: string, { kind, name }: ContextTarget, deadline: Deadline): Promise<Found> {
    const { catalog, memberOf } = this.#deps;
    memberOf(server);
    if (kind !== "prompt" || !name.startsWith(`${server}__`)) return { kind: "owned", server, name };
    if (catalog.prompts.listOf(server) === undefined) {
      await deadline.race(catalog.prompts.askAll([server], { signal: deadline.signal }));
    }
    const found = catalog.findPrompt(name);
    return found.kind === "owned" && found.server === server ? found : { kind: "owned", server, name };
  }

  #lookUp({ kind, name }: ContextTarget): ContextOwner {
    const { catalog } = this.#deps;
    if (kind === "prompt") return catalog.findPrompt(name);
    const found = kind === "template" ? catalog.findTemplate(name) : undefined;
    return found === undefined || found.kind === "unknown" ? catalog.findResource(name) : found;
  }

  /** The lists in which a target can stand. */
  #listsOf({ kind }: ContextTarget): readonly [KnownLists<unknown>, ...KnownLists<unknown>[]] {
    const { prompts, resources, templates } = this.#deps.catalog;
    return kind === "prompt" ? [prompts] : [resources, templates];
  }

  /** All are asked at once; the first that settles may decide. The others go on: the next request needs them. */
  async #askUntilOneSettles(kind: ContextKind, servers: readonly string[], deadline: Deadline): Promise<void> {
    const settled = Promise.withResolvers<void>();
    const onSettled = () => settled.resolve();
    this.#deps.catalog[kind].askAll(servers, { onSettled }).finally(onSettled);
    await deadline.race(settled.promise);
  }

  /** What is known of the servers at which a person has to authorize first. */
  #unauthorizedOf(target: ContextTarget): ReadonlySet<unknown> {
    return new Set(
      this.#listsOf(target).flatMap((list) => {
        return list.unauthorizedServers.map((server) => list.listOf(server));
      }),
    );
  }

  /**
   * What nobody lists may be new: lists that are not from just now are asked for once more, as are those for which a
   * person had to authorize when the request began.
   */
  async #recheck(target: ContextTarget, unauthorized: ReadonlySet<unknown>, deadline: Deadline): Promise<void> {
    const rounds = this.#listsOf(target).map((list) => {
      const outdated = list.servers.filter((server) => {
        return list.isOutdated(server, RECHECK_AFTER_MS) || unauthorized.has(list.listOf(server));
      });
      return list.askAll(outdated, { signal: deadline.signal });
    });
    await deadline.race(Promise.all(rounds));
  }

  #toAmbiguous(target: ContextTarget, found: Extract<ContextOwner, { kind: "ambiguous" }>): MCPError {
    const { owners, suggestions } = found;
    const isPrompt = target.kind === "prompt";
    const wayOut = isPrompt ? `use ${quoteAll(suggestions, " or ")}` : "give { server }";
    const message = `Cannot ${target.action} ${shown(target)} as the servers ${quoteAll(owners)} list it: ${wayOut}`;
    return new MCPError(isPrompt ? "prompt_ambiguous" : "resource_ambiguous", message, { suggestions });
  }

  /** Where not one server has given a list, nobody knows that the target does not exist. */
  #toNotFound(target: ContextTarget): MCPError {
    const { agent, catalog } = this.#deps;
    const lists = this.#listsOf(target);
    const [list] = lists;
    const isPrompt = target.kind === "prompt";
    const namespace = isPrompt ? catalog.namespaceOf(target.name) : undefined;
    const candidates = namespace === undefined ? list.servers : [namespace];
    const hasFailed = (server: string) => lists.every((each) => each.listOf(server)?.failure !== undefined);
    if (candidates.length > 0 && candidates.every(hasFailed)) {
      return this.toNoList(`${target.action} ${shown(target)}`, list, candidates);
    }
    const suggestions = this.#nearest(target);
    const failed = list.servers.filter((server) => lists.some((each) => each.listOf(server)?.failure !== undefined));
    const asked = list.servers.filter((server) => !failed.includes(server));
    return new MCPError(
      isPrompt ? "prompt_not_found" : "resource_not_found",
      `Cannot ${target.action} ${shown(target)} as no server of agent "${agent}" lists it: servers asked are ${
        quoteAll(asked) || "none"
      }${failed.length === 0 ? "" : `, servers that did not answer are ${quoteAll(failed)}`}${
        isPrompt ? didYouMean(suggestions) : ""
      }`,
      { suggestions },
    );
  }

  /** A URI may hold what is not for an error: those with a query are not suggested. */
  #nearest({ kind, name }: ContextTarget): readonly string[] {
    const { catalog } = this.#deps;
    if (kind === "prompt") return nearestNames(name, catalog.ownedPrompts.map((prompt) => prompt.name));
    return nearestNames(name, catalog.ownedResources.map(({ uri }) => uri).filter((uri) => !/[?#@]/.test(uri)));
  }
}

/** A target as it may stand in a message: a URI without user, query and fragment. */
function shown({ kind, name }: ContextTarget): string {
  const plain = kind === "prompt" ? name : name.replace(/[?#].*$/s, "").replace(/^([^/]*\/\/)[^/]*@/, "$1");
  return `"${plain.slice(0, MAX_SHOWN_LENGTH)}"`;
}
