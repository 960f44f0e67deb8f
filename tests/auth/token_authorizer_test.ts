import { assert, assertEquals, assertRejects } from "@std/assert";
import type { TokenProvider, TokenRequest } from "../../src/auth/authorizer.ts";
import { createTokenAuthorizer } from "../../src/auth/token_authorizer.ts";
import { MCPError } from "../../src/errors.ts";
import { startResourceServer } from "../support/auth_resource.ts";
import { send } from "../support/auth_support.ts";

const { signal } = new AbortController();

function create(getToken: TokenProvider["getToken"], url = new URL("https://files.example.com/mcp?key=canary")) {
  return createTokenAuthorizer({ getToken }, { server: "files", url, principal: "Kairos" });
}

Deno.test("createTokenAuthorizer() asks with every request, and tells whose it is without the query", async () => {
  const asked: TokenRequest[] = [];
  const authorizer = create((request) => {
    asked.push(request);
    return Promise.resolve(`t${asked.length}`);
  });
  assertEquals([await authorizer.authorize(signal), await authorizer.authorize(signal)], ["Bearer t1", "Bearer t2"]);
  const { signal: _signal, ...rest } = asked[0]!;
  assertEquals(rest, { server: "files", url: "https://files.example.com/mcp", principal: "Kairos", refresh: false });
  assertEquals(await create(() => undefined).authorize(signal), undefined);
});

Deno.test("createTokenAuthorizer() asks once more where tokens are refused, once for all", async () => {
  let good = "t1";
  let refreshes = 0;
  await using server = startResourceServer({
    find: (token) => token === good ? { audience: undefined, scopes: [] } : undefined,
    issuers: () => [],
  });
  let held = "t1";
  const authorizer = create(async ({ refresh }) => {
    await Promise.resolve();
    if (refresh) held = `t${++refreshes + 1}`;
    return held;
  }, server.url);
  assertEquals(await send(authorizer, server.url), 200);
  good = "t2";
  assertEquals(await Promise.all([1, 2, 3, 4, 5].map(() => send(authorizer, server.url))), [200, 200, 200, 200, 200]);
  assertEquals(refreshes, 1);
  good = "never";
  assertEquals(await send(authorizer, server.url), 401);
  assertEquals(refreshes, 2);
});

Deno.test("createTokenAuthorizer() uses the new token also where the provider gives the refused one again", async () => {
  await using server = startResourceServer({
    find: (token) => token === "new" ? { audience: undefined, scopes: [] } : undefined,
    issuers: () => [],
  });
  const authorizer = create(({ refresh }) => refresh ? "new" : "old", server.url);
  assertEquals([await send(authorizer, server.url), await send(authorizer, server.url)], [200, 200]);
  assertEquals(server.requests.map(({ authorization }) => authorization), ["Bearer old", "Bearer new", "Bearer new"]);
});

Deno.test("createTokenAuthorizer().refused() is no where there is no other token, and for other refusals", async () => {
  const refusal = { status: 401, challenge: undefined, used: "Bearer a", round: 0 };
  assertEquals(await create(() => "a").refused(refusal, signal), false);
  assertEquals(await create(() => undefined).refused(refusal, signal), false);
  assertEquals(await create(() => "b").refused({ ...refusal, status: 403 }, signal), false);
  assertEquals(await create(() => "b").refused({ ...refusal, round: 1 }, signal), false);
  assertEquals(await create(() => "b").refused(refusal, signal), true);
});

Deno.test("createTokenAuthorizer() tells of a provider that fails, with its error as the cause alone", async () => {
  const cause = new Error("canary");
  for (
    const getToken of [() => Promise.reject(cause), () => {
      throw cause;
    }]
  ) {
    const error = await assertRejects(() => create(getToken).authorize(signal), MCPError);
    assertEquals([error.code, error.cause], ["auth_failed", cause]);
    assert(!error.message.includes("canary"));
  }
  const own = new MCPError("auth_failed", "Cannot open the vault as it is away");
  assertEquals(await assertRejects(() => create(() => Promise.reject(own)).authorize(signal)), own);
});

Deno.test("createTokenAuthorizer() refuses what cannot be sent as a token, and does not show it", async () => {
  for (
    const token of ["", "canary canary", "canary\r\nx-evil: 1", "canary é", "c".repeat(20_000), 7 as unknown as string]
  ) {
    const error = await assertRejects(() => create(() => token).authorize(signal), MCPError);
    assertEquals(error.code, "auth_failed");
    assert(!error.message.includes("canary"));
  }
});

Deno.test("createTokenAuthorizer() waits no longer than who asks", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const waiting = assertRejects(() => create(() => new Promise(() => {})).authorize(controller.signal));
  controller.abort(reason);
  assertEquals(await waiting, reason);
  assertEquals(await assertRejects(() => create(() => "a").authorize(controller.signal)), reason);
});
