/**
 * Real MCP servers with resources, templates, prompts and completion, of both eras, on loopback: the official SDKs 1.x
 * and 2.x on `Deno.serve`.
 *
 * @module
 */

import * as modern from "@modelcontextprotocol/server";
import { Recorder } from "./recorder.ts";
import { McpServer, WebStandardStreamableHTTPServerTransport } from "./sdk_server.ts";
// @ts-types="@modelcontextprotocol/sdk/types"
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from "@modelcontextprotocol/sdk/types.js";
// @ts-types="@modelcontextprotocol/sdk/server/mcp"
import { ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";

/** What a server offers. */
export interface ContextOffer {
  /** The URIs of its resources. */
  readonly resources?: readonly string[];
  /** The texts of its templates. */
  readonly templates?: readonly string[];
  /** The names of its prompts. */
  readonly prompts?: readonly string[];
}

/** A running server. Whatever is read, got or completed says the server's name. */
export interface ContextServer extends AsyncDisposable {
  /** The endpoint. */
  readonly url: string;
  /** How many requests had this JSON-RPC method. */
  count(rpcMethod: string): number;
  /** Replaces what it offers and tells who listens. */
  offer(offer: ContextOffer): void;
  /** Tells who watches a resource that it has changed. */
  update(uri: string): void;
  /** Closes every socket. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a server of an era. */
export function startContextServer(era: "legacy" | "modern", name: string, offer: ContextOffer): ContextServer {
  const recorder = new Recorder();
  const { serve, end, ...rest } = era === "legacy" ? serveLegacy(name, offer) : serveModern(name, offer);
  const stopping = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: stopping.signal },
    async (request) => {
      const { body } = await recorder.record(request);
      return await recorder.track(async () => await serve(request, body), () => {});
    },
  );
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      await end();
      stopping.abort();
      await server.finished;
    })();
  return {
    ...rest,
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    count: (rpcMethod) => recorder.count(rpcMethod),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface Served extends Pick<ContextServer, "offer" | "update"> {
  serve(request: Request, body: unknown): Promise<Response>;
  end(): Promise<void>;
}

function serveLegacy(name: string, first: ContextOffer): Served {
  let current = first;
  const sessions = new Map<
    string,
    { mcp: McpServer; http: WebStandardStreamableHTTPServerTransport; uris: Set<string> }
  >();
  const create = () => {
    const mcp = new McpServer({ name, version: "1.0.0" }, {
      capabilities: {
        tools: {},
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        completions: {},
      },
    });
    // Registering and removing one of each makes a server that lists them although it has none.
    mcp.registerTool("none", {}, () => ({ content: [] })).remove();
    mcp.registerResource("none", "none://", {}, () => ({ contents: [] })).remove();
    mcp.registerPrompt("none", {}, () => ({ messages: [] })).remove();
    const uris = new Set<string>();
    mcp.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => (uris.add(params.uri), {}));
    mcp.server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => (uris.delete(params.uri), {}));
    const registered = register(mcp);
    return { mcp, uris, registered };
  };
  const register = (mcp: McpServer) => {
    const read = (uri: URL) => ({ contents: [{ uri: uri.href, text: name }] });
    return [
      ...(current.resources ?? []).map((uri) => mcp.registerResource(uri, uri, {}, read)),
      ...(current.templates ?? []).map((text) => {
        const complete = { id: (value: string) => [`${value}${name}`] };
        return mcp.registerResource(text, new ResourceTemplate(text, { list: undefined, complete }), {}, read);
      }),
      ...(current.prompts ?? []).map((prompt) => {
        return mcp.registerPrompt(
          prompt,
          {},
          () => ({ messages: [{ role: "user", content: { type: "text", text: name } }] }),
        );
      }),
    ];
  };
  const live = new Map<McpServer, ReturnType<typeof register>>();
  return {
    offer(next) {
      current = next;
      for (const [mcp, registered] of live) {
        for (const one of registered) one.remove();
        live.set(mcp, register(mcp));
      }
    },
    update(uri) {
      for (const { mcp, uris } of sessions.values()) {
        if (uris.has(uri)) void mcp.server.sendResourceUpdated({ uri });
      }
    },
    async serve(request, parsedBody) {
      const known = sessions.get(request.headers.get("mcp-session-id") ?? "");
      if (known !== undefined) return await known.http.handleRequest(request, { parsedBody });
      const { mcp, uris, registered } = create();
      const http = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (id) => void sessions.set(id, { mcp, http, uris }),
        onsessionclosed: (id) => void sessions.delete(id),
        keepAliveMs: 0,
      });
      await mcp.connect(http);
      live.set(mcp, registered);
      return await http.handleRequest(request, { parsedBody });
    },
    async end() {
      await Promise.all([...live.keys()].map((mcp) => mcp.close()));
    },
  };
}

function serveModern(name: string, first: ContextOffer): Served {
  let current = first;
  const handler = modern.createMcpHandler(() => {
    const mcp = new modern.McpServer({ name, version: "1.0.0" }, {
      capabilities: {
        tools: {},
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        completions: {},
      },
    });
    mcp.registerTool("none", {}, () => ({ content: [] })).remove();
    mcp.registerResource("none", "none://", {}, () => ({ contents: [] })).remove();
    mcp.registerPrompt("none", {}, () => ({ messages: [] })).remove();
    const read = (uri: URL) => ({ contents: [{ uri: uri.href, text: name }] });
    for (const uri of current.resources ?? []) mcp.registerResource(uri, uri, {}, read);
    for (const text of current.templates ?? []) {
      const complete = { id: (value: string) => [`${value}${name}`] };
      mcp.registerResource(text, new modern.ResourceTemplate(text, { list: undefined, complete }), {}, read);
    }
    for (const prompt of current.prompts ?? []) {
      mcp.registerPrompt(prompt, {}, () => ({ messages: [{ role: "user", content: { type: "text", text: name } }] }));
    }
    return mcp;
  }, { legacy: "reject", keepAliveMs: 0 });
  return {
    offer(next) {
      current = next;
      handler.notify.resourcesChanged();
      handler.notify.promptsChanged();
    },
    update: (uri) => handler.notify.resourceUpdated(uri),
    serve: (request, parsedBody) => handler.fetch(request, { parsedBody }),
    end: () => handler.close(),
  };
}
