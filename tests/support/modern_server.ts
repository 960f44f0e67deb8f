/**
 * A real MCP server of the modern era for tests: the official SDK 2.x on `Deno.serve`, on loopback, which records what
 * reaches it.
 *
 * @module
 */

import { createMcpHandler, McpServer, type ServerNotifier } from "@modelcontextprotocol/server";
import { z } from "zod";
import { JoinedSignal } from "../../src/joined_signal.ts";
import { aborted, type Failure, Interventions } from "./interventions.ts";
import { type RecordedRequest, Recorder } from "./recorder.ts";

/** A tool of a modern test server. */
export interface ModernTool {
  /** Its name. */
  readonly name: string;
  /** What it does. */
  readonly description?: string;
  /** The shape of its arguments; without one, any object. */
  readonly inputSchema?: z.ZodRawShape;
  /** Hints about its behaviour. */
  readonly annotations?: { readonly readOnlyHint?: boolean; readonly idempotentHint?: boolean };
  /** What it answers; without one, the text `ok`. */
  readonly run?: (args: Record<string, unknown>) => string | Promise<string>;
}

/** What a modern test server is to be like. */
export interface ModernServerOptions {
  /** The name it gives itself. @default {"modern"} */
  readonly name?: string;
  /** Its tools. @default {echo, whoami} */
  readonly tools?: readonly ModernTool[];
  /** Whether it serves legacy clients too. @default {false} */
  readonly dualEra?: boolean;
  /** Whether it answers with a stream. @default {false} */
  readonly sse?: boolean;
  /** How long its lists are fresh, in milliseconds. @default {60_000} */
  readonly ttlMs?: number;
  /** Adds to each of its SDK servers, before it serves; they tell of changed resources then. */
  readonly configure?: (mcp: McpServer) => void;
}

/** A running modern server. */
export interface ModernServer extends AsyncDisposable {
  /** The endpoint. */
  readonly url: string;
  /** Every request, in the order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How often each tool was executed. */
  readonly executions: ReadonlyMap<string, number>;
  /** How many requests had this JSON-RPC method. */
  count(rpcMethod: string): number;
  /** How many exchanges are open. */
  openStreams(): number;
  /** Tells who listens. */
  readonly notify: ServerNotifier;
  /** Replaces the tools and tells who listens. */
  setTools(tools: readonly ModernTool[]): void;
  /** The next requests of the method get this answer. */
  failNext(rpcMethod: string, failure: Failure): void;
  /** The next requests of the method are not answered until the client goes away. */
  hangNext(rpcMethod: string, times?: number): void;
  /** Closes every socket. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a server on a free port of loopback. */
export function startModernServer(options: ModernServerOptions = {}): ModernServer {
  const { name = "modern", dualEra = false, sse = false, ttlMs = 60_000, configure } = options;
  let tools = options.tools ?? defaultTools(name);
  const recorder = new Recorder();
  const interventions = new Interventions();
  const executions = new Map<string, number>();
  const stopping = new AbortController();
  const handler = createMcpHandler(() => {
    const mcp = new McpServer({ name, version: "1.0.0" }, {
      capabilities: {
        tools: { listChanged: true },
        ...(configure === undefined ? {} : { resources: { subscribe: true } }),
      },
      cacheHints: { "tools/list": { ttlMs, cacheScope: "private" } },
    });
    for (const tool of tools) {
      mcp.registerTool(
        tool.name,
        {
          inputSchema: tool.inputSchema === undefined ? z.looseObject({}) : z.object(tool.inputSchema),
          ...(tool.description === undefined ? {} : { description: tool.description }),
          ...(tool.annotations === undefined ? {} : { annotations: { ...tool.annotations } }),
        },
        async (args: Record<string, unknown>) => {
          executions.set(tool.name, (executions.get(tool.name) ?? 0) + 1);
          return { content: [{ type: "text" as const, text: await tool.run?.(args) ?? "ok" }] };
        },
      );
    }
    configure?.(mcp);
    return mcp;
  }, { legacy: dualEra ? "stateless" : "reject", responseMode: sse ? "sse" : "auto", keepAliveMs: 0 });

  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const recorded = await recorder.record(request);
    return await recorder.track(async () => {
      const gone = () => new JoinedSignal(request.signal, stopping.signal).signal;
      const instead = await interventions.apply(recorded.rpcMethod, gone);
      if (instead !== undefined) return instead;
      if (recorded.path !== "/mcp") return new Response("Not found", { status: 404 });
      const served = handler.fetch(request, { parsedBody: recorded.body });
      return await Promise.race([served, aborted(gone()).then(() => new Response(null, { status: 503 }))]);
    }, () => {});
  });

  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      stopping.abort();
      await handler.close();
      await server.shutdown();
    })();
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    requests: recorder.requests,
    executions,
    count: (rpcMethod) => recorder.count(rpcMethod),
    openStreams: () => recorder.openStreams(),
    notify: handler.notify,
    setTools(next) {
      tools = next;
      handler.notify.toolsChanged();
    },
    failNext: (rpcMethod, failure) => interventions.failNext(rpcMethod, failure),
    hangNext: (rpcMethod, times) => interventions.hangNext(rpcMethod, times),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function defaultTools(server: string): readonly ModernTool[] {
  const echo = { inputSchema: { text: z.string() }, run: ({ text }: Record<string, unknown>) => String(text) };
  return [{ name: "echo", ...echo }, { name: "whoami", run: () => server }];
}
