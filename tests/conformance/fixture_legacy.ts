import {
  type EventStore,
  isInitializeRequest,
  type JSONRPCMessage,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { type Fixture, serveFixture } from "./fixture.ts";
import { fixtureServers } from "./fixture_server.ts";

interface Session {
  readonly mcp: McpServer;
  readonly http: WebStandardStreamableHTTPServerTransport;
}

/** What a server proposes to a client whose stream it ends. */
const RETRY_MS = 100;

/** Starts the fixture as a server of 2025-11-25 with sessions, whose streams can be resumed. */
export function startLegacyFixture(): Fixture {
  const createServer = fixtureServers();
  const sessions = new Map<string, Session>();

  async function open(request: Request, parsedBody: unknown): Promise<Response> {
    const mcp = createServer();
    const watched = new Set<string>();
    mcp.server.setRequestHandler("resources/subscribe", ({ params }) => (watched.add(params.uri), {}));
    mcp.server.setRequestHandler("resources/unsubscribe", ({ params }) => (watched.delete(params.uri), {}));
    const http = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, { mcp, http }),
      onsessionclosed: (id) => void sessions.delete(id),
      eventStore: new Events(),
      retryInterval: RETRY_MS,
      keepAliveMs: 0,
    });
    await mcp.connect(http);
    return await http.handleRequest(request, { parsedBody });
  }

  return serveFixture({
    async fetch(request) {
      const parsedBody = request.method === "POST" ? await request.json() : undefined;
      const id = request.headers.get("mcp-session-id");
      if (id === null && isInitializeRequest(parsedBody)) return await open(request, parsedBody);
      const session = sessions.get(id ?? "");
      if (session !== undefined) return await session.http.handleRequest(request, { parsedBody });
      const error = { code: -32_001, message: "Session not found" };
      return Response.json({ jsonrpc: "2.0", error, id: null }, { status: id === null ? 400 : 404 });
    },
    async close() {
      await Promise.all(Array.from(sessions.values(), ({ mcp }) => mcp.close()));
    },
  });
}

/** The events of one session. */
class Events implements EventStore {
  readonly #events: { readonly streamId: string; readonly message: JSONRPCMessage }[] = [];

  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    return Promise.resolve(String(this.#events.push({ streamId, message }) - 1));
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { readonly send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = Number(lastEventId);
    const streamId = this.#events[last]?.streamId ?? "";
    for (const [index, event] of this.#events.entries()) {
      // A priming event has nothing to say.
      const isDue = index > last && event.streamId === streamId && Object.keys(event.message).length > 0;
      if (isDue) await send(String(index), event.message);
    }
    return streamId;
  }
}
