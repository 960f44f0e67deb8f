/**
 * A server of the legacy era whose tools ask the caller, report and log, with the official SDK 1.x on loopback.
 *
 * @module
 */

import { z } from "zod";
import { startMCPServer, type TestMCPServer } from "./mcp_server.ts";
import type { ToolExtra } from "./sdk_server.ts";
import { textResult } from "./test_tools.ts";

const FORM = {
  type: "object",
  properties: { port: { type: "string" } },
  required: ["port"],
};

/** Starts a server with the tools `ask`, `ask_twice`, `ask_both`, `sample`, `roots`, `steps` and `log`. */
export function startAskingServer(): Promise<TestMCPServer> {
  return startMCPServer({
    name: "asking",
    configure: ({ server }) => server.registerCapabilities({ logging: {} }),
    tools: [
      { name: "ask", run: async (_, extra) => textResult(`Sail to ${await elicit(extra, "Which port?")}`) },
      {
        name: "ask_twice",
        run: async (_, extra) => {
          const from = await elicit(extra, "From which port?");
          return textResult(`From ${from} to ${await elicit(extra, "To which port?")}`);
        },
      },
      {
        name: "ask_both",
        run: async (_, extra) => {
          const ports = await Promise.all([elicit(extra, "From?"), elicit(extra, "To?")]);
          return textResult(ports.sort().join(" and "));
        },
      },
      {
        name: "sample",
        run: async (_, { sendRequest }) => {
          const content = { type: "text", text: "Which port?" };
          const params = { messages: [{ role: "user", content }], maxTokens: 9 };
          const answer = await sendRequest({ method: "sampling/createMessage", params } as never, z.looseObject({}));
          return textResult(JSON.stringify(answer.content));
        },
      },
      {
        name: "roots",
        run: async (_, { sendRequest }) => {
          const { roots } = await sendRequest({ method: "roots/list" } as never, z.object({ roots: z.array(z.any()) }));
          return textResult(roots.map(({ uri }) => uri).join(" "));
        },
      },
      {
        name: "steps",
        run: async (_, { _meta, sendNotification }) => {
          for (const progress of [1, 2, 3]) {
            const params = { progressToken: _meta?.progressToken ?? "none", progress, total: 3 };
            await sendNotification({ method: "notifications/progress", params });
          }
          return textResult("done");
        },
      },
      {
        name: "log",
        run: async (_, { sendNotification }) => {
          for (const level of ["debug", "info", "error"] as const) {
            await sendNotification({ method: "notifications/message", params: { level, data: level } });
          }
          return textResult("logged");
        },
      },
    ],
  });
}

async function elicit({ sendRequest }: ToolExtra, message: string): Promise<string> {
  const params = { message, requestedSchema: FORM };
  const answer = await sendRequest({ method: "elicitation/create", params } as never, z.looseObject({}));
  const { port } = Object(answer.content);
  return answer.action === "accept" ? String(port) : String(answer.action);
}
