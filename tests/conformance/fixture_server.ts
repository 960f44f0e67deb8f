/**
 * The server that the suite's server scenarios want, with the official SDK 2.x: one definition for both eras, as a
 * server of the older one turns its questions into requests.
 *
 * @module
 */

import { createRequestStateCodec, McpServer } from "@modelcontextprotocol/server";
import { addContent } from "./fixture_content.ts";
import { addContext } from "./fixture_context.ts";
import { addElicitations } from "./fixture_elicitations.ts";
import { addRounds } from "./fixture_rounds.ts";

/** What a round keeps until the next. */
export type RoundState = Readonly<Record<string, unknown>>;

/** What the tools that change something call. */
export interface Changes {
  /** Tells who listens that the tools have changed. */
  toolsChanged(): void;
  /** Tells who listens that the prompts have changed. */
  promptsChanged(): void;
}

/** Creates what makes the servers of one fixture: they have to know each other's states. */
export function fixtureServers(): (changes?: Changes) => McpServer {
  const codec = createRequestStateCodec<RoundState>({ key: crypto.getRandomValues(new Uint8Array(32)) });
  return (changes) => {
    const mcp = new McpServer({ name: "conformance", version: "1.0.0" }, {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        completions: {},
        logging: {},
      },
      requestState: { verify: codec.verify },
    });
    addContent(mcp);
    addElicitations(mcp);
    addRounds(mcp, codec.mint);
    addContext(mcp);
    addChanges(mcp, changes);
    return mcp;
  };
}

/** Without `changes`, the server tells its own session. */
function addChanges(mcp: McpServer, changes: Changes | undefined): void {
  const told = { content: [{ type: "text" as const, text: "Told" }] };
  mcp.registerTool("test_trigger_tool_change", { description: "Tells that the tools have changed" }, () => {
    if (changes === undefined) mcp.sendToolListChanged();
    else changes.toolsChanged();
    return told;
  });
  mcp.registerTool("test_trigger_prompt_change", { description: "Tells that the prompts have changed" }, () => {
    if (changes === undefined) mcp.sendPromptListChanged();
    else changes.promptsChanged();
    return told;
  });
}
