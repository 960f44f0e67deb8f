/**
 * The MCP endpoint of every agent, in both eras, without an SDK: a message in, a response out.
 *
 * Callers are served without a session, but for those of the legacy era that declare something they can be asked: only a
 * session has a way to ask them, to tell them of changes, and to remember what they subscribed to.
 *
 * @module
 */

import type { Access } from "../callers/access.ts";
import { type AgentClient, openAgent } from "../gateway/agent_directory.ts";
import type { RouteDeps } from "../gateway/gateway_env.ts";
import { readJson } from "../gateway/json_body.ts";
import { toCallStopped } from "../gateway/in_flight.ts";
import { RequestError } from "../gateway/request_error.ts";
import { AgentNotices } from "./agent_notices.ts";
import { answer, type AnswerOptions, type Outlet, type Reply } from "./answer.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { ConversationBook } from "./conversation_book.ts";
import type { Exchange, Services } from "./exchange.ts";
import { checkVersion, type Frame, isModern, readFrame } from "./frame.ts";
import { toAskable } from "./input_relay.ts";
import { listen, listenInSession } from "./listen.ts";
import { methodOf } from "./methods.ts";
import { RequestStates } from "./request_state.ts";
import {
  INVALID_REQUEST,
  readMessage,
  RpcError,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
  writeError,
  writeResult,
} from "./rpc.ts";
import { type ErrorContext, errorHeaders, errorResponse, toRpcError } from "./rpc_errors.ts";
import { RequestCancelled, type Session } from "./session.ts";
import { SessionBook } from "./session_book.ts";
import { StreamSlots } from "./stream_slots.ts";

/** One request to the endpoint. */
export interface EndpointCall {
  /** The HTTP request; its body has not been read. */
  readonly request: Request;
  /** The agent that is asked. */
  readonly agent: string;
  /** Who asks. */
  readonly access: Access;
  /** The id of the HTTP request. */
  readonly requestId: string;
  /** Whether the caller may still use the agent, once time has passed. */
  readonly mayStill: () => Promise<boolean>;
}

/** A request whose headers and body have been read. */
interface Read {
  readonly call: EndpointCall;
  readonly client: AgentClient;
  readonly request: RpcRequest;
  readonly frame: Frame;
  readonly session: Session | undefined;
  readonly takes: AnswerOptions["takes"];
}

/** Methods that have a server do something: each request of them counts as one call, each round of one too. */
const CALLS: ReadonlySet<string> = new Set(["tools/call", "resources/read", "prompts/get", "completion/complete"]);

/** What the endpoint works with. */
export type EndpointDeps = Pick<
  RouteDeps,
  | "directory"
  | "inFlight"
  | "journal"
  | "limiter"
  | "maxBodyBytes"
  | "onInternalError"
  | "open"
  | "sessions"
  | "storeSecret"
>;

/** Answers the requests of MCP clients. One for each gateway. */
export class McpEndpoint {
  readonly #deps: EndpointDeps;
  readonly #services: Services;
  readonly #sessions: SessionBook;

  /**
   * Creates the endpoint.
   *
   * @param deps What the routes share.
   * @param clock Tells the time. @default {The machine's}
   */
  constructor(deps: EndpointDeps, clock: Clock = SYSTEM_CLOCK) {
    const { inFlight, journal, storeSecret } = deps;
    this.#deps = deps;
    this.#sessions = new SessionBook(clock);
    const conversations = new ConversationBook(clock);
    this.#services = {
      journal,
      // Another configuration may ask for keys.
      get open() {
        return deps.open;
      },
      clock,
      conversations,
      notices: new AgentNotices(),
      slots: new StreamSlots(),
      states: new RequestStates(storeSecret, clock),
      stopping: inFlight.stopping,
      paramHeaders: new WeakMap(),
    };
    inFlight.stopping.addEventListener("abort", () => conversations.endAll(inFlight.stopping.reason), { once: true });
  }

  /**
   * Answers a POST.
   *
   * @param call The request.
   * @returns The response; every failure is a JSON-RPC error.
   */
  async post(call: EndpointCall): Promise<Response> {
    let message: RpcMessage | undefined;
    try {
      const { request, access, agent } = call;
      const { directory, inFlight, maxBodyBytes } = this.#deps;
      const client = openAgent(directory, access, agent);
      message = readMessage(await inFlight.wait(request.signal, () => readJson(request, maxBodyBytes)));
      if (message.kind !== "request") return this.#take(call, message);
      return await this.#answer(call, client, message);
    } catch (error) {
      return this.#fail(error, call, message);
    }
  }

  /**
   * Answers a GET: the stream of a session.
   *
   * @param call The request.
   * @returns The response.
   */
  get(call: EndpointCall): Response {
    try {
      openAgent(this.#deps.directory, call.access, call.agent);
      checkVersion(call.request.headers);
      const session = this.#sessionOf(call);
      // A HEAD comes this way too: nobody would read its stream.
      if (session === undefined || call.request.method !== "GET") throw methodNotAllowed();
      if (!readAccept(call.request.headers).stream) throw notAcceptable();
      return listenInSession(session, this.#services, call.mayStill);
    } catch (error) {
      return this.#fail(error, call);
    }
  }

  /**
   * Answers a DELETE: the end of a session.
   *
   * @param call The request.
   * @returns The response.
   */
  delete(call: EndpointCall): Response {
    try {
      openAgent(this.#deps.directory, call.access, call.agent);
      checkVersion(call.request.headers);
      const session = this.#sessionOf(call);
      if (session === undefined) throw methodNotAllowed();
      this.#sessions.end(session);
      return new Response(null, { status: 204 });
    } catch (error) {
      return this.#fail(error, call);
    }
  }

  /** Takes what needs no answer. */
  #take(call: EndpointCall, message: RpcNotification | RpcResponse): Response {
    checkVersion(call.request.headers);
    const isOfModern = message.kind === "notification" &&
      isModern(call.request.headers, message.method, message.params);
    const session = isOfModern ? undefined : this.#sessionOf(call);
    if (message.kind === "response") {
      if (session !== undefined) session.take(message);
      else throw new RpcError(INVALID_REQUEST, "Cannot take the response as nothing was asked", { status: 400 });
    } else if (message.method === "notifications/cancelled") {
      session?.cancel(message.params.requestId);
    }
    return new Response(null, { status: 202 });
  }

  async #answer(call: EndpointCall, client: AgentClient, request: RpcRequest): Promise<Response> {
    const { headers } = call.request;
    const frame = readFrame(headers, request);
    const takes = readAccept(headers);
    if (!takes.json && !takes.stream) throw notAcceptable();
    const begins = request.method === "initialize" && frame.era === "legacy";
    const session = frame.era === "modern"
      ? undefined
      : begins
      ? this.#begin(call, client, request)
      : this.#sessionOf(call);
    const read: Read = { call, client, request, frame, session, takes };
    if (frame.era === "modern" && request.method === "subscriptions/listen") return await this.#listen(read);
    const method = methodOf(frame.era, request.method);
    const headersOfSession = begins && session !== undefined ? { "mcp-session-id": session.options.id } : undefined;
    const { access, agent, request: { signal } } = call;
    const isCall = CALLS.has(request.method);
    const admission = isCall ? await this.#deps.limiter.admit(access, agent, { signal }) : undefined;
    const own = { ...headersOfSession, ...admission?.headers };
    let leave: (() => void) | undefined;
    return await answer(
      { takes, headers: own, clock: this.#services.clock, onGone: () => leave?.() },
      async (outlet): Promise<Reply> => {
        try {
          const result = await this.#run(read, (end) => leave = end, async (signal) => {
            return await method(this.#toExchange(read, outlet, signal));
          });
          return { message: writeResult(request.id, result) };
        } catch (error) {
          if (error instanceof RequestCancelled) return { message: undefined };
          const rpcError = this.#toError(error, { requestId: call.requestId, era: frame.era, uri: request.params.uri });
          return {
            message: writeError(request.id, rpcError),
            status: rpcError.status,
            headers: errorHeaders(rpcError),
          };
        } finally {
          admission?.release();
        }
      },
    );
  }

  /** A session goes on where a connection is lost; without one, the connection is all that there is of a caller. */
  async #run<T>(
    read: Read,
    onBegin: (leave: () => void) => void,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { inFlight } = this.#deps;
    const { session, request, call: { request: { signal } } } = read;
    const toStopped = request.method === "tools/call" ? toCallStopped : undefined;
    if (session === undefined) return await inFlight.run(signal, work, { toStopped, onBegin });
    return await session.run(request.id, async (cancelled) => {
      try {
        return await inFlight.run(cancelled, work, { toStopped });
      } catch (error) {
        throw cancelled.aborted ? cancelled.reason : error;
      }
    });
  }

  async #listen(read: Read): Promise<Response> {
    const { call, takes } = read;
    if (!takes.stream) throw notAcceptable();
    const outlet: Outlet = { isOpen: false, send: () => {}, offer: () => {} };
    return await this.#deps.inFlight.run(
      call.request.signal,
      (signal) => listen(this.#toExchange(read, outlet, signal)),
    );
  }

  #begin(call: EndpointCall, client: AgentClient, { params }: RpcRequest): Session | undefined {
    const askable = toAskable(params.capabilities);
    if (this.#deps.sessions === "off" || Object.keys(askable).length === 0) return undefined;
    const { agent, access: { caller } } = call;
    return this.#sessions.begin({ agent, client, caller, askable, notices: this.#services.notices });
  }

  #sessionOf({ request, agent, access }: EndpointCall): Session | undefined {
    const id = request.headers.get("mcp-session-id");
    return id === null ? undefined : this.#sessions.find({ id, agent, caller: access.caller });
  }

  #toExchange(read: Read, outlet: Outlet, signal: AbortSignal): Exchange {
    const { call: { agent, access, mayStill, requestId, request: { headers } }, client, request, frame, session } =
      read;
    return {
      requestId,
      agent,
      client,
      access,
      mayStill,
      request,
      frame,
      headers,
      session,
      outlet,
      signal,
      services: this.#services,
    };
  }

  #fail(error: unknown, call: EndpointCall, message?: RpcMessage): Response {
    const id = message?.kind === "request" ? message.id : undefined;
    const headers = error instanceof RequestError ? error.headers : {};
    return errorResponse(this.#toError(error, { requestId: call.requestId }), id, headers);
  }

  #toError(error: unknown, context: ErrorContext): RpcError {
    const rpcError = toRpcError(error, context);
    if (rpcError.data?.code === "internal") this.#deps.onInternalError(error, context.requestId);
    return rpcError;
  }
}

/** What a caller takes; who does not say takes everything. */
function readAccept(headers: Headers): AnswerOptions["takes"] {
  const accept = headers.get("accept")?.toLowerCase() ?? "*/*";
  return { json: /\*\/\*|application\/(json|\*)/.test(accept), stream: /\*\/\*|text\/(event-stream|\*)/.test(accept) };
}

function notAcceptable(): RpcError {
  const message =
    "Cannot answer as the Accept header allows neither application/json nor text/event-stream, as it should";
  return new RpcError(INVALID_REQUEST, message, { status: 406 });
}

function methodNotAllowed(): RequestError {
  return new RequestError("method_not_allowed", "Cannot serve the request as it is no POST, and in no session");
}
