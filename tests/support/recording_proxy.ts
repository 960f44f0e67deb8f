/**
 * Stands before a server of another process, on loopback: records what is sent to it and which exchanges are open.
 *
 * @module
 */

import { type RecordedRequest, Recorder } from "./recorder.ts";

/** A running proxy. */
export interface RecordingProxy extends AsyncDisposable {
  /** The endpoint, of the same path as the server's. */
  readonly url: string;
  /** Every request, in the order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How many requests had this JSON-RPC method. */
  count(rpcMethod: string): number;
  /** How many exchanges are open. */
  openStreams(): number;
  /** Closes every socket. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a proxy on a free port of loopback. */
export function startRecordingProxy(serverUrl: string): RecordingProxy {
  const { origin, pathname } = new URL(serverUrl);
  const recorder = new Recorder();
  const stopping = new AbortController();
  const forward = async (request: Request): Promise<Response> => {
    const { method, path, query, headers, body } = await recorder.record(request);
    headers.delete("host");
    headers.delete("content-length");
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    request.signal.addEventListener("abort", leave, { once: true });
    return await recorder.track(async () => {
      try {
        const text = body === undefined ? null : JSON.stringify(body);
        return await fetch(`${origin}${path}${query}`, { method, headers, body: text, signal: leaving.signal });
      } catch {
        return new Response(null, { status: 502 });
      } finally {
        // From here on a client that leaves cancels the body.
        request.signal.removeEventListener("abort", leave);
      }
    });
  };
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: stopping.signal };
  const server = Deno.serve(options, forward);
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      stopping.abort();
      await server.finished;
    })();
  return {
    url: `http://127.0.0.1:${server.addr.port}${pathname}`,
    requests: recorder.requests,
    count: (rpcMethod) => recorder.count(rpcMethod),
    openStreams: () => recorder.openStreams(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
