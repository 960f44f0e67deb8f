/**
 * How much is taken of what a server sends.
 *
 * @module
 */

import type { AnswerCaps } from "./answer_reader.ts";

/** Of one event of a stream, in characters. */
export const MAX_EVENT_CHARS = 4 * 1024 * 1024;

/** Of the answer to a call. */
export const CALL_CAPS: AnswerCaps = { maxBodyBytes: 4 * 1024 * 1024, maxEventChars: MAX_EVENT_CHARS };

/** Of one page of a tool list. */
export const LIST_CAPS: AnswerCaps = { maxBodyBytes: 8 * 1024 * 1024, maxEventChars: 8 * 1024 * 1024 };

/** Of the answers to a handshake, in bytes. */
export const MAX_HANDSHAKE_BYTES = 1024 * 1024;

/** Of a server's instructions, in characters. */
export const MAX_INSTRUCTIONS_CHARS = 16 * 1024;

/** How long a polite good-bye may take, in milliseconds. */
export const CLOSE_TIMEOUT_MS = 1_000;

/** How long the end of a session may take, in milliseconds: where tasks are cancelled first, both fit in a second. */
export const END_TIMEOUT_MS = 500;
