/**
 * The body of a request: one JSON value, bounded in size and in depth.
 *
 * @module
 */

import { type Alarm, clearAlarm, setAlarm } from "../alarm.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import { RequestError } from "./request_error.ts";

/** How long a body may take to arrive, in milliseconds. */
const BODY_TIMEOUT_MS = 30_000;
/** The most levels that objects and arrays may be nested. */
const MAX_DEPTH = 64;
/** Up to which length a body is read at once: its sender is held to the length that it has given. */
const WHOLE_BYTES = 64 * 1024;

/** What is taken for a body. */
export interface BodyKind {
  /** The media types, without parameters. */
  readonly type: RegExp;
  /** What to send, as the end of the error's sentence. */
  readonly wanted: string;
}

const JSON_BODY: BodyKind = {
  type: /^application\/json$/i,
  wanted: "JSON: send it with Content-Type: application/json",
};

const WHOLE = new TextDecoder("utf-8", { fatal: true });
/** What every number has that a program in JavaScript could read as another one; texts may have it too. */
const LONG_NUMBER = /\d{16}|\d[eE]\+?\d{3}/;

/**
 * Reads the body of a request as a JSON object. No body at all is an empty object.
 *
 * @param request The request; its body is read once, and no further than the cap.
 * @param maxBytes The most bytes it may have.
 * @param timeoutMs How long it may take to arrive, in milliseconds. @default {30_000}
 * @returns The object, without members called `__proto__`.
 * @throws {RequestError} If it is too slow (`body_timeout`) or too large (`body_too_large`), not sent as `application/json`
 * (`unsupported_media_type`), or not a JSON object of at most 64 levels, whose whole numbers are exact as 64-bit floating
 * point (`invalid_arguments`).
 */
export async function readJsonObject(
  request: Request,
  maxBytes: number,
  timeoutMs: number = BODY_TIMEOUT_MS,
): Promise<JsonObject> {
  const value = await readJson(request, maxBytes, timeoutMs);
  if (value === undefined) return {};
  if (!isJsonObject(value)) {
    throw new RequestError(
      "invalid_arguments",
      `Cannot use the body as it is ${Array.isArray(value) ? "an array" : "a single value"}: send a JSON object`,
    );
  }
  return value;
}

/**
 * Reads the body of a request as JSON.
 *
 * @param request The request; its body is read once, and no further than the cap.
 * @param maxBytes The most bytes it may have.
 * @param timeoutMs How long it may take to arrive, in milliseconds. @default {30_000}
 * @returns The value, without members called `__proto__`; `undefined` where there is no body.
 * @throws {RequestError} As {@linkcode readJsonObject}, but for what the value is.
 */
export async function readJson(
  request: Request,
  maxBytes: number,
  timeoutMs: number = BODY_TIMEOUT_MS,
): Promise<unknown> {
  const text = await readText(request, maxBytes, JSON_BODY, timeoutMs);
  if (text === "") return undefined;
  // Before parsing: a parser that recurses would run out of stack on what this refuses.
  if (isDeeperThan(text, MAX_DEPTH)) {
    throw new RequestError(
      "invalid_arguments",
      `Cannot use the body as it is nested more than ${MAX_DEPTH} levels deep`,
    );
  }
  const value = parse(text);
  if (LONG_NUMBER.test(text) && hasOtherNumber(text)) {
    throw new RequestError(
      "invalid_arguments",
      "Cannot use the body as a number in it is too large to be passed on as it is: send it as a text, where that will do",
    );
  }
  // An escape may spell the name too.
  if (text.includes("__proto__") || text.includes("\\u")) dropProto(value);
  return value;
}

/**
 * Reads the body of a request as a text.
 *
 * @param request The request; its body is read once, and no further than the cap.
 * @param maxBytes The most bytes it may have.
 * @param kind What is taken.
 * @param timeoutMs How long it may take to arrive, in milliseconds. @default {30_000}
 * @returns The text; empty where there is no body.
 * @throws {RequestError} If it is too slow (`body_timeout`) or too large (`body_too_large`), sent as something else
 * (`unsupported_media_type`), or not UTF-8 (`invalid_arguments`).
 */
export async function readText(
  request: Request,
  maxBytes: number,
  kind: BodyKind,
  timeoutMs: number = BODY_TIMEOUT_MS,
): Promise<string> {
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (length === "0") return "";
  const isShort = length !== null && Number(length) <= WHOLE_BYTES && !request.headers.has("transfer-encoding");
  if (isShort) return await readWhole(request, maxBytes, kind, timeoutMs);
  if (request.body === null) return "";
  return await readPieces(request.body, maxBytes, timeoutMs, () => checkMediaType(request.headers, kind));
}

/** A short body is there with its head as a rule: to read it at once costs a third of reading it piece by piece. */
async function readWhole(request: Request, maxBytes: number, kind: BodyKind, timeoutMs: number): Promise<string> {
  checkMediaType(request.headers, kind);
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const alarm = setAlarm(() => reject(tooLate(timeoutMs)), timeoutMs);
  try {
    request.bytes().then(resolve, () => reject(brokenOff()));
    const bytes = await promise;
    if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
    return decode(() => WHOLE.decode(bytes));
  } finally {
    clearAlarm(alarm);
  }
}

async function readPieces(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  timeoutMs: number,
  onBegin: () => void,
): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = body.getReader();
  let text = "";
  let bytes = 0;
  let timer: Alarm | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setAlarm(() => reject(tooLate(timeoutMs)), timeoutMs);
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return text + decode(() => decoder.decode());
      if (bytes === 0 && value.byteLength > 0) onBegin();
      bytes += value.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      text += decode(() => decoder.decode(value, { stream: true }));
    }
  } catch (error) {
    // What was refused is not read on, and nobody waits for it.
    reader.cancel().catch(() => {});
    throw error instanceof RequestError ? error : brokenOff();
  } finally {
    clearAlarm(timer);
  }
}

function tooLarge(maxBytes: number): RequestError {
  return new RequestError("body_too_large", `Cannot read the body as it has more than ${maxBytes} bytes`);
}

function tooLate(timeoutMs: number): RequestError {
  return new RequestError("body_timeout", `Cannot read the body as it took more than ${timeoutMs} ms`);
}

/** The connection was lost, or the body is not framed as its headers say. */
function brokenOff(): RequestError {
  return new RequestError("invalid_arguments", "Cannot use the body as it did not arrive whole");
}

function checkMediaType(headers: Headers, { type, wanted }: BodyKind): void {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  const [media = "", ...parameters] = (headers.get("content-type") ?? "").split(";").map((part) => part.trim());
  const isPlain = parameters.every((part) => part === "" || /^charset *= *"?utf-8"?$/i.test(part));
  if (encoding === "identity" && type.test(media) && isPlain && parameters.length <= 1) return;
  throw new RequestError("unsupported_media_type", `Cannot read the body as it is not plain ${wanted}`);
}

function decode(step: () => string): string {
  try {
    return step();
  } catch {
    throw new RequestError("invalid_arguments", "Cannot use the body as it is not UTF-8");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError("invalid_arguments", "Cannot use the body as it is not JSON");
  }
}

/** Whether JSON holds a number that would be passed on as another one: it may be an id, and the other one somebody else's. */
export function hasOtherNumber(json: string): boolean {
  const outside = /"|-?\d[\d.eE+-]*/g;
  for (let found = outside.exec(json); found !== null; found = outside.exec(json)) {
    const [token] = found;
    if (token === '"') outside.lastIndex = endOfText(json, found.index);
    else if (token.length >= 5 && !isExact(token)) return true;
  }
  return false;
}

/** Where a text ends that begins at an index, quotes included. */
function endOfText(json: string, start: number): number {
  for (let index = start + 1; index < json.length; index++) {
    const char = json.charCodeAt(index);
    if (char === 0x5c) index++;
    else if (char === 0x22) return index + 1;
  }
  return json.length;
}

/** A fraction is rounded by everybody; a whole number is not. */
function isExact(token: string): boolean {
  const value = Number(token);
  return Number.isFinite(value) && (!/^-?\d{16,}$/.test(token) || BigInt(token) === BigInt(value));
}

function isDeeperThan(text: string, levels: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (inString) {
      if (char === 0x5c) index++;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > levels) return true;
    } else if (char === 0x7d || char === 0x5d) depth--;
  }
  return false;
}

// As an own member it does no harm here, but code behind the gateway that copies members could take it for a prototype.
function dropProto(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) delete (value as Record<string, unknown>)["__proto__"];
  for (const member of Object.values(value)) dropProto(member);
}
