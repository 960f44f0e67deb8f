/**
 * What the fast servers answer, of either era.
 *
 * @module
 */

/** What a fast server is to be like. */
export interface FastServerOptions {
  /** How many servers the process runs, each on a port of its own. */
  readonly servers: number;
  /** How it answers requests; with `late_sse` the end of a stream comes later than its event. @default {"json"} */
  readonly answer?: "json" | "sse" | "late_sse" | undefined;
  /** The era it speaks; a legacy server has sessions, a modern one refuses to shake hands. @default {"legacy"} */
  readonly era?: "legacy" | "modern" | undefined;
  /** How many tools each server lists. @default {1} */
  readonly tools?: number | undefined;
  /** A behaviour for the calls of every server; without one they are answered. */
  readonly hostile?: HostileKind | undefined;
}

/** How a hostile server answers calls. */
export type HostileKind = "hangs" | "answers 500" | "drops connections" | "endless SSE" | "oversize JSON" | "slow drip";

/** A JSON-RPC request as far as a server looks at it. */
export interface RpcRequest {
  /** The method. */
  readonly method: string;
  /** The id; `undefined` for a notification. */
  readonly id?: string | number;
  /** The parameters. */
  readonly params?: Readonly<Record<string, unknown>>;
}

/** The name of a tool: unique among all servers of a process. */
export function toolName(server: number, tool: number): string {
  return `tool_${server}_${tool}`;
}

/** The list of one server. */
export function toTools(server: number, count: number): readonly Record<string, unknown>[] {
  return Array.from({ length: count }, (_, tool) => ({
    name: toolName(server, tool),
    description: "Answers with the text that it is given, as quickly as it can",
    inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  }));
}

/** The result of a legacy request. */
export function toLegacyResult({ method, params }: RpcRequest, tools: readonly unknown[]): Record<string, unknown> {
  if (method === "initialize") {
    return {
      protocolVersion: params?.protocolVersion ?? "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "fast", version: "1.0.0" },
    };
  }
  if (method === "tools/list") return { tools };
  return method === "tools/call" ? { content: [{ type: "text", text: toText(params) }] } : {};
}

/** The result of a modern request; `undefined` for a method that the server does not know. */
export function toModernResult(
  { method, params }: RpcRequest,
  tools: readonly unknown[],
): Record<string, unknown> | undefined {
  const resultType = "complete";
  const cache = { ttlMs: 300_000, cacheScope: "private" };
  if (method === "server/discover") {
    const serverInfo = { name: "fast", version: "1.0.0" };
    const _meta = { "io.modelcontextprotocol/serverInfo": serverInfo };
    return { resultType, supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, serverInfo, ...cache, _meta };
  }
  if (method === "tools/list") return { resultType, tools, ...cache };
  if (method === "tools/call") return { resultType, content: [{ type: "text", text: toText(params) }] };
  return undefined;
}

function toText(params: Readonly<Record<string, unknown>> | undefined): unknown {
  const args = params?.arguments;
  return typeof args === "object" && args !== null && "text" in args ? args.text : "";
}
