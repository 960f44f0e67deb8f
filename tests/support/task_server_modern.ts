/**
 * A modern server whose one tool runs as a task that goes through states of the test's choice (SEP-2663), and which
 * refuses what the extension has servers refuse. The official SDK does not serve the extension.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../../src/protocol.ts";
import type { Behaviour } from "./behaviours.ts";
import { type RawServer, startRawServer } from "./fault_server.ts";
import { modernScript, refusal } from "./modern_script.ts";

/** The task that every call becomes. */
export const TASK_ID = "task-canary)kqzx'wvyj";
const EXTENSION = "io.modelcontextprotocol/tasks";

/** What a modern task server is to be like. */
export interface ModernTaskServerOptions {
  /** What `tasks/get` says one after the other, the last for ever; a number is a JSON-RPC error. */
  readonly states: readonly (JsonObject | number)[];
  /** What the call is answered with beside the id. @default {{ status: "working" }} */
  readonly seed?: JsonObject;
  /** Whether it declares the extension. @default {true} */
  readonly declared?: boolean;
  /** Behaviours by method, in place of its own. */
  readonly instead?: Readonly<Record<string, Behaviour>>;
}

/** Starts a server on a free port of loopback. */
export function startModernTaskServer(options: ModernTaskServerOptions): RawServer {
  const { states, seed = { status: "working" }, declared = true, instead = {} } = options;
  let at = 0;
  const ofTask = (behave: Behaviour): Behaviour => (context) => {
    const { params } = context.rpc;
    if (!declares(params)) return refusal(400, -32021)(context);
    const isRouted = context.request.headers.get("mcp-name") === params.taskId;
    if (!isRouted) return refusal(400, -32020)(context);
    return params.taskId === TASK_ID ? behave(context) : refusal(400, -32602)(context);
  };
  const capabilities = declared ? { tools: {}, extensions: { [EXTENSION]: {} } } : { tools: {} };
  return startRawServer(modernScript({
    "server/discover": complete({ supportedVersions: ["2026-07-28"], capabilities }),
    "tools/list": complete({ tools: [{ name: "slow", inputSchema: { type: "object" } }], ttlMs: 60_000 }),
    "tools/call": (context) =>
      declares(context.rpc.params)
        ? reply({ resultType: "task", taskId: TASK_ID, ...toTask(seed) })(context)
        : complete({ content: [{ type: "text", text: "at once" }] })(context),
    "tasks/get": ofTask((context) => {
      const state = states[Math.min(at++, states.length - 1)]!;
      if (typeof state === "number") return refusal(state === -32602 ? 400 : 500, state)(context);
      return complete({ taskId: TASK_ID, ...toTask(state) })(context);
    }),
    "tasks/update": ofTask(complete({})),
    "tasks/cancel": ofTask(complete({})),
    ...instead,
  }));
}

/** The parameters of the requests of a method. */
export function paramsOf({ requests }: Pick<RawServer, "requests">, rpcMethod: string): readonly JsonObject[] {
  return requests.filter((request) => request.rpcMethod === rpcMethod).map(({ body }) => {
    const params = isJsonObject(body) ? body.params : undefined;
    return isJsonObject(params) ? params : {};
  });
}

function declares({ _meta }: JsonObject): boolean {
  const capabilities = isJsonObject(_meta) ? _meta["io.modelcontextprotocol/clientCapabilities"] : undefined;
  const extensions = isJsonObject(capabilities) ? capabilities.extensions : undefined;
  return isJsonObject(extensions) && EXTENSION in extensions;
}

function toTask(state: JsonObject): JsonObject {
  const createdAt = "2026-11-25T10:30:00Z";
  return { createdAt, lastUpdatedAt: createdAt, ttlMs: 60_000, pollIntervalMs: 1, ...state };
}

function complete(result: JsonObject): Behaviour {
  return reply({ resultType: "complete", ...result });
}

function reply(result: JsonObject): Behaviour {
  return ({ rpc }) => Response.json({ jsonrpc: "2.0", id: rpc.id ?? null, result });
}
