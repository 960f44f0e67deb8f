import { MultiServerMCPClient, type ServerConfig, SingleServerMCPClient } from "@portolan/mcp";
import { type Connected, type Contender, textOf } from "./contender.ts";

/** This library, all servers behind one client. */
export function createPortolan(name: string, era: "legacy" | "auto"): Contender {
  return {
    name,
    async connect(urls): Promise<Connected> {
      const servers: Record<string, ServerConfig> = {};
      for (const [index, url] of urls.entries()) servers[`server${index}`] = { url, era };
      const client = new MultiServerMCPClient("bench", { servers });
      const connected = Object.values(await client.connectToServers());
      if (connected.includes(false)) throw new Error("Not all servers connected");
      return {
        tools: (await client.listTools()).length,
        call: async (_server, tool, text) => textOf(await client.callTool(tool, { text })),
        [Symbol.asyncDispose]: () => client.close(),
      };
    },
  };
}

/** This library, a client for each server. */
export function createPortolanSingle(name: string): Contender {
  return {
    name,
    async connect(urls): Promise<Connected> {
      const clients = urls.map((url, index) => new SingleServerMCPClient(`server${index}`, { url }));
      const lists = await Promise.all(clients.map((client) => client.listTools()));
      return {
        tools: lists.flat().length,
        call: async (server, tool, text) => textOf(await clients[server]!.callTool(tool, { text })),
        [Symbol.asyncDispose]: async () => {
          await Promise.all(clients.map((client) => client.close()));
        },
      };
    },
  };
}
