/** Real servers, a configuration file of them, and a gateway before them, for the command line. */

import { MCPClientManager } from "@portolan/mcp";
import { parseConfig } from "@portolan/mcp/config";
import { createGateway, digestKey } from "@portolan/mcp/gateway";
import { z } from "zod";
import { refusedUrl } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { textResult } from "../support/test_tools.ts";

/** Never to be seen in any output. */
export const CANARIES = ["canary-caller-key-41", "canary-admin-key-42", "canary-server-token-43"] as const;
/** What a hostile server says: colours, a title, a turn of direction, a cleared screen. */
export const HOSTILE = "safe\x1b[31m\x1b]0;owned\x07\u202e\x9b2Jend";

const [CALLER_KEY, ADMIN_KEY, SERVER_TOKEN] = CANARIES;
const STEPS = 3;

/** All of it. */
export interface CliWorld extends AsyncDisposable {
  /** The configuration. */
  readonly yaml: string;
  /** The environment that it needs. */
  readonly env: Readonly<Record<string, string>>;
  /** The gateway's address. */
  readonly url: string;
  /** A key of agent `Kairos`. */
  readonly callerKey: string;
  /** A key of every agent. */
  readonly adminKey: string;
  /** Resolves when the next call of the tool `wait` has begun. */
  nextWait(): Promise<void>;
  /** Resolves when the next call of that tool is cancelled. */
  nextCancel(): Promise<void>;
}

/** Starts it: agent `Kairos` with two servers that work, agent `Mercurius` with one of them and one that is down. */
export async function openCliWorld(): Promise<CliWorld> {
  let begun = Promise.withResolvers<void>();
  let cancelled = Promise.withResolvers<void>();
  const work = await startMCPServer({
    name: "work",
    tools: [
      {
        name: "echo",
        description: "Answers the text",
        inputSchema: { text: z.string() },
        run: ({ text }) => textResult(String(text)),
      },
      { name: "fail", run: () => ({ ...textResult("The disk is full"), isError: true }) },
      { name: "hostile", description: HOSTILE, run: () => textResult(HOSTILE) },
      {
        name: "steps",
        async run(_args, { sendNotification, _meta }) {
          for (let progress = 1; progress <= STEPS; progress++) {
            const params = {
              progressToken: _meta?.progressToken ?? "none",
              progress,
              total: STEPS,
              message: "sailing",
            };
            await sendNotification({ method: "notifications/progress", params });
          }
          return textResult("arrived");
        },
      },
      {
        name: "wait",
        async run(_args, { signal, sendNotification, _meta }) {
          const params = { progressToken: _meta?.progressToken ?? "none", progress: 1, message: "hove to" };
          await sendNotification({ method: "notifications/progress", params });
          begun.resolve();
          return await new Promise((resolve) => {
            signal.addEventListener("abort", () => {
              cancelled.resolve();
              resolve(textResult("cancelled"));
            });
          });
        },
      },
    ],
  });
  const guarded = await startMCPServer({
    name: "guarded",
    requireHeader: { name: "authorization", value: `Bearer ${SERVER_TOKEN}` },
    tools: [{ name: "echo", run: () => textResult("from the guarded server") }],
  });
  const yaml = `
servers:
  work: { url: "${work.url}" }
  guarded: { url: "${guarded.url}", headers: { authorization: "Bearer \${env:GUARDED_TOKEN}" } }
  down: { url: "${refusedUrl()}" }
  locked: { url: "${guarded.url}" }
agents:
  Kairos: { servers: [work, guarded] }
  Mercurius: { servers: [work, down, locked] }
`;
  const env = { GUARDED_TOKEN: SERVER_TOKEN };
  const manager = new MCPClientManager(parseConfig(yaml, { env }));
  await manager.connectAll();
  const gateway = createGateway({ directory: manager, audit: {} }, {
    keys: { Kairos: [await digestKey(CALLER_KEY)], "*": [await digestKey(ADMIN_KEY)] },
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
  return {
    yaml,
    env,
    url: `http://127.0.0.1:${server.addr.port}`,
    callerKey: CALLER_KEY,
    adminKey: ADMIN_KEY,
    nextWait: () => (begun = Promise.withResolvers<void>()).promise,
    nextCancel: () => (cancelled = Promise.withResolvers<void>()).promise,
    async [Symbol.asyncDispose]() {
      await gateway.drain({ graceMs: 0 });
      await server.shutdown();
      await manager.close();
      await work.stop();
      await guarded.stop();
    },
  };
}
