/**
 * The configuration that all isolates serve, as an administrator reads and changes it.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { type BodyKind, readText } from "../src/gateway/json_body.ts";
import { RequestError } from "../src/gateway/request_error.ts";
import type { ConfigAdmin, ConfigChange, ConfigChangeOptions, ConfigState } from "../src/reload/config_admin.ts";
import { audited } from "./_audited.ts";

const CONFIG_BODY: BodyKind = {
  type: /^(application\/(json|yaml|x-yaml)|text\/(yaml|plain))$/i,
  wanted: "YAML or JSON, by its Content-Type",
};

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
  const answer = (c: Context<GatewayEnv>, body: ConfigState | ConfigChange) => {
    if (body.version !== undefined) c.header("etag", `"${body.version}"`);
    return c.json(body);
  };
  const change = async (
    c: Context<GatewayEnv>,
    action: "config_replaced" | "config_removed",
    work: (config: ConfigAdmin, options: ConfigChangeOptions) => Promise<ConfigChange>,
  ) => {
    const config = requireConfig(deps);
    const options = readOptions(c);
    const run = () => inFlight.run(c.req.raw.signal, () => work(config, options));
    // What only looks is no change.
    return answer(c, await (options.dryRun === true ? run() : audited(deps, c, { action, agent: "*" }, run)));
  };
  return new Hono<GatewayEnv>()
    .get("/admin/config", async (c) => {
      const config = requireConfig(deps);
      return answer(c, await inFlight.run(c.req.raw.signal, () => config.read()));
    })
    .put("/admin/config", (c) =>
      change(c, "config_replaced", async (config, options) => {
        const text = await readText(c.req.raw, maxBodyBytes, CONFIG_BODY);
        return await config.write(text, options);
      }))
    .delete("/admin/config", (c) => change(c, "config_removed", (config, options) => config.remove(options)));
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
