import { assert, assertEquals, assertRejects } from "@std/assert";
import { createAuthFetch } from "../../src/auth/auth_fetch.ts";
import { MCPError } from "../../src/errors.ts";
import { serveTcpHttp, type TcpHandler } from "../support/tcp_http.ts";

const { signal } = new AbortController();

async function withServer(
  handler: TcpHandler,
  work: (origin: string, accepted: () => number) => Promise<void>,
): Promise<void> {
  const server = serveTcpHttp(handler);
  try {
    await work(`http://127.0.0.1:${server.port}`, () => server.acceptedConnections());
  } finally {
    await server.stop();
  }
}

function createSend(origin: string, timeoutMs?: number) {
  const rules = { serverUrl: new URL(origin), issuers: [], allowPrivate: true };
  return createAuthFetch({ server: "calendar", rules, fetch, timeoutMs });
}

Deno.test("createAuthFetch() reads JSON objects, and nothing else", async () => {
  const bodies = ['{"a":1}', "[1]", '"text"', "<html>", "", "{"];
  for (const body of bodies) {
    await withServer(() => new Response(body, { status: 404 }), async (origin) => {
      const json = body === '{"a":1}' ? { a: 1 } : undefined;
      assertEquals(await createSend(origin)({ url: origin, signal }), { status: 404, json });
    });
  }
});

Deno.test("createAuthFetch() stops at 256 KiB, of compressed answers too", async () => {
  const body = new Response(`{"a":"${"x".repeat(2_000_000)}"}`).body!.pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  assert(bytes.length < 262_144);
  const answers = [
    () => new Response("x".repeat(300_000)),
    () => new Response(bytes, { headers: { "content-encoding": "gzip" } }),
  ];
  for (const answer of answers) {
    await withServer(answer, async (origin) => {
      const error = await assertRejects(() => createSend(origin)({ url: origin, signal }), MCPError, "too large");
      assertEquals(error.code, "auth_failed");
    });
  }
});

Deno.test("createAuthFetch() follows two redirects of the same origin for metadata, and no third", async () => {
  const handler = (request: Request) => {
    const hop = Number(new URL(request.url).pathname.slice(1));
    return hop === 0
      ? Response.json({ hop })
      : new Response(null, { status: 302, headers: { location: `/${hop - 1}` } });
  };
  await withServer(handler, async (origin) => {
    const send = createSend(origin);
    assertEquals(await send({ url: `${origin}/2`, signal }), { status: 200, json: { hop: 0 } });
    assertEquals(await send({ url: `${origin}/3`, signal }), { status: 302, json: undefined });
  });
});

Deno.test("createAuthFetch() follows no redirect of a POST, and sends it once", async () => {
  let posts = 0;
  const handler = () => {
    posts++;
    return new Response(null, { status: 307, headers: { location: "/other" } });
  };
  await withServer(handler, async (origin) => {
    assertEquals((await createSend(origin)({ url: origin, body: "a=b", signal })).status, 307);
    assertEquals(posts, 1);
  });
});

Deno.test("createAuthFetch() does not send a POST again on a connection that closes", async () => {
  let posts = 0;
  const handler = (request: Request) => {
    if (request.method === "GET") return Response.json({});
    posts++;
    return Response.error();
  };
  await withServer(handler, async (origin) => {
    const send = createSend(origin);
    await send({ url: origin, signal });
    const error = await assertRejects(() => send({ url: origin, body: "a=b", signal }), MCPError);
    assertEquals([error.code, error.retryable, posts], ["auth_failed", true, 1]);
  });
});

Deno.test("createAuthFetch() gives up after its own time, and for the caller's reason", async () => {
  await withServer(() => new Promise<Response>(() => {}), async (origin) => {
    const late = await assertRejects(() => createSend(origin, 20)({ url: origin, signal }), MCPError, "within 20 ms");
    assertEquals([late.code, late.retryable], ["auth_failed", true]);
    const reason = new Error("enough");
    const controller = new AbortController();
    const waiting = assertRejects(() => createSend(origin)({ url: origin, signal: controller.signal }));
    controller.abort(reason);
    assertEquals(await waiting, reason);
  });
});

Deno.test("createAuthFetch() tells of a failure without its URL", async () => {
  const send = createSend("http://127.0.0.1:1");
  const error = await assertRejects(() => send({ url: "http://127.0.0.1:1/?canary", signal }), MCPError);
  assertEquals(error.code, "auth_failed");
  assert(!Deno.inspect(error, { showHidden: true }).includes("canary"));
});
