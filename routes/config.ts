/**
 * The configuration that all isolates serve, as an administrator reads and changes it.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { readText } from "../src/gateway/json_body.ts";
import { RequestError } from "../src/gateway/request_error.ts";
import type { ConfigAdmin, ConfigChange, ConfigChangeOptions } from "../src/reload/config_admin.ts";
import { audited } from "./_audited.ts";

const CONFIG_TYPE = /^(application\/(json|yaml|x-yaml)|text\/(yaml|plain))$/i;

/**
 * The routes at `/admin/config`; whoever is no administrator is refused before them.
 *
 * - `GET`: the text that is kept in the store, its version, and whether this isolate serves it
 * - `PUT`: checks a text, keeps it and serves it; with `?dry_run=true` only tells what would be different
 * - `DELETE`: what the file or the environment says is served again
 *
 * `If-Match` names the version that is replaced, `If-None-Match: *` says that there is to be none.
 *
 * @param deps The collaborators.
 * @returns The routes.
 */
export function configRoutes(deps: RouteDeps): Hono<GatewayEnv> {
  const { inFlight, maxBodyBytes } = deps;
  const answer = (c: Context<GatewayEnv>, change: ConfigChange) => {
    if (change.version !== undefined) c.header("etag", `"${change.version}"`);
    return c.json(change);
  };
  return new Hono<GatewayEnv>()
    .get("/admin/config", async (c) => {
      const config = requireConfig(deps);
      const state = await inFlight.run(c.req.raw.signal, () => config.read());
      if (state.version !== undefined) c.header("etag", `"${state.version}"`);
      return c.json(state);
    })
    .put("/admin/config", async (c) => {
      const config = requireConfig(deps);
      const options = readOptions(c);
      const write = () =>
        inFlight.run(c.req.raw.signal, async () => {
          const text = await readText(c.req.raw, maxBodyBytes, { type: CONFIG_TYPE, wanted: "YAML or JSON" });
          return await config.write(text, options);
        });
      // What only looks is no change.
      if (options.dryRun === true) return answer(c, await write());
      return answer(c, await audited(deps, c, { action: "config_replaced", agent: "*" }, write));
    })
    .delete("/admin/config", async (c) => {
      const config = requireConfig(deps);
      const options = readOptions(c);
      const remove = () => inFlight.run(c.req.raw.signal, () => config.remove(options));
      if (options.dryRun === true) return answer(c, await remove());
      return answer(c, await audited(deps, c, { action: "config_removed", agent: "*" }, remove));
    });
}

function requireConfig({ config }: RouteDeps): ConfigAdmin {
  if (config !== undefined) return config;
  throw new RequestError(
    "not_implemented",
    "Cannot keep the configuration in the store as this gateway takes none from there: set PORTOLAN_CONFIG_FROM=kv",
  );
}

function readOptions(c: Context<GatewayEnv>): ConfigChangeOptions {
  const dryRun = c.req.query("dry_run");
  if (dryRun !== undefined && dryRun !== "true" && dryRun !== "false") {
    throw new RequestError("invalid_request", 'Cannot use "dry_run": send "true" or "false"');
  }
  const [match, noneMatch] = [c.req.header("if-match"), c.req.header("if-none-match")];
  const ifVersion = match === undefined ? undefined : /^"([0-9a-f-]{36})"$/.exec(match)?.[1];
  if ((match !== undefined && ifVersion === undefined) || (noneMatch !== undefined && noneMatch !== "*")) {
    throw new RequestError(
      "invalid_header",
      'Cannot use the precondition: send If-Match with the ETag of the configuration, or If-None-Match: "*"',
    );
  }
  const isNew = noneMatch === "*" && { ifVersion: null };
  return { dryRun: dryRun === "true", ...(ifVersion !== undefined && { ifVersion }), ...isNew };
}
