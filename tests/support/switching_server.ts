/**
 * One address behind which the server can be exchanged while clients are connected: an upgrade, or its roll-back.
 *
 * @module
 */

import { JoinedSignal } from "../../src/joined_signal.ts";

/** A running front. */
export interface SwitchingServer extends AsyncDisposable {
  /** The endpoint, whatever is behind it. */
  readonly url: string;
  /** From now on every request goes to this endpoint. */
  switchTo(url: string): void;
  /** Closes every socket. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a front on a free port of loopback; `url` is the first endpoint behind it. */
export function startSwitchingServer(url: string): SwitchingServer {
  let target = new URL(url);
  // A server that stops takes its sockets along: none is to be used again.
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const stopping = new AbortController();
  const running = new Set<Promise<Response>>();
  const forward = async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    const to = pathname === "/mcp" ? target : new URL(pathname + search, target);
    const headers = new Headers(request.headers);
    headers.set("accept-encoding", "identity");
    const signal = new JoinedSignal(request.signal, stopping.signal).signal;
    const init = { method: request.method, headers, body: request.body, signal, client, redirect: "manual" } as const;
    try {
      const { body, status, headers } = await fetch(to, init);
      return new Response(body, { status, headers });
    } catch {
      return new Response(null, { status: 502 });
    }
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const answered = forward(request).finally(() => running.delete(answered));
    running.add(answered);
    return answered;
  });
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      stopping.abort();
      await Promise.all(running);
      await server.shutdown();
      client.close();
    })();
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    switchTo: (next) => void (target = new URL(next)),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
