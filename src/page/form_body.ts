/**
 * The body of a form, bounded in size and time.
 *
 * @module
 */

import { clearAlarm, setAlarm } from "../alarm.ts";
import { RequestError } from "../gateway/request_error.ts";

/** How long a form may take to arrive, in milliseconds. */
const BODY_TIMEOUT_MS = 30_000;
/** How many fields it may have: each is looked for among all. */
const MAX_PAIRS = 5_000;

/**
 * Reads what a form sent.
 *
 * @param request The request; its body is read once, and no further than the cap.
 * @param maxBytes The most bytes it may have.
 * @returns The fields.
 * @throws {RequestError} If it is no form (`unsupported_media_type`), too large (`body_too_large`) or too slow
 * (`body_timeout`).
 */
export async function readFormBody(
  request: Request,
  maxBytes: number,
  timeoutMs = BODY_TIMEOUT_MS,
): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(request.headers.get("content-type") ?? "")) {
    throw new RequestError("unsupported_media_type", "Cannot read the body as it is not sent by a form of the page");
  }
  if (request.body === null) return new URLSearchParams();
  const reader = request.body.getReader();
  const decoder = new TextDecoder();
  let [text, bytes, isLate] = ["", 0, false];
  const alarm = setAlarm(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, timeoutMs);
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.byteLength;
      if (bytes > maxBytes) throw new RequestError("body_too_large", `Cannot take more than ${maxBytes} bytes`);
      text += decoder.decode(part.value, { stream: true });
    }
  } finally {
    clearAlarm(alarm);
    await reader.cancel().catch(() => {});
  }
  if (isLate) throw new RequestError("body_timeout", "Cannot go on as the form did not arrive in time");
  text += decoder.decode();
  if (text.split("&", MAX_PAIRS + 1).length > MAX_PAIRS) {
    throw new RequestError("body_too_large", `Cannot take more than ${MAX_PAIRS} fields`);
  }
  return new URLSearchParams(text);
}
