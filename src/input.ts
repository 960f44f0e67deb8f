/**
 * What servers may ask of the side that calls them: elicitation, sampling, roots (specification 2025-11-25, Client
 * Features; 2026-07-28, Multi Round-Trip Requests), and the functions of the caller that answer.
 *
 * @module
 */

import type { ContentBlock, JsonObject } from "./protocol.ts";

/**
 * Who asks, and until when.
 *
 * @example A dialog that closes when nobody waits for it any more
 * ```ts
 * import type { InputContext } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * function openDialog({ server, signal }: InputContext) {
 *   const dialog = { title: `A question of ${server}`, isOpen: true };
 *   signal.addEventListener("abort", () => dialog.isOpen = false, { once: true });
 *   return dialog;
 * }
 * const call = new AbortController();
 * const dialog = openDialog({ server: "travel", signal: call.signal });
 * call.abort();
 * assertEquals(dialog.isOpen, false);
 * ```
 */
export interface InputContext {
  /** The server that asks. */
  readonly server: string;
  /** Aborted when nobody waits for the answer any more: the call has ended, or the connection. */
  readonly signal: AbortSignal;
}

/**
 * A question to the person, as a form (specification: Elicitation, form mode).
 *
 * @example
 * ```ts
 * import type { FormElicitation } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const properties = { date: { type: "string", format: "date" } };
 * const question: FormElicitation = {
 *   mode: "form",
 *   message: "When do you travel?",
 *   requestedSchema: { type: "object", properties, required: ["date"] },
 * };
 * assertEquals(question.requestedSchema.required, ["date"]);
 * ```
 */
export interface FormElicitation {
  /** The kind of question. */
  readonly mode: "form";
  /** What is asked, for the person. */
  readonly message: string;
  /** The form: a flat object schema of primitive fields. */
  readonly requestedSchema: JsonObject;
  /** Further fields. */
  readonly [field: string]: unknown;
}

/**
 * A page that the person is to visit (specification: Elicitation, URL mode). Show the URL; never open it unasked.
 *
 * @example
 * ```ts
 * import type { UrlElicitation } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * // The person sees the host and decides.
 * const toQuestion = ({ message, url }: UrlElicitation) => `${message} Open ${URL.parse(url)?.host}?`;
 * const pay: UrlElicitation = { mode: "url", message: "Pay for the trip.", url: "https://pay.example.com/1" };
 * assertEquals(toQuestion(pay), "Pay for the trip. Open pay.example.com?");
 * ```
 */
export interface UrlElicitation {
  /** The kind of question. */
  readonly mode: "url";
  /** Why, for the person. */
  readonly message: string;
  /** The page. */
  readonly url: string;
  /** Names this question in a later notice that it was dealt with. */
  readonly elicitationId?: string | undefined;
  /** Further fields. */
  readonly [field: string]: unknown;
}

/**
 * A question of a server to the person.
 *
 * @example
 * ```ts
 * import type { Elicitation, ElicitationAnswer } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const answer = (elicitation: Elicitation): ElicitationAnswer =>
 *   elicitation.mode === "form" ? { action: "accept", content: {} } : { action: "decline" };
 * assertEquals(answer({ mode: "url", message: "Pay.", url: "https://pay.example.com/1" }), { action: "decline" });
 * ```
 */
export type Elicitation = FormElicitation | UrlElicitation;

/**
 * What the person did (specification: `ElicitResult`).
 *
 * @example
 * ```ts
 * import type { ElicitationAnswer } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toAnswer = (date: string | null): ElicitationAnswer =>
 *   date === null ? { action: "cancel" } : { action: "accept", content: { date } };
 * assertEquals(toAnswer("2026-12-24").action, "accept");
 * ```
 */
export interface ElicitationAnswer {
  /** `accept`, `decline` (said no), `cancel` (went away). */
  readonly action: "accept" | "decline" | "cancel";
  /** The fields, where a form was accepted; fields left out get the form's defaults. */
  readonly content?: Readonly<Record<string, string | number | boolean | readonly string[]>> | undefined;
}

/**
 * One message of a sampling request.
 *
 * @example
 * ```ts
 * import type { SamplingMessage } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const message: SamplingMessage = { role: "user", content: { type: "text", text: "Sum it up in one line" } };
 * const blocks = [message.content].flat();
 * assertEquals(blocks.length, 1);
 * ```
 */
export interface SamplingMessage {
  /** Who says it. */
  readonly role: "user" | "assistant";
  /** What is said: a block, or several. Besides a tool's blocks `tool_use` and `tool_result`. */
  readonly content: ContentBlock | JsonObject | readonly (ContentBlock | JsonObject)[];
  /** Further fields. */
  readonly [field: string]: unknown;
}

/**
 * A server's wish to have a model speak (specification: Sampling, `CreateMessageRequest`).
 *
 * @example
 * ```ts
 * import type { SamplingRequest } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const capped = (request: SamplingRequest) => ({ ...request, maxTokens: Math.min(request.maxTokens, 1_000) });
 * const content = { type: "text", text: "Sum it up in one line" } as const;
 * assertEquals(capped({ messages: [{ role: "user", content }], maxTokens: 50_000 }).maxTokens, 1_000);
 * ```
 */
export interface SamplingRequest {
  /** The conversation. */
  readonly messages: readonly SamplingMessage[];
  /** How many tokens at most. */
  readonly maxTokens: number;
  /** The system prompt that the server would like. */
  readonly systemPrompt?: string | undefined;
  /** Further fields: `modelPreferences`, `temperature`, `stopSequences`, `includeContext`, `tools`, `toolChoice`. */
  readonly [field: string]: unknown;
}

/**
 * What the model said (specification: `CreateMessageResult`).
 *
 * @example
 * ```ts
 * import type { InputHandlers, SamplingAnswer } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const answer: SamplingAnswer = {
 *   role: "assistant",
 *   content: { type: "text", text: "The harbour is open." },
 *   model: "model-1",
 *   stopReason: "endTurn",
 * };
 * const input: InputHandlers = { onSample: () => answer };
 * assertEquals(input.samplingTools ?? false, false);
 * ```
 */
export interface SamplingAnswer {
  /** Who says it. */
  readonly role: "user" | "assistant";
  /** What is said. */
  readonly content: ContentBlock | JsonObject | readonly (ContentBlock | JsonObject)[];
  /** The model that said it. */
  readonly model: string;
  /** Why it stopped: `endTurn`, `stopSequence`, `maxTokens`, `toolUse`. */
  readonly stopReason?: string | undefined;
  /** Further fields. */
  readonly [field: string]: unknown;
}

/**
 * A place that the server may work in (specification: Roots).
 *
 * @example
 * ```ts
 * import type { InputHandlers, Root } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const roots: readonly Root[] = [{ uri: "file:///home/kairos/notes", name: "Notes" }];
 * const input: InputHandlers = { onListRoots: ({ server }) => server === "files" ? roots : [] };
 * const { signal } = new AbortController();
 * assertEquals(await input.onListRoots?.({ server: "travel", signal }), []);
 * ```
 */
export interface Root {
  /** Its `file:` URI. */
  readonly uri: string;
  /** Its name. */
  readonly name?: string | undefined;
}

/**
 * The functions that answer servers. What is there is declared to the server as a capability; what is not is refused.
 * Given to a client they hold for all its calls, given to a call for that one.
 *
 * @example
 * ```ts
 * import { type InputHandlers, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const input: InputHandlers = {
 *   onElicit: ({ message }, { server }) => ({ action: confirm(`${server}: ${message}`) ? "accept" : "decline" }),
 *   elicitationModes: ["form"],
 * };
 * await using client = new SingleServerMCPClient("travel", { url: "http://localhost:9/mcp" }, { input });
 * assertEquals(client.isConnected, false);
 * ```
 */
export interface InputHandlers {
  /**
   * Asks the person; for a page to visit, it resolves when they are done there, as the request is then sent again. What
   * it throws is told to the server as a failure without a word of it.
   */
  readonly onElicit?:
    | ((elicitation: Elicitation, context: InputContext) => ElicitationAnswer | Promise<ElicitationAnswer>)
    | undefined;
  /** Which kinds of elicitation `onElicit` takes. @default {["form", "url"]} */
  readonly elicitationModes?: readonly ("form" | "url")[] | undefined;
  /** Asks the model. Let a person see what a server asks for, and what it gets. */
  readonly onSample?:
    | ((request: SamplingRequest, context: InputContext) => SamplingAnswer | Promise<SamplingAnswer>)
    | undefined;
  /** Whether `onSample` takes `tools` and `toolChoice`. @default {false} */
  readonly samplingTools?: boolean | undefined;
  /** Tells the places that a server may work in. */
  readonly onListRoots?: ((context: InputContext) => readonly Root[] | Promise<readonly Root[]>) | undefined;
}
