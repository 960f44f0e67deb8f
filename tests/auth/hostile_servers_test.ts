/** Servers and authorization servers that mean harm, and those that are merely out of order. */

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { createAuthFetch } from "../../src/auth/auth_fetch.ts";
import { AuthorizationRequiredError } from "../../src/auth/authorization_required_error.ts";
import { parseBearerChallenge } from "../../src/auth/bearer_challenge.ts";
import { Deadline } from "../../src/deadline.ts";
import { MCPError } from "../../src/errors.ts";
import { startResourceServer } from "../support/auth_resource.ts";
import { type ScriptedAuthServer, startScriptedAuthServer } from "../support/auth_script.ts";
import { type AuthorizerOptions, browse, createAuthorizer, REDIRECT_URL, send } from "../support/auth_support.ts";
import { serveTcpHttp, type TcpHandler } from "../support/tcp_http.ts";

const PERSON = { redirectUrl: REDIRECT_URL };
const MACHINE = { clientId: "m2m", clientSecret: "secret-canary" };

/** A `fetch` that notes whom it was asked to reach. */
function createWatched(): { readonly fetch: typeof fetch; readonly origins: Set<string> } {
  const origins = new Set<string>();
  const watched: typeof fetch = (input, init) => {
    origins.add(new URL(String(input)).origin);
    return fetch(input, init);
  };
  return { fetch: watched, origins };
}

async function failureOf(work: () => Promise<unknown>): Promise<MCPError> {
  const error = await assertRejects(work, MCPError);
  assertEquals(error.code, "auth_failed", error.message);
  assert(!Deno.inspect(error).includes("canary"), error.message);
  return error;
}

const METADATA: Readonly<Record<string, (origin: string) => Response>> = {
  "is huge": () => Response.json({ canary: "x".repeat(1_000_000) }),
  "is no JSON": () => new Response("<html>canary</html>"),
  "is a list": () => Response.json(["canary"]),
  "is nested a hundred thousand times": () => new Response("[".repeat(100_000)),
  "is an own __proto__": () => new Response('{"__proto__":{"issuer":"canary","token_endpoint":"canary"}}'),
  "has texts that are none": (origin) => Response.json({ issuer: [origin], token_endpoint: { canary: 1 } }),
  "redirects to another origin": () =>
    new Response(null, { status: 302, headers: { location: "https://canary.example.com/" } }),
  "redirects to a private address": () =>
    new Response(null, { status: 307, headers: { location: "http://169.254.169.254/canary" } }),
  "redirects to another scheme": () => new Response(null, { status: 301, headers: { location: "file:///etc/canary" } }),
  "redirects with a user name": (origin) =>
    new Response(null, { status: 302, headers: { location: origin.replace("//", "//canary:canary@") } }),
  "redirects in a circle": () => new Response(null, { status: 302, headers: { location: "?canary" } }),
};

for (const [what, answer] of Object.entries(METADATA)) {
  Deno.test(`An authorization server is not used whose metadata ${what}`, async () => {
    const login = serveTcpHttp(({ url }) => answer(new URL(url).origin));
    try {
      const issuer = `http://127.0.0.1:${login.port}`;
      await using server = startResourceServer({ find: () => undefined, issuers: () => [issuer] });
      const { fetch, origins } = createWatched();
      const { authorizer } = createAuthorizer(server.url, PERSON, { fetch });
      assertEquals((await failureOf(() => send(authorizer, server.url))).retryable, false);
      assertEquals(origins, new Set([server.url.origin, issuer]));
    } finally {
      await login.stop();
    }
  });
}

Deno.test("createAuthFetch() gives up on an answer that drips, and closes its socket", async () => {
  const drip: TcpHandler = () => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return new Response(
      new ReadableStream({
        pull: (controller) =>
          new Promise((resolve) => {
            timer = setTimeout(() => resolve(controller.enqueue(new Uint8Array([32]))), 2);
          }),
        cancel: () => clearTimeout(timer),
      }),
    );
  };
  const server = serveTcpHttp(drip);
  try {
    const url = `http://127.0.0.1:${server.port}/`;
    const rules = { serverUrl: new URL(url), issuers: [], allowPrivate: true };
    const get = createAuthFetch({ server: "calendar", rules, fetch, timeoutMs: 100 });
    const error = await failureOf(() => get({ url, signal: new AbortController().signal }));
    assertEquals([error.retryable, error.message.includes("within 100 ms")], [true, true]);
  } finally {
    await server.stop();
  }
});

const ISSUERS: Readonly<Record<string, (own: string) => string>> = {
  "a slash more": (own) => `${own}/`,
  "two slashes more": (own) => `${own}//`,
  "a path that leads back": (own) => `${own}/x/..`,
  "an encoded dot": (own) => `${own}/%2e`,
  "an encoded letter": (own) => `${own}/%74enant`,
  "a path more": (own) => `${own}/tenant`,
  "another case": (own) => own.replace("http", "HTTP"),
  "another spelling of the address": (own) => own.replace("127.0.0.1", "0x7f.1"),
  "digits of another script": (own) => own.replace("127.0.0.1", "１２７.0.0.1"),
  "a user name": (own) => own.replace("//", "//canary@"),
  "an empty user name": (own) => own.replace("//", "//@"),
  "a query": (own) => `${own}?canary`,
  "an empty query": (own) => `${own}?`,
  "a fragment": (own) => `${own}#canary`,
  "a line break": (own) => `${own}\n`,
};

for (const [what, spell] of Object.entries(ISSUERS)) {
  Deno.test(`An issuer is not taken for one that it is spelt like but for ${what}`, async () => {
    await using login = startScriptedAuthServer();
    await using server = startResourceServer({ find: login.find, issuers: () => [spell(login.issuer)] });
    for (const config of [PERSON, { ...MACHINE, allowPrivate: true }]) {
      await failureOf(() => send(createAuthorizer(server.url, config).authorizer, server.url));
      const listing = { ...config, issuers: [login.issuer] };
      const strict = await failureOf(() => send(createAuthorizer(server.url, listing).authorizer, server.url));
      assert(strict.message.includes('"issuers"'), strict.message);
    }
    assertEquals(login.paths.filter((path) => !path.includes(".well-known")), []);
  });
}

const ENDPOINTS: readonly (readonly [what: string, url: unknown])[] = [
  ["http", "http://login.example.com/canary"],
  ["a user name", "https://canary:canary@login.example.com/"],
  ["a private address", "https://10.0.0.1/canary"],
  ["an address of a link", "http://169.254.169.254/latest/canary"],
  ["an address in an address", "https://[::ffff:a00:1]/canary"],
  ["an address as one number", "https://2130706433/canary"],
  ["this machine by a dot", "https://localhost./canary"],
  ["another scheme", "ftp://login.example.com/canary"],
  ["a script", "javascript:canary"],
  ["no origin", "/canary"],
  ["a space", "https://login.example.com/ canary"],
  ["a line break", "https://login.example.com/\r\ncanary"],
  ["ten thousand characters", `https://login.example.com/${"canary".repeat(1_700)}`],
  ["a list", ["https://login.example.com/canary"]],
];

for (const [what, url] of ENDPOINTS) {
  Deno.test(`An authorization server leads nobody to an endpoint with ${what}`, async () => {
    for (const name of ["token_endpoint", "authorization_endpoint", "registration_endpoint"]) {
      await using login = startScriptedAuthServer({ metadata: (same) => ({ ...same, [name]: url }) });
      await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
      const { fetch, origins } = createWatched();
      const listed = { allowPrivate: false, issuers: [login.issuer] };
      const { authorizer } = createAuthorizer(server.url, { ...PERSON, ...listed }, { fetch, onAuthorize: browse });
      await failureOf(() => send(authorizer, server.url));
      assertEquals(origins, new Set([server.url.origin, login.issuer]), name);
    }
  });
}

Deno.test("An answer of one authorization server is not taken for that of another that names its endpoints", async () => {
  await using honest = startScriptedAuthServer({
    callback: (parameters) => {
      parameters.set("iss", honest.issuer);
      return parameters;
    },
  });
  await using evil = startScriptedAuthServer({
    metadata: (same) => ({ ...same, authorization_endpoint: `${honest.issuer}/authorize` }),
  });
  await using server = startResourceServer({ find: evil.find, issuers: () => [evil.issuer] });
  const { authorizer } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  const error = await failureOf(() => send(authorizer, server.url));
  assert(error.message.includes("not from the authorization server"), error.message);
  assertEquals([evil.forms.length, honest.forms.length], [0, 0], "the code is told to nobody");
});

/** Runs a client that acts for itself, or one with a person, against an authorization server by script. */
async function withLogin(
  token: (usual: Record<string, unknown>, grantType: string | null) => Record<string, unknown> | Response | undefined,
  work: (parts: {
    readonly login: ScriptedAuthServer;
    readonly call: (isPerson?: boolean) => Promise<number>;
    readonly later: (ms: number) => void;
    readonly onAsk: () => number;
  }) => Promise<void>,
  options:
    & { readonly find?: (token: string) => { audience: undefined; scopes: string[] } | undefined }
    & Pick<
      AuthorizerOptions,
      "onAuthorize"
    > = {},
): Promise<void> {
  await using login = startScriptedAuthServer({
    token: (form, usual) => {
      const answer = token(usual, form.get("grant_type"));
      return answer === undefined || answer instanceof Response ? answer : Response.json(answer);
    },
  });
  const { find = () => ({ audience: undefined, scopes: [] }), onAuthorize } = options;
  await using server = startResourceServer({ find, issuers: () => [login.issuer] });
  let nowMs = Date.now();
  const now = () => nowMs;
  const machine = createAuthorizer(server.url, MACHINE, { now });
  const person = createAuthorizer(server.url, PERSON, { now, onAuthorize });
  await work({
    login,
    call: (isPerson = false) => send((isPerson ? person : machine).authorizer, server.url),
    later: (ms) => nowMs += ms,
    onAsk: () => login.forms.length,
  });
}

for (const expiry of [0, -1, -1e300, 1e300, 1e18, "", "0", "NaN", "soon", null, [], {}, true, 0.0001]) {
  Deno.test(`A token whose expires_in is ${JSON.stringify(expiry)} is used until it is refused`, async () => {
    await withLogin((usual) => ({ ...usual, expires_in: expiry }), async ({ call, onAsk }) => {
      assertEquals([await call(), await call(), onAsk()], [200, 200, 1]);
    });
  });
}

for (
  const [what, change] of Object.entries<Record<string, unknown>>({
    "a line break": { access_token: "canary\r\nx-evil: 1" },
    "letters of another script": { access_token: "canary\u0444" },
    "a megabyte": { access_token: "canary".repeat(170_000) },
    "a null": { access_token: "canary\0" },
    "another type": { token_type: "DPoP" },
    "a list of types": { token_type: ["Bearer"] },
  })
) {
  Deno.test(`A token is not used with ${what}`, async () => {
    await withLogin((usual) => ({ ...usual, ...change }), async ({ call }) => {
      await failureOf(() => call());
    });
  });
}

Deno.test("A refresh token is kept where none comes in its place, whatever stands there", async () => {
  for (const refresh of [undefined, "", null, 7, "r".repeat(17_000)]) {
    const token = (usual: Record<string, unknown>, type: string | null) =>
      type === "refresh_token" ? { ...usual, refresh_token: refresh } : usual;
    await withLogin(token, async ({ login, call, later }) => {
      for (let times = 0; times < 3; times++) {
        assertEquals(await call(true), 200);
        later(3_600_000);
      }
      const sent = login.forms.map((form) => form.get("refresh_token"));
      assertEquals(sent, [null, "refresh-canary-1", "refresh-canary-1"]);
    }, { onAuthorize: browse });
  }
});

for (
  const [what, refusal] of [
    ["400 and a code of its own", () => Response.json({ error: "canary" }, { status: 400 })],
    ["401 and nothing", () => new Response(null, { status: 401 })],
    ["200 and an error", () => Response.json({ error: "bad_refresh_token", error_description: "canary" })],
  ] as const
) {
  Deno.test(`A refresh that is refused with ${what} leads to the person`, async () => {
    let isGone = false;
    const token = (_usual: unknown, type: string | null) => type === "refresh_token" ? refusal() : undefined;
    await withLogin(token, async ({ login, call }) => {
      assertEquals(await call(true), 200);
      isGone = true;
      login.revoke();
      assertEquals(await call(true), 200);
      assertEquals([isGone, login.count("/authorize")], [true, 2]);
    }, {
      onAuthorize: browse,
      find: (one) => isGone && one.endsWith("-1") ? undefined : { audience: undefined, scopes: [] },
    });
  });
}

Deno.test("A server that refuses every token costs its authorization server one request, not one for each call", async () => {
  await withLogin(() => undefined, async ({ call, onAsk, later }) => {
    for (let calls = 0; calls < 10; calls++) assertEquals(await call(), 401);
    assertEquals(onAsk(), 1);
    later(60_000);
    assertEquals([await call(), onAsk()], [401, 2]);
  }, { find: () => undefined });
});

Deno.test("A server that refuses every refreshed token has it refreshed once, and the person told", async () => {
  await using login = startScriptedAuthServer();
  let isHostile = false;
  const find = () => isHostile ? undefined : { audience: undefined, scopes: [] };
  await using server = startResourceServer({ find, issuers: () => [login.issuer] });
  const { authorizer, store } = createAuthorizer(server.url, PERSON, { onAuthorize: browse });
  assertEquals(await send(authorizer, server.url), 200);
  isHostile = true;
  const headless = createAuthorizer(server.url, PERSON, { store }).authorizer;
  for (let calls = 0; calls < 10; calls++) {
    await assertRejects(() => send(headless, server.url), AuthorizationRequiredError);
  }
  assertEquals(login.forms.map((form) => form.get("grant_type")), ["authorization_code", "refresh_token"]);
});

Deno.test("An authorization server that is down is left alone after three failures, for a while", async () => {
  let isDown = true;
  await withLogin(
    () => isDown ? new Response("canary", { status: 503 }) : undefined,
    async ({ call, onAsk, later }) => {
      for (let calls = 0; calls < 10; calls++) {
        const error = await failureOf(() => call());
        assertEquals([error.retryable, error.retryAfterMs !== undefined], [true, calls >= 3]);
      }
      assertEquals(onAsk(), 3);
      isDown = false;
      later(1_000);
      assertEquals([await call(), onAsk()], [200, 4]);
    },
  );
});

Deno.test("An authorization server is not left alone for the haste of those who wait for it", async () => {
  const gate = Promise.withResolvers<undefined>();
  await using login = startScriptedAuthServer({ token: () => gate.promise });
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  const { authorizer } = createAuthorizer(server.url, MACHINE);
  for (let calls = 0; calls < 4; calls++) {
    using haste = new Deadline(60);
    await assertRejects(() => send(authorizer, server.url, "tools/list", haste.signal));
  }
  gate.resolve(undefined);
  assertEquals(await send(authorizer, server.url), 200);
});

Deno.test("One person is asked once where every refusal is in other words", async () => {
  await using login = startScriptedAuthServer();
  let words = 0;
  const challenge = (text: string) => `${text}, realm="${++words}", error_description="${words}"`;
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], challenge });
  const asked: string[] = [];
  const { authorizer } = createAuthorizer(server.url, PERSON, {
    onAuthorize: (url) => {
      asked.push(url);
      return browse(url);
    },
  });
  const statuses = await Promise.all([1, 2, 3, 4, 5].map(() => send(authorizer, server.url)));
  assertEquals([statuses, asked.length], [[200, 200, 200, 200, 200], 1]);
});

Deno.test("An authorization server that is listed no longer gets no secret, and renews nothing", async () => {
  await using login = startScriptedAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  let nowMs = Date.now();
  const now = () => nowMs;
  const { authorizer, store } = createAuthorizer(server.url, MACHINE, { now });
  assertEquals(await send(authorizer, server.url), 200);
  nowMs += 3_600_000;
  const strict = { ...MACHINE, issuers: ["https://login.example.com"] };
  await failureOf(() => send(createAuthorizer(server.url, strict, { now, store }).authorizer, server.url));
  assertEquals(login.forms.length, 1);
});

Deno.test("A client that acts for itself asks for less where a scope that it had is gone", async () => {
  let supported = ["read", "write"];
  await using login = startScriptedAuthServer({
    token: (form) => {
      const isKnown = (form.get("scope") ?? "").split(" ").every((scope) => supported.includes(scope));
      return isKnown ? undefined : Response.json({ error: "invalid_scope" }, { status: 400 });
    },
  });
  let needed = ["read", "write"];
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer], needs: () => needed });
  let nowMs = Date.now();
  const { authorizer } = createAuthorizer(server.url, MACHINE, { now: () => nowMs });
  assertEquals(await send(authorizer, server.url), 200);
  supported = needed = ["read"];
  login.revoke();
  nowMs += 3_600_000;
  assertEquals(await send(authorizer, server.url), 200);
  assertEquals(login.forms.at(-1)?.get("scope"), "read");
});

Deno.test("parseBearerChallenge() is led astray by no other challenge, and reads what is long in no time", () => {
  const own = 'Bearer resource_metadata="https://mcp.example.com/a"';
  for (
    const header of [
      `Basic realm="Bearer resource_metadata=\\"https://evil.example.com\\"", ${own}`,
      `Digest resource_metadata="https://evil.example.com", ${own}`,
      `Negotiate YWJj==, ${own}`,
      `${own}, Bearer resource_metadata="https://evil.example.com"`,
      `${own}, resource_metadata="https://evil.example.com"`,
    ]
  ) assertEquals(parseBearerChallenge(header).resourceMetadata, "https://mcp.example.com/a", header);
  for (const part of ['a="', 'a="\\', "a=,", "Bearer ", '"', "=", "\\", "Bearer a="]) {
    const text = part.repeat(8_192).slice(0, 8_192);
    assertNotEquals(parseBearerChallenge(`Bearer ${text}`.slice(0, 8_192)).scope, "canary");
    assertEquals(parseBearerChallenge(`${own}, ${text}`).resourceMetadata, undefined, "longer than is read");
  }
});
