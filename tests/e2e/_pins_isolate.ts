/**
 * Isolates of a gateway whose servers' tools are pinned.
 *
 * @module
 */

import { assertFalse } from "@std/assert";
import { createGateway, digestKey } from "../../routes/mod.ts";
import { MCPClientManager } from "../../src/client_manager.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import type { RouteStore } from "../../src/route_store.ts";
import type { PinChoice } from "../../src/server_config.ts";
import { post } from "../gateway/gateway_support.ts";
import type { TestMCPServer } from "../support/mcp_server.ts";
import { type TestTool, textResult } from "../support/test_tools.ts";

export const CANARY = "canary-4711";
const OTHER: TestTool = { name: "other", description: "Does something else" };

/** The tools of a server: one that changes, and another. */
export function read(description: string, text = "read"): readonly TestTool[] {
  return [{ name: "read", description, run: () => textResult(text) }, OTHER];
}

/** An isolate: its manager, its gateway, and a way to ask it as an administrator or with another key. */
export async function openIsolate(
  server: TestMCPServer,
  pin: PinChoice,
  store: RouteStore | undefined,
  clock: { nowMs: number },
  extra: Record<string, { readonly url: string }> = {},
) {
  const now = () => clock.nowMs;
  const files = { url: server.url, pin, headers: { "x-token": "${TOKEN}" }, tools: { deny: ["hidden*"] } };
  const servers = { files, ...extra };
  const agents = { Kairos: { servers, secrets: { files: { TOKEN: CANARY } } } };
  const manager = new MCPClientManager({ agents }, {
    store,
    now,
    storeSecret: new TextEncoder().encode(CANARY.repeat(4)),
  });
  const keys = { Kairos: [await digestKey("kairos-key")], "*": [await digestKey("admin-key")] };
  const gateway = createGateway({ directory: manager, store, now }, { keys });
  const ask = async (path: string, init: RequestInit = {}, key = "admin-key") => {
    const headers = new Headers(init.headers);
    headers.set("host", "localhost");
    headers.set("authorization", `Bearer ${key}`);
    const response = await gateway.fetch(new Request(`http://localhost${path}`, { ...init, headers }));
    const text = await response.text();
    assertFalse(text.includes(CANARY), text);
    return { status: response.status, body: JSON.parse(text) };
  };
  return {
    manager,
    ask,
    pins: async (query = "") => (await ask(`/agents/Kairos/pins${query}`, {}, "kairos-key")).body.tools,
    decide: (decision: string, more: Record<string, unknown> = {}) => {
      const body = { server: "files", tool: "read", decision, ...more };
      return ask("/admin/agents/Kairos/pins", post(JSON.stringify(body)));
    },
    list: async () => {
      const { body } = await ask("/agents/Kairos/tools");
      return body.tools.map(({ name }: { readonly name: string }) => name).sort();
    },
    call: async (tool = "read") => {
      const { status, body } = await ask(`/agents/Kairos/tools/${tool}`, post("{}"));
      return status === 200 ? body.result.content[0].text : `${status} ${body.code}`;
    },
    status: async () => (await ask("/agents/Kairos/status")).body.servers.files,
    [Symbol.asyncDispose]: () => manager.close(),
  };
}

/** Runs something with a KV of its own. */
export async function withKv(run: (store: RouteStore, kv: Deno.Kv) => Promise<void>): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  try {
    await run(new KvRouteStore(kv), kv);
  } finally {
    kv.close();
  }
}
