/**
 * The least that a proxy does: a request goes on as it is, the answer comes back as it is. Its argument is the origin of
 * the server behind it; it prints where it listens.
 *
 * @module
 */

const [upstream = ""] = Deno.args;
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  const { pathname, search } = new URL(request.url);
  const { method, headers, body } = request;
  const response = await fetch(`${upstream}${pathname}${search}`, { method, headers, body });
  return new Response(response.body, response);
});
console.log(`listens on http://127.0.0.1:${server.addr.port}`);
