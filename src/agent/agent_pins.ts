/**
 * The pinned tools of all servers of one agent, and what is decided of them.
 *
 * @module
 */

import type { SingleServerMCPClient } from "../single_server_client.ts";
import type { RequestOptions } from "../tool_client.ts";
import type { PinDecision, PinnedTool, PinOutcome } from "../tools/pinned_tool.ts";

/** What pins work with. */
export interface AgentPinsDeps {
  /** The servers whose tools are pinned, in order. */
  readonly servers: () => readonly string[];
  /** The client of a server; throws `server_not_found`. */
  readonly clientOf: (server: string) => SingleServerMCPClient;
  /** Has a server's list made anew, here and for other isolates. */
  readonly askAnew: (server: string) => Promise<void>;
}

/** The pins of one agent. */
export class AgentPins {
  readonly #deps: AgentPinsDeps;

  /**
   * Creates them; nothing is read.
   *
   * @param deps What they work with.
   */
  constructor(deps: AgentPinsDeps) {
    this.#deps = deps;
  }

  /**
   * The pinned tools of all servers.
   *
   * @param options Deadline and cancellation.
   * @returns The tools, in the order of the servers.
   */
  async list(options: RequestOptions): Promise<readonly PinnedTool[]> {
    const { servers, clientOf } = this.#deps;
    return (await Promise.all(servers().map((server) => clientOf(server).listPins(options)))).flat();
  }

  /**
   * Accepts a pinned tool as it is now, or withholds it.
   *
   * @param decision Which tool, and what is decided.
   * @param options Deadline and cancellation.
   * @returns What came of it.
   * @throws {MCPError} With `server_not_found` or `tool_not_found`.
   */
  async decide({ server, ...decision }: PinDecision, options: RequestOptions): Promise<PinOutcome> {
    const outcome = await this.#deps.clientOf(server).decidePin(decision, options);
    if (outcome.decided) await this.#deps.askAnew(server);
    return outcome;
  }

  /**
   * Accepts tools of a server as they are now.
   *
   * @param server Its name.
   * @param names The tools, by their names at that server; all where none are named.
   * @returns The names of the tools that had changed.
   * @throws {MCPError} With `server_not_found` if there is no server of that name, or if it does not list its tools.
   */
  async accept(server: string, names: readonly string[] | undefined): Promise<readonly string[]> {
    const accepted = await this.#deps.clientOf(server).acceptTools(names);
    if (accepted.length > 0) await this.#deps.askAnew(server);
    return accepted;
  }
}
