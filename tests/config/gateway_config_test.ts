import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "@portolan/mcp";
import { parseConfig } from "@portolan/mcp/config";
import { DIGEST, GATEWAY_FAULTS, OTHER, withKeys } from "./_faults.ts";

Deno.test("parseConfig() reads keys with a name and an end beside plain digests", () => {
  const { keys } = parseConfig(
    withKeys(`["${DIGEST}", { digest: "\${env:OLD}", id: "2026", expiresAt: 2027-01-31 }]`),
    { env: { OLD: OTHER.toUpperCase().replace("SHA", "sha") } },
  );
  assertEquals(keys?.Kairos, [DIGEST, { digest: OTHER, id: "2026", expiresAt: "2027-01-31" }]);
});

Deno.test("parseConfig() reads one issuer or several, and the public URL", () => {
  const config = parseConfig(
    `
agents: {}
publicUrl: https://MCP.example.com/
jwt:
  - issuer: https://login.example.com
  - issuer: http://localhost:9000/tenant
    audience: urn:gateway
    algorithms: ES256
    jwksUrl: "\${env:JWKS}"
    agents: { scope: "agent:" }
    admin: { claim: roles, value: admin }
    clockToleranceMs: 0
    typ: at+jwt
    allowPrivate: true
`,
    { env: { JWKS: "https://10.0.0.1/jwks" } },
  );
  assertEquals(config.publicUrl, "https://mcp.example.com");
  assertEquals(config.jwt, [{ issuer: "https://login.example.com" }, {
    issuer: "http://localhost:9000/tenant",
    audience: ["urn:gateway"],
    algorithms: ["ES256"],
    jwksUrl: "https://10.0.0.1/jwks",
    agents: { scope: "agent:" },
    admin: { claim: "roles", value: "admin" },
    clockToleranceMs: 0,
    typ: "at+jwt",
    allowPrivate: true,
  }]);
  const jwks = '{ keys: [{ kty: EC, crv: P-256, x: "eA", y: "eQ" }] }';
  const text = `mcpServers: {}\njwt: { issuer: "https://login.example.com", jwks: ${jwks} }`;
  assertEquals(parseConfig(text).jwt?.[0]?.jwks?.keys, [{ kty: "EC", crv: "P-256", x: "eA", y: "eQ" }]);
});

for (const [what, text, path, message] of GATEWAY_FAULTS) {
  Deno.test(`parseConfig() rejects ${what} with its path, without values`, () => {
    const { faults, message: all } = assertThrows(() => parseConfig(text), ConfigError);
    assertEquals(faults.map((fault) => [fault.path, fault.message.includes(message)]), [[path, true]], all);
    assertEquals(all.includes("hunter22"), false);
  });
}
