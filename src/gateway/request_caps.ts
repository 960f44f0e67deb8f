/**
 * How large a request may be before its body: its URL and its headers.
 *
 * @module
 */

import { RequestError } from "./request_error.ts";

/** Of the URL, in characters. */
const MAX_URL_CHARS = 8_192;
/** How many headers there may be; those of one name count as one. */
const MAX_HEADERS = 100;
/** Of the name and the value of one header, in characters, which are bytes there. */
const MAX_HEADER_CHARS = 16_384;
/** Of all headers together, likewise. */
const MAX_HEADERS_CHARS = 32_768;

/**
 * Refuses a request that is larger than any honest one.
 *
 * @param request The request; its body is not read.
 * @throws {RequestError} If its URL is too long (`url_too_long`), or its headers are too many or too large
 * (`headers_too_large`).
 */
export function checkRequestSize(request: Request): void {
  if (request.url.length > MAX_URL_CHARS) {
    throw new RequestError(
      "url_too_long",
      `Cannot serve the request as its URL has more than ${MAX_URL_CHARS} characters`,
    );
  }
  let count = 0;
  let chars = 0;
  // Not for...of, which sorts them and takes several times as long.
  request.headers.forEach((value, name) => {
    const length = name.length + value.length;
    chars += length;
    if (++count > MAX_HEADERS) throw tooLarge(`there are more than ${MAX_HEADERS}`);
    if (length > MAX_HEADER_CHARS) throw tooLarge(`one has more than ${MAX_HEADER_CHARS} bytes`);
    if (chars > MAX_HEADERS_CHARS) throw tooLarge(`they have more than ${MAX_HEADERS_CHARS} bytes`);
  });
}

function tooLarge(reason: string): RequestError {
  return new RequestError("headers_too_large", `Cannot serve the request with its headers as ${reason}`);
}
