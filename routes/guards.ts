/**
 * What stands before the routes so that the gateway stays well: it stops, it has too much to do, or a limit is used up.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { mayUse } from "../src/callers/access.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { checkRequestSize } from "../src/gateway/request_caps.ts";
import { RequestError } from "../src/gateway/request_error.ts";

/** Paths that are served also by a gateway that is stopping or overloaded: who asks wants to know just that. */
const HEALTH_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

const RETRY_AFTER_MS = 1_000;

/**
 * Refuses requests that are too large before their body, and all requests once the gateway stops.
 *
 * @param deps The collaborators.
 * @returns The middleware.
 */
export function guardEntry(deps: RouteDeps): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    checkRequestSize(c.req.raw);
    if (deps.inFlight.draining && !HEALTH_PATHS.has(c.req.path)) throw deps.inFlight.refusal();
    await next();
  };
}

/**
 * Refuses requests while there is more to do than can be done, before their body is read. An operator is served all the
 * same.
 *
 * @param deps The collaborators.
 * @returns The middleware; to be used after the caller is known.
 */
export function shedLoad(deps: RouteDeps): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    if (deps.load.isOverloaded && !HEALTH_PATHS.has(c.req.path) && c.var.access?.isAdmin !== true) {
      throw new RequestError("overloaded", "Cannot serve the request as the gateway has too much to do", {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    await next();
  };
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
