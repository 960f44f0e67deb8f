/**
 * Answers that are pages.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import { sha256Hex } from "../cache/sha256.ts";

const NONCE_BYTES = 16;

/**
 * Answers with a page. It loads nothing that it does not name by a nonce of its own, and nothing of another origin.
 *
 * @param draw Draws it, given the nonce.
 * @param status The status of the answer. @default {200}
 * @returns The answer.
 */
export async function answerHtml(draw: (nonce: string) => JSX.Element, status = 200): Promise<Response> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES)).toBase64();
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": toPolicy(nonce),
    // A form has to say where it was sent from: without a referrer, browsers say "null".
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    vary: "Accept, Cookie",
  };
  return new Response(`<!DOCTYPE html>${await draw(nonce)}`, { status, headers });
}

function toPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "media-src data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/**
 * Answers with what a page is made of. A browser that has it asks only whether it is still the same.
 *
 * @param request The request.
 * @param text The text.
 * @param type Its media type.
 * @returns The answer.
 */
export async function answerAsset(request: Request, text: string, type: string): Promise<Response> {
  const etag = `"${(await sha256Hex(text)).slice(0, 32)}"`;
  const headers = { etag, "cache-control": "no-cache", "content-type": `${type}; charset=utf-8` };
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
  return new Response(text, { headers });
}
