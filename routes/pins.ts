/**
 * Pinned tools: what has changed, and what is decided of it.
 *
 * @module
 */

import { Hono } from "hono";
import { openAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { readJsonObject } from "../src/gateway/json_body.ts";
import { fitPins, readPinDecision } from "../src/gateway/pin_words.ts";
import { RequestError, toPathNotFound } from "../src/gateway/request_error.ts";
import { parseRequestTimeout, TIMEOUT_HEADER, withinTime } from "../src/rest/request_timeout.ts";
import { type PinOutcome, PINS_MAX_AGE_MS } from "../src/tools/pinned_tool.ts";
import { audited } from "./_audited.ts";

/**
 * - `GET /agents/:agent/pins`: the pinned tools that have changed or are withheld, as they were and as they are; with
 *   `?all=true` those too that are as they were pinned
 * - `POST /admin/agents/:agent/pins`: accepts one as it is now, or withholds it. Who is no administrator finds no such
 *   path.
 *
 * @param deps The collaborators.
 * @returns The routes.
 */
export function pinRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  const { directory, inFlight } = deps;
  return new Hono<GatewayEnv>()
    .get("/agents/:agent/pins", async (c) => {
      const agent = c.req.param("agent");
      const client = openAgent(directory, c.var.access, agent);
      const all = readAll(c.req.query("all"));
      const timeoutMs = parseRequestTimeout(c.req.header(TIMEOUT_HEADER));
      const pins = await inFlight.run(
        c.req.raw.signal,
        (signal) => withinTime(timeoutMs, signal, (options) => client.listPins?.(options) ?? refuse()),
      );
      return c.json({ agent, ...fitPins(all ? pins : pins.filter(({ state }) => state !== "pinned")) });
    })
    .post("/admin/agents/:agent/pins", async (c) => {
      if (!c.var.access.isAdmin) throw toPathNotFound();
      const agent = c.req.param("agent");
      const client = openAgent(directory, c.var.access, agent);
      const timeoutMs = parseRequestTimeout(c.req.header(TIMEOUT_HEADER));
      const { signal } = c.req.raw;
      const decision = await inFlight.wait(
        signal,
        async () => readPinDecision(await readJsonObject(c.req.raw, deps.maxBodyBytes)),
      );
      const noted = {
        action: decision.decision === "accept" ? "pin_accepted" : "pin_withheld",
        agent,
        server: decision.server,
        tool: decision.tool,
      } as const;
      const { server, tool, state } = await audited(deps, c, noted, async () => {
        const outcome = await inFlight.run(
          signal,
          (signal) => withinTime(timeoutMs, signal, (options) => client.decidePin?.(decision, options) ?? refuse()),
        );
        checkOutcome(outcome);
        return outcome;
      });
      return c.json({ server, tool, state, effectiveWithinMs: PINS_MAX_AGE_MS });
    });
}

function checkOutcome({ decided, kept }: PinOutcome): void {
  if (!decided) {
    throw new RequestError(
      "pin_changed",
      "Cannot accept the tool as it is no longer what was looked at: look again",
    );
  }
  if (!kept) {
    throw new RequestError(
      "store_unavailable",
      "Cannot keep the decision as the store does not answer: it holds in this instance alone; send it again",
    );
  }
}

function readAll(value: string | undefined): boolean {
  if (value === undefined || value === "false" || value === "true") return value === "true";
  throw new RequestError("invalid_request", 'Cannot use "all" as a choice: send "true" or "false"');
}

function refuse(): Promise<never> {
  return Promise.reject(
    new RequestError("not_implemented", "Cannot tell of pinned tools as the directory of agents offers no way"),
  );
}
