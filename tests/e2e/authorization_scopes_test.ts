/** Tools that need more than the token allows: scopes are united, and nobody is asked without end. */

import { assertEquals } from "@std/assert";
import { type ClientEvent, MultiServerMCPClient } from "@portolan/mcp";
import { browse } from "../support/auth_support.ts";
import { KINDS, MACHINE, PERSON, startAuthorized } from "../support/authorized_servers.ts";
import { failureOf } from "../support/client_support.ts";

/** What the tools need: one has a scope that nobody can be granted. */
function needs(_method: string, tool: string | undefined): readonly string[] {
  return tool === "delete_event" ? ["write"] : tool === "burn_calendar" ? ["root"] : ["read"];
}

for (const kind of KINDS) {
  Deno.test(`A tool that needs another scope is called with both, without a person: ${kind}`, async () => {
    await using server = await startAuthorized({ kind, needs });
    const auth = { ...MACHINE, allowPrivate: true };
    await using client = new MultiServerMCPClient("Kairos", { servers: { calendar: server.config(auth) } });
    await client.callTool("whoami");
    await client.callTool("delete_event");
    assertEquals(server.login.tokenRequests.map(({ scope }) => scope), ["read", "read write"]);
    await Promise.all(["whoami", "delete_event", "list_events"].map((tool) => client.callTool(tool)));
    assertEquals(server.login.tokenRequests.length, 2, "the new token is good for everything so far");
    assertEquals([server.executions.get("delete_event"), server.guard.count("tools/call 403")], [2, 1]);
  });
}

Deno.test("A tool that needs another scope asks a person once, for all scopes", async () => {
  await using server = await startAuthorized({ needs });
  const scopes: (string | null)[] = [];
  const onAuthorize = (url: string) => {
    scopes.push(new URL(url).searchParams.get("scope"));
    return browse(url);
  };
  await using client = new MultiServerMCPClient("Kairos", { servers: { calendar: server.config(PERSON) } }, {
    onAuthorize,
  });
  await client.connectToServers();
  await Promise.all([1, 2, 3].map(() => client.callTool("delete_event")));
  assertEquals(scopes, ["read offline_access", "read write offline_access"]);
  assertEquals(server.executions.get("delete_event"), 3);
});

Deno.test("A tool whose scope nobody is granted fails with forbidden, asks a person once, and the others go on", async () => {
  await using server = await startAuthorized({ needs });
  const asked: string[] = [];
  const events: ClientEvent[] = [];
  await using client = new MultiServerMCPClient("Kairos", { servers: { calendar: server.config(PERSON) } }, {
    onAuthorize: (url) => {
      asked.push(url);
      return browse(url);
    },
    onEvent: (event) => events.push(event),
  });
  await client.connectToServers();
  for (let times = 1; times <= 3; times++) {
    const error = await failureOf(() => client.callTool("burn_calendar"), "forbidden");
    assertEquals([error.httpStatus, error.retryable], [403, false]);
    assertEquals(asked.length, 2, "the person said no more than they can, once");
    await client.callTool("whoami");
  }
  assertEquals([server.executions.get("whoami"), server.executions.get("burn_calendar")], [3, undefined]);
  assertEquals(client.getStatus().servers.calendar?.breaker, "closed");
  assertEquals(events.filter(({ type }) => type === "failed"), []);
});
