/**
 * The audit trail, for administrators.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { readCount, readTime } from "../src/gateway/read_values.ts";
import { RequestError, toPathNotFound } from "../src/gateway/request_error.ts";

const DEFAULT_ENTRIES = 1_000;
const MAX_ENTRIES = 5_000;

/**
 * `GET /admin/audit`: the entries as lines of JSON, in the order in which they were written. Where there may be more, a
 * link with `rel="next"` leads to them; what is written meanwhile comes at the end.
 *
 * @param deps The collaborators.
 * @returns The route.
 */
export function auditRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get("/admin/audit", async (c) => {
      if (!c.var.access.isAdmin) throw toPathNotFound();
      const { audit } = deps;
      if (audit === undefined) {
        throw new RequestError("not_implemented", "Cannot read the audit trail as the gateway keeps none");
      }
      const query = {
        after: c.req.query("after"),
        agent: c.req.query("agent"),
        fromMs: readTime("from", c.req.query("from")),
        toMs: readTime("to", c.req.query("to")),
        limit: readCount("limit", c.req.query("limit"), DEFAULT_ENTRIES, MAX_ENTRIES),
      };
      const { readAuditPage } = await import("../src/audit/audit_export.ts");
      const { text, next } = await deps.inFlight.wait(c.req.raw.signal, () => readAuditPage(audit, query));
      if (next !== undefined) c.header("link", `<${toNext(c, next)}>; rel="next"`);
      return c.body(text, 200, { "content-type": "application/x-ndjson" });
    });
}

function toNext(c: Context<GatewayEnv>, next: string): string {
  const query = new URLSearchParams(c.req.query());
  query.set("after", next);
  return `/admin/audit?${query}`;
}
