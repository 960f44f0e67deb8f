/**
 * The documents of all agents, written once for each state of their tools.
 *
 * @module
 */

import type { OwnedTool } from "../status.ts";
import { type AgentOperations, writeAgentDocument, writeOperations, type WrittenDocument } from "./agent_document.ts";

/** How many agents' operations are kept. */
const MAX_KEPT = 16;

interface Kept {
  readonly tools: readonly OwnedTool[];
  readonly operations: Promise<AgentOperations>;
}

/** The documents of a gateway's agents. */
export class AgentDocuments {
  // A Map keeps the order of insertion: the first is the one that was asked for least recently.
  readonly #kept = new Map<string, Kept>();

  /**
   * The document of an agent.
   *
   * @param agent The agent.
   * @param tools Its tools as they are now.
   * @param serverUrl Where the gateway is reached.
   * @returns The document; its operations are written anew where the tools are others than before.
   */
  async get(agent: string, tools: readonly OwnedTool[], serverUrl: string): Promise<WrittenDocument> {
    const known = this.#kept.get(agent);
    const kept = known !== undefined && areSame(known.tools, tools)
      ? known
      : { tools, operations: writeOperations(agent, tools) };
    this.#kept.delete(agent);
    this.#kept.set(agent, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    try {
      return await writeAgentDocument(agent, await kept.operations, serverUrl);
    } catch (error) {
      this.#kept.delete(agent);
      throw error;
    }
  }
}

/** A tool is the same object as long as its server has not listed it anew. */
function areSame(left: readonly OwnedTool[], right: readonly OwnedTool[]): boolean {
  return left.length === right.length && left.every(({ name, server, tool }, index) => {
    const other = right[index];
    return other !== undefined && other.name === name && other.server === server && other.tool === tool;
  });
}
