/**
 * An agent: a model calls tools of several MCP servers until it has its answer.
 *
 *   CARGO_URL=http://localhost:3001/mcp CRANE_URL=http://localhost:3002/mcp deno run --allow-net --allow-env agent_loop.ts
 *
 * The model is a script here, so that the program says the same each time. With the package `openai` it is
 * `(await openai.chat.completions.create({ model, messages, tools })).choices[0].message`.
 */

import { isMCPError, MultiServerMCPClient } from "@portolan/mcp";
import { toOpenAIContent, toOpenAITools } from "@portolan/mcp/models";
import type { Chat } from "openai/resources";

type Message = Chat.ChatCompletionMessageParam;
type Call = Chat.ChatCompletionMessageFunctionToolCall;

await using client = new MultiServerMCPClient("Stevedore", {
  servers: {
    cargo: { url: Deno.env.get("CARGO_URL") ?? "http://localhost:3001/mcp" },
    crane: { url: Deno.env.get("CRANE_URL") ?? "http://localhost:3002/mcp" },
  },
});
const { tools, callOf } = toOpenAITools(await client.listTools(), { api: "chat" });
console.log("tools:", tools.map((tool) => tool.function.name).join(", "));

const messages: Message[] = [{ role: "user", content: "What does the cargo of the Argo weigh?" }];
for (let turn = 0; turn < 8; turn++) {
  const message = askModel(messages);
  messages.push(message);
  const calls = (message.tool_calls ?? []).filter((call) => call.type === "function");
  if (calls.length === 0) {
    console.log("answer:", message.content);
    break;
  }
  // Calls of one turn know nothing of each other: they run at once.
  messages.push(...await Promise.all(calls.map(answer)));
}

/** What the model is told of a call; a failure is told too, so that it can do better. */
async function answer({ id, function: { name, arguments: args } }: Call): Promise<Message> {
  console.log("call:", name, args);
  const content = await run(name, args);
  console.log("  →", content.replaceAll("\n", " "));
  return { role: "tool", tool_call_id: id, content };
}

async function run(name: string, args: string): Promise<string> {
  try {
    const call = callOf(name, args);
    if (call === undefined) return `There is no tool ${name}`;
    return toOpenAIContent(await client.callTool(call.name, call.args, { timeoutMs: 20_000 }), { api: "chat" });
  } catch (error) {
    if (isMCPError(error)) return error.message;
    throw error;
  }
}

/** The script: it counts, weighs with a text for a number, reads what was wrong with that, and weighs again. */
function askModel(told: readonly Message[]): Chat.ChatCompletionAssistantMessageParam {
  const last = told.at(-1)?.content;
  const call = (name: string, args: Record<string, unknown>) => ({
    role: "assistant" as const,
    tool_calls: [{
      id: `call_${told.length}`,
      type: "function" as const,
      function: { name, arguments: JSON.stringify(args) },
    }],
  });
  if (told.length === 1) return call("count_crates", { ship: "Argo" });
  if (last === "12") return call("weigh", { crates: "12" });
  if (String(last).startsWith("Cannot call tool")) return call("weigh", { crates: 12 });
  return { role: "assistant", content: `It weighs ${String(last)}.` };
}
