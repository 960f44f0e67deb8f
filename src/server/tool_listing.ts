/**
 * Listing the tools of one server for all who wait for it at once.
 *
 * @module
 */

import type { Connector } from "../connection/connector.ts";
import type { Deadline } from "../deadline.ts";
import { isMCPError, type MCPErrorCode } from "../errors.ts";
import type { ServerTools } from "./server_tools.ts";
import { SharedTask } from "../shared_task.ts";
import type { ToolList } from "../tools/tool_list.ts";

/** Codes that say that the server has not been asked: its connection may be as good as ever. */
const NOT_ASKED: ReadonlySet<MCPErrorCode> = new Set(["overloaded", "circuit_open", "closed"]);

/** What is listed with. */
export interface ToolListingDeps {
  /** What the server lists. */
  readonly tools: ServerTools;
  /** Its connection. */
  readonly connector: Connector;
  /** How long connecting may take, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** One listing at a time. */
export class ToolListing {
  readonly #deps: ToolListingDeps;
  readonly #task: SharedTask<ToolList>;
  /** Whether the next listing is made although the breaker is open: somebody asked for it by name. */
  #forced = false;

  /**
   * Creates it; nothing is asked.
   *
   * @param deps What is listed with.
   */
  constructor(deps: ToolListingDeps) {
    this.#deps = deps;
    this.#task = new SharedTask((deadline) => this.#read(deadline));
  }

  /** Whether a listing is under way. */
  get running(): boolean {
    return this.#task.running;
  }

  /** Has the next listing made although the breaker is open. */
  force(): void {
    this.#forced = true;
  }

  /**
   * Waits for a listing, begun where none is under way.
   *
   * @param deadline How long this caller waits.
   * @param timeoutMs How long the listing may take where this caller begins it, in milliseconds.
   * @throws {MCPError} If no list could be had.
   */
  async join(deadline: Deadline, timeoutMs: number): Promise<void> {
    await this.#task.join(deadline, timeoutMs);
  }

  /** Ends the listing under way. */
  async close(): Promise<void> {
    await this.#task.abort(new Error("The client is closed"));
  }

  async #read(deadline: Deadline): Promise<ToolList> {
    const { tools, connector, connectTimeoutMs } = this.#deps;
    const force = this.#forced;
    this.#forced = false;
    try {
      return await tools.read({ deadline, force, connectTimeoutMs });
    } catch (error) {
      // A server that connects but has never listed its tools is of no use: its state is not "connected".
      const { connection } = connector;
      const isAnswer = isMCPError(error) && !NOT_ASKED.has(error.code);
      if (tools.list === undefined && connection !== undefined && isAnswer) connector.drop(connection, error);
      throw error;
    }
  }
}
