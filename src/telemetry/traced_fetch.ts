/**
 * Requests to servers where the runtime traces every request by itself.
 *
 * @module
 */

import { type Span, trace } from "@opentelemetry/api";
import { defaultFetch } from "../guarded_fetch.ts";

/**
 * Makes a `fetch` that is traced once, and whose spans hold no secret. The runtime adds its own `traceparent` to one that
 * is there, which makes both void, and notes the whole URL, into which the secrets of a server may be filled.
 *
 * @param send The runtime's own.
 * @returns The same, traced well.
 */
export function createTracedFetch(send: typeof defaultFetch = defaultFetch): typeof defaultFetch {
  return (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.delete("traceparent");
    const before = trace.getActiveSpan();
    const { method = "GET" } = init;
    return send(input, {
      ...init,
      headers,
      // The runtime reads it within its span, and before it notes what the request is.
      get method() {
        const own = trace.getActiveSpan();
        if (own !== undefined && own !== before) endEarly(own, input, method);
        return method;
      },
    });
  };
}

/** What has ended takes nothing more: the span tells that, where to and in which trace a request went. */
function endEarly(span: Span, input: string | URL | Request, method: string): void {
  const { hostname, port, protocol } = new URL(input instanceof Request ? input.url : input);
  span.updateName(method);
  span.setAttribute("http.request.method", method);
  span.setAttribute("server.address", hostname);
  span.setAttribute("server.port", port !== "" ? Number(port) : protocol === "https:" ? 443 : 80);
  span.setAttribute("url.scheme", protocol.slice(0, -1));
  span.end();
}
