/**
 * The key by which a caller says that two requests are one: the header `Idempotency-Key`
 * (draft-ietf-httpapi-idempotency-key-header).
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";
import { RequestError } from "../gateway/request_error.ts";
import { toCanonicalJson } from "../frozen_json.ts";
import type { JsonObject } from "../protocol.ts";

/** The name of the header. */
export const IDEMPOTENCY_HEADER = "idempotency-key";

/** The most characters that a key may have. */
export const MAX_KEY_CHARS = 255;

// The string of RFC 8941, section 3.3.3.
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
// Without what joins several headers, or begins a parameter.
const BARE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;

/** A call that its caller names. */
export interface NamedCall {
  /** Who calls. */
  readonly caller: string;
  /** Whose tool it is. */
  readonly agent: string;
  /** The parts of the name: the key, and the place in a batch where that has the key. */
  readonly key: readonly string[];
  /** The tool. */
  readonly tool: string;
  /** Its arguments. */
  readonly args: JsonObject;
}

/** What stands for a named call in a store. From neither can the caller, the key or an argument be found. */
export interface CallMark {
  /** Stands for the caller, the agent and the key. */
  readonly id: string;
  /** Stands for the tool and its arguments. */
  readonly fingerprint: string;
}

/**
 * Reads the header: a string in quotes, or its characters as they are.
 *
 * @param header Its value, or `undefined` where there is none.
 * @returns The key, or `undefined` where there is none.
 * @throws {RequestError} If it is neither, empty, or longer than 255 characters: `invalid_header`.
 */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const quoted = QUOTED.exec(header)?.[1]?.replaceAll(/\\(["\\])/g, "$1");
  const key = quoted ?? (BARE.test(header) ? header : "");
  if (key.length > 0 && key.length <= MAX_KEY_CHARS) return key;
  throw new RequestError(
    "invalid_header",
    `Cannot use the header Idempotency-Key as a key: send 1 to ${MAX_KEY_CHARS} printable ASCII characters in quotes`,
  );
}

/**
 * Whether a text can be a key.
 *
 * @param text The key itself, as a batch gives it.
 * @returns Whether it is 1 to 255 characters that a header could give.
 */
export function isIdempotencyKey(text: string): boolean {
  return text.length > 0 && text.length <= MAX_KEY_CHARS && /^[\x20-\x7e]+$/.test(text);
}

/**
 * Marks a call, the same way in every isolate.
 *
 * @param call The call.
 * @returns Its mark.
 */
export async function toCallMark({ caller, agent, key, tool, args }: NamedCall): Promise<CallMark> {
  const name = JSON.stringify([caller, agent, ...key]);
  return {
    id: await sha256Hex(`id ${name}`),
    // The key goes in, which nobody but the caller knows: few arguments could be guessed otherwise.
    fingerprint: await sha256Hex(`call ${name} ${JSON.stringify(tool)} ${toCanonicalJson(args)}`),
  };
}
