import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import {
  auth,
  ClientCredentialsProvider,
  extractWWWAuthenticateParams,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type OAuthTokens,
  withOAuth,
} from "@modelcontextprotocol/client";
import { createGateway, type GatewayOptions } from "../../routes/mod.ts";
import { digestKey } from "../../src/callers/keys.ts";
import { ConfigError } from "../../src/errors.ts";
import { forge, PUBLIC_URL, startIssuer } from "../callers/jwt_support.ts";
import { AGENTS, fakeDirectory, openHarness, problemOf } from "../gateway/gateway_support.ts";
import { startAuthServer } from "../support/auth_server.ts";
import { browse, REDIRECT_URL } from "../support/auth_support.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";
const BY_SCOPE = { agents: { scope: "agent:" }, admin: { scope: "portolan:admin" } } as const;
const CLIENT = { client_id: "machine", client_secret: "the secret of a machine" };

/** A gateway on a socket, whose tokens come from an authorization server, by scopes. */
async function serve(issuer: string, options: Partial<GatewayOptions> = {}) {
  const directory = fakeDirectory(AGENTS);
  const told: unknown[] = [];
  let answer: (request: Request) => Promise<Response> = () => Promise.reject(new TypeError("too early"));
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => answer(request));
  const url = `http://127.0.0.1:${server.addr.port}`;
  const gateway = createGateway(
    { directory, onInternalError: (error) => told.push(error) },
    { publicUrl: url, jwt: [{ issuer, ...BY_SCOPE }], keys: { Kairos: [await digestKey("kairos-key")] }, ...options },
  );
  answer = gateway.fetch;
  return { url, directory, told, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("the metadata of the resource needs no key and is the same for every name", async () => {
  const { ask, directory } = await openHarness({}, {
    publicUrl: PUBLIC_URL,
    jwt: [{ issuer: "https://login.example.com", agents: { scope: "agent:" } }, { issuer: "https://sso.example.com" }],
  });
  const read = async (path: string) => {
    const response = await ask(path, { key: null });
    assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
    return await response.json();
  };
  const common = {
    authorization_servers: ["https://login.example.com", "https://sso.example.com"],
    bearer_methods_supported: ["header"],
  };
  assertEquals(await read(WELL_KNOWN), { resource: PUBLIC_URL, ...common });
  for (const agent of ["Kairos", "Mercurius", "Nobody"]) {
    assertEquals(await read(`${WELL_KNOWN}/agents/${agent}/mcp`), {
      resource: `${PUBLIC_URL}/agents/${agent}/mcp`,
      ...common,
      scopes_supported: [`agent:${agent}`],
    });
  }
  assertEquals(directory.asked, []);
});

Deno.test("the metadata of the resource names where the request came to where no public URL is known", async () => {
  const jwt = [{ issuer: "https://login.example.com", audience: ["urn:gateway"] }];
  const { ask } = await openHarness({}, { jwt });
  const { resource, scopes_supported } = await (await ask(`${WELL_KNOWN}/agents/Kairos/mcp`)).json();
  assertEquals([resource, scopes_supported], ["http://gateway.test/agents/Kairos/mcp", undefined]);
  const { headers, body } = await ask("/agents/Kairos/mcp", { key: null });
  await body?.cancel();
  assertStringIncludes(headers.get("www-authenticate") ?? "", `"http://gateway.test${WELL_KNOWN}/agents/Kairos/mcp"`);
});

Deno.test("the metadata of the resource is not there where no tokens are taken, and for what is no agent's name", async () => {
  const without = await openHarness();
  const jwt = [{ issuer: "https://login.example.com" }];
  const { ask } = await openHarness({}, { jwt, publicUrl: PUBLIC_URL });
  const responses = [
    await without.ask(WELL_KNOWN, { key: null }),
    await without.ask(`${WELL_KNOWN}/agents/Kairos/mcp`, { key: null }),
    await ask(`${WELL_KNOWN}/agents/a%22b/mcp`, { key: null }),
    await ask(`${WELL_KNOWN}/agents/${"a".repeat(65)}/mcp`, { key: null }),
    await ask(`${WELL_KNOWN}/elsewhere`, { key: null }),
  ];
  for (const response of responses) {
    assertEquals([response.status, (await problemOf(response)).code], [404, "not_found"]);
  }
});

Deno.test("S2 a 401 says where to get a token, and an error only to who has brought a bad one", async () => {
  const { ask } = await openHarness({}, {
    publicUrl: PUBLIC_URL,
    jwt: [{ issuer: "https://login.example.com", ...BY_SCOPE }],
  });
  const challenge = async (path: string, key: string | null) => {
    const { status, headers, body } = await ask(path, { key, method: path.endsWith("mcp") ? "POST" : "GET" });
    await body?.cancel();
    assertEquals(status, 401);
    return headers.get("www-authenticate");
  };
  const root = `resource_metadata="${PUBLIC_URL}${WELL_KNOWN}"`;
  assertEquals(await challenge("/status", null), `Bearer ${root}`);
  assertEquals(await challenge("/status", "wrong"), `Bearer error="invalid_token", ${root}`);
  assertEquals(await challenge("/agents/Nobody/tools", null), `Bearer scope="agent:Nobody", ${root}`);
  const ofAgent = `resource_metadata="${PUBLIC_URL}${WELL_KNOWN}/agents/Kairos/mcp"`;
  assertEquals(await challenge("/agents/Kairos/mcp", null), `Bearer scope="agent:Kairos", ${ofAgent}`);
  const forged = forge({ alg: "none" }, { iss: "https://login.example.com" });
  assertEquals(
    await challenge("/agents/Kairos/mcp", forged),
    `Bearer error="invalid_token", scope="agent:Kairos", ${ofAgent}`,
  );
  assertEquals(await challenge("/agents/a%22b/mcp", null), `Bearer ${root}`);
});

Deno.test("S2 every bad token gets the same answer, also one of more than 8 KiB", async () => {
  await using issuer = await startIssuer();
  const { ask } = await openHarness({}, { publicUrl: PUBLIC_URL, jwt: [{ issuer: issuer.issuer }] });
  const tokens = [
    "wrong-key",
    "a.b.c",
    await issuer.sign({ claims: { aud: "https://other.example.com" } }),
    await issuer.sign({ claims: { exp: 1 } }),
    await issuer.sign({ header: { kid: "unknown" } }),
    await issuer.sign({ claims: { iss: "https://evil.example" } }),
    (await issuer.sign()).replace(/\.[^.]+$/, ".AAAA"),
    forge({ alg: "none" }, { iss: issuer.issuer }),
    forge({ alg: "HS256", kid: "key-1" }, { iss: issuer.issuer }),
    await issuer.sign({ claims: { filler: "x".repeat(9_000) } }),
  ];
  const answers: (readonly unknown[])[] = [];
  for (const key of tokens) {
    const response = await ask("/agents/Kairos/status", { key });
    const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
    answers.push([response.status, headers, await problemOf(response)]);
  }
  assertEquals(answers, answers.map(() => answers[0]));
  assertEquals(answers[0]?.[0], 401);
});

Deno.test("a token opens what it says, and keys go on beside it; an issuer that is down stops tokens alone", async () => {
  await using issuer = await startIssuer();
  const jwt = [{ issuer: issuer.issuer, admin: { claim: "roles", value: "admin" } }];
  const { ask } = await openHarness({}, { publicUrl: PUBLIC_URL, jwt });
  const statusOf = async (path: string, key: string) => {
    const response = await ask(path, { key });
    await response.body?.cancel();
    return [response.status, response.headers.get("retry-after")];
  };
  issuer.answers.set("/jwks", () => new Response(null, { status: 503 }));
  const token = await issuer.sign();
  assertEquals(await statusOf("/agents/Kairos/status", token), [503, "5"]);
  assertEquals(await statusOf("/agents/Kairos/status", "kairos-key"), [200, null]);
  assertEquals(await statusOf("/agents/Kairos/status", "wrong-key"), [401, null]);
  const second = await openHarness({}, { publicUrl: PUBLIC_URL, jwt });
  issuer.answers.clear();
  const of = async (path: string, key: string) => {
    const response = await second.ask(path, { key });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await of("/agents/Kairos/status", token), 200);
  assertEquals(await of("/agents/Mercurius/status", token), 404, "its agents are claims: no scope helps");
  assertEquals(await of("/admin/agents/Kairos/keys", token), 404);
  const admin = await issuer.sign({ claims: { roles: ["admin"] } });
  assertEquals(await of("/admin/agents/Kairos/keys", admin), 200);
  assertEquals(await of("/agents/Mercurius/status", admin), 200);
});

Deno.test("S2 a token without the scope gets the same 403 for a forbidden agent and an unknown one", async () => {
  await using issuer = await startIssuer();
  const { ask, directory } = await openHarness({}, {
    publicUrl: PUBLIC_URL,
    jwt: [{ issuer: issuer.issuer, ...BY_SCOPE }],
  });
  const key = await issuer.sign({ claims: { scope: "agent:Kairos" } });
  const answers = [];
  for (const agent of ["Mercurius", "Nobody123"]) {
    const response = await ask(`/agents/${agent}/status`, { key });
    const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
    const text = JSON.stringify([response.status, headers, await problemOf(response)]);
    answers.push(text.replaceAll(agent, "AGENT"));
    assertStringIncludes(
      response.headers.get("www-authenticate") ?? "",
      `Bearer error="insufficient_scope", scope="agent:${agent}", resource_metadata="${PUBLIC_URL}${WELL_KNOWN}"`,
    );
  }
  assertEquals(answers[0], answers[1]);
  assertEquals(directory.asked, []);
  const odd = await ask("/agents/a%22b/status", { key });
  assertEquals([odd.status, (await problemOf(odd)).code], [404, "agent_not_found"]);
});

Deno.test("S2 a key in the URL is never taken, and its sender told what to do", async () => {
  const { ask } = await openHarness();
  for (const query of ["key=kairos-key", "access_token=kairos-key", "API_KEY=kairos-key"]) {
    const response = await ask(`/agents/Kairos/status?${query}`, { key: null });
    assertEquals(response.status, 401);
    const { detail } = await problemOf(response);
    assertStringIncludes(String(detail), "Cannot take a key from the URL");
    assertFalse(String(detail).includes("kairos-key"));
  }
});

Deno.test("createGateway() refuses tokens without an audience, and a public URL that is none", () => {
  const directory = fakeDirectory([]);
  const jwt = [{ issuer: "https://login.example.com" }];
  const faultsOf = (options: GatewayOptions) =>
    assertThrows(() => createGateway({ directory }, options), ConfigError).faults.map(({ path }) => path);
  assertEquals(faultsOf({ jwt }), ["publicUrl"]);
  assertEquals(faultsOf({ jwt, publicUrl: "http://mcp.example.com" }), ["publicUrl"]);
  const privateKeys = { keys: [{ kty: "EC", crv: "P-256", x: "a", y: "b", d: "c" }] };
  const bad = { issuer: "http://login.example.com", jwks: privateKeys, algorithms: ["HS256", "none"] };
  assertEquals(faultsOf({ jwt: [bad], publicUrl: PUBLIC_URL }), [
    "jwt[0].issuer",
    "jwt[0].jwks.keys[0]",
    "jwt[0].algorithms[0]",
    "jwt[0].algorithms[1]",
  ]);
});

Deno.test("the official client of a machine finds the way to a token by itself and calls a tool", async () => {
  const clients = [{ ...CLIENT, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] }];
  await using login = await startAuthServer({ clients, scope: "agent:Kairos agent:Mercurius", tokenFormat: "jwt" });
  await using gateway = await serve(login.issuer);
  const provider = new ClientCredentialsProvider({
    clientId: CLIENT.client_id,
    clientSecret: CLIENT.client_secret,
    expectedIssuer: login.issuer,
  });
  // The official client leaves the body of a refusal unread.
  const readAll = async (input: string | URL, init?: RequestInit) => {
    const response = await fetch(input, init);
    return new Response(await response.arrayBuffer(), response);
  };
  const send = withOAuth(provider, gateway.url)((input, init) => readAll(input, init as RequestInit));
  const response = await send(`${gateway.url}/agents/Kairos/tools/search`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"q":"canary"}',
  });
  assertEquals([response.status, (await response.json()).tool], [200, "search"]);
  assertEquals(login.tokenRequests.map(({ resource, scope }) => [resource, scope]), [
    [gateway.url, "agent:Kairos"],
  ]);
  const other = await send(`${gateway.url}/agents/Mercurius/tools`);
  assertEquals([other.status, (await problemOf(other)).code], [403, "insufficient_scope"]);
  const token = provider.tokens()?.access_token ?? "";
  assert(token !== "");
  const seen = Deno.inspect([gateway.directory.asked, gateway.told], { depth: 20 });
  assertFalse(seen.includes(token));
});

Deno.test("the official client of a person gets a token for the endpoint of one agent, which opens no other", async () => {
  const clients = [{
    client_id: "person",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code"],
    response_types: ["code"],
    redirect_uris: [REDIRECT_URL],
  }];
  await using login = await startAuthServer({ clients, scope: "agent:Kairos agent:Mercurius", tokenFormat: "jwt" });
  await using gateway = await serve(login.issuer);
  const serverUrl = `${gateway.url}/agents/Kairos/mcp`;
  const refused = await fetch(serverUrl, { method: "POST", body: "{}" });
  await refused.body?.cancel();
  const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refused);
  assertEquals([resourceMetadataUrl?.href, scope], [
    `${gateway.url}${WELL_KNOWN}/agents/Kairos/mcp`,
    "agent:Kairos",
  ]);
  assert(resourceMetadataUrl !== undefined);
  const person = createPerson();
  const options = { serverUrl, resourceMetadataUrl };
  assertEquals(await auth(person.provider, { ...options, scope: "agent:Kairos agent:Mercurius" }), "REDIRECT");
  const callback = new URL(await browse(person.authorizationUrl()));
  const [authorizationCode, iss] = [callback.searchParams.get("code"), callback.searchParams.get("iss")];
  assert(authorizationCode !== null && iss !== null);
  assertEquals(await auth(person.provider, { ...options, authorizationCode, iss }), "AUTHORIZED");
  const statusOf = async (agent: string) => {
    const headers = { authorization: `Bearer ${person.token()}` };
    const response = await fetch(`${gateway.url}/agents/${agent}/tools`, { headers });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(login.tokenRequests.at(-1)?.resource, serverUrl);
  assertEquals(await statusOf("Kairos"), 200);
  assertEquals(await statusOf("Mercurius"), 403, "whatever its scopes, it is made out to another");
});

/** What the official client remembers of one person. */
function createPerson() {
  let tokens: OAuthTokens | undefined;
  let discovered: OAuthDiscoveryState | undefined;
  let verifier = "";
  let authorizationUrl = "";
  const provider: OAuthClientProvider = {
    redirectUrl: REDIRECT_URL,
    clientMetadata: { redirect_uris: [REDIRECT_URL], token_endpoint_auth_method: "none", client_name: "A person" },
    clientInformation: () => ({ client_id: "person" }),
    tokens: () => undefined,
    saveTokens: (value) => void (tokens = value),
    redirectToAuthorization: (url) => void (authorizationUrl = url.href),
    saveCodeVerifier: (value) => void (verifier = value),
    codeVerifier: () => verifier,
    saveDiscoveryState: (value) => void (discovered = value),
    discoveryState: () => discovered,
  };
  return { provider, authorizationUrl: () => authorizationUrl, token: () => tokens?.access_token ?? "" };
}
