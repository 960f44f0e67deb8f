/**
 * The API page: the documents of the gateway and of its agents, to read and to try.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { getCookie } from "hono/cookie";
import { mayUse } from "../src/callers/access.ts";
import { MCPError } from "../src/errors.ts";
import type { RouteDeps } from "../src/gateway/gateway_env.ts";
import type { PeerInfo } from "../src/gateway/host_check.ts";
import type { Problem } from "../src/gateway/problem.ts";
import { RequestError } from "../src/gateway/request_error.ts";
import { PageApi, toDocumentPath } from "../src/page/api.ts";
import { ApiDocument } from "../src/page/api_document.ts";
import { answerDocs, drawTried } from "../src/page/docs_page.tsx";
import { readFormBody } from "../src/page/form_body.ts";
import { type PageSessions, SESSION_COOKIE, type Visitor } from "../src/page/page_session.ts";
import { answerProblem, answerSignIn } from "../src/page/pages.tsx";
import { toScreenPath } from "../src/page/screen_path.ts";
import { askOnce } from "../src/page/try_answer.ts";
import { tryOperation } from "../src/page/try_operation.ts";
import { TIMEOUT_HEADER } from "../src/rest/request_timeout.ts";

/** The environment of the page. */
interface DocsEnv {
  /** What comes with a request. */
  Bindings: PeerInfo & { readonly requestId: string };
}

/** How long an agent's servers are waited for, in milliseconds. */
const LIST_TIMEOUT_MS = 10_000;

/** The most characters of a document that are read: the event loop stands still meanwhile. */
const MAX_DOCUMENT_CHARS = 4 * 1024 * 1024;

/**
 * `GET /docs`, where the gateway's own document is for everybody, as at `/openapi.json`, and the others for who is signed
 * in; and `POST /ui/try`, which sends what a form of that page says to an operation that its document lists. Whether it
 * comes from a page of the gateway is for the app to check.
 *
 * @param deps The collaborators.
 * @param sessions Knows who looks.
 * @param partsHeader What the script says that wants the changed part of the page alone.
 * @returns The routes.
 */
export function docsRoutes(deps: RouteDeps, sessions: PageSessions, partsHeader: string): Hono<DocsEnv> {
  const { inFlight } = deps;

  const toApi = (c: Context<DocsEnv>, visitor: Visitor | undefined, signal: AbortSignal) =>
    new PageApi({
      request: c.req.raw,
      signal,
      peer: c.env,
      authorization: visitor?.authorization,
      dispatch: deps.dispatch,
    });
  const toShown = (c: Context<DocsEnv>, visitor: Visitor | undefined) => ({
    access: visitor?.access,
    open: deps.open,
    canTry: visitor !== undefined,
    agents: deps.directory.agents.filter((agent) => visitor !== undefined && mayUse(visitor.access, agent)),
    origin: deps.callers.publicUrl ?? new URL(c.req.url).origin,
  });

  return new Hono<DocsEnv>()
    .get("/docs", async (c) => {
      const visitor = await sessions.open(getCookie(c, SESSION_COOKIE));
      const { agent, operation: only, q: wanted = "", page } = c.req.query();
      if (visitor === undefined && agent !== undefined) {
        return await answerSignIn({ isRefused: false, back: toScreenPath(c.req.url, c.req.url) });
      }
      const shown = toShown(c, visitor);
      const document = await loadDocument(toApi(c, visitor, c.req.raw.signal), agent);
      if (!(document instanceof ApiDocument)) return await answerProblem(document, shown);
      return await answerDocs({ ...shown, document, agent, only, wanted, page: Number(page) || 1, tried: undefined });
    })
    .post("/ui/try", async (c) => {
      const visitor = await sessions.open(getCookie(c, SESSION_COOKIE));
      if (visitor === undefined) return new Response(null, { status: 401 });
      const form = await inFlight.wait(c.req.raw.signal, () => readFormBody(c.req.raw, deps.maxBodyBytes));
      const wantsParts = c.req.header(partsHeader) !== undefined;
      const shown = toShown(c, visitor);
      const agent = form.get("agent") ?? undefined;
      return await inFlight.run(c.req.raw.signal, async (signal) => {
        const api = toApi(c, visitor, signal);
        const document = await loadDocument(api, agent);
        if (!(document instanceof ApiDocument)) {
          if (!wantsParts) return await answerProblem(document, shown);
          return Response.json({ parts: [], text: `${document.detail}.` }, { status: document.status });
        }
        const entry = document.find(form.get("operation") ?? "");
        if (entry === undefined) {
          throw new RequestError("not_found", "Cannot try the operation as the document does not list it");
        }
        const operation = document.open(entry);
        const tried = await tryOperation(operation, {
          form,
          agents: shown.agents,
          origin: shown.origin,
          hasKey: !deps.open,
          ask: (request) => askOnce((signal) => toApi(c, visitor, signal).send(request), { signal }),
        });
        if (wantsParts) {
          return c.json(await drawTried({ operation, agent, agents: shown.agents, tried }));
        }
        return await answerDocs({ ...shown, document, agent, only: operation.id, wanted: "", page: 1, tried });
      });
    });
}

async function loadDocument(api: PageApi, agent: string | undefined): Promise<ApiDocument | Problem> {
  const target = toDocumentPath(agent);
  const headers = { accept: "application/json", [TIMEOUT_HEADER]: String(LIST_TIMEOUT_MS) };
  const response = await api.send({ method: "GET", target, headers });
  const text = await response.text();
  if (text.length > MAX_DOCUMENT_CHARS) {
    throw new MCPError("too_large", `Cannot show a document of ${text.length} characters: read it at ${target}`);
  }
  return response.ok ? new ApiDocument(JSON.parse(text)) : JSON.parse(text);
}
