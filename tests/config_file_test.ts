import { assert, assertEquals, assertFalse, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseConfig, type ParseConfigOptions } from "../src/config_file.ts";
import { ConfigError, type ConfigFault } from "../src/errors.ts";
import { resolveAgent } from "../src/server_config.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const FULL = `
servers:
  fileio:   { url: https://fileio.example.com/mcp, timeoutMs: 8000 }
  calendar:
    url: https://cal.example.com/mcp
    transport: auto                 # auto | streamable_http | sse
    headers: { authorization: "Bearer \${TOKEN}" }
    tools: { allow: ["*"], deny: ["delete_*"] }
agents:
  Kairos:
    servers: [fileio, calendar]     # order decides who owns a bare name
    secrets:
      calendar: { TOKEN: "\${env:KAIROS_CALENDAR_TOKEN}" }
    collisions: prefix
    keys: ["${DIGEST.toUpperCase().replace("SHA", "sha")}"]
  Mercurius:
    servers: [fileio]
`;
const ENV = { KAIROS_CALENDAR_TOKEN: "hunter22" };
const A = "a: { url: https://a.example.com/mcp }";

function faultsOf(text: string, options?: ParseConfigOptions): readonly ConfigFault[] {
  return assertThrows(() => parseConfig(text, options), ConfigError).faults;
}

function pathsOf(text: string, options?: ParseConfigOptions): readonly string[] {
  return faultsOf(text, options).map(({ path }) => path);
}

Deno.test("parseConfig() reads servers, agents, secrets, policy and keys", () => {
  const config = parseConfig(FULL, { env: ENV });
  assertEquals(JSON.parse(JSON.stringify(config)), {
    agents: {
      Kairos: {
        servers: {
          fileio: { url: "https://fileio.example.com/mcp", timeoutMs: 8000 },
          calendar: {
            url: "https://cal.example.com/mcp",
            transport: "auto",
            headers: { authorization: "Bearer ${TOKEN}" },
            tools: { allow: ["*"], deny: ["delete_*"] },
          },
        },
        secrets: { calendar: { TOKEN: "hunter22" } },
        collisions: "prefix",
      },
      Mercurius: { servers: { fileio: { url: "https://fileio.example.com/mcp", timeoutMs: 8000 } } },
    },
    keys: { Kairos: [DIGEST] },
  });
});

Deno.test("parseConfig() gives agents that resolveAgent() resolves", () => {
  const { agents } = parseConfig(FULL, { env: ENV });
  assert(agents.Kairos);
  const { servers } = resolveAgent("Kairos", agents.Kairos);
  assertEquals(servers.map(({ name }) => name), ["fileio", "calendar"]);
  assertEquals(servers[1]?.headers.authorization?.reveal(), "Bearer hunter22");
});

Deno.test("parseConfig() reads the same from JSON", () => {
  const json = JSON.stringify(
    {
      servers: { a: { url: "https://a.example.com/mcp" } },
      agents: { A: { servers: ["a"] } },
    },
    null,
    "\t",
  );
  assertEquals(parseConfig(json), parseConfig(`servers: { ${A} }\nagents: { A: { servers: [a] } }`));
  assertEquals(parseConfig(`\ufeff${json}`), parseConfig(json));
});

Deno.test("parseConfig() gives mappings without a prototype", () => {
  const { agents } = parseConfig("agents: { toString: { servers: {} } }");
  assertEquals(Object.keys(agents), ["toString"]);
  assertFalse("constructor" in agents);
  assertFalse("constructor" in (Object.values(agents)[0]?.servers ?? {}));
});

Deno.test("parseConfig() reads an agent's own servers beside the shared ones", () => {
  const { agents } = parseConfig(`
servers: { ${A} }
agents:
  A: { servers: { a: { url: http://localhost/own } } }
  B: { servers: [a] }
`);
  assertEquals(agents.A?.servers.a?.url, "http://localhost/own");
  assertEquals(agents.B?.servers.a?.url, "https://a.example.com/mcp");
});

for (
  const [type, transport] of [
    ["http", "streamable_http"],
    ["streamable-http", "streamable_http"],
    ["streamableHttp", "streamable_http"],
    ["sse", "sse"],
    [undefined, undefined],
  ]
) {
  Deno.test(`parseConfig() reads mcpServers of type ${type} as agent "default"`, () => {
    const { agents } = parseConfig(
      JSON.stringify({
        mcpServers: { a: { type, url: "https://a.example.com", headers: { Authorization: "${T}" }, timeoutMs: 5 } },
        secrets: { a: { T: "${env:A}" } },
        collisions: "error",
        keys: [DIGEST],
      }),
      { env: { A: "hunter22" } },
    );
    assertEquals(JSON.parse(JSON.stringify(agents)), {
      default: {
        servers: {
          a: {
            url: "https://a.example.com",
            ...(transport && { transport }),
            headers: { authorization: "${T}" },
            timeoutMs: 5,
          },
        },
        secrets: { a: { T: "hunter22" } },
        collisions: "error",
      },
    });
  });
}

Deno.test("parseConfig() reads the limits of agents and of all agents, from the environment too", () => {
  const text = `
servers: { ${A} }
agents:
  Kairos: { servers: [a], limits: { callsPerMinute: "\${env:CALLS}", concurrentCalls: 0 } }
  Mercurius: { servers: [a] }
limits: { callsPerMinutePerCaller: 60, callsPerLease: 5, concurrentCallsPerCaller: 4 }`;
  const { agents, limits } = parseConfig(text, { env: { CALLS: "600" } });
  assertEquals(agents.Kairos?.limits, { callsPerMinute: 600, concurrentCalls: 0 });
  assertEquals(agents.Mercurius?.limits, undefined);
  assertEquals(limits, { callsPerMinutePerCaller: 60, concurrentCallsPerCaller: 4, callsPerLease: 5 });
  const only = parseConfig(`mcpServers: { ${A} }\nlimits: { callsPerMinute: 6 }`);
  assertEquals([only.agents.default?.limits, only.limits], [{ callsPerMinute: 6 }, undefined]);
});

Deno.test("parseConfig() reads ${env:NAME} in every text of a server, with defaults", () => {
  const text = `
servers:
  a:
    url: "https://\${env:HOST}/mcp"
    transport: "\${env:TRANSPORT:-sse}"
    timeoutMs: "\${env:TIMEOUT_MS}"
    allowPrivate: \${env:PRIVATE:-true}
    headers: { x: "\${env:EMPTY:-fallback}" }
    tools: { deny: ["\${env:DENY}"] }
agents: { A: { servers: [a], keys: ["\${env:KEY}"] } }
`;
  const env = { HOST: "a.example.com", TIMEOUT_MS: "250", EMPTY: "", DENY: "x_*", KEY: DIGEST };
  const { agents, keys } = parseConfig(text, { env });
  assertEquals(JSON.parse(JSON.stringify(agents.A?.servers.a)), {
    url: "https://a.example.com/mcp",
    transport: "sse",
    timeoutMs: 250,
    allowPrivate: true,
    headers: { x: "fallback" },
    tools: { deny: ["x_*"] },
  });
  assertEquals(keys?.A, [DIGEST]);
});

Deno.test("parseConfig() then resolveAgent() keep what came from the environment as it was", () => {
  const value = fc.array(fc.constantFrom("$", "{", "}", "${", "${T}", "$${", "${env:V}", "x"), { maxLength: 8 })
    .map((parts) => `v${parts.join("")}`);
  const text = `
servers: { a: { url: https://a.example.com, headers: { x: "\${env:V}\${T}$\${T}" }, tools: { deny: ["\${env:V}"] } } }
agents: { A: { servers: [a], secrets: { a: { T: "\${env:V}" } } } }
`;
  fc.assert(fc.property(value, (v) => {
    const { agents } = parseConfig(text, { env: { V: v } });
    assert(agents.A);
    const { servers } = resolveAgent("A", agents.A);
    assertEquals(servers[0]?.headers.x?.reveal(), `${v}${v}\${T}`);
    assertEquals(servers[0]?.tools.deny, [v]);
  }));
});

Deno.test("parseConfig() finishes where thousands of names are unknown", () => {
  const servers = Array.from({ length: 5_000 }, (_, index) => `s${index}: {url: "http://[::1]"}`).join(",");
  const names = Array.from({ length: 20_000 }, (_, index) => `t${index}`).join(",");
  const start = performance.now();
  assertEquals(pathsOf(`servers: {${servers}}\nagents: { A: { servers: [${names}] } }`).length, 1_001);
  assertLess(performance.now() - start, 5_000);
});

Deno.test("parseConfig() allows aliases for what is repeated", () => {
  const text =
    "servers: { a: &a { url: 'http://[::1]' }, b: *a }\nagents: { A: { servers: &l [a, b] }, B: { servers: *l } }";
  assertEquals(Object.keys(parseConfig(text).agents.B?.servers ?? {}), ["a", "b"]);
});

Deno.test("parseConfig() throws nothing but ConfigError on any JSON", () => {
  const word = fc.constantFrom(
    "servers",
    "agents",
    "secrets",
    "url",
    "headers",
    "tools",
    "keys",
    "__proto__",
    "a",
    "type",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "large" },
      fc.constantFrom(null, true, 0, "", "a", "http://[::1]", "${a}", "${env:A}", DIGEST),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(word, tie("tree"), { maxKeys: 4 }),
    ),
  }));
  const root = fc.record({ servers: tree, agents: fc.dictionary(word, tree), mcpServers: tree }, { requiredKeys: [] });
  fc.assert(
    fc.property(root, (data) => {
      try {
        parseConfig(JSON.stringify(data));
      } catch (error) {
        assert(error instanceof ConfigError, String(error));
      }
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("parseConfig() shows no value of the environment in a fault", () => {
  const field = fc.constantFrom("url", "transport", "timeoutMs", "allowPrivate", "headers", "tools");
  const value = fc.tuple(
    fc.constantFrom("", "http://", "http://10.0.0.1/", "\n", "ftp://u@", "${"),
    fc.constant("hunter22"),
  )
    .map((parts) => parts.join(""));
  fc.assert(fc.property(field, value, (name, secret) => {
    const inner = name === "headers" ? { x: "${env:V}\n" } : name === "tools" ? { deny: ["${env:V}${x}"] } : "${env:V}";
    const text = JSON.stringify({
      servers: { a: { url: "https://${env:V}:x/${T}", [name]: inner } },
      agents: { A: { servers: ["a"], secrets: { a: { T: "${env:V}" } }, keys: ["${env:V}"] } },
    });
    const error = assertThrows(() => parseConfig(text, { env: { V: secret } }), ConfigError);
    assertFalse(Deno.inspect(error, { depth: 9 }).includes("hunter22"));
  }));
});
