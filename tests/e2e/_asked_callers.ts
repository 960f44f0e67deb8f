/** Callers of an agent that can be asked and told, with the official clients of both eras. */

import * as sdk2 from "@modelcontextprotocol/client";
// @ts-types="@modelcontextprotocol/sdk/types"
import { CreateMessageRequestSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import * as sdk1 from "../../src/sdk.ts";

/** How a caller answers; without a function, it says that it cannot be asked that. */
export interface Answers {
  /** What a person says to a form. */
  readonly onElicit?: (message: string) => Elicited | Promise<Elicited>;
  /** What a model says to a text. */
  readonly onSample?: (text: string) => string;
  /** Told that the tools have changed. */
  readonly onToolsChanged?: () => void;
}

/** What a person says. */
export interface Elicited {
  /** Whether they agree. */
  readonly action: "accept" | "decline" | "cancel";
  /** What they filled in. */
  readonly content?: Record<string, string>;
}

/** A caller with its own connection. */
export interface AskedCaller extends AsyncDisposable {
  /** Calls a tool; gives the text of its result, and rejects with it where the result is an error. */
  call(tool: string, args?: Readonly<Record<string, string>>, options?: CallOptions): Promise<string>;
}

/** What a caller wants to know of one call. */
export interface CallOptions {
  /** Told of its progress. */
  readonly onProgress?: (progress: number) => void;
  /** Cancels it. */
  readonly signal?: AbortSignal;
}

/** Where a caller connects to. */
export interface AskedEndpoint {
  /** The endpoint. */
  readonly url: string;
  /** The key that opens it. */
  readonly key: string;
}

/** A way to connect for each kind of caller. */
export const ASKED_CALLERS: Readonly<
  Record<string, (endpoint: AskedEndpoint, answers: Answers) => Promise<AskedCaller>>
> = {
  "the SDK 1.x": connectSdk1,
  "the client 2.x of 2025-11-25": (endpoint, answers) => connectSdk2(endpoint, answers, { mode: "legacy" }),
  "the client 2.x of 2026-07-28": (endpoint, answers) =>
    connectSdk2(endpoint, answers, { mode: { pin: "2026-07-28" } }),
};

async function connectSdk1({ url, key }: AskedEndpoint, answers: Answers): Promise<AskedCaller> {
  const { onElicit, onSample, onToolsChanged } = answers;
  const client = new sdk1.Client({ name: "caller", version: "1.0.0" }, { capabilities: capabilitiesOf(answers) });
  if (onElicit !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({ ...await onElicit(params.message) }));
  }
  if (onSample !== undefined) {
    client.setRequestHandler(
      CreateMessageRequestSchema,
      ({ params }) => sampled(onSample, params.messages[0]?.content),
    );
  }
  if (onToolsChanged !== undefined) {
    client.setNotificationHandler(sdk1.ToolListChangedNotificationSchema, onToolsChanged);
  }
  const transport = new sdk1.StreamableHTTPClientTransport(new URL(url), { requestInit: withKey(key) });
  await client.connect(transport);
  return {
    async call(name, args = {}, options = {}) {
      return textIn(await client.callTool({ name, arguments: args }, undefined, toRequestOptions(options)));
    },
    async [Symbol.asyncDispose]() {
      await transport.terminateSession();
      await client.close();
    },
  };
}

async function connectSdk2(
  { url, key }: AskedEndpoint,
  answers: Answers,
  versionNegotiation: sdk2.VersionNegotiationOptions,
): Promise<AskedCaller> {
  const { onElicit, onSample, onToolsChanged } = answers;
  const listChanged = onToolsChanged === undefined ? {} : { tools: { onChanged: onToolsChanged } };
  const options = { capabilities: capabilitiesOf(answers), versionNegotiation, listChanged };
  const client = new sdk2.Client({ name: "caller", version: "1.0.0" }, options);
  if (onElicit !== undefined) {
    client.setRequestHandler("elicitation/create", async ({ params }) => ({ ...await onElicit(params.message) }));
  }
  if (onSample !== undefined) {
    client.setRequestHandler("sampling/createMessage", ({ params }) => sampled(onSample, params.messages[0]?.content));
  }
  const transport = new sdk2.StreamableHTTPClientTransport(new URL(url), { requestInit: withKey(key) });
  await client.connect(transport);
  return {
    async call(name, args = {}, options = {}) {
      return textIn(await client.callTool({ name, arguments: args }, toRequestOptions(options)));
    },
    async [Symbol.asyncDispose]() {
      await transport.terminateSession();
      await client.close();
    },
  };
}

function toRequestOptions({ onProgress, signal }: CallOptions) {
  return {
    ...(onProgress === undefined ? {} : { onprogress: ({ progress }: { progress: number }) => onProgress(progress) }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function capabilitiesOf({ onElicit, onSample }: Answers) {
  return {
    ...(onElicit === undefined ? {} : { elicitation: { form: {} } }),
    ...(onSample === undefined ? {} : { sampling: {} }),
  };
}

function sampled(onSample: (text: string) => string, content: unknown) {
  const text = onSample(String(Object(content).text));
  return { role: "assistant" as const, model: "pilot-1", content: { type: "text" as const, text } };
}

function withKey(key: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${key}` } };
}

function textIn({ content, isError }: Readonly<Record<string, unknown>>): string {
  const text = Array.isArray(content) ? String(content[0]?.text) : "";
  if (isError === true) throw new Error(text);
  return text;
}
