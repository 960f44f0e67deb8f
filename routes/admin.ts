/**
 * What an administrator does to all agents, and to the keys of each.
 *
 * @module
 */

import { Hono } from "hono";
import type { Access } from "../src/callers/access.ts";
import { isKeyId } from "../src/config/key_config.ts";
import { KEYS_MAX_AGE_MS } from "../src/callers/key_book.ts";
import { isMCPError, MCPError } from "../src/errors.ts";
import { openAgent, requireAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { readJsonObject } from "../src/gateway/json_body.ts";
import { readTime } from "../src/gateway/read_values.ts";
import { RequestError, toPathNotFound } from "../src/gateway/request_error.ts";
import type { JsonObject } from "../src/protocol.ts";
import { audited } from "./_audited.ts";
import { configRoutes } from "./config.ts";

/**
 * The routes under `/admin`, with those of `config.ts`. Who is no administrator finds none of them there.
 *
 * - `POST /admin/reconnect`: every server of every agent that is not connected, or those named by `?server=`
 * - `POST /admin/cache/flush`: forgets what is cached of every agent, or of the one named by `?agent=`
 * - `GET`, `POST /admin/agents/:agent/keys`: the keys of an agent; a new one, which is told this once. `*` stands for
 *   the keys of every agent. Those of an agent that is configured no longer can be listed and revoked: it may come back.
 * - `DELETE /admin/agents/:agent/keys/:id`: revokes a key, wherever it is from
 *
 * @param deps The collaborators.
 * @returns The routes.
 */
export function adminRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  const { directory, inFlight } = deps;
  const listKeys = async (access: Access, agent: string) => {
    const known = await deps.callers.keys.list(agent);
    if (agent !== "*" && known.length === 0) requireAgent(directory, access, agent);
    return known;
  };
  return new Hono<GatewayEnv>()
    .use("/admin/*", async (c, next) => {
      if (!c.var.access.isAdmin) throw toPathNotFound();
      await next();
    })
    .route("/", configRoutes(deps))
    .post("/admin/reconnect", async (c) => {
      const server = c.req.query("server");
      const agents = await audited(
        deps,
        c,
        { action: "reconnected", agent: "*", server },
        () => inFlight.run(c.req.raw.signal, (signal) => reconnectAll(deps, server, signal)),
      );
      return c.json({ agents });
    })
    .post("/admin/cache/flush", async (c) => {
      const agent = c.req.query("agent");
      if (agent !== undefined) requireAgent(directory, c.var.access, agent);
      if (directory.flushCache === undefined) {
        throw new RequestError("not_implemented", "Cannot flush the cache as the directory of agents offers no way");
      }
      await audited(
        deps,
        c,
        { action: "cache_flushed", agent: agent ?? "*" },
        () => inFlight.run(c.req.raw.signal, async () => await directory.flushCache?.(agent)),
      );
      return c.json({ flushed: agent ?? "*" });
    })
    .get("/admin/agents/:agent/keys", async (c) => {
      const agent = c.req.param("agent");
      return c.json({ agent, keys: await inFlight.run(c.req.raw.signal, () => listKeys(c.var.access, agent)) });
    })
    .post("/admin/agents/:agent/keys", async (c) => {
      const agent = c.req.param("agent");
      if (agent !== "*") requireAgent(directory, c.var.access, agent);
      const { key, created } = await audited(
        deps,
        c,
        { action: "key_created", agent },
        (add) =>
          inFlight.run(c.req.raw.signal, async () => {
            const made = await deps.callers.keys.create(
              agent,
              readOptions(await readJsonObject(c.req.raw, deps.maxBodyBytes)),
            );
            add({ key: made.created.id });
            return made;
          }),
      );
      return c.json({ agent, ...created, key, effectiveWithinMs: KEYS_MAX_AGE_MS }, 201);
    })
    .delete("/admin/agents/:agent/keys/:id", async (c) => {
      const { agent, id } = c.req.param();
      const revokedAtMs = await audited(
        deps,
        c,
        { action: "key_revoked", agent },
        (add) =>
          inFlight.run(c.req.raw.signal, async () => {
            await listKeys(c.var.access, agent);
            const atMs = await deps.callers.keys.revoke(agent, id);
            // Only now is it known to be the name of a key: somebody may have sent the key itself.
            add({ key: id });
            return atMs;
          }),
      );
      const revokedAt = new Date(revokedAtMs).toISOString();
      return c.json({ agent, id, revokedAt, effectiveWithinMs: KEYS_MAX_AGE_MS });
    });
}

/** All at once; an agent without the server that is named is left out. */
async function reconnectAll(
  deps: RouteDeps,
  server: string | undefined,
  signal: AbortSignal,
): Promise<Record<string, Record<string, boolean>>> {
  const access = { caller: "admin", agents: "*", isAdmin: true } as const;
  const outcomes = await Promise.all(deps.directory.agents.map(async (agent) => {
    try {
      return [agent, await openAgent(deps.directory, access, agent).reconnect({ server, signal })] as const;
    } catch (error) {
      if (isMCPError(error) && error.code === "server_not_found") return undefined;
      throw error;
    }
  }));
  const found = outcomes.filter((outcome) => outcome !== undefined);
  if (server !== undefined && found.length === 0) {
    throw new MCPError("server_not_found", "Cannot reconnect the server as no agent has one of that name");
  }
  return Object.fromEntries(found);
}

function readOptions(body: JsonObject): { id?: string; expiresAtMs?: number } {
  const { id, expiresAt, ...others } = body;
  const unknown = Object.keys(others).length > 0;
  if (unknown) throw new RequestError("invalid_request", 'Cannot use the body as it holds more than "id", "expiresAt"');
  if (id !== undefined && (typeof id !== "string" || !isKeyId(id))) {
    throw new RequestError(
      "invalid_request",
      'Cannot use "id" as the name of a key: send letters, digits, ".", "_" or "-", at most 64',
    );
  }
  const expiresAtMs = readTime("expiresAt", expiresAt);
  return { ...(id !== undefined && { id }), ...(expiresAtMs !== undefined && { expiresAtMs }) };
}
