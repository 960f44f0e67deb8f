import type { Connected, Contender } from "./contender.ts";
import { textOf } from "./contender.ts";

/** What a session of a legacy server needs. */
export interface RawSession {
  /** The endpoint. */
  readonly url: string;
  /** The session id. */
  readonly sessionId: string;
}

const VERSION = "2025-11-25";
const CLIENT_INFO = { name: "raw", version: "1.0.0" };
let lastId = 0;

/** A hand-written client: `fetch` and nothing else. The unit of the tables. */
export const raw = createRaw("raw fetch", (body) => body);

/** The same with bodies that Deno cannot send twice: what it costs to send a call at most once. */
export const rawOnce = createRaw("raw fetch, sent once", (body) => new Blob([body]));

function createRaw(name: string, toBody: (body: string) => BodyInit): Contender {
  return {
    name,
    async connect(urls): Promise<Connected> {
      const opened = await Promise.all(urls.map(async (url) => {
        const session = await openRaw(url);
        const { tools } = await askRaw(session, "tools/list", {}) as { readonly tools: readonly unknown[] };
        return { session, tools };
      }));
      return {
        tools: opened.reduce((sum, { tools }) => sum + tools.length, 0),
        call: async (server, tool, text) => textOf(await callRaw(opened[server]!.session, tool, text, toBody)),
        [Symbol.asyncDispose]: async () => {
          await Promise.all(opened.map(({ session }) => closeRaw(session)));
        },
      };
    },
  };
}

/** Shakes hands. */
export async function openRaw(url: string): Promise<RawSession> {
  const id = ++lastId;
  const params = { protocolVersion: VERSION, capabilities: {}, clientInfo: CLIENT_INFO };
  const body = JSON.stringify({ jsonrpc: "2.0", id, method: "initialize", params });
  const response = await fetch(url, { method: "POST", headers: toHeaders(), body });
  await readRaw(response);
  const session = { url, sessionId: response.headers.get("mcp-session-id") ?? "" };
  const notice = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });
  const accepted = await fetch(url, { method: "POST", headers: toHeaders(session.sessionId), body: notice });
  await accepted.body?.cancel();
  return session;
}

/** Calls a tool of a legacy server. */
export function callRaw(
  session: RawSession,
  tool: string,
  text: string,
  toBody?: (body: string) => BodyInit,
): Promise<unknown> {
  return askRaw(session, "tools/call", { name: tool, arguments: { text } }, toBody);
}

/** Calls a tool of a modern server. */
export async function callRawModern(url: string, tool: string, text: string): Promise<unknown> {
  const version = "2026-07-28";
  const prefix = "io.modelcontextprotocol/";
  const _meta = {
    [`${prefix}protocolVersion`]: version,
    [`${prefix}clientInfo`]: CLIENT_INFO,
    [`${prefix}clientCapabilities`]: {},
  };
  const params = { name: tool, arguments: { text }, _meta };
  const body = JSON.stringify({ jsonrpc: "2.0", id: ++lastId, method: "tools/call", params });
  const headers = { ...toHeaders(), "mcp-protocol-version": version, "mcp-method": "tools/call", "mcp-name": tool };
  return await readRaw(await fetch(url, { method: "POST", headers, body }));
}

async function askRaw(
  { url, sessionId }: RawSession,
  method: string,
  params: unknown,
  toBody = (body: string): BodyInit => body,
): Promise<unknown> {
  const body = toBody(JSON.stringify({ jsonrpc: "2.0", id: ++lastId, method, params }));
  return await readRaw(await fetch(url, { method: "POST", headers: toHeaders(sessionId), body }));
}

async function closeRaw({ url, sessionId }: RawSession): Promise<void> {
  await (await fetch(url, { method: "DELETE", headers: toHeaders(sessionId) })).body?.cancel();
}

function toHeaders(sessionId?: string): Record<string, string> {
  const headers = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": VERSION,
  };
  return sessionId === undefined ? headers : { ...headers, "mcp-session-id": sessionId };
}

/** The whole answer, of which the one event is taken where it is a stream. */
async function readRaw(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  const message = JSON.parse(isStream ? text.slice(text.indexOf("data: ") + 6) : text);
  if (message.result === undefined) throw new Error("The server answered with an error");
  return message.result;
}
