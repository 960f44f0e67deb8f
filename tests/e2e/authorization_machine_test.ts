/** Tokens for the client itself, from one line of a configuration file. */

import { assertEquals, assertThrows } from "@std/assert";
import { type ClientEvent, ConfigError, MCPClientManager } from "@portolan/mcp";
import { parseConfig } from "@portolan/mcp/config";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { KINDS, KNOWN_MACHINE, MACHINE, startAuthorized } from "../support/authorized_servers.ts";
import { assertNoCanary } from "../support/client_support.ts";
import { startModernServer } from "../support/modern_server.ts";

/** A configuration whose `auth` is one line; both ways to a secret. */
function toYaml(url: string, kind: string, auth: string): string {
  return `
servers:
  calendar:
    url: ${url}
    transport: ${kind === "sse" ? "sse" : "auto"}
    auth: ${auth}
agents:
  Kairos: { servers: [calendar], secrets: { calendar: { SECRET: "\${env:CALENDAR_SECRET}" } } }
`;
}

for (const kind of KINDS) {
  Deno.test(`A client gets its own token by a secret from a file, connects, lists and calls: ${kind}`, async () => {
    await using server = await startAuthorized({ kind });
    const auth = `{ clientId: m2m, clientSecret: "\${SECRET}", issuers: ["${server.login.issuer}"] }`;
    const config = parseConfig(toYaml(server.url, kind, auth), { env: { CALENDAR_SECRET: MACHINE.clientSecret } });
    const events: ClientEvent[] = [];
    await using manager = new MCPClientManager(config, { onEvent: (event) => events.push(event) });
    assertEquals(await manager.connectAll(), { Kairos: true });
    const client = manager.openClient("Kairos");
    assertEquals((await client.listTools()).length, 4);
    await Promise.all(["whoami", "whoami", "list_events"].map((tool) => client.callTool(tool)));
    assertEquals(server.executions.get("whoami"), 2);
    assertEquals(server.login.tokenRequests.map(({ grantType, scope, resource }) => [grantType, scope, resource]), [
      ["client_credentials", "read", server.url],
    ]);
    assertEquals(
      server.guard.log.filter((entry) => entry.endsWith(" 401")).length,
      1,
      "only the first request is refused",
    );
    assertEquals(events.map(({ type }) => type), ["authorized", "connected", "call", "call", "call"]);
    assertEquals(events[0], { type: "authorized", server: "calendar", agent: "Kairos" });
    assertNoCanary([manager, client, client.getStatus(), events]);
  });
}

for (const kind of ["PEM in one line", "JWK"] as const) {
  Deno.test(`A client gets its own token by a private key from the environment: ${kind}`, async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = { ...await exportJWK(publicKey), alg: "ES256", use: "sig", kid: "k1" };
    const key = kind === "JWK"
      ? JSON.stringify({ ...await exportJWK(privateKey), kid: "k1" })
      : (await exportPKCS8(privateKey)).replaceAll("\n", "\\n");
    const { client_secret: _secret, ...machine } = KNOWN_MACHINE;
    const client = { ...machine, token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk] } };
    await using server = await startAuthorized({ login: { clients: [client] } });
    const auth = '{ clientId: m2m, privateKey: "${env:KEY}", allowPrivate: true }';
    const text = toYaml(server.url, "legacy", auth);
    await using manager = new MCPClientManager(parseConfig(text, { env: { KEY: key, CALENDAR_SECRET: "unused" } }));
    await manager.openClient("Kairos").callTool("whoami");
    assertEquals(server.login.tokenRequests.map(({ method, isGranted }) => [method, isGranted]), [
      ["private_key_jwt", true],
    ]);
    assertEquals(server.executions.get("whoami"), 1);
  });
}

Deno.test("A client whose secret is wrong fails with auth_failed, and shows neither the secret nor the refusal", async () => {
  await using server = await startAuthorized();
  const auth = { clientId: MACHINE.clientId, clientSecret: "canary, but another one", allowPrivate: true };
  const servers = { calendar: server.config(auth) };
  const events: ClientEvent[] = [];
  await using manager = new MCPClientManager({ agents: { Kairos: { servers } } }, {
    onEvent: (event) => events.push(event),
  });
  assertEquals(await manager.addClient("Kairos"), false);
  const status = manager.openClient("Kairos").getStatus();
  assertEquals(status.servers.calendar?.lastError?.code, "auth_failed");
  assertEquals(events.map(({ type }) => type), ["failed"]);
  assertNoCanary([manager, status, events]);
});

Deno.test("parseConfig() refuses an authorization header beside auth", async () => {
  await using server = startModernServer();
  const auth = `{ clientId: m2m, clientSecret: "\${SECRET}" }\n    headers: { Authorization: "Bearer \${SECRET}" }`;
  const error = assertThrows(
    () => parseConfig(toYaml(server.url, "auto", auth), { env: { CALENDAR_SECRET: "canary" } }),
    ConfigError,
  );
  assertEquals(error.faults.map(({ path }) => path), ["servers.calendar.headers.authorization"]);
  assertNoCanary(error);
});
