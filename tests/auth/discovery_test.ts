/** Whom a server may send its clients to, and whom not. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { AuthorizationRequiredError } from "../../src/auth/authorization_required_error.ts";
import { MCPError } from "../../src/errors.ts";
import { startResourceServer } from "../support/auth_resource.ts";
import { type ScriptedAuthOptions, startScriptedAuthServer } from "../support/auth_script.ts";
import { browse, createAuthorizer, REDIRECT_URL, send } from "../support/auth_support.ts";
import { serveTcpHttp } from "../support/tcp_http.ts";

const PERSON = { redirectUrl: REDIRECT_URL };

async function failureOf(work: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(work, MCPError);
  assertEquals(error.code, "auth_failed", error.message);
  return error.message;
}

/** Counts what reaches an address that nobody may be sent to. */
async function withCanary(work: (origin: string) => Promise<void>): Promise<void> {
  const canary = serveTcpHttp(() => new Response(null, { status: 404 }));
  try {
    await work(`http://127.0.0.1:${canary.port}`);
    assertEquals(canary.acceptedConnections(), 0);
  } finally {
    await canary.stop();
  }
}

Deno.test("S7 No request is made to a metadata URL of another origin, whatever is allowed", async () => {
  await withCanary(async (origin) => {
    const challenge = () => `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource"`;
    await using server = startResourceServer({ find: () => undefined, issuers: () => [], challenge });
    for (const allowPrivate of [false, true]) {
      const { authorizer } = createAuthorizer(server.url, { ...PERSON, allowPrivate });
      assert((await failureOf(() => send(authorizer, server.url))).includes("another origin"));
    }
    assertEquals(new Set(server.paths), new Set(["/mcp"]));
  });
});

Deno.test("S7 No request is made to an authorization server on loopback or in a private range", async () => {
  await withCanary(async (origin) => {
    const { port } = new URL(origin);
    const names = [
      origin,
      `http://localhost:${port}`,
      `https://[::1]:${port}`,
      "https://10.0.0.1",
      "http://169.254.169.254",
    ];
    for (const name of [...names, `http://2130706433:${port}`]) {
      await using server = startResourceServer({ find: () => undefined, issuers: () => [name] });
      const { authorizer } = createAuthorizer(server.url, { ...PERSON, allowPrivate: false });
      const message = await failureOf(() => send(authorizer, server.url));
      assert(message.includes("a URL that it names"), message);
    }
  });
});

for (const endpoint of ["token_endpoint", "authorization_endpoint", "registration_endpoint"]) {
  Deno.test(`S7 A trusted authorization server leads to no private address: ${endpoint}`, async () => {
    await withCanary(async (origin) => {
      await using login = startScriptedAuthServer({ metadata: (same) => ({ ...same, [endpoint]: `${origin}/x` }) });
      await using server = startResourceServer({ find: () => undefined, issuers: () => [login.issuer] });
      const config = { ...PERSON, allowPrivate: false, issuers: [login.issuer] };
      const { authorizer } = createAuthorizer(server.url, config, { onAuthorize: browse });
      await failureOf(() => send(authorizer, server.url));
    });
  });
}

Deno.test("S7 A redirect leads to no other origin, and a token request follows none", async () => {
  await withCanary(async (origin) => {
    const token = () => new Response(null, { status: 307, headers: { location: `${origin}/token` } });
    await using login = startScriptedAuthServer({ token });
    await using server = startResourceServer({ find: () => undefined, issuers: () => [login.issuer] });
    const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
    await failureOf(() => send(authorizer, server.url));
  });
});

Deno.test("A listed authorization server may be private, and is the only one", async () => {
  await using login = startScriptedAuthServer();
  await using other = startScriptedAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [other.issuer, login.issuer] });
  const config = { ...PERSON, allowPrivate: false, issuers: [login.issuer] };
  const { authorizer } = createAuthorizer(server.url, config, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  assertEquals(other.paths, []);
  const strict = createAuthorizer(server.url, { ...PERSON, issuers: ["https://login.example.com"] });
  assert((await failureOf(() => send(strict.authorizer, server.url))).includes('"issuers"'));
});

for (
  const [what, resource] of [
    ["another origin", "https://evil.example.com/mcp"],
    ["another path", "/other"],
    ["a path that only begins alike", "/mc"],
    ["a fragment", "/mcp#x"],
    ["no URL", "mcp"],
  ] as const
) {
  Deno.test(`The metadata of another resource is refused: ${what}`, async () => {
    await using login = startScriptedAuthServer();
    await using server = startResourceServer({
      find: login.find,
      issuers: () => [login.issuer],
      metadata: (same) => ({
        ...same,
        resource: resource.startsWith("/") ? new URL(String(same.resource)).origin + resource : resource,
      }),
    });
    const { authorizer } = createAuthorizer(server.url, PERSON);
    assert((await failureOf(() => send(authorizer, server.url))).includes("another resource"));
    assertEquals(login.paths, []);
  });
}

Deno.test("A resource that the server is a part of is asked for as it is spelt", async () => {
  await using login = startScriptedAuthServer();
  await using server = startResourceServer({
    find: (token) => login.find(token) && { audience: undefined, scopes: [] },
    issuers: () => [login.issuer],
    metadata: (same) => ({ ...same, resource: new URL(String(same.resource)).origin }),
  });
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  assertEquals(login.forms[0]?.get("resource"), server.url.origin);
});

const UNUSABLE: Readonly<Record<string, ScriptedAuthOptions["metadata"]>> = {
  "of another issuer": (same) => ({ ...same, issuer: "https://login.example.com" }),
  "of an issuer that differs by a slash": (same) => ({ ...same, issuer: `${same.issuer}/` }),
  "without an issuer": ({ issuer: _issuer, ...rest }) => rest,
  "without a token endpoint": ({ token_endpoint: _endpoint, ...rest }) => rest,
  "without an authorization endpoint": ({ authorization_endpoint: _endpoint, ...rest }) => rest,
  "without PKCE": ({ code_challenge_methods_supported: _methods, ...rest }) => rest,
  "with plain PKCE alone": (same) => ({ ...same, code_challenge_methods_supported: ["plain"] }),
  "without a way to register": ({ registration_endpoint: _endpoint, ...rest }) => rest,
  "with a script for an endpoint": (same) => ({ ...same, authorization_endpoint: "javascript:alert(1)" }),
  "that is not there": () => undefined,
};

for (const [what, metadata] of Object.entries(UNUSABLE)) {
  Deno.test(`An authorization server is not used with metadata ${what}`, async () => {
    await using login = startScriptedAuthServer({ metadata: metadata! });
    await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
    const { authorizer } = createAuthorizer(server.url, PERSON);
    await failureOf(() => send(authorizer, server.url));
    assertEquals(login.paths.filter((path) => !path.includes("/.well-known/")), []);
  });
}

Deno.test("The metadata of an authorization server with a path is looked for in the order of the specification", async () => {
  await using login = startScriptedAuthServer({
    metadata: (same, path) =>
      path === "/tenant/.well-known/openid-configuration" ? { ...same, issuer: `${same.issuer}/tenant` } : undefined,
  });
  await using server = startResourceServer({ find: login.find, issuers: () => [`${login.issuer}/tenant`] });
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  assertEquals(login.paths.slice(0, 3), [
    "/.well-known/oauth-authorization-server/tenant",
    "/.well-known/openid-configuration/tenant",
    "/tenant/.well-known/openid-configuration",
  ]);
});

Deno.test("The metadata of a server that does not say where it is, is looked for at its path, then at its root", async () => {
  const root = "/.well-known/oauth-protected-resource";
  for (const place of [`${root}/mcp`, root]) {
    await using login = startScriptedAuthServer();
    await using server = startResourceServer({
      find: login.find,
      issuers: () => [login.issuer],
      challenge: () => undefined,
      metadata: (same, path) => path === place ? same : undefined,
    });
    const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
    assertEquals(await send(authorizer, server.url), 200);
    const looked = place === root ? [`${root}/mcp`, root] : [place];
    assertEquals(server.paths, ["/mcp", ...looked, "/mcp"]);
  }
});

Deno.test("A server without metadata is its own authorization server, in either spelling", async () => {
  for (const slash of ["", "/"]) {
    await using login = startScriptedAuthServer();
    await using server = startResourceServer({
      find: login.find,
      issuers: () => [],
      metadata: () => undefined,
      challenge: () => "Bearer",
      besides: (path, origin) =>
        path !== "/.well-known/oauth-authorization-server" ? undefined : Response.json({
          issuer: origin + slash,
          authorization_endpoint: `${login.issuer}/authorize`,
          token_endpoint: `${login.issuer}/token`,
          registration_endpoint: `${login.issuer}/register`,
          code_challenge_methods_supported: ["S256"],
        }),
    });
    const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
    assertEquals(await send(authorizer, server.url), 200);
    assertEquals(login.forms[0]?.get("resource"), server.url.href);
  }
});

Deno.test("A client that is registered at one authorization server is never named to another", async () => {
  await using first = startScriptedAuthServer({ token: (_form, usual) => Response.json(usual) });
  await using second = startScriptedAuthServer();
  const issuers = [first.issuer];
  const find = (token: string) =>
    issuers[0] === first.issuer ? { audience: undefined, scopes: [] } : second.find(token);
  await using server = startResourceServer({ find, issuers: () => issuers });
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  issuers[0] = second.issuer;
  const before = first.paths.length;
  assertEquals(await send(authorizer, server.url), 200);
  assertEquals(first.paths.length, before, "its refresh token stays where it is");
  assertEquals([first.count("/register"), second.count("/register")], [1, 1]);
  assertEquals(second.forms.map((form) => form.get("client_id")), [`client of ${second.issuer}`]);
  assertEquals(second.forms.map((form) => form.get("grant_type")), ["authorization_code"]);
});

Deno.test("The secret of a configured client goes to no other authorization server than the first, unless it is listed", async () => {
  await using first = startScriptedAuthServer();
  await using second = startScriptedAuthServer();
  const issuers = [first.issuer];
  const find = (token: string) => issuers[0] === first.issuer ? first.find(token) : second.find(token);
  await using server = startResourceServer({ find, issuers: () => issuers });
  const config = { clientId: "m2m", clientSecret: "canary" };
  const { authorizer, store } = createAuthorizer(server.url, config);
  assertEquals(await send(authorizer, server.url), 200);
  issuers[0] = second.issuer;
  assert((await failureOf(() => send(authorizer, server.url))).includes("another authorization server than before"));
  assertEquals(second.forms.length, 0);
  const trusting = createAuthorizer(server.url, { ...config, issuers: [first.issuer, second.issuer] }, { store });
  assertEquals(await send(trusting.authorizer, server.url), 200);
  assertEquals(second.forms.length, 1);
});

Deno.test("The id of a client is the URL of its metadata where the authorization server takes that", async () => {
  const clientMetadataUrl = "https://agents.example.com/client.json";
  for (const isTaken of [true, false]) {
    await using login = startScriptedAuthServer({
      metadata: (same) => ({ ...same, client_id_metadata_document_supported: isTaken }),
    });
    await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
    const { authorizer } = createAuthorizer(server.url, { ...PERSON, clientMetadataUrl }, { onAuthorize: browse });
    assertEquals(await send(authorizer, server.url), 200);
    assertEquals(login.count("/register"), isTaken ? 0 : 1);
    assertEquals(login.forms[0]?.get("client_id"), isTaken ? clientMetadataUrl : `client of ${login.issuer}`);
  }
});

Deno.test("A registered client whose secret has ended registers again", async () => {
  let nowMs = Date.now();
  const endsAtS = Math.ceil(nowMs / 1_000) + 60;
  await using login = startScriptedAuthServer({
    register: (answer) => ({ ...answer, client_secret: "canary", client_secret_expires_at: endsAtS }),
  });
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  const { authorizer } = createAuthorizer(server.url, PERSON, { now: () => nowMs });
  await assertRejects(() => send(authorizer, server.url), AuthorizationRequiredError);
  nowMs += 50_000;
  await assertRejects(() => send(authorizer, server.url), AuthorizationRequiredError);
  assertEquals(login.count("/register"), 1);
  nowMs += 3_600_000;
  await assertRejects(() => send(authorizer, server.url), AuthorizationRequiredError);
  assertEquals(login.count("/register"), 2);
});

Deno.test("A registration that fails is told in registered words alone", async () => {
  await using login = startScriptedAuthServer({
    register: () => Response.json({ error: "invalid_redirect_uri", error_description: "canary" }, { status: 400 }),
  });
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  const { authorizer } = createAuthorizer(server.url, PERSON);
  const message = await failureOf(() => send(authorizer, server.url));
  assert(message.includes("(invalid_redirect_uri)") && !message.includes("canary"), message);
});
