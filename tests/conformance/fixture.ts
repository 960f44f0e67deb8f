/** What the fixtures of both eras have in common. */

/** A running fixture. */
export interface Fixture extends AsyncDisposable {
  /** Its endpoint. */
  readonly url: string;
}

/** What serves an era. */
export interface FixtureHandler {
  /** Answers a request. */
  fetch(request: Request): Promise<Response>;
  /** Ends what runs. */
  close(): Promise<void>;
}

/** Serves on a free port of loopback, to nobody who came by another name. */
export function serveFixture(handler: FixtureHandler): Fixture {
  const stopping = new AbortController();
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: stopping.signal };
  const server = Deno.serve(options, async (request) => {
    const names = [request.headers.get("host"), request.headers.get("origin")?.replace(/^https?:\/\//, "")];
    const isForeign = names.some((name) => typeof name === "string" && !/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(name));
    return isForeign ? new Response(null, { status: 403 }) : await handler.fetch(request);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    async [Symbol.asyncDispose]() {
      await handler.close();
      stopping.abort();
      await server.finished;
    },
  };
}
