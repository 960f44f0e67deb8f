/**
 * The status page: what the gateway's own interface tells, for people. Loaded when somebody looks.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Authenticator } from "../src/callers/access.ts";
import type { RouteDeps } from "../src/gateway/gateway_env.ts";
import type { PeerInfo } from "../src/gateway/host_check.ts";
import { type Problem, toProblem } from "../src/gateway/problem.ts";
import { RequestError, toPathNotFound } from "../src/gateway/request_error.ts";
import { JoinedSignal } from "../src/joined_signal.ts";
import type { JsonObject } from "../src/protocol.ts";
import { loadActivityView, parseOutcome } from "../src/page/activity_view.tsx";
import { type KnownTools, loadAgentView } from "../src/page/agent_view.tsx";
import { PageApi, toSegment } from "../src/page/api.ts";
import { CLIENT_SCRIPT } from "../src/page/client_script.ts";
import { describeReconnection } from "../src/page/words.ts";
import { readFormBody } from "../src/page/form_body.ts";
import { answerAsset } from "../src/page/html_answer.ts";
import { runLiveStream } from "../src/page/live_stream.ts";
import { loadOverview } from "../src/page/overview.tsx";
import { callByForm, lookUpTool } from "../src/page/page_calls.ts";
import { PageSessions, SESSION_COOKIE, SESSION_MS, type Visitor } from "../src/page/page_session.ts";
import { answerProblem, answerSignIn, answerTool, answerView, drawAnswer } from "../src/page/pages.tsx";
import { isFromOwnPage, isSecure } from "../src/page/same_origin.ts";
import { toScreenPath } from "../src/page/screen_path.ts";
import { StreamPlaces } from "../src/page/stream_places.ts";
import { PAGE_STYLES } from "../src/page/styles.ts";
import { isProblem, type LoadView, type View } from "../src/page/view.ts";
import { streamEvents } from "./_event_stream.ts";
import { docsRoutes } from "./docs.ts";

/** The environment of the page's app. */
interface PageEnv {
  /** What comes with a request. */
  Bindings: PeerInfo & { readonly requestId: string };
  /** What is known of it. */
  Variables: { visitor: Visitor };
}

/** Answers a request for the page. */
export type PageHandler = (request: Request, bindings: PageEnv["Bindings"]) => Response | Promise<Response>;

/** The form of a key: how large it may be, how long it may take, in milliseconds, and how many may arrive at once. */
const MAX_SIGN_IN_BYTES = 16_384;
const SIGN_IN_MS = 5_000;
const MAX_SIGN_INS = 64;

/** Says that the script has sent a form, and wants the parts of the screen that it changed. */
const PARTS_HEADER = "x-portolan-parts";

/**
 * The status page at `/`, and what it is made of under `/ui/`.
 *
 * @param deps The collaborators.
 * @param authenticator Knows the callers.
 * @returns What answers its requests.
 */
export function pageRoutes(deps: RouteDeps, authenticator: Authenticator): PageHandler {
  const { storeSecret, inFlight } = deps;
  // Whether keys are asked for may change while the gateway runs.
  const sessions = new PageSessions({
    authenticator,
    get open() {
      return deps.open;
    },
    storeSecret,
  });
  const places = new StreamPlaces();
  let signIns = 0;
  const bells = new Set<() => void>();
  const ringBells = () => bells.forEach((ring) => ring());

  const toApi = (c: Context<PageEnv>, { authorization }: Visitor, signal?: AbortSignal) =>
    new PageApi({ request: c.req.raw, signal, peer: c.env, authorization, dispatch: deps.dispatch });
  const apiOf = (c: Context<PageEnv>) => toApi(c, c.var.visitor, c.req.raw.signal);
  const show = (c: Context<PageEnv>) => ({ access: c.var.visitor.access, open: deps.open });
  const readForm = (c: Context<PageEnv>) =>
    inFlight.wait(c.req.raw.signal, () => readFormBody(c.req.raw, deps.maxBodyBytes));
  const look = (c: Context<PageEnv>, visitor: Visitor, known: KnownTools): Promise<View | Problem> => {
    const api = toApi(c, visitor);
    const { view, agent = "", q: wanted = "", outcome } = c.req.query();
    if (view === "agent") return loadAgentView(api, visitor.access, { agent, wanted, known });
    if (view === "activity") return loadActivityView(api, { agent, outcome: parseOutcome(outcome) });
    return loadOverview(api, visitor.access);
  };
  const tell = (error: unknown, requestId: string): Problem => {
    const problem = toProblem(error, requestId);
    if (problem.code === "internal") deps.onInternalError(error, requestId);
    return problem;
  };

  const app = new Hono<PageEnv>();
  app.onError((error, c) => respond(c, tell(error, c.env.requestId)));
  app.notFound((c) => respond(c, toProblem(toPathNotFound(), c.env.requestId)));
  const respond = (c: Context<PageEnv>, problem: Problem) => {
    if (c.req.header(PARTS_HEADER) !== undefined) return done(problem.status, `${problem.detail}.`);
    return answerProblem(problem, { access: c.var.visitor?.access, open: deps.open });
  };

  app.get("/ui/app.css", (c) => answerAsset(c.req.raw, PAGE_STYLES, "text/css"));
  app.get("/ui/app.js", (c) => answerAsset(c.req.raw, CLIENT_SCRIPT, "text/javascript"));
  const isReading = (c: Context<PageEnv>) => c.req.method === "GET" || c.req.method === "HEAD";
  app.use(async (c, next) => {
    if (isReading(c) || isFromOwnPage(c.req.raw)) return await next();
    throw new RequestError("origin_refused", "Cannot take a form that was not sent from this page");
  });
  app.post("/ui/session", async (c) => {
    // Nobody is known yet: who sends slowly holds a place of these, not one of the calls.
    if (signIns >= MAX_SIGN_INS) throw new RequestError("overloaded", "Cannot sign in as many others do: try again");
    signIns++;
    const form = await inFlight.wait(c.req.raw.signal, () => readFormBody(c.req.raw, MAX_SIGN_IN_BYTES, SIGN_IN_MS))
      .finally(() => signIns--);
    const key = form.get("key")?.trim() ?? "";
    const visitor = await sessions.identify(key);
    const back = toScreenPath(c.req.url, form.get("back"));
    if (visitor === undefined) return await answerSignIn({ isRefused: true, back });
    setCookie(c, SESSION_COOKIE, await sessions.seal(key), {
      httpOnly: true,
      sameSite: "Strict",
      path: "/",
      secure: isSecure(c.req.raw, deps.callers.publicUrl),
      maxAge: SESSION_MS / 1_000,
    });
    return c.redirect(back, 303);
  });
  app.post("/ui/session/end", (c) => {
    deleteCookie(c, SESSION_COOKIE, { path: "/", secure: isSecure(c.req.raw, deps.callers.publicUrl) });
    return c.redirect("/", 303);
  });

  app.route("/", docsRoutes(deps, sessions, PARTS_HEADER));

  app.use(async (c, next) => {
    const visitor = await sessions.open(getCookie(c, SESSION_COOKIE));
    if (visitor !== undefined) {
      c.set("visitor", visitor);
      return await next();
    }
    if (!isReading(c) || c.req.path === "/ui/events") return new Response(null, { status: 401 });
    return await answerSignIn({ isRefused: false, back: toScreenPath(c.req.url, c.req.url) });
  });

  app.get("/", async (c) => {
    const view = await loadOverview(apiOf(c), c.var.visitor.access);
    return await answerView(view, { ...show(c), here: "status" });
  });
  app.get("/ui/activity", async (c) => {
    const { agent = "", outcome } = c.req.query();
    const options = { agent, outcome: parseOutcome(outcome) };
    const view = await loadActivityView(apiOf(c), options);
    return await answerView(view, { ...show(c), here: "activity", live: { view: "activity", ...options } });
  });
  app.get("/ui/agents/:agent", async (c) => {
    const agent = c.req.param("agent");
    const wanted = c.req.query("q") ?? "";
    const view = await loadAgentView(apiOf(c), c.var.visitor.access, { agent, wanted });
    return await answerView(view, { ...show(c), live: { view: "agent", agent, q: wanted } });
  });
  app.get("/ui/agents/:agent/tools/:tool", async (c) => {
    const { agent, tool } = c.req.param();
    const found = await lookUpTool(apiOf(c), agent, tool);
    return isProblem(found) ? respond(c, found) : await answerTool({ agent, ...found }, show(c));
  });
  app.post("/ui/agents/:agent/tools/:tool", async (c) => {
    const { agent, tool } = c.req.param();
    const form = await readForm(c);
    const found = await lookUpTool(apiOf(c), agent, tool);
    if (isProblem(found)) return respond(c, found);
    const sent = await callByForm(apiOf(c), { agent, tool: found.tool, form });
    if (c.req.header(PARTS_HEADER) !== undefined) return c.json(await drawAnswer(found.tool, form, sent));
    return await answerTool({ agent, ...found, sent: form, ...sent }, show(c));
  });
  const act = async (
    c: Context<PageEnv>,
    path: string,
    body: JsonObject | undefined,
    toText: (value: unknown) => string,
  ) => {
    const answer = await apiOf(c).post<unknown>(path, body);
    ringBells();
    if (!answer.ok) return respond(c, answer.problem);
    return c.req.header(PARTS_HEADER) === undefined
      ? c.redirect(toScreenPath(c.req.url, c.req.header("referer")), 303)
      : done(200, toText(answer.value));
  };
  app.post("/ui/reconnect", (c) => act(c, "/admin/reconnect", undefined, () => "All servers were tried."));
  app.post("/ui/agents/:agent/reconnect", async (c) => {
    const server = (await readForm(c)).get("server");
    const query = server === null ? "" : `?${new URLSearchParams({ server })}`;
    const path = `/agents/${toSegment(c.req.param("agent"))}/reconnect${query}`;
    return await act(c, path, undefined, describeReconnection);
  });
  app.post("/ui/agents/:agent/pins", async (c) => {
    const { server = "", tool = "", decision = "", digest } = Object.fromEntries(await readForm(c));
    const path = `/admin/agents/${toSegment(c.req.param("agent"))}/pins`;
    const text = decision === "accept" ? "The change is accepted." : "The tool is withheld.";
    return await act(c, path, { server, tool, decision, ...(digest !== undefined && { digest }) }, () => text);
  });

  app.get("/ui/events", (c) => {
    // Nobody would read the stream, and nothing would end it.
    if (c.req.raw.method === "HEAD") return new Response(null, { headers: { "content-type": "text/event-stream" } });
    const { access } = c.var.visitor;
    const leave = places.take(access.caller);
    const cookie = getCookie(c, SESSION_COOKIE);
    const known: KnownTools = {};
    return streamEvents(c, async (send, gone) => {
      using joined = new JoinedSignal(gone, inFlight.stopping);
      const load: LoadView = async () => {
        try {
          // A key that was revoked meanwhile, or a session that is over, shows no more.
          const visitor = await sessions.open(cookie);
          if (visitor === undefined) return toProblem(new RequestError("unauthenticated", "The session is over"), "");
          return await look(c, visitor, known);
        } catch (error) {
          return tell(error, c.env.requestId);
        }
      };
      const watch = (ring: () => void) => {
        bells.add(ring);
        const unwatch = deps.directory.watchEvents?.(ring);
        return () => {
          bells.delete(ring);
          unwatch?.();
        };
      };
      const isTold = deps.directory.watchEvents !== undefined;
      // A stop waits for what is being drawn, also where the runtime does not tell the end of an answer.
      await inFlight.track(runLiveStream({ load, send, watch, isTold, signal: joined.signal }).finally(leave));
    });
  });
  return (request, bindings) => app.fetch(request, bindings);
}

/** What the script is answered: the parts of the screen that changed, and a sentence for who does not see them. */
function done(status: number, text: string): Response {
  return Response.json({ parts: [], text }, { status });
}

/**
 * A problem that stopped a request for the page before the page was asked.
 *
 * @param problem The problem.
 * @returns The page that says so.
 */
export function problemPage(problem: Problem): Promise<Response> {
  return answerProblem(problem, {});
}
