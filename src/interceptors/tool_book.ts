/**
 * What is known of tools: learned from the lists that pass by, asked for where it is needed and not known.
 *
 * @module
 */

import { Deadline } from "../deadline.ts";
import type { Tool } from "../protocol.ts";
import { SharedTask } from "../shared_task.ts";
import type { RequestOptions } from "../tool_client.ts";

/** How long a list is taken for what the tools are, in milliseconds. */
const FRESH_MS = 300_000;

/**
 * What is known of a tool.
 *
 * @example
 * ```ts
 * import type { ToolDescription } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const KNOWN = new Map<string, ToolDescription>([["read_file", { server: "files" }]]);
 * assertEquals(KNOWN.get("read_file")?.server, "files");
 * ```
 */
export interface ToolDescription {
  /** Its definition. */
  readonly tool?: Tool | undefined;
  /** The server that owns it. */
  readonly server?: string | undefined;
}

/** Where knowledge of tools comes from. */
export interface ToolBookOptions {
  /** What is known of a tool already; comes before what was learned. */
  readonly describe?: ((name: string) => ToolDescription | undefined) | undefined;
  /** Lists the tools. Without it nothing is asked. */
  readonly listTools?: ((options: RequestOptions) => Promise<readonly Tool[]>) | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/** The tools of one client. */
export class ToolBook {
  readonly #describe: (name: string) => ToolDescription | undefined;
  readonly #now: () => number;
  readonly #listing: SharedTask<readonly Tool[]> | undefined;
  #tools: ReadonlyMap<string, Tool> = new Map();
  #learnedAtMs = -Infinity;

  /**
   * Creates an empty book.
   *
   * @param options Where knowledge comes from.
   */
  constructor(options: ToolBookOptions = {}) {
    const { describe = () => undefined, listTools, now = Date.now } = options;
    this.#describe = describe;
    this.#now = now;
    this.#listing = listTools && new SharedTask((deadline) => listTools({ signal: deadline.signal }));
  }

  /**
   * Takes a list for what the tools are from now on.
   *
   * @param tools The whole list.
   */
  learn(tools: readonly Tool[]): void {
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#learnedAtMs = this.#now();
  }

  /**
   * What is known of a tool.
   *
   * @param name Its name.
   * @returns What is known, which may be nothing. Asks nobody.
   */
  get(name: string): ToolDescription {
    const { tool = this.#tools.get(name), server } = this.#describe(name) ?? {};
    return { tool, server };
  }

  /**
   * Learns a tool's definition.
   *
   * @param name Its name.
   * @param options How long to wait.
   * @returns The definition, or `undefined` where no list has it or no list could be had.
   * @throws The reason of the signal, where that ends first.
   */
  async find(
    name: string,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<Tool | undefined> {
    const described = this.#describe(name)?.tool;
    if (described !== undefined) return described;
    if (this.#listing !== undefined && !(this.#now() - this.#learnedAtMs < FRESH_MS)) {
      using deadline = new Deadline(options.timeoutMs, options);
      try {
        this.learn(await this.#listing.join(deadline, Infinity));
      } catch {
        options.signal.throwIfAborted();
        // What was known for long is not known any more: a tool may have become another one.
        return undefined;
      }
    }
    return this.#tools.get(name);
  }
}
