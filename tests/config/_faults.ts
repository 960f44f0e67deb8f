/**
 * What configurations can have wrong: the text, and what the parser says of it.
 *
 * @module
 */

const A = "a: { url: https://a.example.com/mcp }";

/** Of a file: what is wrong, the text, and the path and the start of the message of each fault. */
export const FILE_FAULTS: readonly (readonly [string, string, ...(readonly [string, string])[]])[] = [
  ["a list", "- a", ["", 'Cannot be a list: write a mapping with "servers" and "agents"']],
  ["a string", "hunter22", ["", "Cannot be a string"]],
  ["no agents", `servers: { ${A} }`, ["agents", "Missing: write a mapping of names to agents"]],
  ["empty agents", "agents:", ["agents", "Cannot be empty: write a mapping"]],
  ["a schema that is no text", "$schema: 7\nagents: {}", ["$schema", "Cannot be a number: write the URL of this"]],
  ["an unknown top key", "agent: {}\nagents: {}", ["agent", 'Unknown key: did you mean "agents"']],
  ["a merge key", `x: &x {}\nagents: { A: { <<: *x, servers: {} } }`, ["x", "Unknown key"], [
    'agents.A["<<"]',
    "Cannot merge mappings: repeat the keys",
  ]],
  ["an agent's name", "agents: { 'a b': { servers: {} } }", ['agents["a b"]', "Cannot be used as a name"]],
  ["__proto__ as an agent", "agents: { __proto__: { servers: {} } }", ["agents.__proto__", "Cannot be used as a name"]],
  ["an agent of the wrong type", "agents: { A: [a] }", ["agents.A", "Cannot be a list: write a mapping"]],
  ["an agent without servers", "agents: { A: {} }", ["agents.A.servers", "Missing: write a list of the names"]],
  ["an agent with one name", "agents: { A: { servers: a } }", ["agents.A.servers", "Cannot be a string: write a list"]],
  ["an agent's unknown key", "agents: { A: { servers: [], key: [] } }", [
    "agents.A.key",
    'Unknown key: did you mean "keys"',
  ]],
  ["limits of the wrong type", "agents: { A: { servers: [], limits: 60 } }", [
    "agents.A.limits",
    'Cannot be a number: write a mapping with limits such as "callsPerMinute"',
  ]],
  [
    "limits that are none",
    "agents: { A: { servers: [], limits: { callsPerMinute: -1, concurrentCalls: many, callPerMinute: 1 } } }",
    ["agents.A.limits.callPerMinute", 'Unknown key: did you mean "callsPerMinute"'],
    [
      "agents.A.limits.callsPerMinute",
      "Cannot be a limit as it is out of range: write a whole number from 1 to 1000000, or 0 for no limit",
    ],
    ["agents.A.limits.concurrentCalls", "Cannot be a string: write a whole number from 1 to 1000000"],
  ],
  ["a fault of the limits of all agents", "limits: { callsPerLease: 1.5 }\nagents: {}", [
    "limits.callsPerLease",
    "Cannot be a limit as it is out of range",
  ]],
  ["an unknown server", `servers: { calendar: { url: "http://[::1]" } }\nagents: { A: { servers: [calender] } }`, [
    "agents.A.servers[0]",
    'Unknown server: did you mean "calendar"',
  ]],
  ["constructor as a server", `servers: { ${A} }\nagents: { A: { servers: [a, constructor] } }`, [
    "agents.A.servers[1]",
    'Unknown server: known are "a"',
  ]],
  ["a server twice", `servers: { ${A} }\nagents: { A: { servers: [a, a] } }`, [
    "agents.A.servers[1]",
    "Cannot list a server twice: remove one",
  ]],
  ["a server that is no name", `servers: { ${A} }\nagents: { A: { servers: [1] } }`, [
    "agents.A.servers[0]",
    "Cannot be a number: write the name of a server",
  ]],
  ["a fault of a server that nobody uses", "servers: { a: { url: x } }\nagents: {}", [
    "servers.a.url",
    "Cannot use as a URL",
  ]],
  [
    "a fault of a shared server, once",
    "servers: { a: { url: x } }\nagents: { A: { servers: [a] }, B: { servers: [a] } }",
    [
      "servers.a.url",
      "Cannot use as a URL",
    ],
  ],
  ["a fault of an agent's own server", "agents: { A: { servers: { a: { url: x } } } }", [
    "agents.A.servers.a.url",
    "Cannot use as a URL",
  ]],
  ["a missing variable", 'servers: { a: { url: "${env:A}" } }\nagents: {}', [
    "servers.a.url",
    'Cannot find environment variable "A": set it, or write a default as in "${env:A:-default}"',
  ]],
  ["two missing variables in one text", 'servers: { a: { url: "${env:A}${env:B}" } }\nagents: {}', [
    "servers.a.url",
    'Cannot find environment variable "A"',
  ], ["servers.a.url", 'Cannot find environment variable "B"']],
  [
    "a missing variable of a secret, without a second fault",
    `
servers: { a: { url: "http://[::1]", headers: { x: "\${T}" } } }
agents: { A: { servers: [a], secrets: { a: { T: "\${env:T}" } } } }`,
    [
      "agents.A.secrets.a.T",
      'Cannot find environment variable "T"',
    ],
  ],
  ["an empty variable", 'servers: { a: { url: "${env:EMPTY}" } }\nagents: {}', [
    "servers.a.url",
    "Cannot find environment",
  ]],
  ["constructor as a variable", 'servers: { a: { url: "${env:constructor}" } }\nagents: {}', [
    "servers.a.url",
    "Cannot find environment",
  ]],
  [
    "missing secrets, for each agent",
    `
servers: { a: { url: "http://[::1]", headers: { x: "\${T}" } } }
agents: { A: { servers: [a] }, B: { servers: [a], secrets: { a: { U: hunter22 } } }, C: { servers: [] } }`,
    [
      "agents.A.secrets.a.T",
      'Missing secret for servers.a.headers.x: add it, or write "${env:T}" there for an environment variable',
    ],
    ["agents.B.secrets.a.T", 'Missing secret for servers.a.headers.x: add it, or did you mean "U"'],
  ],
  [
    "a secret in a secret",
    `
servers: { a: { url: "http://[::1]" } }
agents: { A: { servers: [a], secrets: { a: { T: "\${U}" } } } }`,
    [
      "agents.A.secrets.a.T",
      'Cannot refer to secrets here, as "${U}" does',
    ],
  ],
  ["a secret that is a number", `servers: { ${A} }\nagents: { A: { servers: [a], secrets: { a: { T: 1234 } } } }`, [
    "agents.A.secrets.a.T",
    "Cannot be a number: write a string, in quotes",
  ]],
  [
    "secrets of a server that the agent has not",
    `servers: { ${A} }\nagents: { A: { servers: [], secrets: { a: {} } } }`,
    [
      "agents.A.secrets.a",
      "Unknown server: none is known",
    ],
  ],
  [
    "a secret that breaks a header, for its agent",
    `
servers: { a: { url: "http://[::1]", headers: { x: "\${T}" } } }
agents: { A: { servers: [a], secrets: { a: { T: "hunter22\\n" } } }, B: { servers: [a], secrets: { a: { T: x } } } }`,
    [
      "servers.a.headers.x",
      "Cannot be sent as a header as its value holds a line break: remove it (with the secrets at agents.A.secrets.a)",
    ],
  ],
  [
    "a variable that breaks a header",
    'servers: { a: { url: "http://[::1]", headers: { x: "${env:LINES}" } } }\nagents: {}',
    [
      "servers.a.headers.x",
      "Cannot be sent as a header as its value holds a line break: remove it",
    ],
  ],
  ["a variable that is out of range", 'servers: { a: { url: "http://[::1]", timeoutMs: "${env:PIN}" } }\nagents: {}', [
    "servers.a.timeoutMs",
    "Cannot be a time-out as it is out of range",
  ]],
  ["a variable that is no number", 'servers: { a: { url: "http://[::1]", timeoutMs: "${env:LINES}" } }\nagents: {}', [
    "servers.a.timeoutMs",
    "Cannot be a string: write milliseconds",
  ]],
  ["a key that is no digest", "agents: { A: { servers: [], keys: [hunter22] } }", [
    "agents.A.keys[0]",
    "Cannot be the digest of a key: write",
  ]],
  ["keys of the wrong type", "agents: { A: { servers: [], keys: hunter22 } }", [
    "agents.A.keys",
    "Cannot be a string: write a list",
  ]],
  ["a date", "servers: { a: { url: 2020-01-01 } }\nagents: {}", ["servers.a.url", "Cannot use as a URL"]],
  ["stdio", "mcpServers: { a: { command: npx, args: [-y], env: { K: hunter22 } } }", [
    "mcpServers.a.command",
    "Cannot start a server as a process",
  ]],
  ["stdio by type", "mcpServers: { a: { type: stdio } }", ["mcpServers.a.type", "Cannot start a server as a process"]],
  ["an unknown type", "mcpServers: { a: { type: ws, url: 'http://[::1]' } }", [
    "mcpServers.a.type",
    'Unknown transport: write one of "http", "streamable-http", "streamableHttp", "sse"',
  ]],
  ["type beside transport", "mcpServers: { a: { type: sse, transport: sse, url: 'http://[::1]' } }", [
    "mcpServers.a.type",
    'Cannot stand beside "transport": remove one',
  ]],
  ["type in servers", "servers: { a: { type: sse, url: 'http://[::1]' } }\nagents: {}", [
    "servers.a.type",
    'Unknown key: did you mean "transport"',
  ]],
  ["both forms", "mcpServers: {}\nagents: {}", ["agents", 'Cannot stand beside "mcpServers"']],
  ["a missing secret of mcpServers", 'mcpServers: { a: { url: "http://[::1]", headers: { x: "${T}" } } }', [
    "secrets.a.T",
    'Missing secret for mcpServers.a.headers.x: add it, or write "${env:T}" there',
  ]],
  ["another program's default", 'mcpServers: { a: { url: "${U:-http://[::1]}" } }', [
    "mcpServers.a.url",
    "Malformed reference",
  ]],
  [
    "faults everywhere",
    `
servers: { a: { url: x }, b: { url: "http://10.0.0.1", timeout: 5 } }
agents: { A: { servers: [c], secrets: { d: {} } }, B: { servers: [a, a], collisions: x } }`,
    ["servers.a.url", ""],
    [
      "servers.b.timeout",
      "",
    ],
    ["servers.b.url", ""],
    ["agents.A.servers[0]", ""],
    ["agents.A.secrets.d", ""],
    ["agents.B.servers[1]", ""],
    [
      "agents.B.collisions",
      "",
    ],
  ],
];

export const DIGEST = `sha256:${"a".repeat(64)}`;
export const OTHER = `sha256:${"b".repeat(64)}`;

export function withKeys(keys: string): string {
  return `agents: { Kairos: { servers: [], keys: ${keys} } }`;
}

function withJwt(jwt: string): string {
  return `agents: {}\njwt: ${jwt}`;
}

const ISSUER = 'issuer: "https://login.example.com"';
/** Of what is said of the gateway: what is wrong, the text, the path and a part of the message. */
export const GATEWAY_FAULTS: readonly [what: string, text: string, path: string, message: string][] = [
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

const REDIRECT = "https://agents.example.com/oauth/callback";
/** Of an `auth`: what is wrong, the value, and the start of the first fault. */
export const AUTH_FAULTS: readonly (readonly [what: string, value: unknown, path: string])[] = [
  ["no mapping", "token", "auth: Cannot be a string"],
  ["nothing in it", {}, "auth.clientId: Missing"],
  ["an unknown key", { clientId: "a", clientSecret: "b", secret: "c" }, "auth.secret: Unknown key"],
  [
    "the wire's name of a key",
    { client_id: "a", clientSecret: "b" },
    'auth.client_id: Unknown key: did you mean "clientId"',
  ],
  ["an unknown grant", { grant: "password", clientId: "a", clientSecret: "b" }, "auth.grant: Unknown grant"],
  ["a client without a secret", { clientId: "a" }, "auth.clientSecret: Missing"],
  ["two secrets", { clientId: "a", clientSecret: "b", privateKey: "{}" }, "auth.privateKey: Cannot stand beside"],
  ["an algorithm alone", { clientId: "a", clientSecret: "b", algorithm: "ES256" }, "auth.algorithm: Cannot be used"],
  ["an unknown algorithm", { clientId: "a", privateKey: "{}", algorithm: "none" }, "auth.algorithm: Unknown algorithm"],
  [
    "a key in another form",
    { clientId: "a", privateKey: "-----BEGIN RSA PRIVATE KEY-----" },
    "auth.privateKey: Cannot be",
  ],
  ["a person without a way back", { grant: "authorization_code" }, "auth.redirectUrl: Missing"],
  ["a way back over http", { redirectUrl: "http://a.example/" }, "auth.redirectUrl: Cannot use http"],
  [
    "a way back with a fragment",
    { redirectUrl: "https://a.example/#b" },
    "auth.redirectUrl: Cannot use a URL with a fragment",
  ],
  ["a secret without an id", { redirectUrl: REDIRECT, clientSecret: "b" }, "auth.clientId: Missing"],
  ["a key for a person", { redirectUrl: REDIRECT, privateKey: "{}" }, "auth.privateKey: Cannot be used with"],
  [
    "two ids",
    { redirectUrl: REDIRECT, clientId: "a", clientMetadataUrl: "https://a.example/b" },
    "auth.clientMetadataUrl: Cannot stand beside",
  ],
  [
    "an id that is an origin",
    { redirectUrl: REDIRECT, clientMetadataUrl: "https://a.example" },
    "auth.clientMetadataUrl: Cannot be",
  ],
  ["an issuer that is no URL", { redirectUrl: REDIRECT, issuers: ["login"] }, "auth.issuers[0]: Cannot use as a URL"],
  [
    "issuers that are no list",
    { redirectUrl: REDIRECT, issuers: "https://a.example" },
    "auth.issuers: Cannot be a string",
  ],
  ["a scope that is none", { redirectUrl: REDIRECT, scope: "a  b" }, "auth.scope: Cannot be a scope"],
  ["an empty text", { clientId: "", clientSecret: "b" }, "auth.clientId: Cannot be empty"],
  ["an id with a line break", { clientId: "a\nb", clientSecret: "b" }, "auth.clientId: Cannot be used"],
];
