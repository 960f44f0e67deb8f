/**
 * The gateway's HTTP interface.
 *
 * @module
 */

import { type Context, Hono, type MiddlewareHandler } from "hono";
import { accepts } from "hono/accepts";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Authenticator } from "../src/callers/access.ts";
import { authenticateRequest } from "../src/callers/authenticate_request.ts";
import { METADATA_PATH } from "../src/callers/protected_resource.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { checkHost, type HostRules } from "../src/gateway/host_check.ts";
import { type Problem, problemHeaders, toProblem } from "../src/gateway/problem.ts";
import { RequestError, toPathNotFound } from "../src/gateway/request_error.ts";
import { problemResponse } from "../src/northbound/rpc_errors.ts";
import { frame } from "./_frame.ts";
import { activityRoutes } from "./activity.ts";
import { adminRoutes } from "./admin.ts";
import { auditRoutes } from "./audit.ts";
import { batchRoutes } from "./batch.ts";
import { guardEntry, limitCalls, shedLoad } from "./guards.ts";
import { healthRoutes } from "./health.ts";
import { isMcpPath, mcpRoutes } from "./mcp.ts";
import { metricsRoutes } from "./metrics.ts";
import { openApiRoutes } from "./openapi.ts";
import { pinRoutes } from "./pins.ts";
import { protectedResourceRoutes } from "./protected_resource.ts";
import { reconnectRoutes } from "./reconnect.ts";
import { statusRoutes } from "./status.ts";
import { toolRouteRoutes } from "./tool_routes.ts";
import { toolsRoutes } from "./tools.ts";

/** What the status page is served under; who asks is known by a cookie there, and nowhere else. */
const PAGE_PATH = "/ui/";

const KEYLESS_PATHS: ReadonlySet<string> = new Set([
  "/",
  "/healthz",
  "/readyz",
  "/openapi.json",
  "/docs",
  "/config.schema.json",
]);

/**
 * Creates the app: what every request passes, in order, and the routes.
 *
 * @param deps The collaborators of the routes.
 * @param rules Which hosts and peers are served.
 * @param authenticator Tells who a caller is.
 * @returns The app.
 */
export function createApp(deps: RouteDeps, rules: HostRules, authenticator: Authenticator): Hono<GatewayEnv> {
  const app = new Hono<GatewayEnv>();
  app.use(frame(deps));
  const admit = async (c: Context<GatewayEnv>) => {
    guardEntry(deps, c);
    if (!isKeyless(c.req.path)) {
      c.set("access", await authenticateRequest(c.req.raw, authenticator, deps.callers.resource));
    }
    shedLoad(deps, c);
  };
  if (rules.allowedOrigins.length === 0) {
    app.use(async (c, next) => {
      checkHost(c.req.raw, c.env, rules);
      await admit(c);
      await next();
    });
  } else {
    app.use(async (c, next) => {
      checkHost(c.req.raw, c.env, rules);
      await next();
    });
    app.use(createCors([...rules.allowedOrigins]));
    app.use(async (c, next) => {
      await admit(c);
      await next();
    });
  }

  app.post("/agents/:agent/tools/:tool", limitCalls(deps));

  const page = latePage(deps, authenticator);
  app.get("/", async (c) => {
    c.header("vary", "Accept");
    if (prefersPage(c)) return await page(c);
    const { listRoutes } = await import("../src/openapi/gateway_document.ts");
    return c.json({ name: "Portolan", routes: listRoutes() });
  });
  app.get("/docs", page);
  app.all(`${PAGE_PATH}*`, page);
  app.route("/", healthRoutes(deps));
  app.route("/", statusRoutes(deps));
  app.route("/", metricsRoutes(deps));
  app.route("/", activityRoutes(deps));
  app.route("/", toolsRoutes(deps));
  app.route("/", batchRoutes(deps));
  app.route("/", toolRouteRoutes(deps));
  app.route("/", reconnectRoutes(deps));
  app.route("/", mcpRoutes(deps, authenticator));
  app.route("/", adminRoutes(deps));
  app.route("/", auditRoutes(deps));
  app.route("/", pinRoutes(deps));
  app.route("/", protectedResourceRoutes(deps));
  app.route("/", openApiRoutes(deps));

  // It looks at answers of 404 alone: as a middleware, every call would pass it.
  const tellMethods = methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      const error = new RequestError("method_not_allowed", `Cannot serve the path by "${c.req.method}"`);
      c.header("allow", methods.join(", "));
      return respond(c, toProblem(error, c.get("requestId")));
    },
  });
  app.notFound(async (c) => {
    c.res = respond(c, toProblem(toPathNotFound(), c.get("requestId")));
    await tellMethods(c, () => Promise.resolve());
    return c.res;
  });
  app.onError((error, c) => {
    const problem = toProblem(error, c.get("requestId"));
    if (problem.code === "internal") deps.onInternalError(error, c.get("requestId"));
    if (c.req.path.startsWith(PAGE_PATH) || (c.req.path === "/" && prefersPage(c))) return respondInWords(problem);
    return respond(c, problem, error instanceof RequestError ? error.headers : {});
  });
  return app;
}

function createCors(origin: string[]): MiddlewareHandler<GatewayEnv> {
  const toRest = cors({
    origin,
    allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    allowHeaders: [
      "authorization",
      "content-type",
      "idempotency-key",
      "if-match",
      "if-none-match",
      "x-request-id",
      "x-request-timeout-ms",
    ],
    exposeHeaders: [
      "etag",
      "idempotency-replayed",
      "link",
      "ratelimit",
      "ratelimit-policy",
      "retry-after",
      "www-authenticate",
      "x-request-id",
    ],
  });
  // Tools name headers of their own there: those that are asked for are allowed.
  const toMcp = cors({
    origin,
    allowMethods: ["GET", "POST", "DELETE"],
    exposeHeaders: [
      "mcp-session-id",
      "ratelimit",
      "ratelimit-policy",
      "retry-after",
      "www-authenticate",
      "x-request-id",
    ],
  });
  return (c, next) => isMcpPath(c.req.path) ? toMcp(c, next) : toRest(c, next);
}

function isKeyless(path: string): boolean {
  return KEYLESS_PATHS.has(path) || path.startsWith(PAGE_PATH) || path === METADATA_PATH ||
    path.startsWith(`${METADATA_PATH}/`);
}

/** The status page: loaded when it is asked for, as a call of a tool needs none of it. */
function latePage(deps: RouteDeps, authenticator: Authenticator): (c: Context<GatewayEnv>) => Promise<Response> {
  let loading: ReturnType<typeof load> | undefined;
  const load = async () => {
    const { pageRoutes } = await import("./page.ts");
    return pageRoutes(deps, authenticator);
  };
  return async (c) => {
    const answer = await (loading ??= load());
    // What the server says of a peer may be read only by name.
    return await answer(c.req.raw, { remoteAddr: c.env.remoteAddr, requestId: c.get("requestId") });
  };
}

function prefersPage(c: Context<GatewayEnv>): boolean {
  if (c.req.header("accept")?.includes("text/html") !== true) return false;
  const supports = ["application/json", "text/html"];
  return accepts(c, { header: "Accept", supports, default: "application/json" }) === "text/html";
}

async function respondInWords(problem: Problem): Promise<Response> {
  const { problemPage } = await import("./page.ts");
  return problemPage(problem);
}

function respond(
  c: Context<GatewayEnv>,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): Response {
  if (isMcpPath(c.req.path)) return problemResponse(problem, headers);
  const status = problem.status as ContentfulStatusCode;
  return c.body(JSON.stringify(problem), status, { ...problemHeaders(problem), ...headers });
}
