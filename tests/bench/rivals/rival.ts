import { createMCPClient } from "@ai-sdk/mcp";
import { MultiServerMCPClient as LangChainClient } from "@langchain/mcp-adapters";
import * as sdk2 from "@modelcontextprotocol/client";
import { MultiServerMCPClient } from "@portolan/mcp";
import { Client, StreamableHTTPClientTransport } from "../../../src/sdk.ts";

/** A client as somebody would write it from its first page of documentation. */
export interface Rival {
  /** Its name in the table. */
  readonly name: string;
  /** Whether it is one client for many servers. */
  readonly takesMany: boolean;
  /** Connects to servers; `url` of each by name. */
  open(servers: Readonly<Record<string, string>>): Promise<OpenRival>;
}

/** A tool to call. */
export interface RivalCall {
  /** Its name. */
  readonly tool: string;
  /** The server that has it, for who wants to say so. @default {nobody says} */
  readonly server?: string;
  /** The arguments. @default {none} */
  readonly args?: Record<string, unknown>;
  /** When it is given up, in milliseconds. @default {what the client has} */
  readonly timeoutMs?: number;
}

/** A client that can be used. */
export interface OpenRival {
  /** The names under which tools are called. */
  names(): Promise<readonly string[]>;
  /** Calls a tool. */
  call(call: RivalCall): Promise<unknown>;
  /** Frees everything. */
  close(): Promise<void>;
}

/** All of them, ours first. */
export const RIVALS: readonly Rival[] = [
  {
    name: "Portolan",
    takesMany: true,
    async open(servers) {
      const configured = Object.fromEntries(Object.entries(servers).map(([name, url]) => [name, { url }]));
      const client = new MultiServerMCPClient("bench", { servers: configured });
      return await Promise.resolve({
        names: async () => (await client.listTools()).map(({ name }) => name),
        call: ({ tool, server, args, timeoutMs }) => {
          return client.callTool(server === undefined ? tool : `${server}__${tool}`, args, { timeoutMs });
        },
        close: () => client.close(),
      });
    },
  },
  {
    name: "SDK 1.32",
    takesMany: false,
    async open(servers) {
      const client = new Client({ name: "bench", version: "1.0.0" });
      await client.connect(new StreamableHTTPClientTransport(new URL(onlyOf(servers))));
      const { tools } = await client.listTools();
      return {
        names: () => Promise.resolve(tools.map(({ name }) => name)),
        call: ({ tool, args = {}, timeoutMs = 60_000 }) => {
          return client.callTool({ name: tool, arguments: args }, undefined, { timeout: timeoutMs });
        },
        close: () => client.close(),
      };
    },
  },
  {
    name: "client 2.4",
    takesMany: false,
    async open(servers) {
      const versionNegotiation = { mode: "auto" } as const;
      const client = new sdk2.Client({ name: "bench", version: "1.0.0" }, { versionNegotiation });
      await client.connect(new sdk2.StreamableHTTPClientTransport(new URL(onlyOf(servers))));
      const { tools } = await client.listTools();
      return {
        names: () => Promise.resolve(tools.map(({ name }) => name)),
        call: ({ tool, args = {}, timeoutMs = 60_000 }) => {
          return client.callTool({ name: tool, arguments: args }, { timeout: timeoutMs });
        },
        close: () => client.close(),
      };
    },
  },
  {
    name: "AI SDK",
    takesMany: false,
    async open(servers) {
      const client = await createMCPClient({ transport: { type: "http", url: onlyOf(servers) } });
      const tools = await client.tools();
      return {
        names: () => Promise.resolve(Object.keys(tools)),
        call: async ({ tool, args = {}, timeoutMs }) => {
          const given = timeoutMs === undefined ? {} : { abortSignal: AbortSignal.timeout(timeoutMs) };
          return await tools[tool]?.execute(args, { toolCallId: "1", messages: [], context: {}, ...given });
        },
        close: () => client.close(),
      };
    },
  },
  {
    name: "LangChain",
    takesMany: true,
    async open(servers) {
      const connections = Object.entries(servers).map(([name, url]) => {
        return [name, { transport: "http" as const, url, automaticSSEFallback: false }] as const;
      });
      const client = new LangChainClient({ mcpServers: Object.fromEntries(connections), onConnectionError: "ignore" });
      const tools = await client.getTools();
      return {
        names: () => Promise.resolve(tools.map(({ name }) => name)),
        call: async ({ tool, args = {}, timeoutMs }) => {
          const given = timeoutMs === undefined ? {} : { timeout: timeoutMs };
          return await tools.find(({ name }) => name === tool)?.invoke(args, given);
        },
        close: () => client.close(),
      };
    },
  },
];

function onlyOf(servers: Readonly<Record<string, string>>): string {
  const [url, ...others] = Object.values(servers);
  if (url === undefined || others.length > 0) throw new RangeError("This client takes one server");
  return url;
}
