/** Whom a server may send the client to on its way to a token, and where tokens go: nowhere else. */

import { assert, assertEquals } from "@std/assert";
import { SingleServerMCPClient } from "@portolan/mcp";
import { browse } from "../support/auth_support.ts";
import { type ScriptedAuthOptions, startScriptedAuthServer } from "../support/auth_script.ts";
import { MACHINE, PERSON, startAuthorized } from "../support/authorized_servers.ts";
import { failureOf } from "../support/client_support.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startTokenGuard, type TokenGuardOptions } from "../support/token_guard.ts";

/** Listens where nobody is to come, at another port: another origin. */
function startCanary(answer: () => Response = () => Response.json({})) {
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    requests.push(`${request.method} ${pathname} ${request.headers.get("authorization")} ${await request.text()}`);
    return answer();
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return { origin, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A server behind a guard, its authorization server by script. */
async function startScripted(options: ScriptedAuthOptions, guardOptions: Partial<TokenGuardOptions> = {}) {
  const stack = new AsyncDisposableStack();
  const login = stack.use(startScriptedAuthServer(options));
  const mcp = stack.use(await startMCPServer());
  const issuers = () => [login.issuer];
  const guard = stack.use(startTokenGuard(mcp.url, { find: login.find, issuers, ...guardOptions }));
  return { login, mcp, guard, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("S7 a 401 that names metadata at another private address has no request made there", async () => {
  await using canary = startCanary();
  for (const path of ["/.well-known/oauth-protected-resource", "/latest/meta-data"]) {
    await using server = await startAuthorized({ metadataUrl: canary.origin + path });
    for (const allowPrivate of [undefined, false, true]) {
      await using client = new SingleServerMCPClient("calendar", server.config({ ...MACHINE, allowPrivate }));
      const error = await failureOf(() => client.callTool("whoami"), "auth_failed");
      assert(error.message.endsWith("as it says that its metadata is at another origin"), error.message);
    }
    assertEquals(server.login.paths, []);
  }
  assertEquals(canary.requests, []);
});

Deno.test("S7 metadata that names an authorization server at a private address has no request made there", async () => {
  await using canary = startCanary();
  const addresses = [canary.origin, "https://10.0.0.1", "https://169.254.169.254/latest", "https://[::1]:1"];
  for (const issuer of [...addresses, "http://2130706433:1"]) {
    await using server = await startScripted({}, { issuers: () => [issuer] });
    const asked: string[] = [];
    await using client = new SingleServerMCPClient("calendar", { url: server.guard.url, auth: MACHINE }, {
      fetch: (input, init) => {
        asked.push(new URL(String(input)).origin);
        return fetch(input, init);
      },
    });
    await failureOf(() => client.callTool("whoami"), "auth_failed");
    assertEquals(new Set(asked), new Set([new URL(server.guard.url).origin]), issuer);
  }
  assertEquals(canary.requests, []);
});

Deno.test("S7 an authorization server at a private address is asked where it is listed, and no other one", async () => {
  await using server = await startAuthorized();
  const issuers = [server.login.issuer];
  await using client = new SingleServerMCPClient("calendar", server.config({ ...MACHINE, issuers }));
  await client.callTool("whoami");
  assertEquals(server.executions.get("whoami"), 1);

  await using canary = startCanary();
  await using wary = new SingleServerMCPClient("calendar", {
    url: server.url,
    auth: { ...MACHINE, issuers: [canary.origin] },
  });
  await failureOf(() => wary.callTool("whoami"), "auth_failed");
  assertEquals(canary.requests, []);
});

for (const endpoint of ["token_endpoint", "registration_endpoint", "authorization_endpoint"]) {
  Deno.test(`S7 a listed authorization server whose ${endpoint} is at another private address has no request made there`, async () => {
    await using canary = startCanary();
    await using server = await startScripted({
      metadata: (same) => ({ ...same, [endpoint]: `${canary.origin}/endpoint` }),
    });
    const auth = { redirectUrl: PERSON.redirectUrl, issuers: [server.login.issuer] };
    await using client = new SingleServerMCPClient("calendar", { url: server.guard.url, auth }, {
      onAuthorize: browse,
    });
    await failureOf(() => client.callTool("whoami"), "auth_failed");
    assertEquals(canary.requests, []);
  });
}

Deno.test("An authorization server that redirects is not followed to another origin", async () => {
  await using canary = startCanary();
  const redirect = () => new Response(null, { status: 307, headers: { location: `${canary.origin}/token` } });
  await using server = await startScripted({ token: redirect });
  await using client = new SingleServerMCPClient("calendar", {
    url: server.guard.url,
    auth: { ...MACHINE, allowPrivate: true },
  });
  const error = await failureOf(() => client.callTool("whoami"), "auth_failed");
  assertEquals(error.httpStatus, 307);
  assertEquals([server.login.count("/token"), canary.requests], [1, []]);
});

for (const status of [301, 302, 307, 308]) {
  Deno.test(`A server that redirects with ${status} to another origin sends no token there`, async () => {
    await using canary = startCanary();
    await using server = await startScripted({}, {
      instead: ({ method }) =>
        method === "tools/call"
          ? new Response(null, { status, headers: { location: `${canary.origin}/mcp` } })
          : undefined,
    });
    const auth = { ...PERSON, issuers: [server.login.issuer] };
    await using client = new SingleServerMCPClient("calendar", { url: server.guard.url, auth }, {
      onAuthorize: browse,
    });
    await failureOf(() => client.callTool("whoami"), "redirect_refused");
    assert(server.guard.count(`tools/call ${status}`) === 1, "the token was good");
    assertEquals(canary.requests, []);
  });
}

Deno.test("A token is never sent to the authorization server's metadata, and a client's secret never to the server", async () => {
  await using server = await startAuthorized();
  const sent: string[] = [];
  const auth = { ...MACHINE, allowPrivate: true };
  await using client = new SingleServerMCPClient("calendar", server.config(auth), {
    fetch: (input, init) => {
      const { origin, pathname } = new URL(String(input));
      const [scheme] = new Headers(init?.headers).get("authorization")?.split(" ") ?? [];
      sent.push(`${origin === new URL(server.url).origin ? "server" : "login"} ${pathname} ${scheme ?? "nothing"}`);
      return fetch(input, init);
    },
  });
  await client.callTool("whoami");
  assertEquals(
    new Set(sent),
    new Set([
      "server /mcp nothing",
      "server /.well-known/oauth-protected-resource/mcp nothing",
      "login /.well-known/oauth-authorization-server nothing",
      "login /token Basic",
      "server /mcp Bearer",
    ]),
  );
});

for (const status of [400, 404, 405]) {
  Deno.test(`A token endpoint that answers ${status} says nothing of the server's transport`, async () => {
    let isDown = false;
    await using server = await startScripted({
      token: () => isDown ? new Response(null, { status }) : undefined,
    });
    const auth = { ...MACHINE, allowPrivate: true };
    await using client = new SingleServerMCPClient("calendar", { url: server.guard.url, auth, era: "legacy" });
    isDown = true;
    const error = await failureOf(() => client.callTool("whoami"), "auth_failed");
    assertEquals([error.httpStatus, server.guard.log], [status, ["initialize 401"]]);
    isDown = false;
    await client.callTool("whoami");
  });
}
