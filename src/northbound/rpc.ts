/**
 * JSON-RPC as the MCP endpoint reads and writes it: one message for each body (specification 2025-11-25 and 2026-07-28,
 * Base Protocol, Messages).
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../protocol.ts";

/** The id of a request, as its caller chose it. */
export type RpcId = string | number;

/** A request: it gets an answer with its id. */
export interface RpcRequest {
  /** What kind of message it is. */
  readonly kind: "request";
  /** The id. */
  readonly id: RpcId;
  /** The method. */
  readonly method: string;
  /** The parameters; empty where there are none. */
  readonly params: JsonObject;
}

/** A notification: it gets none. */
export interface RpcNotification {
  /** What kind of message it is. */
  readonly kind: "notification";
  /** The method. */
  readonly method: string;
  /** The parameters; empty where there are none. */
  readonly params: JsonObject;
}

/** An answer to a request of ours. */
export interface RpcResponse {
  /** What kind of message it is. */
  readonly kind: "response";
  /** The id of our request. */
  readonly id: RpcId;
  /** The result; missing where the answer is an error. */
  readonly result?: JsonObject;
  /** The error's code; missing where the answer is a result. */
  readonly errorCode?: number;
}

/** One message of a caller. */
export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;

/** JSON-RPC: the body is no JSON. */
export const PARSE_ERROR = -32700;
/** JSON-RPC: the body is no request. */
export const INVALID_REQUEST = -32600;
/** JSON-RPC: there is no such method. */
export const METHOD_NOT_FOUND = -32601;
/** JSON-RPC: the parameters are not what the method takes. */
export const INVALID_PARAMS = -32602;
/** JSON-RPC: the method failed. */
export const INTERNAL_ERROR = -32603;
/** What implementations up to 2025-11-25 use for failures of their own. */
export const SERVER_ERROR = -32000;
/** Up to 2025-11-25: there is no such resource. */
export const RESOURCE_NOT_FOUND = -32002;
/** Since 2026-07-28: the headers do not say what the body says. */
export const HEADER_MISMATCH = -32020;
/** Since 2026-07-28: the caller would have to be asked something that it has not declared. */
export const MISSING_CAPABILITY = -32021;

const MAX_ID_CHARS = 1_024;
/** When to try again where there are too many of something, in milliseconds. */
const TOO_MANY_RETRY_AFTER_MS = 10_000;

/** What a {@linkcode RpcError} may carry besides its code and message. */
export interface RpcErrorOptions {
  /** What the caller's program is told. */
  readonly data?: JsonObject | undefined;
  /** The status of the response, where nothing has been sent yet. @default {200} */
  readonly status?: number | undefined;
  /** The id of the request, where it is known. @default {null} */
  readonly id?: RpcId | null | undefined;
}

/** An error as a caller gets it. Its message and data hold nothing that the caller may not know. */
export class RpcError extends Error {
  /** The JSON-RPC code. */
  readonly code: number;
  /** What the caller's program is told. */
  readonly data: JsonObject | undefined;
  /** The status of the response, where nothing has been sent yet. */
  readonly status: number;
  /** The id of the request, where it is known. */
  readonly id: RpcId | null;

  /**
   * Creates an error.
   *
   * @param code The JSON-RPC code.
   * @param message What could not be done.
   * @param options What else is known.
   */
  constructor(code: number, message: string, options: RpcErrorOptions = {}) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.data = options.data;
    this.status = options.status ?? 200;
    this.id = options.id ?? null;
  }
}

/**
 * Parameters that a method cannot use.
 *
 * @param message What could not be done.
 * @returns The error.
 */
export function invalidParams(message: string): RpcError {
  return new RpcError(INVALID_PARAMS, message, { data: { code: "invalid_arguments", retryable: false } });
}

/**
 * More than the gateway holds at once.
 *
 * @param message What could not be done.
 * @param retryable Whether the same may work later. @default {true}
 * @returns The error.
 */
export function tooMany(message: string, retryable: boolean = true): RpcError {
  const data = { code: "overloaded", retryable, retryAfterMs: TOO_MANY_RETRY_AFTER_MS };
  return new RpcError(INTERNAL_ERROR, message, { status: 503, data });
}

/**
 * Reads a message.
 *
 * @param value The parsed body.
 * @returns The message.
 * @throws {RpcError} With `-32600` if it is not exactly one message of JSON-RPC 2.0.
 */
export function readMessage(value: unknown): RpcMessage {
  if (Array.isArray(value)) {
    throw refuse("Cannot use the body as it is a batch: send each message as a request of its own");
  }
  if (!isJsonObject(value) || value.jsonrpc !== "2.0") {
    throw refuse('Cannot use the body as it is no JSON-RPC message: "jsonrpc" is to be "2.0"');
  }
  const hasId = Object.hasOwn(value, "id");
  const id = hasId ? readId(value.id) : undefined;
  if (Object.hasOwn(value, "method")) return readCall(value, id);
  if (id === undefined || !(Object.hasOwn(value, "result") || Object.hasOwn(value, "error"))) {
    throw refuse("Cannot use the body as it is neither a request nor a notification nor a response", id);
  }
  return readResponse(value, id);
}

/**
 * A notification as JSON.
 *
 * @param method The method.
 * @param params The parameters, where there are some.
 * @returns The text.
 */
export function writeNotification(method: string, params?: JsonObject): string {
  return JSON.stringify({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
}

/**
 * A request of ours as JSON.
 *
 * @param id The id.
 * @param method The method.
 * @param params The parameters.
 * @returns The text.
 */
export function writeRequest(id: RpcId, method: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

/**
 * A result as JSON.
 *
 * @param id The id of the request.
 * @param result The result.
 * @returns The text.
 */
export function writeResult(id: RpcId, result: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result });
}

/**
 * An error as JSON.
 *
 * @param id The id of the request, `null` where it is not known.
 * @param error The error.
 * @returns The text.
 */
export function writeError(id: RpcId | null, { code, message, data }: RpcError): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message, ...(data === undefined ? {} : { data }) } });
}

function readCall(value: JsonObject, id: RpcId | undefined): RpcRequest | RpcNotification {
  const { method, params = {} } = value;
  if (typeof method !== "string" || method === "") {
    throw refuse('Cannot use the message as "method" is not a name', id);
  }
  if (!isJsonObject(params)) throw refuse('Cannot use the message as "params" is not an object', id);
  return id === undefined ? { kind: "notification", method, params } : { kind: "request", id, method, params };
}

function readResponse(value: JsonObject, id: RpcId): RpcResponse {
  const { result, error } = value;
  if (isJsonObject(result) && error === undefined) return { kind: "response", id, result };
  if (isJsonObject(error) && typeof error.code === "number" && result === undefined) {
    return { kind: "response", id, errorCode: error.code };
  }
  throw refuse("Cannot use the response as it has not exactly one of a result and an error", id);
}

function readId(id: unknown): RpcId {
  const isId = typeof id === "string" ? id.length <= MAX_ID_CHARS : Number.isSafeInteger(id);
  if (isId) return id as RpcId;
  throw refuse(`Cannot use the message as "id" is no integer and no text of at most ${MAX_ID_CHARS} characters`);
}

function refuse(message: string, id?: RpcId): RpcError {
  return new RpcError(INVALID_REQUEST, message, { status: 400, id });
}
