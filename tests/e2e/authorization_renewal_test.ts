/** Tokens that end: renewed once for all who need them, and nothing runs twice. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type AgentConfig, MultiServerMCPClient, type MultiServerMCPClientOptions } from "@portolan/mcp";
import { browse } from "../support/auth_support.ts";
import { type Authorized, KINDS, PERSON, startAuthorized } from "../support/authorized_servers.ts";
import { createStoreFile, STORE_SECRET } from "../support/cold_support.ts";

const FIVE = [1, 2, 3, 4, 5];

/** A connected client of one agent, whose person has authorized. */
async function connect(config: AgentConfig, options: MultiServerMCPClientOptions): Promise<MultiServerMCPClient> {
  const client = new MultiServerMCPClient("Kairos", config, { onAuthorize: browse, ...options });
  assertEquals(await client.connectToServers(), { calendar: true });
  return client;
}

/** How often tokens were given, by kind; fails where a refresh token was used twice. */
function granted({ login }: Authorized): readonly [codes: number, refreshes: number] {
  assert(login.tokenRequests.every(({ isGranted }) => isGranted), "no refresh token is used twice");
  return [login.count("authorization_code"), login.count("refresh_token")];
}

for (const kind of KINDS) {
  Deno.test(`Five calls whose token was revoked refresh once and each runs once: ${kind}`, async () => {
    await using server = await startAuthorized({ kind });
    const events: string[] = [];
    const servers = { calendar: server.config(PERSON) };
    await using client = await connect({ servers }, { onEvent: ({ type }) => events.push(type) });
    const sessions = [...server.sessions];
    for (let times = 1; times <= 3; times++) {
      server.login.revoke("AccessToken");
      const results = await Promise.all(FIVE.map(() => client.callTool("whoami")));
      assertEquals(results.map(({ isError }) => isError ?? false), [false, false, false, false, false]);
      assertEquals(server.executions.get("whoami"), 5 * times);
      assertEquals(granted(server), [1, times]);
    }
    assertEquals(server.guard.count("initialize 200"), kind === "legacy" ? 1 : 0, "no session is begun anew");
    assertEquals([...server.sessions], sessions);
    assertEquals(events.filter((type) => type === "token_renewed").length, 3);
    assertEquals(client.getStatus().servers.calendar?.breaker, "closed");
  });

  Deno.test(`A call that is refused in the middle of a session is sent once more, and the session is kept: ${kind}`, async () => {
    await using server = await startAuthorized({ kind });
    await using client = await connect({ servers: { calendar: server.config(PERSON) } }, {});
    await client.callTool("whoami");
    const [before, sessions] = [server.guard.log.length, [...server.sessions]];
    const old = server.guard.requests.at(-1)?.authorization;
    server.login.revoke("AccessToken");
    await client.callTool("list_events");
    const ok = kind === "sse" ? "tools/call 202" : "tools/call 200";
    assertEquals(server.guard.log.slice(before), ["tools/call 401", ok]);
    const [refused, repeated] = server.guard.requests.slice(-2);
    assertEquals([refused?.authorization, refused?.session], [old, repeated?.session]);
    assertNotEquals(repeated?.authorization, old);
    assertEquals([server.executions.get("list_events"), [...server.sessions]], [1, sessions]);
  });
}

Deno.test("Five calls whose token has ended by our clock refresh once, and none is refused", async () => {
  await using server = await startAuthorized();
  let nowMs = Date.now();
  await using client = await connect({ servers: { calendar: server.config(PERSON) } }, { now: () => nowMs });
  const refused = () => server.guard.log.filter((entry) => entry.endsWith(" 401")).length;
  const before = refused();
  nowMs += 3_600_001;
  await Promise.all(FIVE.map(() => client.callTool("whoami")));
  assertEquals([server.executions.get("whoami"), refused(), granted(server)], [5, before, [1, 1]]);
});

Deno.test("Two clients that share a store refresh once for ten calls, with rotation", async () => {
  await using file = await createStoreFile();
  await using server = await startAuthorized({ kind: "modern" });
  const config = { servers: { calendar: server.config(PERSON) } };
  await using one = await connect(config, { store: await file.open(), storeSecret: STORE_SECRET });
  await using two = await connect(config, { store: await file.open(), storeSecret: STORE_SECRET });
  assertEquals(granted(server), [1, 0], "the second takes the tokens of the first");
  for (let times = 1; times <= 3; times++) {
    server.login.revoke("AccessToken");
    await Promise.all([one, two].flatMap((client) => FIVE.map(() => client.callTool("whoami"))));
    assertEquals([server.executions.get("whoami"), granted(server)], [10 * times, [1, times]]);
  }
});

for (const kind of ["legacy", "modern"] as const) {
  Deno.test(`A cold client with a kept connection and a kept token answers in one request: ${kind}`, async () => {
    await using file = await createStoreFile();
    await using server = await startAuthorized({ kind });
    const config = { servers: { calendar: server.config(PERSON) } };
    await (await connect(config, { store: await file.open(), storeSecret: STORE_SECRET })).close();
    const [asked, sent] = [server.login.paths.length, server.guard.log.length];
    await using cold = new MultiServerMCPClient("Kairos", config, {
      store: await file.open(),
      storeSecret: STORE_SECRET,
    });
    const { route } = await cold.callToolRouted("whoami");
    assertEquals([route, server.guard.log.slice(sent)], ["cache", ["tools/call 200"]]);
    assertEquals(server.login.paths.length, asked, "the authorization server is not asked");
  });
}

Deno.test("A cold client whose kept token has ended refreshes it and answers in one request", async () => {
  await using file = await createStoreFile();
  await using server = await startAuthorized();
  const config = { servers: { calendar: server.config(PERSON) } };
  let nowMs = Date.now();
  const open = async () => ({ store: await file.open(), storeSecret: STORE_SECRET, now: () => nowMs });
  await (await connect(config, await open())).close();
  const sent = server.guard.log.length;
  nowMs += 3_600_001;
  await using cold = new MultiServerMCPClient("Kairos", config, await open());
  await cold.callTool("whoami");
  assertEquals([server.guard.log.slice(sent), granted(server)], [["tools/call 200"], [1, 1]]);
});
