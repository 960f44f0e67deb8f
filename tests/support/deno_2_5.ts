/**
 * Loaded before all tests, for Deno 2.5 alone: its `shutdown()` waits for ever for a connection that never sent a
 * request, and `fetch` opens some of those ahead. Here a server gives them up when its requests have been answered.
 *
 * @module
 */

import { deadline } from "@std/async";
import { IS_DENO_2_5 } from "./runtime.ts";

/** How long what is being answered may take, in milliseconds. */
const GRACE_MS = 1_000;

type Serve = (options: Deno.ServeTcpOptions, handler: Deno.ServeHandler) => Deno.HttpServer;

if (IS_DENO_2_5) {
  const serve: Serve = Deno.serve;
  Object.assign(Deno, {
    serve: (...args: [Deno.ServeTcpOptions | Deno.ServeHandler, Deno.ServeHandler?]) => {
      const [options, handler] = typeof args[0] === "function" ? [{}, args[0]] : [args[0], args[1]];
      if (handler === undefined) throw new TypeError("Cannot serve without a handler");
      return serveAndStop(serve, options, handler);
    },
  });
}

function serveAndStop(serve: Serve, options: Deno.ServeTcpOptions, handler: Deno.ServeHandler): Deno.HttpServer {
  const stopped = new AbortController();
  const running = new Set<Promise<void>>();
  options.signal?.addEventListener("abort", () => stopped.abort(), { once: true });
  const server = serve({ ...options, signal: stopped.signal }, (request, info) => {
    const completed = info.completed.catch(() => {}).finally(() => running.delete(completed));
    running.add(completed);
    return handler(request, info);
  });
  const answered = async () => {
    while (running.size > 0) await Promise.all(running);
  };
  const stop = async () => {
    await deadline(answered(), GRACE_MS).catch(() => {});
    stopped.abort();
    await server.finished;
  };
  return Object.assign(server, { shutdown: stop, [Symbol.asyncDispose]: stop });
}
