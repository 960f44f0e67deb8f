import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "@portolan/mcp";
import { parseConfig } from "@portolan/mcp/config";

const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;

function withKeys(keys: string): string {
  return `agents: { Kairos: { servers: [], keys: ${keys} } }`;
}

function withJwt(jwt: string): string {
  return `agents: {}\njwt: ${jwt}`;
}

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

const ISSUER = 'issuer: "https://login.example.com"';
const CASES: readonly [what: string, text: string, path: string, message: string][] = [
  ["a key in a mapping that is no digest", withKeys("[{ digest: hunter22 }]"), "agents.Kairos.keys[0].digest", "never"],
  ["a key without a digest", withKeys("[{ id: a }]"), "agents.Kairos.keys[0].digest", "Missing"],
  ["a key that is a number", withKeys("[7]"), "agents.Kairos.keys[0]", "Cannot be a number"],
  [
    "a key's unknown key",
    withKeys(`[{ digest: "${DIGEST}", expires: 1 }]`),
    "agents.Kairos.keys[0].expires",
    "expiresAt",
  ],
  [
    "an id that is none",
    withKeys(`[{ digest: "${DIGEST}", id: "a b" }]`),
    "agents.Kairos.keys[0].id",
    "Cannot be the id",
  ],
  [
    "an end that is none",
    withKeys(`[{ digest: "${DIGEST}", expiresAt: hunter22 }]`),
    "agents.Kairos.keys[0].expiresAt",
    "Cannot be read as a time",
  ],
  [
    "a key twice",
    withKeys(`["${DIGEST}", { digest: "${DIGEST}", id: a }]`),
    "agents.Kairos.keys[1]",
    "Cannot list a key twice",
  ],
  [
    "two keys of one name",
    withKeys(`[{ digest: "${DIGEST}", id: a }, { digest: "${OTHER}", id: a }]`),
    "agents.Kairos.keys[1].id",
    "Cannot name two keys alike",
  ],
  ["a public URL with a path", "agents: {}\npublicUrl: https://a.example/mcp", "publicUrl", "Cannot have a path"],
  ["a public URL over http", "agents: {}\npublicUrl: http://a.example", "publicUrl", "Cannot use http"],
  ["an issuer without a name", withJwt("{ audience: a }"), "jwt.issuer", "Missing"],
  ["an issuer over http", withJwt("{ issuer: http://a.example }"), "jwt.issuer", "Cannot use http"],
  ["an issuer at a private address", withJwt("{ issuer: https://10.0.0.1 }"), "jwt.issuer", "special address"],
  ["an issuer twice", withJwt(`[{ ${ISSUER} }, { ${ISSUER} }]`), "jwt[1].issuer", "Cannot list an issuer twice"],
  ["an issuer's unknown key", withJwt(`{ ${ISSUER}, aud: a }`), "jwt.aud", 'did you mean "audience"'],
  ["the algorithm none", withJwt(`{ ${ISSUER}, algorithms: [none] }`), "jwt.algorithms[0]", "Cannot be accepted"],
  ["a shared secret's algorithm", withJwt(`{ ${ISSUER}, algorithms: HS256 }`), "jwt.algorithms", "Cannot be accepted"],
  ["no algorithm", withJwt(`{ ${ISSUER}, algorithms: [] }`), "jwt.algorithms", "Cannot be an empty list"],
  ["no audience", withJwt(`{ ${ISSUER}, audience: [] }`), "jwt.audience", "Cannot be an empty list"],
  [
    "keys twice",
    withJwt(`{ ${ISSUER}, jwksUrl: "https://a.example/jwks", jwks: { keys: [] } }`),
    "jwt.jwks",
    'Cannot stand beside "jwksUrl"',
  ],
  [
    "a private key",
    withJwt(`{ ${ISSUER}, jwks: { keys: [{ kty: EC, d: hunter22 }] } }`),
    "jwt.jwks.keys[0]",
    "Cannot use a private or shared key",
  ],
  [
    "a shared key",
    withJwt(`{ ${ISSUER}, jwks: { keys: [{ kty: oct }] } }`),
    "jwt.jwks.keys[0]",
    "Cannot use a private or shared key",
  ],
  ["a key of no type", withJwt(`{ ${ISSUER}, jwks: { keys: [{ kty: X }] } }`), "jwt.jwks.keys[0].kty", '"RSA"'],
  ["agents by two rules", withJwt(`{ ${ISSUER}, agents: { claim: a, scope: b } }`), "jwt.agents", "Cannot tell"],
  ["agents by no rule", withJwt(`{ ${ISSUER}, agents: {} }`), "jwt.agents", "Cannot tell"],
  ["admin without a value", withJwt(`{ ${ISSUER}, admin: { claim: a } }`), "jwt.admin.value", "Cannot be told"],
  ["a scope that breaks a header", withJwt(`{ ${ISSUER}, agents: { scope: 'a"b' } }`), "jwt.agents.scope", "a scope"],
  ["a tolerance of hours", withJwt(`{ ${ISSUER}, clockToleranceMs: 7200000 }`), "jwt.clockToleranceMs", "300000"],
];

for (const [what, text, path, message] of CASES) {
  Deno.test(`parseConfig() rejects ${what} with its path, without values`, () => {
    const { faults, message: all } = assertThrows(() => parseConfig(text), ConfigError);
    assertEquals(faults.map((fault) => [fault.path, fault.message.includes(message)]), [[path, true]], all);
    assertEquals(all.includes("hunter22"), false);
  });
}
