/**
 * One request of a caller while it is answered.
 *
 * @module
 */

import type { Access } from "../callers/access.ts";
import type { AgentClient } from "../gateway/agent_directory.ts";
import type { JsonObject } from "../protocol.ts";
import type { Frame } from "./frame.ts";
import type { RpcRequest } from "./rpc.ts";

/** One request, and what it is answered with. */
export interface Exchange {
  /** The agent's name. */
  readonly agent: string;
  /** The agent. */
  readonly client: AgentClient;
  /** Who asks. */
  readonly access: Access;
  /** Whether the gateway is served without keys, so that every caller may see the same. */
  readonly open: boolean;
  /** What is asked. */
  readonly request: RpcRequest;
  /** How it is to be served. */
  readonly frame: Frame;
  /** The headers of the request. */
  readonly headers: Headers;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers one method. */
export type Method = (exchange: Exchange) => JsonObject | Promise<JsonObject>;
