/** Clients that nobody here wrote, each through what it does when it lists an agent's tools and calls one. */

import { createMCPClient } from "@ai-sdk/mcp";
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import * as sdk2 from "@modelcontextprotocol/client";
import * as sdk1 from "../../src/sdk.ts";
import { inspect } from "../support/inspector.ts";

/** A tool's call. */
export interface RealCall {
  /** The endpoint. */
  readonly url: string;
  /** The key that opens it. */
  readonly key: string;
  /** The tool, which answers a text. */
  readonly tool: string;
  /** Its arguments. */
  readonly args: Readonly<Record<string, string>>;
}

/** What a client makes of it. */
export interface RealAnswer {
  /** The names of the tools, as the client lists them. */
  readonly tools: readonly string[];
  /** What the tool said, as the client gives it. */
  readonly said: unknown;
  /** The revision of the specification that was spoken, where the client tells. */
  readonly revision?: string | undefined;
}

type RealClient = (call: RealCall) => Promise<RealAnswer>;

/** A client for each row; it rejects where the endpoint refuses it. */
export const REAL_CLIENTS: Readonly<Record<string, RealClient>> = {
  "the SDK 1.x": async ({ url, key, tool, args }) => {
    const client = new sdk1.Client({ name: "caller", version: "1.0.0" });
    const transport = new sdk1.StreamableHTTPClientTransport(new URL(url), { requestInit: withKey(key) });
    try {
      await client.connect(transport);
      const { tools } = await client.listTools();
      const { content } = await client.callTool({ name: tool, arguments: args });
      await transport.terminateSession();
      return { tools: namesOf(tools), said: textIn(content), revision: transport.protocolVersion };
    } finally {
      await client.close();
    }
  },
  "the client 2.x that finds the era": (call) => callWithSdk2(call, { mode: "auto" }),
  "the client 2.x of 2026-07-28": (call) => callWithSdk2(call, { mode: { pin: "2026-07-28" } }),
  "the client 2.x of 2025-11-25": (call) => callWithSdk2(call, { mode: "legacy" }),
  "the AI SDK": async ({ url, key, tool, args }) => {
    const client = await createMCPClient({ transport: { type: "http", url, ...withKey(key), fetch: fetchWhole } });
    try {
      const tools = await client.tools();
      const said = await tools[tool]?.execute(args, { toolCallId: "1", messages: [], context: {} });
      return { tools: Object.keys(tools), said: textIn(Object(said).content) };
    } finally {
      await client.close();
    }
  },
  "LangChain": async ({ url, key, tool, args }) => {
    // It leaves the body of a stream that it is refused, which it asks for where it is refused already.
    const connection = { transport: "http" as const, url, ...withKey(key), automaticSSEFallback: false };
    const client = new MultiServerMCPClient({ agent: connection });
    try {
      const tools = await client.getTools();
      return { tools: namesOf(tools), said: await tools.find(({ name }) => name === tool)?.invoke(args) };
    } finally {
      await client.close();
    }
  },
  "the inspector": async ({ url, key, tool, args }) => {
    const list = await inspect({ url, key, args: ["--method", "tools/list"] });
    const named = ["--tool-name", tool, "--tool-args-json", JSON.stringify(args)];
    const result = await inspect({ url, key, args: ["--method", "tools/call", ...named] });
    return { tools: namesOf(Object(list).tools), said: textIn(Object(result).content) };
  },
};

async function callWithSdk2(
  { url, key, tool, args }: RealCall,
  versionNegotiation: sdk2.VersionNegotiationOptions,
): Promise<RealAnswer> {
  const client = new sdk2.Client({ name: "caller", version: "1.0.0" }, { versionNegotiation });
  const transport = new sdk2.StreamableHTTPClientTransport(new URL(url), { requestInit: withKey(key) });
  try {
    await client.connect(transport);
    const { tools } = await client.listTools();
    const { content } = await client.callTool({ name: tool, arguments: args });
    await transport.terminateSession();
    return { tools: namesOf(tools), said: textIn(content), revision: client.getNegotiatedProtocolVersion() };
  } finally {
    await client.close();
  }
}

/** The AI SDK leaves the body of a stream that it is refused. */
async function fetchWhole(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (init?.method === "GET" && !response.ok) await response.body?.cancel();
  return response;
}

function withKey(key: string): { readonly headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${key}` } };
}

function namesOf(tools: readonly { readonly name: string }[]): readonly string[] {
  return tools.map(({ name }) => name);
}

function textIn(content: unknown): unknown {
  return Array.isArray(content) ? content[0]?.text : content;
}
