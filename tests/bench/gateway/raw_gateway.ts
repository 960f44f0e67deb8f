/**
 * The least that a gateway can do for a first call: one request to the one server, in the session that was kept, without
 * asking who owns the tool. Its arguments are the server's URL and the session, where there is one; it prints where it
 * listens.
 *
 * @module
 */

import { callRaw, callRawModern } from "../contenders/raw.ts";

const [url = "", sessionId] = Deno.args;
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  const tool = new URL(request.url).pathname.split("/").at(-1) ?? "";
  const { text } = await request.json();
  const result = sessionId === undefined ? callRawModern(url, tool, text) : callRaw({ url, sessionId }, tool, text);
  return Response.json({ result: await result });
});
console.log(`listens on http://127.0.0.1:${server.addr.port}`);
