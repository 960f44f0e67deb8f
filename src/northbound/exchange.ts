/**
 * One request of a caller while it is answered.
 *
 * @module
 */

import type { Access } from "../callers/access.ts";
import type { ParamHeader } from "../connection/param_headers.ts";
import type { AgentClient } from "../gateway/agent_directory.ts";
import type { CallJournal } from "../gateway/call_journal.ts";
import type { JsonObject } from "../protocol.ts";
import type { AgentNotices } from "./agent_notices.ts";
import type { Outlet } from "./answer.ts";
import type { Clock } from "./clock.ts";
import type { ConversationBook } from "./conversation_book.ts";
import type { Frame } from "./frame.ts";
import type { RequestStates } from "./request_state.ts";
import type { RpcRequest } from "./rpc.ts";
import type { Session } from "./session.ts";
import type { StreamSlots } from "./stream_slots.ts";

/** What the methods of an endpoint share. */
export interface Services {
  /** Notes each call of a tool. */
  readonly journal: CallJournal;
  /** Whether the gateway is served without keys, so that every caller may see the same. */
  readonly open: boolean;
  /** Which arguments of a tool are repeated in headers, by the tool's schema. */
  readonly paramHeaders: WeakMap<JsonObject, readonly ParamHeader[]>;
  /** What the servers tell outside of requests. */
  readonly notices: AgentNotices;
  /** Counts the streams of those who listen. */
  readonly slots: StreamSlots;
  /** Aborted when the gateway begins to stop. */
  readonly stopping: AbortSignal;
  /** Requests that wait for answers of their callers. */
  readonly conversations: ConversationBook;
  /** Seals what callers carry from round to round. */
  readonly states: RequestStates;
  /** Tells the time. */
  readonly clock: Clock;
}

/** One request, and what it is answered with. */
export interface Exchange {
  /** The id of the HTTP request. */
  readonly requestId: string;
  /** The agent's name. */
  readonly agent: string;
  /** The agent. */
  readonly client: AgentClient;
  /** Who asks. */
  readonly access: Access;
  /** What is asked. */
  readonly request: RpcRequest;
  /** How it is to be served. */
  readonly frame: Frame;
  /** Whether the caller may still use the agent, once time has passed. */
  readonly mayStill: () => Promise<boolean>;
  /** The headers of the request. */
  readonly headers: Headers;
  /** The session, where a legacy caller has one. */
  readonly session: Session | undefined;
  /** Where messages go before the response. */
  readonly outlet: Outlet;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** What all requests share. */
  readonly services: Services;
}

/** Answers one method. */
export type Method = (exchange: Exchange) => JsonObject | Promise<JsonObject>;
