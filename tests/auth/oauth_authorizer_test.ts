/** OAuth against a real authorization server. */

import { assert, assertEquals, assertInstanceOf, assertNotEquals, assertRejects } from "@std/assert";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { AuthorizationRequiredError } from "../../src/auth/authorization_required_error.ts";
import { finishAuthorization } from "../../src/auth/finish_authorization.ts";
import { MCPError } from "../../src/errors.ts";
import { startAuthServer } from "../support/auth_server.ts";
import { startResourceServer } from "../support/auth_resource.ts";
import { startScriptedAuthServer } from "../support/auth_script.ts";
import { browse, createAuthorizer, REDIRECT_URL, send } from "../support/auth_support.ts";

const PERSON = { redirectUrl: REDIRECT_URL };
const SECRET = "a secret: with + and % and more than 32 bytes";
const MACHINE = {
  client_id: "m2m",
  client_secret: SECRET,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
};

for (const [tokenAuth, method] of [["auto", "client_secret_basic"], ["post", "client_secret_post"]] as const) {
  Deno.test(`OAuthAuthorizer gets a token for the client itself, by its secret: ${method}`, async () => {
    await using login = await startAuthServer({ clients: [{ ...MACHINE, token_endpoint_auth_method: method }] });
    await using server = startResourceServer({
      find: login.find,
      issuers: () => [login.issuer],
      needs: (rpc) => [rpc === "tools/call" ? "write" : "read"],
    });
    const config = { clientId: "m2m", clientSecret: SECRET, tokenAuth };
    const { authorizer, store, events } = createAuthorizer(server.url, config);
    assertEquals(await send(authorizer, server.url), 200);
    assertEquals(await send(authorizer, server.url), 200);
    const granted = { grantType: "client_credentials", isGranted: true, clientId: "m2m", method };
    const resource = server.url.href;
    assertEquals(login.tokenRequests, [{ ...granted, scope: "read", resource }]);

    assertEquals(await send(authorizer, server.url, "tools/call"), 200, "more scopes need no person");
    assertEquals(login.tokenRequests.at(-1), { ...granted, scope: "read write", resource });
    assertEquals(events, ["authorized", "authorized"]);
    const asked = login.paths.length;
    assertEquals(await send(createAuthorizer(server.url, config, { store }).authorizer, server.url), 200);
    assertEquals(login.paths.length, asked, "another isolate takes what is kept");
  });
}

for (
  const [kind, alg] of [["PEM", "ES256"], ["PEM", "RS256"], ["JWK", "ES256"], ["PEM in one line", "EdDSA"]] as const
) {
  Deno.test(`OAuthAuthorizer gets a token for the client itself, by its private key: ${kind}, ${alg}`, async () => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...await exportJWK(publicKey), alg, use: "sig", kid: "k1" };
    const pem = await exportPKCS8(privateKey);
    const text = kind === "JWK"
      ? JSON.stringify({ ...await exportJWK(privateKey), kid: "k1" })
      : kind === "PEM"
      ? pem
      : pem.replaceAll("\n", "\\n");
    const { client_secret: _secret, ...machine } = MACHINE;
    const client = { ...machine, token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk] } };
    await using login = await startAuthServer({ clients: [client] });
    await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
    const { authorizer } = createAuthorizer(server.url, { clientId: "m2m", privateKey: text });
    assertEquals(await send(authorizer, server.url), 200);
    assertEquals(login.tokenRequests.map(({ method, isGranted }) => [method, isGranted]), [["private_key_jwt", true]]);
  });
}

Deno.test("OAuthAuthorizer tells that a private key cannot be used, and shows nothing of it", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  const privateKey = '{"kty":"EC","d":"canary"}';
  const { authorizer } = createAuthorizer(server.url, { clientId: "m2m", privateKey });
  const error = await assertRejects(() => send(authorizer, server.url), MCPError, "the private key cannot be used");
  assertEquals(error.code, "auth_failed");
  assert(!Deno.inspect(error).includes("canary"));
});

Deno.test("OAuthAuthorizer goes through a flow with a person in one call where the host opens the browser", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => ["read"] });
  const { authorizer, events } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  assertEquals(events, ["authorization_required", "authorized"]);
  assertEquals(login.tokenRequests.map(({ grantType, resource }) => [grantType, resource]), [
    ["authorization_code", server.url.href],
  ]);
  assertEquals(server.requests.map(({ status }) => status), [401, 200]);
});

Deno.test("OAuthAuthorizer tells who waits where to authorize, all the same, and goes on when it is done", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => ["read"] });
  const { authorizer, store } = createAuthorizer(server.url, PERSON);
  const errors = await Promise.all([1, 2, 3].map(() => assertRejects(() => send(authorizer, server.url), MCPError)));
  errors.push(await assertRejects(() => send(authorizer, server.url), MCPError));
  const urls = errors.map((error) => error instanceof AuthorizationRequiredError ? error.authorizationUrl : "");
  assertEquals(new Set(urls).size, 1);
  assertEquals(login.paths.filter((path) => path === "/reg").length, 1);
  assertEquals(errors[0]?.code, "authorization_required");
  assertEquals(Deno.inspect(errors[0], { showHidden: true }).includes("state="), false);

  const callbackUrl = await browse(urls[0]!);
  assertEquals(await finishAuthorization(callbackUrl, { store, fetch }), { server: "calendar", principal: "Kairos" });
  assertEquals(await send(authorizer, server.url), 200);
  const again = await assertRejects(() => finishAuthorization(callbackUrl, { store, fetch }), MCPError, "its state");
  assertEquals(again.code, "auth_failed");
});

Deno.test("OAuthAuthorizer keeps what principals have apart", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => ["read"] });
  const { authorizer, store } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  const other = createAuthorizer(server.url, PERSON, { store, principal: "Mercurius" });
  const error = await assertRejects(() => send(other.authorizer, server.url), MCPError);
  assertEquals(error.code, "authorization_required");
});

Deno.test("OAuthAuthorizer refreshes a token that was revoked, and asks a person when the refresh token is", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => ["read"] });
  const { authorizer, store } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  for (let times = 1; times <= 2; times++) {
    login.revoke("AccessToken");
    assertEquals(await send(authorizer, server.url), 200);
    assertEquals([login.count("refresh_token"), login.count("authorization_code")], [times, 1]);
  }
  login.revoke("AccessToken");
  login.revoke("RefreshToken");
  const headless = createAuthorizer(server.url, PERSON, { store }).authorizer;
  const error = await assertRejects(() => send(headless, server.url), MCPError);
  assertInstanceOf(error, AuthorizationRequiredError);
  assert(new URL(error.authorizationUrl).searchParams.get("scope")?.split(" ").includes("read"), "asks for no less");
  assertEquals(await headless.authorize(new AbortController().signal), undefined, "a useless token is not sent");
});

Deno.test("OAuthAuthorizer renews a token early, once for all, by its own clock", async () => {
  await using login = await startAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => ["read"] });
  let nowMs = Date.now();
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse, now: () => nowMs });
  assertEquals(await send(authorizer, server.url), 200);
  const { signal } = new AbortController();
  const first = await authorizer.authorize(signal);
  nowMs += 3_600_000 - 31_000;
  assertEquals(await authorizer.authorize(signal), first);
  nowMs += 2_000;
  const renewed = await Promise.all([1, 2, 3, 4, 5].map(() => authorizer.authorize(signal)));
  assertEquals(new Set(renewed).size, 1);
  assertNotEquals(renewed[0], first);
  assertEquals(login.count("refresh_token"), 1);
});

Deno.test("OAuthAuthorizer steps up with a person, and keeps the scopes it had", async () => {
  await using login = await startAuthServer({ scope: "read write" });
  await using server = startResourceServer({
    find: login.find,
    issuers: () => [login.issuer],
    needs: (rpc) => [rpc === "tools/call" ? "write" : "read"],
  });
  const urls: URL[] = [];
  const { authorizer } = createAuthorizer(server.url, PERSON, {
    onAuthorize: (url) => {
      urls.push(new URL(url));
      return browse(url);
    },
  });
  assertEquals(await send(authorizer, server.url), 200);
  assertEquals(await send(authorizer, server.url, "tools/call"), 200);
  const scopes = urls.map((url) => url.searchParams.get("scope"));
  assertEquals(scopes, ["read offline_access", "read write offline_access"]);
  assertEquals(await send(authorizer, server.url), 200);
  assertEquals(urls.length, 2);
});

Deno.test("OAuthAuthorizer asks nobody again for a scope that was asked for and not given", async () => {
  await using login = startScriptedAuthServer();
  const find = (token: string) => login.find(token) && { audience: undefined, scopes: [] };
  await using server = startResourceServer({ find, issuers: () => [login.issuer], needs: () => ["write"] });
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 403);
  assertEquals(login.count("/authorize"), 1);
});

Deno.test("OAuthAuthorizer asks nobody again where a token that was just given is refused", async () => {
  await using login = startScriptedAuthServer();
  await using server = startResourceServer({ find: () => undefined, issuers: () => [login.issuer] });
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 401);
  assertEquals(login.count("/authorize"), 1);
});

Deno.test("OAuthAuthorizer.refused() gives up after three rounds of other scopes", async () => {
  const client = { ...MACHINE, token_endpoint_auth_method: "client_secret_basic" };
  await using login = await startAuthServer({ clients: [client], scope: "s0 s1 s2 s3 s4 s5 s6" });
  let asked = 0;
  await using server = startResourceServer({
    find: login.find,
    issuers: () => [login.issuer],
    needs: () => ["s0"],
    challenge: (text) => text.replaceAll('scope="s0"', `scope="s${++asked}"`),
  });
  const { authorizer } = createAuthorizer(server.url, { clientId: "m2m", clientSecret: SECRET });
  const error = await assertRejects(() => send(authorizer, server.url), MCPError);
  assertEquals([error.code, error.httpStatus], ["forbidden", 403]);
  assertEquals(login.count("client_credentials"), 3);
});

Deno.test("OAuthAuthorizer.refused() leaves alone what no token can mend", async () => {
  const { authorizer } = createAuthorizer(new URL("https://mcp.example.com/mcp"), PERSON, {
    fetch: () => Promise.reject(new TypeError("No request is expected")),
  });
  const { signal } = new AbortController();
  const refusal = { challenge: undefined, used: undefined, round: 0 };
  assertEquals(await authorizer.refused({ ...refusal, status: 403 }, signal), false);
  assertEquals(
    await authorizer.refused({ ...refusal, status: 403, challenge: "Bearer error=invalid_token" }, signal),
    false,
  );
  assertEquals(await authorizer.refused({ ...refusal, status: 401, round: 3 }, signal), false);
  assertEquals(await authorizer.authorize(signal), undefined);
});
