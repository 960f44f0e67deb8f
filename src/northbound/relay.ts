/**
 * Has a request run at the server that owns it, with everything on the way between it and the caller: progress, log
 * messages, questions, answers. Which way questions go depends on the eras of both:
 *
 * | caller | server | a question of the server |
 * |---|---|---|
 * | legacy, with a session | either | is a request on the stream of the caller's request |
 * | modern | modern | is the result, with the server's state sealed; the server is asked again with the answers |
 * | modern | legacy | is the result; the request to the server waits in this instance for the answers |
 * | legacy, without a session | either | cannot be put: the request fails |
 *
 * @module
 */

import { abortable } from "@std/async";
import { LOG_LEVELS, type LogMessage } from "../context.ts";
import { InputRequiredError, type InputRound, UndeclaredInputError } from "../input_round.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { CallToolOptions } from "../tool_client.ts";
import { Conversation, type Turn } from "./conversation.ts";
import type { Exchange } from "./exchange.ts";
import { type Ask, toAskable, toInputHandlers } from "./input_relay.ts";
import { refuseState, type RoundState, type StateBinding } from "./request_state.ts";
import { toEraResult } from "./results.ts";
import { INVALID_PARAMS, MISSING_CAPABILITY, RpcError, writeNotification } from "./rpc.ts";

/** How long the time of a request stands still, in all, while its caller is asked, in milliseconds. */
const INPUT_TIMEOUT_MS = 10 * 60_000;

/** What a relayed request is sent with. */
export interface RelayOptions extends CallToolOptions {
  /** The server that asked in the round before: the answers are for no other. */
  readonly server?: string | undefined;
}

/** A request that is relayed. */
export interface Relayed {
  /** The tool, the prompt, or the URI. */
  readonly name: string;
  /** The arguments. */
  readonly args: JsonObject;
  /**
   * Sends it.
   *
   * @param options With what.
   * @returns The result.
   */
  send(options: RelayOptions): Promise<JsonObject>;
}

/**
 * Relays a request.
 *
 * @param exchange The caller's request.
 * @param relayed What is sent for it.
 * @returns The result, completed for the caller; for a modern one it may be questions.
 */
export async function relay(exchange: Exchange, relayed: Relayed): Promise<JsonObject> {
  const { frame, request, session, signal } = exchange;
  const turnOf = () => toTurn(exchange);
  if (frame.era === "modern") {
    const { inputResponses, requestState } = request.params;
    const capabilities = toAskable(frame.capabilities);
    if (inputResponses !== undefined && !isJsonObject(inputResponses)) {
      throw new RpcError(INVALID_PARAMS, 'Cannot go on with the request as "inputResponses" is no JSON object');
    }
    if (inputResponses !== undefined || requestState !== undefined || Object.keys(capabilities).length > 0) {
      return await relayRound(exchange, relayed, { capabilities, inputResponses }, requestState);
    }
    return await declared(() => relayed.send({ ...toOptions(exchange, turnOf), signal }));
  }
  const askable = session?.options.askable;
  if (session === undefined || askable === undefined || Object.keys(askable).length === 0) {
    return await relayed.send({ ...toOptions(exchange, turnOf), signal });
  }
  return await sendAsking(exchange, relayed, { askable, ask: session.asker(exchange.outlet), signal, turnOf });
}

async function relayRound(
  exchange: Exchange,
  relayed: Relayed,
  round: InputRound,
  requestState: unknown,
): Promise<JsonObject> {
  const { agent, access, request, services, signal } = exchange;
  const { name, args } = relayed;
  const binding: StateBinding = { agent, caller: access.caller, method: request.method, name, args };
  const state = requestState === undefined ? undefined : await services.states.open(requestState, binding);
  const conversation = state?.kind === "waiting"
    ? services.conversations.find(state)
    : begin(exchange, relayed, round, state);
  if (state?.kind === "waiting") {
    conversation.turn = toTurn(exchange);
    conversation.take(round.inputResponses ?? {});
  }
  const asked = async (inputRequests: JsonObject | undefined, next: RoundState): Promise<JsonObject> => {
    return toEraResult(exchange, {
      resultType: "input_required",
      ...(inputRequests === undefined ? {} : { inputRequests }),
      requestState: await services.states.seal(next, binding),
    });
  };
  try {
    const outcome = await declared(() => conversation.next(signal));
    if (outcome.kind === "answered") return outcome.result;
    checkDeclared(outcome.inputRequests, round.capabilities, conversation);
    return await asked(outcome.inputRequests, services.conversations.keep(conversation, agent));
  } catch (error) {
    if (!(error instanceof InputRequiredError) || error.server === undefined) throw error;
    return await asked(error.inputRequests, { kind: "server", server: error.server, state: error.requestState });
  }
}

/** A round may declare less than the one before, and is asked for nothing else. */
function checkDeclared(inputRequests: JsonObject, capabilities: JsonObject, conversation: Conversation): void {
  const needed = Object.values(inputRequests).map((request) => isJsonObject(request) ? String(request.method) : "");
  const missing = needed.map((method) => method.split("/")[0] ?? "").filter((name) =>
    !Object.hasOwn(capabilities, name)
  );
  if (missing.length === 0) return;
  const requiredCapabilities = Object.fromEntries(missing.map((name) => [name, {}]));
  const error = new RpcError(MISSING_CAPABILITY, "Cannot go on with the request as its caller can no longer be asked", {
    status: 400,
    data: { requiredCapabilities, code: "input_required", retryable: false },
  });
  conversation.end(error);
  throw error;
}

function begin(
  exchange: Exchange,
  relayed: Relayed,
  round: InputRound,
  state: Extract<RoundState, { kind: "server" }> | undefined,
): Conversation {
  const { access, services } = exchange;
  const full = { ...round, requestState: state?.state };
  return new Conversation(access.caller, toTurn(exchange), services.clock, (ask, signal, turnOf) => {
    const asking = { askable: round.capabilities, ask, signal, turnOf };
    return sendAsking(exchange, relayed, asking, { round: full, server: state?.server });
  });
}

interface Asking {
  /** What the caller can be asked. */
  readonly askable: JsonObject;
  /** Puts a question to the caller. */
  readonly ask: Ask;
  /** Ends the request. */
  readonly signal: AbortSignal;
  /** Where messages go now. */
  readonly turnOf: () => Turn;
}

async function sendAsking(
  exchange: Exchange,
  relayed: Relayed,
  { askable, ask, signal, turnOf }: Asking,
  further: Pick<RelayOptions, "round" | "server"> = {},
): Promise<JsonObject> {
  const sent = relayed.send({
    ...toOptions(exchange, turnOf),
    ...further,
    signal,
    input: toInputHandlers(askable, ask),
    inputTimeoutMs: INPUT_TIMEOUT_MS,
  });
  return await abortable(sent, signal);
}

/** Tells a modern caller what it would have had to declare. */
async function declared<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UndeclaredInputError)) throw error;
    const { requiredCapabilities, server, message } = error;
    throw new RpcError(MISSING_CAPABILITY, message, {
      status: 400,
      data: {
        requiredCapabilities,
        code: "input_required",
        ...(server === undefined ? {} : { server }),
        retryable: false,
      },
    });
  }
}

function toTurn({ outlet, frame }: Exchange): Turn {
  return { outlet, progressToken: frame.progressToken };
}

function toOptions({ frame, session }: Exchange, turnOf: () => Turn): CallToolOptions {
  const { progressToken: wanted, trace } = frame;
  const level = frame.era === "modern" ? frame.logLevel : session?.logLevel;
  return {
    trace,
    ...(wanted === undefined ? {} : {
      onProgress: (progress) => {
        const { outlet, progressToken } = turnOf();
        if (progressToken === undefined) return;
        const params = { ...progress, progressToken } as unknown as JsonObject;
        outlet.offer(writeNotification("notifications/progress", params), "progress");
      },
    }),
    ...(level === undefined ? {} : {
      logLevel: level,
      onLog: (log) => {
        if (LOG_LEVELS.indexOf(log.level) < LOG_LEVELS.indexOf(level)) return;
        turnOf().outlet.offer(writeNotification("notifications/message", toLogParams(log)));
      },
    }),
  };
}

function toLogParams({ level, logger, data }: LogMessage): JsonObject {
  return { level, ...(logger === undefined ? {} : { logger }), data: data as JsonObject };
}

/**
 * Refuses to go on at another server than the one that asked.
 *
 * @param asked The server that asked; any will do where nobody did.
 * @param owner The server that owns what is asked for now.
 * @throws {RpcError} If it is another one.
 */
export function checkOwner(asked: string | undefined, owner: string): void {
  if (asked !== undefined && asked !== owner) throw refuseState();
}
