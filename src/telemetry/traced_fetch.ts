/**
 * Requests to servers where the runtime traces every request by itself.
 *
 * @module
 */

import { type Span, trace } from "@opentelemetry/api";
import { defaultFetch } from "../guarded_fetch.ts";

/** What the runtime does to requests. */
export interface TracedFetchOptions {
  /** Whether it adds a `traceparent` to requests that it traces. */
  readonly propagates: boolean;
  /** The `fetch` underneath. @default {globalThis.fetch} */
  readonly fetch?: typeof defaultFetch | undefined;
}

/**
 * Makes a `fetch` that is traced once, and whose spans hold no secret. The runtime adds its own `traceparent` to one that
 * is there, which makes both void, and notes the whole URL, into which the secrets of a server may be filled.
 *
 * @param options What the runtime does.
 * @returns The runtime's own, traced well.
 */
export function createTracedFetch({ propagates, fetch: send = defaultFetch }: TracedFetchOptions): typeof defaultFetch {
  return (input, init = {}) => {
    const before = trace.getActiveSpan();
    const findOwn = () => {
      const active = trace.getActiveSpan();
      return active === before ? undefined : active;
    };
    return send(input, {
      ...init,
      // The runtime reads both within its span, where it makes one, and before it notes what the request is.
      get headers() {
        const headers = new Headers(init.headers);
        if (propagates && findOwn() !== undefined) headers.delete("traceparent");
        return headers;
      },
      get method() {
        const { method = "GET" } = init;
        const own = findOwn();
        if (own !== undefined) endEarly(own, input, method);
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
