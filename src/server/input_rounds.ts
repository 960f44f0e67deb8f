/**
 * Multi round-trip requests: a server answers with questions, the request is sent again with the answers, bounded in
 * number (specification 2026-07-28, Multi Round-Trip Requests).
 *
 * @module
 */

import { delay } from "@std/async";
import { type InputResponder, RpcRefusal } from "../connection/connection.ts";
import type { Deadline } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import {
  InputRequiredError,
  type InputRequiredOptions,
  type InputRound,
  UndeclaredInputError,
} from "../input_round.ts";
import { JoinedSignal } from "../joined_signal.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";

/** How often one request is sent again with answers. */
export const MAX_ROUNDS = 10;
/** How many questions one round may have. */
const MAX_QUESTIONS = 32;
/** How long a state may be, in characters: it is sent back. */
const MAX_STATE_CHARS = 256 * 1024;
/** How long to wait before a request is sent again that was only put off, in milliseconds; doubled each time. */
const PUT_OFF_MS = 100;

/** A request that may take rounds. */
export interface RoundsOptions {
  /** The server's name. */
  readonly server: string;
  /** The parameters of the request. */
  readonly params: JsonObject;
  /** Answers the questions. */
  readonly responder: InputResponder | undefined;
  /** Has the questions of a modern server handed to the caller. @default {undefined, `responder` answers} */
  readonly round?: InputRound | undefined;
  /** The end of all rounds. */
  readonly deadline: Deadline;
  /** Sends one round. */
  readonly send: (params: JsonObject) => Promise<JsonObject>;
}

/**
 * Sends a request as often as its server has questions.
 *
 * @param options The request.
 * @returns The first result that is no question.
 * @throws {InputRequiredError} If there is a question that goes to the caller.
 * @throws {MCPError} With `input_required` if nobody answers a question, or they do not end; with `bad_response` if they
 * are malformed.
 */
export async function askInRounds(options: RoundsOptions): Promise<JsonObject> {
  const { server, deadline, round: handed, send } = options;
  let asked: JsonObject = { ...options.params, ...answersOf(handed) };
  for (let round = 0;; round++) {
    const result = await send(asked);
    if (result.resultType !== "input_required") return result;
    if (round === MAX_ROUNDS) {
      throw new MCPError(
        "input_required",
        `Cannot finish the request to server "${server}" as it asks for input again after ${MAX_ROUNDS} rounds`,
        { server },
      );
    }
    const { inputRequests, requestState } = checkQuestions(result, server);
    // Pages that a legacy server wants visited first know no rounds of the caller.
    if (handed !== undefined && result.isRefusal !== true) {
      throw toInputRequired(handed, { server, inputRequests, requestState });
    }
    // Where nobody is asked anything, nothing but this slows the rounds down.
    if (Object.keys(inputRequests ?? {}).length === 0) {
      await delay(PUT_OFF_MS * 2 ** round, { signal: deadline.signal });
    }
    const inputResponses = inputRequests && await answerAll(inputRequests, options);
    if (result.isRefusal === true && !isAccepted(inputResponses)) throw unanswered(server, "elicitation/create");
    asked = { ...options.params, ...answersOf({ inputResponses, requestState }) };
  }
}

/**
 * Answers all questions at once.
 *
 * @param questions The questions by the server's own keys.
 * @param options Who answers, and until when.
 * @returns The answers by the same keys.
 * @throws {MCPError} With `input_required` if there is one that nobody answers.
 */
export async function answerAll(
  questions: JsonObject,
  options: Pick<RoundsOptions, "server" | "responder" | "deadline">,
): Promise<JsonObject> {
  const { server, responder, deadline } = options;
  const over = new AbortController();
  const { signal } = new JoinedSignal(deadline.signal, over.signal);
  const answers = Object.entries(questions).map(async ([key, question]) => {
    const { method, params } = toQuestion(question, server);
    if (responder === undefined) throw unanswered(server, method);
    try {
      return [key, await responder.answer(method, params, signal)] as const;
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.signal.reason;
      throw error instanceof RpcRefusal ? unanswered(server, method, error) : error;
    }
  });
  try {
    return Object.fromEntries(await Promise.all(answers));
  } finally {
    // Where one has no answer, nobody needs to be asked the others.
    over.abort(new Error("The other questions are of no use"));
  }
}

/** What a round sends back to the server. */
function answersOf({ inputResponses, requestState }: Partial<InputRound> = {}): JsonObject {
  return {
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  };
}

/**
 * Hands questions to the caller.
 *
 * @param round What the caller can answer.
 * @param asked The questions.
 * @returns The error with the questions.
 * @throws {MCPError} With `input_required` if there is one that cannot be answered; with `bad_response` if there is one
 * that is malformed.
 */
export function toInputRequired(round: InputRound, asked: InputRequiredOptions): InputRequiredError {
  const { server, inputRequests } = asked;
  for (const question of Object.values(inputRequests ?? {})) {
    const { method, params } = toQuestion(question, server);
    if (!isAnswerable(method, params, round.capabilities)) throw unanswered(server, method);
  }
  return new InputRequiredError(asked);
}

function toQuestion(question: JsonValue, server: string): { readonly method: string; readonly params: JsonObject } {
  const { method, params = {} } = isJsonObject(question) ? question : {};
  if (typeof method !== "string" || !isJsonObject(params)) throw malformed(server);
  return { method, params };
}

/** Whether a question is one that the capabilities speak of (specification 2026-07-28, Client Features). */
function isAnswerable(method: string, params: JsonObject, capabilities: JsonObject): boolean {
  const name = CAPABILITIES.get(method);
  const declared = name === undefined ? undefined : capabilities[name];
  if (!isJsonObject(declared)) return false;
  if (method === "sampling/createMessage") {
    return declared.tools !== undefined || (params.tools === undefined && params.toolChoice === undefined);
  }
  if (method !== "elicitation/create") return true;
  const { mode = "form", url } = params;
  // One that names no mode is about forms.
  if (mode === "form") return declared.form !== undefined || declared.url === undefined;
  // A person is to open it: nothing but the web.
  return mode === "url" && declared.url !== undefined && /^https?:$/.test(URL.parse(String(url))?.protocol ?? "");
}

/** Whether a person has accepted everything. A legacy server is not told what was declined: it would ask again. */
function isAccepted(answers: JsonObject = {}): boolean {
  return Object.values(answers).every((answer) => isJsonObject(answer) && answer.action === "accept");
}

function checkQuestions(result: JsonObject, server: string): { inputRequests?: JsonObject; requestState?: string } {
  const { inputRequests, requestState } = result;
  const isQuestions = inputRequests === undefined || isJsonObject(inputRequests);
  const isState = requestState === undefined || typeof requestState === "string";
  if (!isQuestions || !isState || (inputRequests === undefined && requestState === undefined)) throw malformed(server);
  const count = Object.keys(inputRequests ?? {}).length;
  // What was refused until pages have been visited needs some.
  if (result.isRefusal === true && count === 0) throw malformed(server);
  if (count > MAX_QUESTIONS || (requestState?.length ?? 0) > MAX_STATE_CHARS) {
    throw new MCPError("too_large", `Cannot answer server "${server}" as it asks too much at once`, { server });
  }
  return {
    ...(inputRequests === undefined ? {} : { inputRequests }),
    ...(requestState === undefined ? {} : { requestState }),
  };
}

/** The methods whose names may be told, and the capabilities that they need: what else a server asks is its own text. */
const CAPABILITIES: ReadonlyMap<string, string> = new Map([
  ["elicitation/create", "elicitation"],
  ["sampling/createMessage", "sampling"],
  ["roots/list", "roots"],
]);

function unanswered(server: string, method: string, refusal?: RpcRefusal): MCPError {
  const capability = CAPABILITIES.get(method);
  const what = capability === undefined ? "an unknown method" : method;
  const isUndeclared = refusal === undefined || refusal.code === -32601;
  const why = isUndeclared ? "no handler answers" : "was not answered";
  const message = `Cannot finish the request to server "${server}" as it asks for input by ${what}, which ${why}`;
  const options = { server, cause: refusal?.cause ?? refusal };
  if (capability === undefined || !isUndeclared) return new MCPError("input_required", message, options);
  return new UndeclaredInputError(message, { ...options, requiredCapabilities: { [capability]: {} } });
}

function malformed(server: string): MCPError {
  return new MCPError("bad_response", `Cannot use the answer of server "${server}" as its questions are malformed`, {
    server,
  });
}
