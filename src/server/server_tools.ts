/**
 * What one server lists: read, kept, compared with what it listed before, and looked up.
 *
 * @module
 */

import type { Connection } from "../connection/connection.ts";
import { LIST_CAPS } from "../connection/limits.ts";
import { readParamHeaders } from "../connection/param_headers.ts";
import { toToolPage } from "../connection/tool_messages.ts";
import type { Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import { didYouMean, nearestNames } from "../nearest.ts";
import type { JsonObject, Tool } from "../protocol.ts";
import type { ServerRequests } from "./server_requests.ts";
import { diffTools, type ToolDiff } from "../tools/tool_diff.ts";
import { isToolAllowed, type ToolFilter } from "../tools/tool_filter.ts";
import { readToolList, type ToolList } from "../tools/tool_list.ts";
import type { ToolPins } from "../tools/tool_pins.ts";

/** JSON-RPC's "method not found": a server without tools does not know `tools/list`. */
const METHOD_NOT_FOUND = -32601;

/** What a list is read with. */
export interface ServerToolsDeps {
  /** The server's name. */
  readonly server: string;
  /** Which of its tools may be seen and called. */
  readonly filter: ToolFilter;
  /** Runs requests. */
  readonly requests: ServerRequests;
  /** Told when a list differs from the one before. */
  readonly onChange: (diff: ToolDiff) => void;
  /** What the tools were when they were first seen, where that matters. */
  readonly pins?: ToolPins | undefined;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** The tools of one server. */
export class ServerTools {
  readonly #deps: ServerToolsDeps;
  #list: ToolList | undefined;
  /** A list from elsewhere, until the server has been asked. */
  #adopted: readonly Tool[] | undefined;
  /** What is known by name, computed once: each call looks its tool up. */
  #byName: ReadonlyMap<string, Tool> | undefined;
  /** What was let through of the last list: a decision may have withheld some of it since. */
  #told: readonly Tool[] | undefined;
  #updatedAtMs: number | undefined;
  #changedAtMs: number | undefined;

  /**
   * Creates an empty list.
   *
   * @param deps What it is read with.
   */
  constructor(deps: ServerToolsDeps) {
    this.#deps = deps;
  }

  /** What the server itself has listed, or `undefined` before that. */
  get list(): ToolList | undefined {
    return this.#list;
  }

  /** When the server has last given its list, in milliseconds since the epoch; `undefined` before that. */
  get updatedAtMs(): number | undefined {
    return this.#list && this.#updatedAtMs;
  }

  /** When a list last differed from the one before, in milliseconds since the epoch; `undefined` before that. */
  get changedAtMs(): number | undefined {
    return this.#changedAtMs;
  }

  /** The tools as far as they are known and may be called; `undefined` where nothing is known. */
  get known(): readonly Tool[] | undefined {
    const { pins } = this.#deps;
    return pins === undefined ? this.#allowed : this.#allowed?.filter(({ name }) => !pins.isWithheld(name));
  }

  /**
   * Takes a list from elsewhere, until the server itself is asked.
   *
   * @param tools The tools as the server listed them.
   */
  adopt(tools: readonly Tool[]): void {
    if (this.#list !== undefined) return;
    this.#adopted = tools;
    this.#byName = undefined;
  }

  /** Forgets every list: the server is asked when it is needed. */
  forget(): void {
    this.#list = undefined;
    this.#adopted = undefined;
    this.#byName = undefined;
    this.#told = undefined;
  }

  /**
   * Asks the server, page by page. A list that cannot be read keeps the one at hand.
   *
   * @param options The end of it, how long connecting may take, and whether the breaker is passed by.
   * @returns The list.
   * @throws {MCPError} If it cannot be read.
   */
  async read(
    options: { readonly deadline: Deadline; readonly connectTimeoutMs: number; readonly force: boolean },
  ): Promise<ToolList> {
    const { server, requests } = this.#deps;
    let connection: Connection | undefined;
    const readPage = async (cursor: string | undefined) => {
      return await requests.run({
        ...options,
        phase: "list",
        send: async (current) => {
          connection = current;
          const params: JsonObject = cursor === undefined ? {} : { cursor };
          const { deadline } = options;
          const request = { method: "tools/list", params, phase: "list", deadline, caps: LIST_CAPS } as const;
          return toToolPage(await current.request(request), server);
        },
      });
    };
    try {
      const list = await readToolList(readPage, (tool) => findHeaderFault(tool, connection));
      return this.#keep(await this.#pin(list));
    } catch (error) {
      if (!isMCPError(error) || error.rpcCode !== METHOD_NOT_FOUND) throw error;
      return this.#keep({ tools: [], partial: false, warnings: ["The server has no tools"] });
    }
  }

  /**
   * Refuses what the server does not list or the filter does not let through; the two are not told apart.
   *
   * @param name The tool's name at this server.
   * @param mayBeHidden Whether the server may have listed less than it will have for this call.
   * @returns The tool, where its list is known.
   * @throws {MCPError} With `tool_not_found`.
   */
  check(name: string, mayBeHidden = false): Tool | undefined {
    const { server, filter, pins } = this.#deps;
    if (pins?.isWithheld(name) === true && isToolAllowed(filter, name)) {
      throw new MCPError(
        "tool_not_found",
        `Cannot call tool "${name}" as it is withheld at server "${server}": an administrator has to accept it first`,
        { server },
      );
    }
    this.#byName ??= new Map(this.#allowed?.map((one) => [one.name, one]));
    const tool = this.#byName.get(name);
    // A list that is empty may be a hiccup, and one that was cut says nothing of the rest: the server decides.
    const isOpen = mayBeHidden || this.#list === undefined || this.#list.partial || this.#list.tools.length === 0;
    if (tool !== undefined || (isOpen && isToolAllowed(filter, name))) return tool;
    const suggestions = nearestNames(name, this.known?.map((one) => one.name) ?? []);
    throw new MCPError(
      "tool_not_found",
      `Cannot call tool "${name}" as server "${server}" does not list it${didYouMean(suggestions)}`,
      { server, suggestions },
    );
  }

  get #allowed(): readonly Tool[] | undefined {
    const tools = this.#list?.tools ?? this.#adopted;
    return tools?.filter(({ name }) => isToolAllowed(this.#deps.filter, name));
  }

  async #pin(list: ToolList): Promise<ToolList> {
    const warnings = await this.#deps.pins?.apply(list.tools);
    // What is withheld stays in the list, so that it can be called as soon as it is accepted.
    return warnings === undefined ? list : { ...list, warnings: [...list.warnings, ...warnings] };
  }

  #keep(list: ToolList): ToolList {
    // What the filter or a pin holds back is not told of; a list from elsewhere may lack it.
    const before = this.#told ?? this.known;
    this.#list = list;
    this.#adopted = undefined;
    this.#byName = undefined;
    this.#updatedAtMs = this.#deps.now();
    this.#told = this.known ?? [];
    const diff = before && diffTools(before, this.#told);
    if (diff !== undefined) {
      this.#changedAtMs = this.#updatedAtMs;
      this.#deps.onChange(diff);
    }
    return list;
  }
}

/** A modern server may want arguments as headers; a tool that asks for it against the rules must not be used. */
function findHeaderFault(tool: Tool, connection: Connection | undefined): string | undefined {
  if (connection?.era !== "modern" || readParamHeaders(tool.inputSchema) !== undefined) return undefined;
  return "its x-mcp-header is malformed";
}
