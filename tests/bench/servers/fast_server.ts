/**
 * A process of fast servers without an SDK: the client's time is measured, not theirs. Its argument is a JSON object of
 * `FastServerOptions`. It prints its URLs as one JSON line and ends when its standard input does.
 *
 * @module
 */

import { type FastServerOptions, type RpcRequest, toLegacyResult, toModernResult, toTools } from "./answers.ts";

const options: FastServerOptions = JSON.parse(Deno.args[0] ?? "{}");
const { servers: count = 1, answer = "json", era = "legacy", tools: toolCount = 1 } = options;
const encoder = new TextEncoder();
let posts = 0;
/** The client's ports: as many as it has opened connections. */
const clientPorts = new Set<number>();

/** A stream as servers of the TypeScript SDK send it: the head first, then one event and the end. */
function toSse(message: unknown, headers: Record<string, string>): Response {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      await Promise.resolve();
      controller.enqueue(encoder.encode(`event: message\ndata: ${JSON.stringify(message)}\n\n`));
      // The end comes in a packet of its own, as it does from most servers behind a network.
      if (answer === "late_sse") await new Promise((resolve) => setTimeout(resolve));
      controller.close();
    },
  });
  return new Response(body, { headers: { ...headers, "content-type": "text/event-stream" } });
}

/** One server; its handler knows its sessions. */
function createHandler(index: number): Deno.ServeHandler<Deno.NetAddr> {
  const tools = toTools(index, toolCount);
  const sessions = new Set<string>();
  return async (request, info) => {
    clientPorts.add(info.remoteAddr.port);
    if (request.url.endsWith("/counts")) return Response.json({ posts, connections: clientPorts.size });
    if (request.method === "GET") return new Response(null, { status: 405 });
    if (request.method === "DELETE") {
      return new Response(null, { status: sessions.delete(request.headers.get("mcp-session-id") ?? "") ? 200 : 404 });
    }
    posts++;
    const rpc: RpcRequest = await request.json();
    if (era === "modern") return answerModern(rpc, tools);
    const session = rpc.method === "initialize" ? crypto.randomUUID() : request.headers.get("mcp-session-id") ?? "";
    if (rpc.method === "initialize") sessions.add(session);
    else if (!sessions.has(session)) return new Response(null, { status: session === "" ? 400 : 404 });
    if (rpc.id === undefined) return new Response(null, { status: 202 });
    const message = { jsonrpc: "2.0", id: rpc.id, result: toLegacyResult(rpc, tools) };
    const headers: Record<string, string> = rpc.method === "initialize" ? { "mcp-session-id": session } : {};
    return answer === "json" ? Response.json(message, { headers }) : toSse(message, headers);
  };
}

function answerModern(rpc: RpcRequest, tools: readonly unknown[]): Response {
  const { id = null } = rpc;
  const result = toModernResult(rpc, tools);
  if (result !== undefined) return Response.json({ jsonrpc: "2.0", id, result });
  if (rpc.method === "initialize") {
    const data = { supported: ["2026-07-28"] };
    const error = { code: -32022, message: "Unsupported protocol version", data };
    return Response.json({ jsonrpc: "2.0", id, error }, { status: 400 });
  }
  return Response.json({ jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } }, { status: 404 });
}

const serving = Array.from({ length: count }, (_, index) => {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, createHandler(index));
});
console.log(JSON.stringify(serving.map(({ addr }) => `http://127.0.0.1:${addr.port}/mcp`)));
for await (const _ of Deno.stdin.readable) { /* Waits for the end. */ }
Deno.exit();
