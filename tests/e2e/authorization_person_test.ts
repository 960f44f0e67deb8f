/** A person who authorizes: the way to the authorization server, and back by another process. */

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import {
  AuthorizationRequiredError,
  AuthStore,
  type ClientEvent,
  isMCPError,
  MCPClientManager,
  MCPError,
  MultiServerMCPClient,
  SingleServerMCPClient,
} from "@portolan/mcp";
import { browse, REDIRECT_URL } from "../support/auth_support.ts";
import { KINDS, PERSON, startAuthorized } from "../support/authorized_servers.ts";
import { createStoreFile, STORE_SECRET, type StoreFile } from "../support/cold_support.ts";

const SCRIPT = new URL("./_finish_authorization.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url);

/** Finishes a flow in a process of its own, which must say nothing but whose it was. */
async function finishElsewhere(file: StoreFile, callbackUrl: string): Promise<unknown> {
  const args = ["run", "-A", "--no-check", "--config", CONFIG.pathname, SCRIPT.pathname];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, file.path, new TextDecoder().decode(STORE_SECRET), callbackUrl],
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const [told, failed] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals([code, failed], [0, ""]);
  return JSON.parse(told!);
}

/** The error that leads to the authorization server; nothing of its URL shows. */
async function requiredBy(work: () => Promise<unknown>): Promise<AuthorizationRequiredError> {
  const error = await assertRejects(work, AuthorizationRequiredError);
  assert(isMCPError(error));
  assertEquals([error.code, error.server, error.retryable], ["authorization_required", "calendar", false]);
  const { origin, searchParams } = new URL(error.authorizationUrl);
  assertEquals(searchParams.get("code_challenge_method"), "S256");
  const shown = [error.message, error.stack, JSON.stringify(error), JSON.stringify({ ...error }), String(error)];
  shown.push(Deno.inspect(error, { showHidden: true, depth: 10 }));
  for (const secret of [origin, searchParams.get("state")!, "code_challenge"]) {
    for (const text of shown) assertFalse(text?.includes(secret), text);
  }
  return error;
}

for (const kind of KINDS) {
  Deno.test(`A call that needs a person is led to the URL, and another process finishes the flow: ${kind}`, async () => {
    await using file = await createStoreFile();
    await using server = await startAuthorized({ kind });
    const events: ClientEvent[] = [];
    const servers = { calendar: server.config(PERSON) };
    await using manager = new MCPClientManager({ agents: { Kairos: { servers } } }, {
      store: await file.open(),
      storeSecret: STORE_SECRET,
      onEvent: (event) => events.push(event),
    });
    const client = manager.openClient("Kairos");
    const { authorizationUrl } = await requiredBy(() => client.callTool("whoami"));
    const again = await requiredBy(() => client.callTool("whoami"));
    assertEquals(again.authorizationUrl, authorizationUrl, "one flow for all who wait");
    assertEquals((await requiredBy(() => client.listTools())).authorizationUrl, authorizationUrl);

    const callbackUrl = await browse(authorizationUrl);
    assertEquals(await finishElsewhere(file, callbackUrl), { server: "calendar", principal: "Kairos" });
    const asked = server.login.paths.length;
    await client.callTool("whoami");
    assertEquals(server.login.paths.length, asked, "the tokens are taken from the store");
    assertEquals(server.executions.get("whoami"), 1);
    assertEquals(server.login.tokenRequests.map(({ grantType }) => grantType), ["authorization_code"]);
    assertEquals(manager.getStatusSummary().Kairos?.connectedServers, 1);
    const told = events.filter(({ type }) => type === "authorization_required");
    assertEquals(told[0], { type: "authorization_required", server: "calendar", agent: "Kairos" });
    const { searchParams } = new URL(authorizationUrl);
    const shown = Deno.inspect([events, manager, client.getStatus()], { depth: 20, showHidden: true });
    for (const secret of [searchParams.get("state")!, server.login.issuer, ...server.login.secrets]) {
      assertFalse(shown.includes(secret), secret);
    }
  });

  Deno.test(`A call that needs a person succeeds at once where the host opens the browser: ${kind}`, async () => {
    await using server = await startAuthorized({ kind });
    const events: ClientEvent["type"][] = [];
    await using client = new MultiServerMCPClient("Kairos", { servers: { calendar: server.config(PERSON) } }, {
      onAuthorize: browse,
      onEvent: ({ type }) => events.push(type),
    });
    await client.callTool("whoami");
    assertEquals(events, ["authorization_required", "authorized", "connected", "call"]);
    assertEquals(server.executions.get("whoami"), 1);
    assertEquals(server.login.count("authorization_code"), 1);
  });
}

Deno.test("SingleServerMCPClient.finishAuthorization() takes a URL, or its path and query; a state is good once", async () => {
  await using server = await startAuthorized();
  const authStore = new AuthStore();
  await using client = new SingleServerMCPClient("calendar", server.config(PERSON), { authStore, principal: "Ada" });
  const callbackUrl = new URL(await browse((await requiredBy(() => client.callTool("whoami"))).authorizationUrl));
  await using stranger = new SingleServerMCPClient("calendar", server.config(PERSON), { authStore, principal: "Bob" });
  const refused = await assertRejects(() => stranger.finishAuthorization(callbackUrl), MCPError);
  assertEquals(refused.code, "auth_failed");
  await client.finishAuthorization(callbackUrl.pathname + callbackUrl.search);
  await client.callTool("whoami");
  const again = await assertRejects(() => client.finishAuthorization(callbackUrl), MCPError);
  assertEquals(again.code, "auth_failed");
  for (const [, value] of callbackUrl.searchParams) {
    assertFalse(Deno.inspect([refused, again], { showHidden: true }).includes(value));
  }
  await requiredBy(() => stranger.callTool("whoami"));
});

Deno.test("MultiServerMCPClient.finishAuthorization() tells which server's tokens have come; the others go on meanwhile", async () => {
  await using server = await startAuthorized();
  await using other = await startAuthorized();
  const servers = { calendar: server.config(PERSON), files: other.config({ ...PERSON, clientName: "Files" }) };
  await using client = new MultiServerMCPClient("Kairos", { servers });
  const [calendar, files] = await Promise.all(["calendar__whoami", "files__whoami"].map(async (tool) => {
    return (await assertRejects(() => client.callTool(tool), AuthorizationRequiredError)).authorizationUrl;
  }));
  assertEquals((await client.finishAuthorization(await browse(files!))).server, "files");
  await client.callTool("files__whoami");
  await requiredBy(() => client.callTool("calendar__whoami"));
  assertEquals((await client.finishAuthorization(await browse(calendar!))).server, "calendar");
  await client.callTool("calendar__whoami");
  assertEquals([server.executions.get("whoami"), other.executions.get("whoami")], [1, 1]);
});

Deno.test("An onAuthorize that fails is told as auth_failed, and the next call may ask again", async () => {
  await using server = await startAuthorized();
  const answers: ((url: string) => Promise<string>)[] = [
    () => Promise.reject(new Error(`the window is closed: ${REDIRECT_URL}`)),
    () => Promise.resolve(`${REDIRECT_URL}?error=access_denied&state=x`),
    browse,
  ];
  await using client = new SingleServerMCPClient("calendar", server.config(PERSON), {
    onAuthorize: (url) => answers.shift()!(url),
  });
  for (const why of ['"onAuthorize" failed', "its state is not known"]) {
    const error = await assertRejects(() => client.callTool("whoami"), MCPError, why);
    assertEquals(error.code, "auth_failed");
    assertFalse(error.message.includes(REDIRECT_URL), error.message);
  }
  await client.callTool("whoami");
  assertEquals(server.executions.get("whoami"), 1);
});

Deno.test("A call ends at its deadline while a person is asked, and the person's answer counts all the same", async () => {
  await using server = await startAuthorized();
  const opened = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  await using client = new SingleServerMCPClient("calendar", server.config(PERSON), {
    onAuthorize: (url, signal) => {
      opened.resolve(url);
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  const impatient = new AbortController();
  const call = assertRejects(() => client.callTool("whoami", {}, { signal: impatient.signal }), Error, "enough");
  const url = await opened.promise;
  impatient.abort(new Error("enough"));
  await call;
  assert(signals.every(({ aborted }) => aborted), "the host is told that nobody waits any more");
  await client.finishAuthorization(await browse(url));
  await client.callTool("whoami");
  assertEquals([server.executions.get("whoami"), signals.length], [1, 1]);
});
