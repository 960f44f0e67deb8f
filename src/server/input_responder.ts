/**
 * Turns the caller's functions into a responder: what they can do as capabilities, what servers ask checked before it
 * reaches them, and what they answer checked before it reaches a server.
 *
 * @module
 */

import { abortable } from "@std/async";
import { type InputResponder, RpcRefusal } from "../connection/connection.ts";
import type { Deadline } from "../deadline.ts";
import { isMCPError } from "../errors.ts";
import type { Elicitation, ElicitationAnswer, InputHandlers, SamplingRequest } from "../input.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";

const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
/** The person said no (specification 2025-11-25, Sampling, Error Handling). */
const REJECTED = -1;
/** How long what a person is shown may be, in characters. */
const MAX_MESSAGE_CHARS = 16 * 1024;

/**
 * Makes a responder.
 *
 * @param server The server that asks, as the functions are told.
 * @param handlers The caller's functions.
 * @returns A responder, or `undefined` where there is no function.
 */
export function createResponder(server: string, handlers: InputHandlers | undefined): InputResponder | undefined {
  const capabilities = handlers === undefined ? {} : toCapabilities(handlers);
  if (handlers === undefined || Object.keys(capabilities).length === 0) return undefined;
  return {
    capabilities,
    async answer(method, params, signal) {
      const run = answerOf(method, params, handlers);
      if (run === undefined) throw new RpcRefusal(METHOD_NOT_FOUND, "Method not found");
      try {
        return await abortable(Promise.resolve(run({ server, signal })), signal);
      } catch (error) {
        if (error instanceof RpcRefusal) throw error;
        if (isMCPError(error) && error.code === "denied") {
          throw new RpcRefusal(REJECTED, "The request was rejected", { cause: error });
        }
        throw new RpcRefusal(INTERNAL_ERROR, "The request could not be answered", { cause: error });
      }
    },
  };
}

/**
 * While somebody is asked, the server has nothing to say: the silence is not its own, nor is the time.
 *
 * @param responder The responder, where there is one.
 * @param deadline The end of the request.
 * @returns One that stops what is counted while it answers.
 */
export function toPatient(responder: InputResponder | undefined, deadline: Deadline): InputResponder | undefined {
  return responder && {
    capabilities: responder.capabilities,
    answer: (...question) => deadline.withoutSilence(() => responder.answer(...question)),
  };
}

/** What the functions can do, as client capabilities. */
function toCapabilities(handlers: InputHandlers): JsonObject {
  const { onElicit, onSample, onListRoots, samplingTools = false, elicitationModes = ["form", "url"] } = handlers;
  return {
    ...(onElicit === undefined ? {} : { elicitation: Object.fromEntries(elicitationModes.map((mode) => [mode, {}])) }),
    ...(onSample === undefined ? {} : { sampling: samplingTools ? { tools: {} } : {} }),
    ...(onListRoots === undefined ? {} : { roots: { listChanged: true } }),
  };
}

type Answer = (context: { readonly server: string; readonly signal: AbortSignal }) => JsonObject | Promise<JsonObject>;

/** What answers a request, its parameters checked; `undefined` where nothing does. */
function answerOf(method: string, params: JsonObject, handlers: InputHandlers): Answer | undefined {
  const { onElicit, onSample, onListRoots } = handlers;
  if (method === "elicitation/create" && onElicit !== undefined) {
    const elicitation = toElicitation(params, handlers.elicitationModes ?? ["form", "url"]);
    return async (context) => toElicitResult(await onElicit(elicitation, context), elicitation);
  }
  if (method === "sampling/createMessage" && onSample !== undefined) {
    const request = toSamplingRequest(params, handlers.samplingTools ?? false);
    return async (context) => toSamplingResult(await onSample(request, context));
  }
  if (method === "roots/list" && onListRoots !== undefined) {
    return async (context) => ({ roots: (await onListRoots(context)).map(toRoot) });
  }
  return undefined;
}

function toElicitation(params: JsonObject, modes: readonly ("form" | "url")[]): Elicitation {
  const { mode = "form", message = "", requestedSchema, url } = params;
  if ((mode !== "form" && mode !== "url") || !modes.includes(mode)) throw invalid("mode");
  if (typeof message !== "string" || message.length > MAX_MESSAGE_CHARS) throw invalid("message");
  if (mode === "form") {
    if (!isJsonObject(requestedSchema)) throw invalid("requestedSchema");
    return { ...params, mode, message, requestedSchema };
  }
  // A person is to open it: nothing but the web.
  if (typeof url !== "string" || !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) throw invalid("url");
  const { elicitationId } = params;
  return {
    ...params,
    mode,
    message,
    url,
    elicitationId: typeof elicitationId === "string" ? elicitationId : undefined,
  };
}

/** A form's defaults stand for the fields that are left out (specification: Elicitation, `default`). */
function toElicitResult({ action, content }: ElicitationAnswer, elicitation: Elicitation): JsonObject {
  if (!["accept", "decline", "cancel"].includes(action)) throw new TypeError(`Cannot answer with the action ${action}`);
  if (action !== "accept" || elicitation.mode === "url") return { action };
  const { properties } = elicitation.requestedSchema;
  const filled: JsonObject = { ...(content as JsonObject | undefined) };
  for (const [name, field] of Object.entries(isJsonObject(properties) ? properties : {})) {
    if (Object.hasOwn(filled, name) || !isJsonObject(field) || field.default === undefined) continue;
    Object.defineProperty(filled, name, { value: field.default, enumerable: true, writable: true, configurable: true });
  }
  return { action, content: filled };
}

function toSamplingRequest(params: JsonObject, takesTools: boolean): SamplingRequest {
  const { messages, maxTokens } = params;
  if (!Array.isArray(messages) || !messages.every(isJsonObject)) throw invalid("messages");
  if (typeof maxTokens !== "number") throw invalid("maxTokens");
  if (!takesTools && (params.tools !== undefined || params.toolChoice !== undefined)) throw invalid("tools");
  return params as unknown as SamplingRequest;
}

function toSamplingResult(answer: unknown): JsonObject {
  const { role, model, content } = isJsonObject(answer) ? answer : {};
  if (typeof role !== "string" || typeof model !== "string" || typeof content !== "object" || content === null) {
    throw new TypeError("Cannot answer without role, model and content");
  }
  return answer as JsonObject;
}

function toRoot({ uri, name }: { readonly uri: string; readonly name?: string | undefined }): JsonObject {
  if (!uri.startsWith("file://")) throw new TypeError("Cannot name a root that is no file: URI");
  return name === undefined ? { uri } : { uri, name };
}

function invalid(field: string): RpcRefusal {
  return new RpcRefusal(INVALID_PARAMS, `Invalid params: ${field}`);
}
