/**
 * What stands before the routes so that the gateway stays well: it stops, it has too much to do, or a limit is used up.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import { mayUse } from "../src/callers/access.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { checkRequestSize } from "../src/gateway/request_caps.ts";
import { RequestError } from "../src/gateway/request_error.ts";

/** Paths that are served also by a gateway that is stopping or overloaded: who asks wants to know just that. */
const HEALTH_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

const RETRY_AFTER_MS = 1_000;

/**
 * Refuses a request that is too large before its body, and every request once the gateway stops.
 *
 * @param deps The collaborators.
 * @param c The context of the request.
 * @throws {RequestError} If it is refused (`url_too_long`, `headers_too_large`, `closed`).
 */
export function guardEntry(deps: RouteDeps, c: Context<GatewayEnv>): void {
  checkRequestSize(c.req.raw);
  if (deps.inFlight.draining && !HEALTH_PATHS.has(c.req.path)) throw deps.inFlight.refusal();
}

/**
 * Refuses a request while there is more to do than can be done, before its body is read. An operator is served all the
 * same.
 *
 * @param deps The collaborators.
 * @param c The context of the request; its caller is known.
 * @throws {RequestError} If it is refused (`overloaded`).
 */
export function shedLoad(deps: RouteDeps, c: Context<GatewayEnv>): void {
  if (deps.load.isOverloaded && !HEALTH_PATHS.has(c.req.path) && c.get("access")?.isAdmin !== true) {
    throw new RequestError("overloaded", "Cannot serve the request as the gateway has too much to do", {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
}

/**
 * Counts a request as one call of its agent, until its answer has been sent, its stream included.
 *
 * @param deps The collaborators.
 * @returns The middleware; for paths with the parameter `agent`.
 */
export function limitCalls(deps: RouteDeps): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const agent = c.req.param("agent") ?? "";
    // The route says of an agent that does not exist and of one that is forbidden the same, and neither costs a call.
    if (!mayUse(c.var.access, agent) || !deps.directory.agents.includes(agent)) return await next();
    const { headers, holdsPlace, release } = await deps.limiter.admit(c.var.access, agent, {
      signal: c.req.raw.signal,
    });
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    try {
      await next();
    } finally {
      // The body is looked at only where it is a stream: it would become one.
      const isStream = holdsPlace && c.res.headers.get("content-type")?.startsWith("text/event-stream") === true;
      if (isStream && c.res.body !== null) c.res = new Response(whenEnded(c.res.body, release), c.res);
      else release();
    }
  };
}

/** The same stream, with a word when it has ended, broken, or been cancelled by its reader. */
function whenEnded(body: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        onEnd();
        controller.close();
      } catch (error) {
        onEnd();
        controller.error(error);
      }
    },
    async cancel(reason) {
      onEnd();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
