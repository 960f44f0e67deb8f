/**
 * A server of the modern era that uses everything of the official SDK 2.x, on loopback: progress, log messages, questions
 * in rounds, resources, prompts, completion, notices.
 *
 * @module
 */

import {
  completable,
  createMcpHandler,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceTemplate,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import { aborted } from "./interventions.ts";
import { type RecordedRequest, Recorder } from "./recorder.ts";

/** A running server. */
export interface ModernFeaturesServer extends AsyncDisposable {
  /** The endpoint. */
  readonly url: string;
  /** Every request, in the order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How many requests had this JSON-RPC method. */
  count(rpcMethod: string): number;
  /** How many exchanges are open. */
  openStreams(): number;
  /** How many calls of the tool `hang` have been cancelled. */
  cancelled(): number;
  /** Adds a tool, a resource and a prompt called `late`, and tells who listens. */
  grow(): void;
  /** Tells who watches a resource that it has changed. */
  update(uri: string): void;
  /** Closes every socket. Idempotent. */
  stop(): Promise<void>;
}

const PORTS = ["Genoa", "Gaeta", "Venice"];
const portsFrom = (text: string) => PORTS.filter((port) => port.startsWith(text));

/** Starts a server on a free port of loopback. */
export function startModernFeaturesServer(): ModernFeaturesServer {
  const recorder = new Recorder();
  const codec = createRequestStateCodec<string[]>({ key: crypto.getRandomValues(new Uint8Array(32)) });
  const stopping = new AbortController();
  const counts = { cancelled: 0 };
  let hasGrown = false;
  const handler = createMcpHandler(() => {
    const mcp = new McpServer({ name: "features", version: "1.0.0", title: "Features" }, {
      instructions: "Ask for a port",
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        completions: {},
        logging: {},
      },
      requestState: { verify: codec.verify },
    });
    addTools(mcp, () => counts.cancelled++);
    addQuestions(mcp, codec);
    addContext(mcp);
    if (hasGrown) {
      mcp.registerTool("late", { inputSchema: z.looseObject({}) }, () => says("late"));
      mcp.registerResource("late", "chart://late", {}, ({ href: uri }) => ({ contents: [{ uri, text: "late" }] }));
      mcp.registerPrompt("late", {}, () => ({ messages: [message("late")] }));
    }
    return mcp;
  }, { legacy: "reject", keepAliveMs: 0 });
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: stopping.signal };
  const server = Deno.serve(options, async (request) => {
    const { body } = await recorder.record(request);
    return await recorder.track(async () => {
      const served = handler.fetch(request, { parsedBody: body });
      return await Promise.race([served, aborted(stopping.signal).then(() => new Response(null, { status: 503 }))]);
    });
  });
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      await handler.close();
      stopping.abort();
      await server.finished;
    })();
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    requests: recorder.requests,
    count: (rpcMethod) => recorder.count(rpcMethod),
    openStreams: () => recorder.openStreams(),
    cancelled: () => counts.cancelled,
    grow() {
      hasGrown = true;
      handler.notify.toolsChanged();
      handler.notify.resourcesChanged();
      handler.notify.promptsChanged();
    },
    update: (uri) => handler.notify.resourceUpdated(uri),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function addTools(mcp: McpServer, onCancelled: () => void): void {
  const sum = { inputSchema: z.object({ a: z.number(), b: z.number() }), outputSchema: z.object({ sum: z.number() }) };
  mcp.registerTool("add", sum, ({ a, b }) => ({ ...says(String(a + b)), structuredContent: { sum: a + b } }));
  mcp.registerTool("steps", { inputSchema: z.object({ count: z.number() }) }, async ({ count }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (let progress = 1; progress <= count && progressToken !== undefined; progress++) {
      const params = { progressToken, progress, total: count, message: `Step ${progress}` };
      await mcpReq.notify({ method: "notifications/progress", params });
    }
    return says("done");
  });
  mcp.registerTool("log", { inputSchema: z.looseObject({}) }, async (_args, { mcpReq }) => {
    for (const level of ["debug", "info", "error"] as const) await mcpReq.log(level, { said: level }, "tools");
    return says("logged");
  });
  mcp.registerTool("hang", { inputSchema: z.looseObject({}) }, async (_args, { mcpReq }) => {
    await aborted(mcpReq.signal);
    onCancelled();
    return says("cancelled");
  });
}

function addQuestions(mcp: McpServer, codec: ReturnType<typeof createRequestStateCodec<string[]>>): void {
  /** Asks once, and answers with what came back. */
  const addAsking = (
    name: string,
    ask: (args: { readonly about: string }) => ReturnType<typeof inputRequired.elicit>,
  ) =>
    mcp.registerTool(name, { inputSchema: z.object({ about: z.string() }) }, (args, { mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, "asked");
      if (answer.kind === "missing") return inputRequired({ inputRequests: { asked: ask(args) } });
      return says(JSON.stringify({ about: args.about, ...answer }));
    });
  addAsking("ask_form", ({ about }) => inputRequired.elicit({ message: about, requestedSchema: FORM }));
  addAsking(
    "ask_page",
    ({ about }) => inputRequired.elicitUrl({ message: about, url: "https://example.com/pay?id=1" }),
  );
  addAsking("ask_roots", () => inputRequired.listRoots());
  addAsking("ask_model", ({ about }) => {
    const content = { type: "text" as const, text: about };
    return inputRequired.createMessage({ messages: [{ role: "user", content }], maxTokens: 9 });
  });
  mcp.registerTool("ask_often", { inputSchema: z.object({ rounds: z.number() }) }, async ({ rounds }, ctx) => {
    const before = ctx.mcpReq.requestState<string[]>() ?? [];
    const answer = inputResponse(ctx.mcpReq.inputResponses, "asked");
    const ports = answer.kind === "elicit" ? [...before, String(answer.content?.port)] : before;
    if (ports.length === rounds) return says(ports.join(" → "));
    return await askInState(ports, codec, ctx);
  });
  mcp.registerTool("ask_all", { inputSchema: z.looseObject({}) }, (_args, { mcpReq }) => {
    const views = ["form", "model", "roots"].map((key) => inputResponse(mcpReq.inputResponses, key).kind);
    if (!views.includes("missing")) return says(views.join(" "));
    const content = { type: "text" as const, text: "Which one?" };
    return inputRequired({
      inputRequests: {
        form: inputRequired.elicit({ message: "Which port?", requestedSchema: FORM }),
        model: inputRequired.createMessage({ messages: [{ role: "user", content }], maxTokens: 9 }),
        roots: inputRequired.listRoots(),
      },
    });
  });
}

async function askInState(
  ports: string[],
  codec: ReturnType<typeof createRequestStateCodec<string[]>>,
  ctx: ServerContext,
) {
  const asked = inputRequired.elicit({ message: `Port ${ports.length + 1}?`, requestedSchema: FORM });
  return inputRequired({ inputRequests: { asked }, requestState: await codec.mint(ports, ctx) });
}

const FORM = {
  type: "object" as const,
  properties: { port: { type: "string" as const }, days: { type: "integer" as const, default: 3 } },
  required: ["port"],
};

function addContext(mcp: McpServer): void {
  mcp.registerResource("Genoa", "chart://Genoa", { mimeType: "text/plain" }, ({ href: uri }) => {
    return { contents: [{ uri, mimeType: "text/plain", text: "A harbour" }, { uri: `${uri}/map`, blob: btoa("map") }] };
  });
  const template = new ResourceTemplate("chart://{port}", { list: undefined, complete: { port: portsFrom } });
  mcp.registerResource(
    "Any port",
    template,
    {},
    ({ href: uri }, { port }) => ({ contents: [{ uri, text: `${port}` }] }),
  );
  const argsSchema = z.object({ from: completable(z.string(), portsFrom), to: completable(z.string(), portsTo) });
  mcp.registerPrompt("voyage", { argsSchema }, ({ from, to }) => ({ messages: [message(`From ${from} to ${to}`)] }));
  mcp.registerPrompt("question", {}, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, "asked");
    if (answer.kind === "elicit") return { messages: [message(`Sail to ${answer.content?.port}`)] };
    return inputRequired({
      inputRequests: { asked: inputRequired.elicit({ message: "Which port?", requestedSchema: FORM }) },
    });
  });
}

/** Nobody sails to where they are. */
function portsTo(text: string, context?: { readonly arguments?: Record<string, string> }): string[] {
  return portsFrom(text).filter((port) => port !== context?.arguments?.from);
}

function says(text: string) {
  return { content: [{ type: "text" as const, text }] };
}

function message(text: string) {
  return { role: "user" as const, content: { type: "text" as const, text } };
}
