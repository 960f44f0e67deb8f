/**
 * What tests of connections have in common: a desk that keeps what reaches it, a session that is known already,
 * a responder whose answers a test decides.
 *
 * @module
 */

import type { ExchangeSession } from "../../src/connection/call_exchange.ts";
import {
  type Connection,
  type ConnectionDesk,
  type ConnectionRequest,
  type InputResponder,
  RpcRefusal,
} from "../../src/connection/connection.ts";
import { CALL_CAPS } from "../../src/connection/limits.ts";
import { Deadline } from "../../src/deadline.ts";
import { createGuardedFetch } from "../../src/guarded_fetch.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { answer } from "./behaviours.ts";
import { type RawServer, type RawServerScript, startRawServer } from "./fault_server.ts";

/** A question that reached a responder. */
export interface AskedQuestion {
  /** The method. */
  readonly method: string;
  /** Its parameters. */
  readonly params: JsonObject;
  /** What ends the answering. */
  readonly signal: AbortSignal;
}

/** A responder that keeps what it is asked. */
export interface TestResponder extends InputResponder {
  /** What it was asked, in order. */
  readonly asked: readonly AskedQuestion[];
}

/** Makes a responder. @default {Everything is answered with the method's name} */
export function createTestResponder(
  answer: (question: AskedQuestion) => JsonObject | Promise<JsonObject> = ({ method }) => ({ method }),
  capabilities: JsonObject = { elicitation: { form: {} } },
): TestResponder {
  const asked: AskedQuestion[] = [];
  return {
    asked,
    capabilities,
    async answer(method, params, signal) {
      const question = { method, params, signal };
      asked.push(question);
      return await answer(question);
    },
  };
}

/** A desk that refuses every question and keeps what it is told. */
export interface TestDesk extends ConnectionDesk {
  /** The notices that reached it, in order. */
  readonly notices: readonly JsonObject[];
}

/** Makes a desk; without a responder it refuses every question. */
export function createTestDesk(responder?: InputResponder): TestDesk {
  const notices: JsonObject[] = [];
  return {
    notices,
    own: responder,
    capabilities: responder?.capabilities ?? {},
    notice: (message) => void notices.push(message),
    answer: (...question) => {
      return responder?.answer(...question) ?? Promise.reject(new RpcRefusal(-32601, "Method not found"));
    },
  };
}

/** What is known of a server on a loopback URL. */
export function createTestSession(url: string, era: "legacy" | "modern" = "legacy"): ExchangeSession {
  const send = createGuardedFetch({ server: "files", url: new URL(url), headers: {} });
  const protocolVersion = era === "legacy" ? "2025-11-25" : "2026-07-28";
  return {
    server: "files",
    send,
    era,
    protocolVersion,
    sessionId: era === "legacy" ? "s-1" : undefined,
    now: Date.now,
  };
}

/** Sends one request over a connection, a call of `echo` where nothing else is said. */
export async function ask(
  connection: Connection,
  more: Partial<Omit<ConnectionRequest, "deadline">> & { readonly timeoutMs?: number; readonly signal?: AbortSignal } =
    {},
): Promise<JsonObject> {
  const { timeoutMs = 10_000, signal, ...request } = more;
  using deadline = new Deadline(timeoutMs, { signal });
  return await connection.request({
    method: "tools/call",
    params: { name: "echo" },
    phase: "call",
    caps: CALL_CAPS,
    deadline,
    ...request,
  });
}

/** Starts a legacy server by hand that declares capabilities. */
export function startCapableServer(script: RawServerScript = {}, capabilities: JsonObject = EVERYTHING): RawServer {
  const serverInfo = { name: "raw", version: "1" };
  const initialize = answer({ protocolVersion: "2025-11-25", capabilities, serverInfo });
  return startRawServer({ initialize, ...script });
}

const EVERYTHING: JsonObject = { tools: {}, resources: { subscribe: true }, prompts: {}, completions: {} };
