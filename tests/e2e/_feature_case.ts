/**
 * A faulty server that offers everything, beside a good one: the fault harness for resources, prompts and completions.
 *
 * @module
 */

import type { MultiServerMCPClient, ReadOptions } from "@portolan/mcp";
import { isJsonObject, type JsonObject } from "../../src/protocol.ts";
import { answer, type Behaviour } from "../support/behaviours.ts";
import type { RawServer, RawServerScript } from "../support/fault_server.ts";
import { type FaultCase, faultTest, type FaultTestOptions } from "./_fault_case.ts";

/** Everything that a legacy server can offer. */
export const EVERYTHING: JsonObject = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
};

/** The correct answer to `initialize`, with these capabilities. */
export function offering(capabilities: JsonObject = EVERYTHING): Behaviour {
  return async ({ respondOk }) => {
    const response = respondOk();
    const message = await response.json();
    message.result.capabilities = capabilities;
    return Response.json(message, { headers: response.headers });
  };
}

/** Correct answers of a server whose resources, prompts and template are called after it. */
export function features(name = "faulty"): RawServerScript {
  return {
    initialize: offering(),
    "resources/list": answer({ resources: [{ uri: `${name}://a`, name: "a" }] }),
    "resources/templates/list": answer({ resourceTemplates: [{ uriTemplate: `${name}://rows/{id}`, name: "rows" }] }),
    "prompts/list": answer({ prompts: [{ name: `${name}_prompt` }] }),
    "resources/read": ({ rpc }) => {
      const contents = [{ uri: String(rpc.params.uri), text: name }];
      return Response.json({ jsonrpc: "2.0", id: rpc.id ?? null, result: { contents } });
    },
    "prompts/get": answer({ messages: [{ role: "user", content: { type: "text", text: name } }] }),
    "completion/complete": answer({ completion: { values: [name] } }),
    "resources/subscribe": answer({}),
    "resources/unsubscribe": answer({}),
  };
}

/** As {@linkcode faultTest}; the faulty server offers everything and answers correctly but for the script. */
export function featureTest(
  name: string,
  script: RawServerScript,
  run: (fault: FaultCase) => Promise<void>,
  options: FaultTestOptions = {},
): void {
  faultTest(name, { ...features(), ...script }, run, options);
}

/** One way to use what a server offers besides tools. */
export interface Door {
  /** The method that is sent. */
  readonly method: string;
  /** Uses it at one server. */
  use(client: MultiServerMCPClient, options?: ReadOptions): Promise<unknown>;
}

/** Reads, prompts, completions, of the server called `faulty`. */
export const DOORS: readonly Door[] = [
  { method: "resources/read", use: (client, options) => client.readResource("faulty://a", at(options)) },
  { method: "prompts/get", use: (client, options) => client.getPrompt("faulty_prompt", {}, at(options)) },
  {
    method: "completion/complete",
    use: (client, options) => {
      return client.complete({ type: "ref/prompt", name: "faulty_prompt" }, { name: "a", value: "" }, at(options));
    },
  },
];

function at(options: ReadOptions = {}): ReadOptions {
  return { server: "faulty", ...options };
}

/** What the client answered to a server's questions, in the order of arrival. */
export function repliesTo(server: RawServer): readonly JsonObject[] {
  const replies = server.requests.filter(({ method, rpcMethod }) => method === "POST" && rpcMethod === undefined);
  return replies.map(({ body }) => body).filter(isJsonObject);
}

/** When requests came, in milliseconds: those of a JSON-RPC method, or those of an HTTP method. */
export function timesOf(server: RawServer, what: string): readonly number[] {
  return server.requests.filter(({ method, rpcMethod }) => (rpcMethod ?? method) === what).map(({ atMs }) => atMs);
}

/** The time between each and the next, in milliseconds. */
export function gapsOf(timesMs: readonly number[]): readonly number[] {
  return timesMs.slice(1).map((atMs, index) => atMs - timesMs[index]!);
}

/** A stream that begins with these events, and stays open; further ones come when the promise settles. */
export function openStream(text: string, later?: Promise<string>): Behaviour {
  const encoder = new TextEncoder();
  return () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        controller.enqueue(encoder.encode(text));
        // The client may have left by then.
        void later?.then((more) => controller.enqueue(encoder.encode(more))).catch(() => {});
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}
