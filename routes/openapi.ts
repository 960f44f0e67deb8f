/**
 * What programs are generated from: OpenAPI 3.1 documents of the gateway and of its agents; and what editors know its
 * configuration by.
 *
 * @module
 */

import { Hono } from "hono";
import { etag } from "hono/etag";
import { openAgent } from "../src/gateway/agent_directory.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import type { WrittenDocument } from "../src/openapi/agent_document.ts";
import type { AgentDocuments } from "../src/openapi/agent_documents.ts";
import { parseRequestTimeout, TIMEOUT_HEADER, withinTime } from "../src/rest/request_timeout.ts";

/**
 * `GET /openapi.json` and `GET /config.schema.json`, without a key as they name no agent, and
 * `GET /agents/:agent/openapi.json`, whose operations are the agent's tools. All have an `ETag`. What writes them is
 * loaded when one is asked for.
 *
 * @param deps The collaborators.
 * @returns The routes.
 */
export function openApiRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  let own: Promise<WrittenDocument> | undefined;
  let documents: Promise<AgentDocuments> | undefined;
  return new Hono<GatewayEnv>()
    .get("/openapi.json", etag(), async () => {
      own ??= import("../src/openapi/gateway_document.ts").then(({ writeGatewayDocument }) => writeGatewayDocument());
      return toResponse(await own, "no-cache");
    })
    .get("/config.schema.json", etag(), async (c) => {
      const { toConfigSchema } = await import("../src/config/config_schema.ts");
      return c.json(toConfigSchema(), 200, { "cache-control": "no-cache" });
    })
    .get("/agents/:agent/openapi.json", etag(), async (c) => {
      const agent = c.req.param("agent");
      const client = openAgent(deps.directory, c.var.access, agent);
      const timeoutMs = parseRequestTimeout(c.req.header(TIMEOUT_HEADER));
      documents ??= import("../src/openapi/agent_documents.ts").then(({ AgentDocuments }) => new AgentDocuments());
      const all = await documents;
      const document = await deps.inFlight.run(c.req.raw.signal, async (signal) => {
        const tools = await withinTime(timeoutMs, signal, (options) => client.listOwnedTools(options));
        return await all.get(agent, tools, deps.callers.publicUrl ?? new URL(c.req.url).origin);
      });
      return toResponse(document, "private, no-cache");
    });
}

function toResponse({ text, etag }: WrittenDocument, cacheControl: string): Response {
  return new Response(text, {
    headers: { "content-type": "application/json", "cache-control": cacheControl, etag },
  });
}
