/** The way back from the authorization server: to another process, and past everybody who should not be believed. */

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { AuthorizationRequiredError } from "../../src/auth/authorization_required_error.ts";
import type { AuthStore } from "../../src/auth/auth_store.ts";
import { finishAuthorization } from "../../src/auth/finish_authorization.ts";
import { MCPError } from "../../src/errors.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { startAuthServer } from "../support/auth_server.ts";
import { startResourceServer } from "../support/auth_resource.ts";
import { type ScriptedAuthOptions, startScriptedAuthServer } from "../support/auth_script.ts";
import { browse, createAuthorizer, REDIRECT_URL, send, STORE_SECRET, toAuthStore } from "../support/auth_support.ts";

const PERSON = { redirectUrl: REDIRECT_URL };
const SCRIPT = new URL("./_finish_once.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url);

async function urlOf(work: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(work, AuthorizationRequiredError);
  return error.authorizationUrl;
}

Deno.test("finishAuthorization() ends in one process what another has begun, and the store shows nothing of it", async () => {
  const folder = await Deno.makeTempDir();
  const kv = await Deno.openKv(`${folder}/routes.db`);
  try {
    await using login = await startAuthServer();
    await using server = startResourceServer({
      find: login.find,
      issuers: () => [login.issuer],
      needs: () => ["read"],
    });
    const { authorizer } = createAuthorizer(server.url, PERSON, { store: toAuthStore(new KvRouteStore(kv)) });
    const url = await urlOf(() => send(authorizer, server.url));
    const callbackUrl = await browse(url);
    const begun = await dump(kv);

    const args = ["run", "-A", "--no-check", "--config", CONFIG.pathname, SCRIPT.pathname];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, `${folder}/routes.db`, callbackUrl],
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    const [told, failed] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0, failed);
    assertEquals(JSON.parse(told!), { server: "calendar", principal: "Kairos" });
    assertEquals(await send(authorizer, server.url), 200);

    const state = new URL(url).searchParams.get("state") ?? "";
    assert(login.secrets.length >= 4, "a client's secret, a code and two tokens were given");
    const hidden = [...login.secrets, state, "calendar", "Kairos", "127.0.0.1", "client_id", "verifier", "accessToken"];
    hidden.push(new TextDecoder().decode(STORE_SECRET), REDIRECT_URL);
    for (const text of [begun, await dump(kv)]) {
      const shown = hidden.flatMap((one) => [one, btoa(one), encodeURIComponent(one)]).filter((one) =>
        text.includes(one)
      );
      assertEquals(shown, []);
      assert(text.includes("sealed"), "the dump is one");
    }
    for (const secret of login.secrets) assert(!`${told}${failed}`.includes(secret));
  } finally {
    kv.close();
    await Deno.remove(folder, { recursive: true });
  }
});

async function dump(kv: Deno.Kv): Promise<string> {
  const entries = await Array.fromAsync(kv.list({ prefix: [] }));
  const readable = (value: unknown): unknown =>
    value instanceof Uint8Array
      ? new TextDecoder().decode(value)
      : typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, readable(part)]))
      : value;
  const options = { depth: 20, strAbbreviateSize: Infinity, iterableLimit: Infinity };
  return entries.map(({ key, value }) => Deno.inspect([key, readable(value)], options)).join("\n");
}

/** Begins a flow at a scripted authorization server, and hands over what came of it. */
async function withCallback(
  options: ScriptedAuthOptions,
  work: (parts: {
    readonly store: AuthStore;
    readonly callbackUrl: string;
    readonly later: (ms: number) => void;
    readonly now: () => number;
    readonly count: () => number;
  }) => Promise<void>,
): Promise<void> {
  await using login = startScriptedAuthServer(options);
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  let nowMs = Date.now();
  const now = () => nowMs;
  const { authorizer, store } = createAuthorizer(server.url, PERSON, { now });
  const callbackUrl = await browse(await urlOf(() => send(authorizer, server.url)));
  await work({ store, callbackUrl, now, later: (ms) => nowMs += ms, count: () => login.count("/token") });
}

Deno.test("finishAuthorization() takes a state once, also of two who come at the same time", async () => {
  await withCallback({}, async ({ store, callbackUrl, count }) => {
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => finishAuthorization(callbackUrl, { store, fetch })));
    assertEquals(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    assertEquals(count(), 1);
  });
});

Deno.test("finishAuthorization() takes a path with its query, and a URL", async () => {
  await withCallback({}, async ({ store, callbackUrl }) => {
    const { pathname, search } = new URL(callbackUrl);
    assertEquals((await finishAuthorization(pathname + search, { store, fetch })).server, "calendar");
  });
  await withCallback({}, async ({ store, callbackUrl }) => {
    assertEquals((await finishAuthorization(new URL(callbackUrl), { store, fetch })).server, "calendar");
  });
});

Deno.test("finishAuthorization() refuses a state after ten minutes", async () => {
  await withCallback({}, async ({ store, callbackUrl, later, now, count }) => {
    later(600_000);
    await assertRejects(
      () => finishAuthorization(callbackUrl, { store, fetch, now }),
      MCPError,
      "its state is not known",
    );
    assertEquals(count(), 0);
  });
});

Deno.test("finishAuthorization() refuses a flow of another principal than the one that is asked for", async () => {
  await withCallback({}, async ({ store, callbackUrl, count }) => {
    const deps = { store, fetch, principal: "Mercurius" };
    await assertRejects(() => finishAuthorization(callbackUrl, deps), MCPError, "its state is not known");
    assertEquals(count(), 0);
    assertEquals((await finishAuthorization(callbackUrl, { ...deps, principal: "Kairos" })).principal, "Kairos");
  });
});

const TAMPERED: Readonly<Record<string, (url: URL) => void>> = {
  "another state": ({ searchParams }) => searchParams.set("state", "A".repeat(43)),
  "no state": ({ searchParams }) => searchParams.delete("state"),
  "two states": ({ searchParams }) => searchParams.append("state", "x"),
  "two codes": ({ searchParams }) => searchParams.append("code", "x"),
  "no code": ({ searchParams }) => searchParams.delete("code"),
  "an empty code": ({ searchParams }) => searchParams.set("code", ""),
  "the issuer of another": ({ searchParams }) => searchParams.set("iss", "https://evil.example.com"),
  "too long": ({ searchParams }) => searchParams.set("x", "x".repeat(20_000)),
};

for (const [what, change] of Object.entries(TAMPERED)) {
  Deno.test(`finishAuthorization() refuses a callback that was tampered with: ${what}`, async () => {
    await withCallback({}, async ({ store, callbackUrl, count }) => {
      const url = new URL(callbackUrl);
      change(url);
      const error = await assertRejects(() => finishAuthorization(url, { store, fetch }), MCPError);
      assertEquals([error.code, count()], ["auth_failed", 0]);
      assert(!error.message.includes("canary"));
    });
  });
}

const ISSUERS: readonly (readonly [
  what: string,
  isAdvertised: boolean,
  issuer: (own: string) => string | undefined,
  ok: boolean,
])[] = [
  ["advertised and right", true, (own) => own, true],
  ["advertised and missing", true, () => undefined, false],
  ["advertised and wrong", true, () => "https://evil.example.com", false],
  ["advertised and right but for a slash", true, (own) => `${own}/`, false],
  ["not advertised and missing", false, () => undefined, true],
  ["not advertised and wrong", false, () => "https://evil.example.com", false],
  ["not advertised and right", false, (own) => own, true],
];

for (const [what, isAdvertised, toIssuer, isTaken] of ISSUERS) {
  Deno.test(`finishAuthorization() ${isTaken ? "takes" : "refuses"} an issuer that is ${what}`, async () => {
    let own = "";
    await withCallback({
      metadata: (metadata) => {
        own = String(metadata.issuer);
        return { ...metadata, authorization_response_iss_parameter_supported: isAdvertised };
      },
      callback: (parameters) => {
        const issuer = toIssuer(own);
        if (issuer !== undefined) parameters.set("iss", issuer);
        return parameters;
      },
    }, async ({ store, callbackUrl, count }) => {
      const outcome = await finishAuthorization(callbackUrl, { store, fetch }).then(() => true, () => false);
      assertEquals([outcome, count()], [isTaken, isTaken ? 1 : 0]);
    });
  });
}

for (const [error, shown] of [["access_denied", " (access_denied)"], ["canary is not a code", ""]] as const) {
  Deno.test(`finishAuthorization() tells of a refusal in registered words alone: ${error}`, async () => {
    const callback = (parameters: URLSearchParams) => {
      parameters.delete("code");
      parameters.set("error", error);
      parameters.set("error_description", "canary");
      return parameters;
    };
    await withCallback({ callback }, async ({ store, callbackUrl }) => {
      const failure = await assertRejects(() => finishAuthorization(callbackUrl, { store, fetch }), MCPError);
      assertEquals(failure.code, "auth_failed");
      assertEquals(
        failure.message,
        `Cannot authorize at server "calendar" as the authorization server refused${shown}`,
      );
    });
  });
}

Deno.test("finishAuthorization() that was refused leaves another URL to the next one who has to authorize", async () => {
  await using login = startScriptedAuthServer();
  await using server = startResourceServer({ find: login.find, issuers: () => [login.issuer] });
  const { authorizer, store } = createAuthorizer(server.url, PERSON);
  const url = await urlOf(() => send(authorizer, server.url));
  assertEquals(await urlOf(() => send(authorizer, server.url)), url);
  const state = new URL(url).searchParams.get("state");
  const refusal = `/callback?error=access_denied&state=${state}`;
  await assertRejects(() => finishAuthorization(refusal, { store, fetch }), MCPError, "(access_denied)");
  assertNotEquals(await urlOf(() => send(authorizer, server.url)), url);
});

const ANSWERS:
  readonly (readonly [what: string, answer: (usual: Record<string, unknown>) => unknown, status: number])[] = [
    ["a token of another type", (usual) => ({ ...usual, token_type: "DPoP" }), 200],
    ["no type", ({ token_type: _type, ...rest }) => rest, 200],
    ["no token", ({ access_token: _token, ...rest }) => rest, 200],
    ["a token with a line break", (usual) => ({ ...usual, access_token: "a\r\nx-evil: 1" }), 200],
    ["a token that is too long", (usual) => ({ ...usual, access_token: "a".repeat(17_000) }), 200],
    ["a list", () => [], 200],
    ["an error", () => ({ error: "invalid_grant", error_description: "canary" }), 400],
    ["an unknown error", () => ({ error: "canary" }), 400],
    ["an error page", () => "canary", 500],
  ];

for (const [what, answer, status] of ANSWERS) {
  Deno.test(`finishAuthorization() fails where the token endpoint answers with ${what}`, async () => {
    const token = (_form: URLSearchParams, usual: Record<string, unknown>) => Response.json(answer(usual), { status });
    await withCallback({ token }, async ({ store, callbackUrl }) => {
      const failure = await assertRejects(() => finishAuthorization(callbackUrl, { store, fetch }), MCPError);
      assertEquals(failure.code, "auth_failed");
      assert(!Deno.inspect(failure).includes("canary"), failure.message);
    });
  });
}

Deno.test("finishAuthorization() takes large tokens, and expiry as a text", async () => {
  const token = (_form: URLSearchParams, usual: Record<string, unknown>) =>
    Response.json({ ...usual, access_token: "a".repeat(16_000), refresh_token: "b".repeat(16_000), expires_in: "60" });
  await withCallback({ token }, async ({ store, callbackUrl }) => {
    assertEquals((await finishAuthorization(callbackUrl, { store, fetch })).server, "calendar");
  });
});
