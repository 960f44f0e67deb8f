/**
 * A real MCP server for tests: the official SDK on `Deno.serve`, on loopback, which records what reaches it.
 *
 * @module
 */

import { delay } from "@std/async";
import { JoinedSignal } from "../../src/joined_signal.ts";
import { aborted, type Failure, Interventions } from "./interventions.ts";
import { OldSseTransport } from "./old_sse_transport.ts";
import { type RecordedRequest, Recorder } from "./recorder.ts";
import { JSONRPCMessageSchema, WebStandardStreamableHTTPServerTransport } from "./sdk_server.ts";
import { createToolServer, defaultTools, type TestTool, type ToolServer } from "./test_tools.ts";

/** What a test server is to be like. */
export interface TestMCPServerOptions {
  /** The name it gives itself, which its tool `whoami` answers. @default {"test"} */
  readonly name?: string;
  /** The port that it listens on, where it takes the place of another one. @default {0, any that is free} */
  readonly port?: number;
  /** Its tools. @default {echo, whoami, add} */
  readonly tools?: readonly TestTool[];
  /** Adds to each of its SDK servers, before it is connected. */
  readonly configure?: (mcp: ToolServer["mcp"]) => void;
  /** The transport it speaks. @default {"streamable_http"} */
  readonly transport?: "streamable_http" | "sse";
  /** Whether it has sessions; only with `streamable_http`. @default {true} */
  readonly stateful?: boolean;
  /** Whether it answers JSON instead of SSE; only with `streamable_http`. @default {false} */
  readonly json?: boolean;
  /** How long it waits before it serves a request, in milliseconds. @default {0} */
  readonly delayMs?: number;
  /** How many tools a page of the list has; 0: all of them. @default {0} */
  readonly pageSize?: number;
  /** A header that every request must carry with exactly this value; others are answered 401. */
  readonly requireHeader?: { readonly name: string; readonly value: string };
}

/** A running test server. */
export interface TestMCPServer extends AsyncDisposable {
  /** The endpoint, `/mcp` or `/sse`. */
  readonly url: string;
  /** Every request, in the order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How often each tool was executed. */
  readonly executions: ReadonlyMap<string, number>;
  /** The ids of the live sessions. */
  readonly sessions: readonly string[];
  /** How many requests had this JSON-RPC method. */
  count(rpcMethod: string): number;
  /** How many exchanges are open: not answered yet, or with an SSE answer that has not ended. */
  openStreams(): number;
  /** Forgets every session; requests with one are answered with this status from now on. @default {404} */
  dropSessions(options?: { readonly status?: 404 | 400 }): Promise<void>;
  /** The SDK servers of the live sessions. */
  readonly live: readonly ToolServer["mcp"][];
  /** Replaces the tools, also of live sessions, which are told so. */
  setTools(tools: readonly TestTool[]): void;
  /** The next requests of the method get this answer. */
  failNext(rpcMethod: string, failure: Failure): void;
  /** The next requests of the method are accepted and not answered until the client goes away. */
  hangNext(rpcMethod: string, times?: number): void;
  /** Closes every session and every socket. Idempotent. */
  stop(): Promise<void>;
}

interface Session {
  readonly tools: ToolServer;
  readonly transport: WebStandardStreamableHTTPServerTransport | OldSseTransport;
}

/** Starts a server on a free port of loopback. */
export function startMCPServer(options: TestMCPServerOptions = {}): Promise<TestMCPServer> {
  const { name = "test", transport = "streamable_http", stateful = true, json = false, delayMs = 0 } = options;
  const { pageSize = 0, requireHeader } = options;
  let tools = options.tools ?? defaultTools(name);
  let unknownSessionStatus: 404 | 400 = 404;
  const recorder = new Recorder();
  const interventions = new Interventions();
  const executions = new Map<string, number>();
  const sessions = new Map<string, Session>();
  const stopping = new AbortController();

  const createTools = () => {
    const onExecute = (tool: string) => void executions.set(tool, (executions.get(tool) ?? 0) + 1);
    const toolServer = createToolServer({ name, tools, pageSize, onExecute });
    options.configure?.(toolServer.mcp);
    return toolServer;
  };

  async function serve(request: Request): Promise<Response> {
    const recorded = await recorder.record(request);
    const oneShot: { end?: () => void } = {};
    return await recorder.track(async () => {
      if (requireHeader !== undefined && recorded.headers.get(requireHeader.name) !== requireHeader.value) {
        return new Response("Unauthorized", { status: 401, headers: { "www-authenticate": "Bearer" } });
      }
      // Deno warns of the signal's legacy behaviour once it is asked for, hence only where it is needed.
      const gone = () => new JoinedSignal(request.signal, stopping.signal).signal;
      if (delayMs > 0) await delay(delayMs, { signal: gone() });
      const instead = await interventions.apply(recorded.rpcMethod, gone);
      if (instead !== undefined) return instead;
      if (transport === "sse") return await serveOldSse(recorded);
      if (recorded.path !== "/mcp") return new Response("Not found", { status: 404 });
      const served = stateful ? serveSession(request, recorded) : serveOnce(request, recorded, oneShot);
      if (!json) return await served;
      // A JSON answer has no stream whose end would tell that the client left.
      return await Promise.race([served, aborted(gone()).then(() => new Response(null, { status: 503 }))]);
    }, () => oneShot.end?.());
  }

  async function serveSession(request: Request, { headers, rpcMethod, body }: RecordedRequest): Promise<Response> {
    const id = headers.get("mcp-session-id");
    const known = id === null ? undefined : sessions.get(id);
    if (known?.transport instanceof WebStandardStreamableHTTPServerTransport) {
      return await known.transport.handleRequest(request, { parsedBody: body });
    }
    if (id !== null || rpcMethod !== "initialize") return unknownSession(id === null ? 400 : unknownSessionStatus);
    const toolServer = createTools();
    const http = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, { tools: toolServer, transport: http }),
      onsessionclosed: (id) => void sessions.delete(id),
      enableJsonResponse: json,
      keepAliveMs: 0,
    });
    await toolServer.mcp.connect(http);
    return await http.handleRequest(request, { parsedBody: body });
  }

  async function serveOnce(
    request: Request,
    { body }: RecordedRequest,
    oneShot: { end?: () => void },
  ): Promise<Response> {
    if (request.method !== "POST") {
      return new Response("Method not allowed", { status: 405, headers: { allow: "POST" } });
    }
    const { mcp } = createTools();
    const http = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: json, keepAliveMs: 0 });
    oneShot.end = () => void mcp.close();
    await mcp.connect(http);
    return await http.handleRequest(request, { parsedBody: body });
  }

  async function serveOldSse({ method, path, query, body }: RecordedRequest): Promise<Response> {
    if (path === "/sse") {
      if (method !== "GET") return new Response("Method not allowed", { status: 405, headers: { allow: "GET" } });
      const toolServer = createTools();
      const sse = new OldSseTransport("/messages");
      sessions.set(sse.sessionId, { tools: toolServer, transport: sse });
      await toolServer.mcp.connect(sse);
      toolServer.mcp.server.onclose = () => void sessions.delete(sse.sessionId);
      return sse.response();
    }
    if (path !== "/messages" || method !== "POST") return new Response("Not found", { status: 404 });
    const session = sessions.get(new URLSearchParams(query).get("sessionId") ?? "");
    if (!(session?.transport instanceof OldSseTransport)) return unknownSession(unknownSessionStatus);
    const message = JSONRPCMessageSchema.safeParse(body);
    if (!message.success) return new Response("Invalid message", { status: 400 });
    session.transport.receive(message.data);
    return new Response("Accepted", { status: 202 });
  }

  async function closeSessions(): Promise<void> {
    const live = [...sessions.values()];
    sessions.clear();
    await Promise.all(live.map(({ tools }) => tools.mcp.close()));
  }

  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    onListen() {},
    onError: () => new Response(null, { status: 500 }),
    signal: stopping.signal,
  }, serve);
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      await closeSessions();
      stopping.abort();
      await server.finished;
    })();

  return Promise.resolve({
    url: `http://127.0.0.1:${server.addr.port}/${transport === "sse" ? "sse" : "mcp"}`,
    requests: recorder.requests,
    executions,
    get sessions() {
      return [...sessions.keys()];
    },
    get live() {
      return [...sessions.values()].map((session) => session.tools.mcp);
    },
    count: (rpcMethod) => recorder.count(rpcMethod),
    openStreams: () => recorder.openStreams(),
    async dropSessions({ status = 404 } = {}) {
      unknownSessionStatus = status;
      await closeSessions();
    },
    setTools(next) {
      tools = next;
      for (const session of sessions.values()) session.tools.setTools(next);
    },
    failNext: (rpcMethod, failure) => interventions.failNext(rpcMethod, failure),
    hangNext: (rpcMethod, times) => interventions.hangNext(rpcMethod, times),
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

function unknownSession(status: 404 | 400): Response {
  const error = status === 404
    ? { code: -32001, message: "Session not found" }
    : { code: -32000, message: "Bad Request: No valid session ID provided" };
  return Response.json({ jsonrpc: "2.0", error, id: null }, { status });
}
