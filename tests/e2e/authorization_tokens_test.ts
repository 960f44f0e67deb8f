/** Tokens that the host gives: asked for with every request, and once more where the server refuses one. */

import { assert, assertEquals } from "@std/assert";
import { MultiServerMCPClient, SingleServerMCPClient, type TokenProvider, type TokenRequest } from "@portolan/mcp";
import { KINDS, startAuthorized } from "../support/authorized_servers.ts";
import { assertNoCanary, CANARY, codeOf, failureOf } from "../support/client_support.ts";

/** A vault whose tokens the test makes good and bad. */
class Vault implements TokenProvider {
  readonly requests: Omit<TokenRequest, "signal">[] = [];
  readonly good = new Set<string>();
  /** The token at hand, and the one that is got where that is refused. */
  tokens: readonly [atHand: string, fresh: string] = ["one", "two"];

  getToken({ signal: _, ...request }: TokenRequest): string {
    this.requests.push(request);
    return this.tokens[request.refresh ? 1 : 0];
  }

  find = (token: string) => this.good.has(token) ? { audience: undefined, scopes: ["read"] } : undefined;
}

for (const kind of KINDS) {
  Deno.test(`A token provider is asked with every request, and once more after a refusal: ${kind}`, async () => {
    const vault = new Vault();
    vault.good.add("one");
    await using server = await startAuthorized({ kind, find: vault.find });
    const config = { servers: { calendar: server.config(undefined) } };
    await using client = new MultiServerMCPClient("Kairos", config, { tokens: vault, principal: "Ada" });
    await client.callTool("whoami");
    assertEquals(vault.requests.length, server.guard.requests.length);
    const asked = { server: "calendar", url: server.url, principal: "Ada", refresh: false };
    for (const request of vault.requests) assertEquals(request, asked);

    vault.good.clear();
    vault.good.add("two");
    const before = vault.requests.length;
    await client.callTool("whoami");
    assertEquals(vault.requests.slice(before).map(({ refresh }) => refresh), [false, true, false]);
    assertEquals(server.executions.get("whoami"), 2);
    assertEquals(server.login.paths, [], "no other way to a token is tried");

    vault.good.clear();
    const [sent, known] = [server.guard.log.length, vault.requests.length];
    const error = await failureOf(() => client.callTool("whoami"), "unauthorized");
    assertEquals([error.httpStatus, error.retryable], [401, false]);
    assert(server.guard.log.length - sent <= 2, "one refusal, and one of the token that came instead");
    assertEquals(vault.requests.slice(known).filter(({ refresh }) => refresh).length, 1);
    assertEquals(server.executions.get("whoami"), 2);
  });
}

Deno.test("Five calls whose token is refused ask the provider for one other token", async () => {
  const vault = new Vault();
  vault.good.add("one");
  await using server = await startAuthorized({ find: vault.find });
  await using client = new SingleServerMCPClient("calendar", server.config(undefined), { tokens: vault });
  await client.callTool("whoami");
  vault.good.clear();
  vault.good.add("two");
  await Promise.all([1, 2, 3, 4, 5].map(() => client.callTool("whoami")));
  assertEquals(vault.requests.filter(({ refresh }) => refresh).length, 1);
  assertEquals(server.executions.get("whoami"), 6);
});

const PROVIDERS: Readonly<Record<string, TokenProvider["getToken"]>> = {
  throws: () => {
    throw new Error(CANARY);
  },
  rejects: () => Promise.reject(new Error(CANARY)),
  "gives two lines": () => `${CANARY}\r\nx-evil: 1`,
  "gives no text": () => ({ canary: CANARY }) as unknown as string,
};

for (const [what, getToken] of Object.entries(PROVIDERS)) {
  Deno.test(`A token provider that ${what} fails the call with auth_failed, and nothing is sent`, async () => {
    await using server = await startAuthorized();
    await using client = new SingleServerMCPClient("calendar", server.config(undefined), { tokens: { getToken } });
    const error = await client.callTool("whoami").catch((error) => error);
    assertEquals([error.code, error.server, error.retryable], ["auth_failed", "calendar", false]);
    assertNoCanary([error.message, client.getStatus()]);
    assertEquals(server.guard.requests, []);
  });
}

Deno.test("A token provider that never answers is waited for until the deadline of the call, and told so", async () => {
  await using server = await startAuthorized();
  const signals: AbortSignal[] = [];
  const getToken = ({ signal }: TokenRequest) => {
    signals.push(signal);
    return new Promise<string>(() => {});
  };
  await using client = new SingleServerMCPClient("calendar", { ...server.config(undefined), timeoutMs: 100 }, {
    tokens: { getToken },
  });
  await failureOf(() => client.callTool("whoami"), "deadline_exceeded");
  assert(signals.length > 0 && signals.every(({ aborted }) => aborted));
  assertEquals(server.guard.requests, []);
});

Deno.test("A token provider that has no token sends none, and the server's answer is the outcome", async () => {
  await using server = await startAuthorized();
  await using client = new SingleServerMCPClient("calendar", server.config(undefined), {
    tokens: { getToken: () => undefined },
  });
  assertEquals(await codeOf(client.callTool("whoami")), "unauthorized");
  assertEquals(server.guard.requests.map(({ authorization }) => authorization), [null]);
});
