/** The fixture's tools and prompt that ask in rounds, as the scenarios of 2026-07-28 about them want. */

import {
  acceptedContent,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import type { RoundState } from "./fixture_server.ts";

type Mint = (state: RoundState, ctx: ServerContext) => Promise<string>;

const FORM = {
  name: { type: "object" as const, properties: { name: { type: "string" as const } }, required: ["name"] },
  color: { type: "object" as const, properties: { color: { type: "string" as const } }, required: ["color"] },
  ok: { type: "object" as const, properties: { ok: { type: "boolean" as const } }, required: ["ok"] },
  context: { type: "object" as const, properties: { context: { type: "string" as const } }, required: ["context"] },
};

const ASK = {
  name: inputRequired.elicit({ message: "What is your name?", requestedSchema: FORM.name }),
  color: inputRequired.elicit({ message: "What is your favorite color?", requestedSchema: FORM.color }),
  confirm: inputRequired.elicit({ message: "Please confirm", requestedSchema: FORM.ok }),
  context: inputRequired.elicit({ message: "What context should the prompt use?", requestedSchema: FORM.context }),
  capital: askModel("What is the capital of France?"),
  greeting: askModel("Generate a greeting"),
  roots: inputRequired.listRoots(),
};

/** Adds them. */
export function addRounds(mcp: McpServer, mint: Mint): void {
  const add = (
    name: string,
    run: (ctx: ServerContext) => ReturnType<typeof says | typeof inputRequired> | ReturnType<typeof inStates>,
  ) => {
    const about = { description: `Asks as ${name} has to`, inputSchema: z.object({}) };
    mcp.registerTool(`test_input_required_result_${name}`, about, (_, ctx) => run(ctx));
  };
  add("elicitation", ({ mcpReq }) => {
    const name = acceptedContent(mcpReq.inputResponses, "user_name", z.object({ name: z.string() }))?.name;
    return name === undefined ? inputRequired({ inputRequests: { user_name: ASK.name } }) : says(`Hello, ${name}!`);
  });
  add("sampling", ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, "capital_question");
    if (answer.kind !== "sampling") return inputRequired({ inputRequests: { capital_question: ASK.capital } });
    return says(JSON.stringify(answer.result.content));
  });
  add("list_roots", ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, "client_roots");
    if (answer.kind !== "roots") return inputRequired({ inputRequests: { client_roots: ASK.roots } });
    return says(answer.roots.map(({ uri }) => uri).join(" "));
  });
  add("multiple_inputs", async (ctx) => {
    const answers = ["user_name", "greeting", "client_roots"].map((key) =>
      inputResponse(ctx.mcpReq.inputResponses, key)
    );
    if (!answers.some(({ kind }) => kind === "missing")) return says(answers.map(({ kind }) => kind).join(" "));
    const inputRequests = { user_name: ASK.name, greeting: ASK.greeting, client_roots: ASK.roots };
    return inputRequired({ inputRequests, requestState: await mint({}, ctx) });
  });
  add("capabilities", ({ mcpReq }) => {
    if (mcpReq.inputResponses !== undefined) return says(Object.keys(mcpReq.inputResponses).join(" "));
    const can = mcp.server.getClientCapabilities() ?? {};
    const inputRequests = {
      ...(can.elicitation && { user_name: ASK.name }),
      ...(can.sampling && { greeting: ASK.greeting }),
      ...(can.roots && { client_roots: ASK.roots }),
    };
    return Object.keys(inputRequests).length === 0 ? says("Nothing to ask") : inputRequired({ inputRequests });
  });
  for (const name of ["request_state", "tampered_state"]) add(name, (ctx) => confirms(mint, ctx));
  add("multi_round", (ctx) => inStates(mint, ctx));
  const about = { description: "Asks for its context" };
  mcp.registerPrompt("test_input_required_result_prompt", about, (ctx: ServerContext) => {
    const answer = acceptedContent(ctx.mcpReq.inputResponses, "user_context", z.object({ context: z.string() }));
    if (answer === undefined) return inputRequired({ inputRequests: { user_context: ASK.context } });
    return { messages: [{ role: "user", content: { type: "text", text: `Use ${answer.context}` } }] };
  });
}

/** Wants the state back with the answer; a state that is not its own never gets here. */
async function confirms(mint: Mint, ctx: ServerContext) {
  const isConfirmed = acceptedContent(ctx.mcpReq.inputResponses, "confirm") !== undefined;
  if (isConfirmed && ctx.mcpReq.requestState() !== undefined) return says("state-ok");
  return inputRequired({ inputRequests: { confirm: ASK.confirm }, requestState: await mint({}, ctx) });
}

/** Two rounds, of which each has the state of the one before. */
async function inStates(mint: Mint, ctx: ServerContext) {
  const { round = 0, name } = ctx.mcpReq.requestState<RoundState>() ?? {};
  if (round === 0) {
    return inputRequired({ inputRequests: { step1: ASK.name }, requestState: await mint({ round: 1 }, ctx) });
  }
  if (round === 1) {
    const given = acceptedContent(ctx.mcpReq.inputResponses, "step1")?.name;
    const requestState = await mint({ round: 2, name: given }, ctx);
    return inputRequired({ inputRequests: { step2: ASK.color }, requestState });
  }
  return says(`${name} likes ${acceptedContent(ctx.mcpReq.inputResponses, "step2")?.color}`);
}

function askModel(text: string) {
  return inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text } }], maxTokens: 100 });
}

function says(text: string) {
  return { content: [{ type: "text" as const, text }] };
}
