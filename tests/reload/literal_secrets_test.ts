import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/errors.ts";
import { refuseLiteralSecrets } from "../../src/reload/literal_secrets.ts";

Deno.test("refuseLiteralSecrets() names every place of a secret, and no secret", () => {
  const text = `
servers:
  files:
    url: https://files.example.com/mcp
    headers: { Authorization: "Bearer hunter22-a", X-Api-Key: "hunter22-b", accept-language: de }
  mail: { url: https://mail.example.com/mcp, auth: { clientId: me, clientSecret: hunter22-c, privateKey: "\${env:KEY}" } }
agents:
  Kairos:
    servers: [files]
    secrets: { files: { TOKEN: hunter22-d, PIN: 1234, GOOD: "\${env:TOKEN}", BAD: "\${env:TOKEN:-hunter22-e}" } }
  secrets:
    servers: { headers: { url: "http://localhost:1/mcp", headers: { cookie: hunter22-f } } }
    collisions: first
`;
  const { faults, message } = assertThrows(() => refuseLiteralSecrets(text), ConfigError);
  assertEquals(faults.map(({ path }) => path), [
    "servers.files.headers.Authorization",
    "servers.files.headers.X-Api-Key",
    "servers.mail.auth.clientSecret",
    "agents.Kairos.secrets.files.TOKEN",
    "agents.Kairos.secrets.files.PIN",
    "agents.Kairos.secrets.files.BAD",
    "agents.secrets.servers.headers.headers.cookie",
  ]);
  assertFalse(message.includes("hunter22"));
});

Deno.test("refuseLiteralSecrets() takes references, in JSON and in the shape of other programs too", () => {
  const headers = { authorization: "Bearer ${env:CALENDAR_TOKEN}", "x-token": "${TOKEN}", "x-version": "7" };
  const mcpServers = { calendar: { url: "https://cal.example.com/mcp", headers } };
  refuseLiteralSecrets(JSON.stringify({ mcpServers, secrets: { calendar: { TOKEN: "${env:TOKEN}" } } }));
  refuseLiteralSecrets("servers: [not, a, mapping]\nagents: 7\n");
  assertThrows(
    () => refuseLiteralSecrets(JSON.stringify({ mcpServers, secrets: { calendar: { TOKEN: "hunter22" } } })),
    ConfigError,
    "secrets.calendar.TOKEN",
  );
});
