import { Client, StreamableHTTPClientTransport } from "../../../src/sdk.ts";
import { type Connected, type Contender, textOf } from "./contender.ts";

/** `@modelcontextprotocol/sdk` 1.x by hand: a client for each server, all at once. */
export const sdk1: Contender = {
  name: "SDK 1.32",
  async connect(urls): Promise<Connected> {
    const opened = await Promise.all(urls.map(async (url) => {
      const client = new Client({ name: "bench", version: "1.0.0" });
      const transport = new StreamableHTTPClientTransport(new URL(url));
      await client.connect(transport);
      const { tools } = await client.listTools();
      return { client, transport, tools };
    }));
    return {
      tools: opened.reduce((sum, { tools }) => sum + tools.length, 0),
      call: async (server, tool, text) => {
        return textOf(await opened[server]!.client.callTool({ name: tool, arguments: { text } }));
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all(opened.map(async ({ client, transport }) => {
          await transport.terminateSession();
          await client.close();
        }));
      },
    };
  },
};
