/**
 * Tools as tests give them, made into an SDK server.
 *
 * @module
 */

import { z } from "zod";
import {
  type CallToolResult,
  ListToolsRequestSchema,
  McpServer,
  type ToolAnnotations,
  type ToolExtra,
} from "./sdk_server.ts";

/** A tool of a test server. */
export interface TestTool {
  /** Its name. */
  readonly name: string;
  /** What it does. */
  readonly description?: string;
  /** The shape of its arguments; without one, any object. */
  readonly inputSchema?: z.ZodRawShape;
  /** Hints about its behaviour. */
  readonly annotations?: ToolAnnotations;
  /** What it answers; without one, the text `ok`. */
  readonly run?: (args: Record<string, unknown>, extra: ToolExtra) => CallToolResult | Promise<CallToolResult>;
}

/** An SDK server whose tools can be replaced. */
export interface ToolServer {
  /** The SDK server. */
  readonly mcp: McpServer;
  /** Replaces all tools and sends one `list_changed`. */
  setTools(tools: readonly TestTool[]): void;
}

/** What a tool server is made of. */
export interface ToolServerOptions {
  /** The name it gives itself. */
  readonly name: string;
  /** Its tools. */
  readonly tools: readonly TestTool[];
  /** How many tools a page of the list has; 0: all of them. */
  readonly pageSize: number;
  /** Told of every execution, before it runs. */
  readonly onExecute: (tool: string) => void;
}

/** A result with one text. */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: "text", text }] };
}

/** The tools of a test server that was given none: `echo`, `whoami`, `add`. */
export function defaultTools(server: string): readonly TestTool[] {
  return [
    {
      name: "echo",
      description: "Answers the text it is given",
      inputSchema: { text: z.string() },
      annotations: { readOnlyHint: true },
      run: ({ text }) => textResult(String(text)),
    },
    { name: "whoami", description: "Answers the server's name", run: () => textResult(server) },
    {
      name: "add",
      description: "Adds two numbers",
      inputSchema: { a: z.number(), b: z.number() },
      run: ({ a, b }) => textResult(String(Number(a) + Number(b))),
    },
  ];
}

/** Makes an SDK server of tools; it is not connected yet. */
export function createToolServer(options: ToolServerOptions): ToolServer {
  const { name, pageSize, onExecute } = options;
  const mcp = new McpServer({ name, version: "1.0.0" }, {
    debouncedNotificationMethods: ["notifications/tools/list_changed"],
  });
  // Registering and removing one tool makes a server that answers `tools/list` although it has none.
  mcp.registerTool("none", {}, () => textResult("none")).remove();
  let current = options.tools;
  let registered = current.map((tool) => register(mcp, tool, onExecute));
  if (pageSize > 0) {
    mcp.server.setRequestHandler(ListToolsRequestSchema, ({ params }) => page(current, pageSize, params?.cursor));
  }
  return {
    mcp,
    setTools(tools) {
      for (const tool of registered) tool.remove();
      current = tools;
      registered = tools.map((tool) => register(mcp, tool, onExecute));
    },
  };
}

function register(mcp: McpServer, tool: TestTool, onExecute: (tool: string) => void): { remove(): void } {
  const { name, description, annotations, run = () => textResult("ok") } = tool;
  const config = {
    inputSchema: schemaOf(tool),
    ...(description === undefined ? {} : { description }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return mcp.registerTool(name, config, (args, extra) => {
    onExecute(name);
    return run(args, extra);
  });
}

function schemaOf({ inputSchema }: TestTool): z.ZodObject {
  return inputSchema === undefined ? z.looseObject({}) : z.object(inputSchema);
}

function page(tools: readonly TestTool[], pageSize: number, cursor: string | undefined) {
  const start = cursor === undefined ? 0 : Number(cursor);
  const end = start + pageSize;
  const listed = tools.slice(start, end).map((tool) => ({
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    ...(tool.annotations === undefined ? {} : { annotations: tool.annotations }),
    inputSchema: { ...z.toJSONSchema(schemaOf(tool)), type: "object" as const },
  }));
  return { tools: listed, ...(end < tools.length ? { nextCursor: String(end) } : {}) };
}
