import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { parseConfig } from "../src/config_file.ts";
import { ConfigError } from "../src/errors.ts";

const A = "a: { url: https://a.example.com/mcp }";

/** What is wrong, the text, and the path and the start of the message of each fault. */
const FAULTS: readonly (readonly [string, string, ...(readonly [string, string])[]])[] = [
  ["a list", "- a", ["", 'Cannot be a list: write a mapping with "servers" and "agents"']],
  ["a string", "hunter22", ["", "Cannot be a string"]],
  ["no agents", `servers: { ${A} }`, ["agents", "Missing: write a mapping of names to agents"]],
  ["empty agents", "agents:", ["agents", "Cannot be empty: write a mapping"]],
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

for (const [name, text, ...expected] of FAULTS) {
  Deno.test(`parseConfig() rejects ${name} with its path, without values`, () => {
    const env = { EMPTY: "", LINES: "hunter22\nhunter22", PIN: "987654321" };
    const { faults } = assertThrows(() => parseConfig(text, { env }), ConfigError);
    assertEquals(faults.map(({ path }) => path), expected.map(([path]) => path));
    for (const [index, [, start]] of expected.entries()) {
      assertEquals(faults[index]?.message.slice(0, start.length), start);
    }
    assertFalse(JSON.stringify(faults).includes("hunter22"));
    assertFalse(JSON.stringify(faults).includes(env.PIN));
  });
}
