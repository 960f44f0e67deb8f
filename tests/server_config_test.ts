import { assert, assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ConfigError, type ConfigFault } from "../src/errors.ts";
import { type AgentConfig, resolveAgent, type ResolveOptions, resolveServer } from "../src/server_config.ts";

const URL_OK = "https://a.example.com/mcp";

/** Calls as JavaScript would, without the types. */
function resolveUntyped(agent: string, config: unknown, options?: ResolveOptions) {
  return resolveAgent(agent, config as AgentConfig, options);
}

function faultsOf(action: () => unknown): readonly ConfigFault[] {
  const error = assertThrows(action, ConfigError);
  assertEquals(error.code, "invalid_config");
  return error.faults;
}

Deno.test("resolveAgent() fills in defaults, secrets and order", () => {
  const resolved = resolveAgent("Kairos", {
    servers: {
      zeta: { url: "http://localhost:8000/mcp#x" },
      alpha: {
        url: "https://a.example.com/${TENANT}/mcp",
        transport: "sse",
        headers: { Authorization: "Bearer ${TOKEN}", "X-Plain": "a $${b}" },
        timeoutMs: 8_000,
        tools: { deny: ["delete_*"] },
      },
    },
    secrets: { alpha: { TOKEN: "hunter22", TENANT: "acme" } },
  });
  assertEquals(resolved.agent, "Kairos");
  assertEquals(resolved.collisions, "first");
  const [zeta, alpha] = resolved.servers;
  assert(zeta && alpha);
  assertEquals(String(zeta.url), "http://localhost:8000/mcp");
  assertEquals([zeta.transport, zeta.timeoutMs, zeta.allowPrivate], ["auto", undefined, false]);
  assertEquals(zeta.tools, { allow: ["*"], deny: [] });
  assertEquals(String(alpha.url), "https://a.example.com/acme/mcp");
  assertEquals([alpha.transport, alpha.timeoutMs], ["sse", 8_000]);
  assertEquals(alpha.tools, { allow: ["*"], deny: ["delete_*"] });
  assertEquals(Object.keys(alpha.headers), ["authorization", "x-plain"]);
  assertEquals(alpha.headers.authorization?.reveal(), "Bearer hunter22");
  assertEquals(alpha.headers["x-plain"]?.reveal(), "a ${b}");
});

Deno.test("resolveAgent() keeps an empty allow list and the given policy", () => {
  const { servers, collisions } = resolveAgent("A", {
    servers: { a: { url: URL_OK, tools: { allow: [] }, allowPrivate: true } },
    collisions: "error",
  });
  assertEquals(collisions, "error");
  assertEquals(servers[0]?.tools, { allow: [], deny: [] });
  assertStrictEquals(servers[0]?.allowPrivate, true);
});

Deno.test("resolveAgent() takes an agent without servers", () => {
  assertEquals(resolveAgent("A", { servers: {} }).servers, []);
});

Deno.test("resolveAgent() never looks into a secret's value", () => {
  fc.assert(fc.property(fc.stringMatching(/^[$ {}AB:a-z-]{0,12}$/), (value) => {
    const { servers } = resolveAgent("A", {
      servers: { a: { url: URL_OK, headers: { x: "${A}${B}" } } },
      secrets: { a: { A: value, B: "${A}" } },
    });
    assertEquals(servers[0]?.headers.x?.reveal(), `${value}\${A}`);
  }));
});

Deno.test("resolveAgent() does not show a header's value in JSON, in the console or as text", () => {
  fc.assert(fc.property(fc.stringMatching(/^[a-z0-9]{12,20}$/), (value) => {
    const resolved = resolveAgent("A", {
      servers: { a: { url: URL_OK, headers: { x: "Bearer ${T}" } } },
      secrets: { a: { T: value } },
    });
    const shown = JSON.stringify(resolved) + Deno.inspect(resolved, { depth: 9 }) +
      Object.values(resolved.servers[0]?.headers ?? {}).join();
    assertFalse(shown.includes(value));
  }));
});

for (const name of ["constructor", "toString", "hasOwnProperty", "valueOf"]) {
  Deno.test(`resolveAgent() takes "${name}" as any name of agent, server and secret`, () => {
    const servers = { [name]: { url: URL_OK, headers: { x: `\${${name}}`, [name]: "y" } } };
    const resolved = resolveAgent(name, { servers, secrets: { [name]: { [name]: "hunter22" } } });
    assertEquals(resolved.servers[0]?.name, name);
    assertEquals(resolved.servers[0]?.headers.x?.reveal(), "hunter22");
    assertEquals(faultsOf(() => resolveAgent(name, { servers })).map(({ path }) => path), [
      `agents.${name}.secrets.${name}.${name}`,
    ]);
    assertEquals(resolveAgent("A", { servers: { a: { url: URL_OK } } }).servers[0]?.headers[name], undefined);
  });
}

Deno.test('resolveAgent() treats "__proto__" as an unknown name', () => {
  const config: unknown = JSON.parse(
    `{ "servers": { "__proto__": { "url": "${URL_OK}" }, "a": { "url": "${URL_OK}", "__proto__": 1,
       "headers": { "x": "\${__proto__}" } } }, "secrets": { "__proto__": {} }, "__proto__": {} }`,
  );
  assertEquals(
    faultsOf(() => resolveUntyped("A", config)).map(({ path }) => path).sort(),
    [
      "agents.A.__proto__",
      "agents.A.secrets.a.__proto__",
      "agents.A.servers.__proto__",
      "agents.A.servers.a.__proto__",
    ].filter((path) => path !== "agents.A.secrets.__proto__"),
  );
  assertEquals(faultsOf(() => resolveAgent("__proto__", { servers: {} })).map(({ path }) => path), [
    "agents.__proto__",
  ]);
});

const bad = (server: unknown) => ({ servers: { a: server } });
const withSecret = (url: string, value: string, headers: unknown = {}) => ({
  servers: { a: { url, headers } },
  secrets: { a: { T: value } },
});

/** What is wrong, the configuration, and the path and the start of the message of each fault. */
const FAULTS: readonly (readonly [string, unknown, ...(readonly [string, string])[]])[] = [
  ["no mapping", null, ["", "Cannot be empty: write a mapping"]],
  ["a list", [], ["", "Cannot be a list: write a mapping"]],
  ["a Map", new Map(), ["", "Cannot be an object of this kind: write a mapping"]],
  ["no servers", {}, ["servers", "Missing: write a mapping of names to servers"]],
  ["a list of servers", { servers: [] }, ["servers", "Cannot be a list: write a mapping"]],
  ["an unknown key", { servers: {}, secert: {} }, ["secert", 'Unknown key: did you mean "secrets"']],
  [
    "an unknown key that resembles none",
    { servers: {}, x: 1 },
    ["x", 'Unknown key: known are "servers", "secrets", "collisions"'],
  ],
  ["an unknown policy", { servers: {}, collisions: "last" }, ["collisions", 'Unknown policy: write one of "first"']],
  ["a policy of the wrong type", { servers: {}, collisions: 1 }, ["collisions", "Cannot be a number: write one of"]],
  ["a server's name", { servers: { "a b": { url: URL_OK } } }, ['servers["a b"]', "Cannot be used as a name: write"]],
  ["a long name", { servers: { ["a".repeat(33)]: { url: URL_OK } } }, [
    `servers.${"a".repeat(33)}`,
    "Cannot be used as a name: write a letter",
  ]],
  ["a server that is a string", bad(URL_OK), ["servers.a", 'Cannot be a string: write a mapping with a "url"']],
  ["no url", bad({}), ["servers.a.url", "Missing: write the http(s) URL"]],
  ["a url of the wrong type", bad({ url: new URL(URL_OK) }), ["servers.a.url", "Cannot be an object of this kind"]],
  ["a url that is none", bad({ url: "a.example.com" }), ["servers.a.url", "Cannot use as a URL: write one"]],
  ["a private url", bad({ url: "http://10.0.0.1/" }), ["servers.a.url", "Cannot use a special address (private)"]],
  ["userinfo", bad({ url: "https://u:p@a.example.com" }), ["servers.a.url", "Cannot use a URL with a user name"]],
  ["a malformed reference", bad({ url: "https://${" }), ["servers.a.url", "Malformed reference at character 9"]],
  ["an environment reference", bad({ url: "https://${env:A}" }), [
    "servers.a.url",
    'Cannot refer to environment variable "A" as no environment was given',
  ]],
  ["an unknown key of a server", bad({ url: URL_OK, hedaers: {} }), [
    "servers.a.hedaers",
    'Unknown key: did you mean "headers"',
  ]],
  ["type", bad({ url: URL_OK, type: "http" }), ["servers.a.type", 'Unknown key: did you mean "transport"']],
  ["an unknown transport", bad({ url: URL_OK, transport: "http" }), [
    "servers.a.transport",
    "Unknown transport: write one of",
  ]],
  ["stdio", bad({ command: "npx", args: ["-y"], env: { A: "b" } }), [
    "servers.a.command",
    "Cannot start a server as a process, as the edge has none: run it behind a bridge such as supergateway",
  ]],
  ["stdio by args", bad({ args: [] }), ["servers.a.args", "Cannot start a server as a process"]],
  ["headers of the wrong type", bad({ url: URL_OK, headers: ["a: b"] }), ["servers.a.headers", "Cannot be a list"]],
  ["a header of the wrong type", bad({ url: URL_OK, headers: { x: 1 } }), [
    "servers.a.headers.x",
    "Cannot be a number",
  ]],
  ["a header's name", bad({ url: URL_OK, headers: { "a b": "c" } }), [
    'servers.a.headers["a b"]',
    "Cannot be the name of a header",
  ]],
  ["a header twice", bad({ url: URL_OK, headers: { "X-A": "1", "x-a": "2" } }), [
    "servers.a.headers.x-a",
    "Cannot set a header twice",
  ]],
  ["a line break in a header", bad({ url: URL_OK, headers: { x: "a\r\nb: c" } }), [
    "servers.a.headers.x",
    "Cannot be sent as a header as its value holds a line break",
  ]],
  ["NUL in a header", bad({ url: URL_OK, headers: { x: "a\0" } }), [
    "servers.a.headers.x",
    "Cannot be sent as a header",
  ]],
  ["an emoji in a header", bad({ url: URL_OK, headers: { x: "⛵" } }), [
    "servers.a.headers.x",
    "Cannot be sent as a header",
  ]],
  ["a line break in a secret", withSecret(URL_OK, "hunter22\n", { x: "Bearer ${T}" }), [
    "servers.a.headers.x",
    "Cannot be sent as a header as its value holds a line break: remove it (with the secrets at agents.A.secrets.a)",
  ]],
  ["a secret that makes the url private", withSecret("http://${T}/", "10.0.0.1"), [
    "servers.a.url",
    "Cannot use a special address (private)",
  ]],
  ["a secret that adds userinfo", withSecret("https://${T}a.example.com/", "u:hunter22@"), [
    "servers.a.url",
    "Cannot use a URL with a user name",
  ]],
  ["a secret that is the whole url", withSecret("${T}", "hunter22:hunter22"), ["servers.a.url", "Cannot use as a URL"]],
  ["a missing secret, once for all its uses", {
    servers: { a: { url: "https://a.example.com/${T}", headers: { x: "${T}", y: "${T}" } } },
  }, [
    "secrets.a.T",
    "Missing secret for agents.A.servers.a.url, agents.A.servers.a.headers.x, agents.A.servers.a.headers.y: add it",
  ]],
  ["a missing secret with a similar one", {
    servers: { a: { url: URL_OK, headers: { x: "${TOKEN}" } } },
    secrets: { a: { TOKNE: "hunter22" } },
  }, [
    "secrets.a.TOKEN",
    'Missing secret for agents.A.servers.a.headers.x: add it, or did you mean "TOKNE"',
  ]],
  ["a secret of another server", {
    servers: { a: { url: URL_OK, headers: { x: "${T}" } }, b: { url: URL_OK } },
    secrets: { b: { T: "hunter22" } },
  }, ["secrets.a.T", "Missing secret"]],
  ["secrets for an unknown server", { servers: { calendar: { url: URL_OK } }, secrets: { calender: { T: "x" } } }, [
    "secrets.calender",
    'Unknown server: did you mean "calendar"',
  ]],
  ["secrets of the wrong type", { ...bad({ url: URL_OK }), secrets: "hunter22" }, ["secrets", "Cannot be a string"]],
  ["a secret of the wrong type", { ...bad({ url: URL_OK }), secrets: { a: { T: 1234 } } }, [
    "secrets.a.T",
    "Cannot be a number: write a string, in quotes where it looks like a number",
  ]],
  ["a secret's name", { ...bad({ url: URL_OK }), secrets: { a: { "a-b": "x" } } }, [
    "secrets.a.a-b",
    "Cannot be the name of a secret",
  ]],
  ["tools as a list", bad({ url: URL_OK, tools: ["a"] }), [
    "servers.a.tools",
    'Cannot be a list: write a mapping with "allow"',
  ]],
  ["allow as a string", bad({ url: URL_OK, tools: { allow: "*" } }), [
    "servers.a.tools.allow",
    "Cannot be a string: write a list",
  ]],
  ["an unknown key of tools", bad({ url: URL_OK, tools: { denny: [] } }), [
    "servers.a.tools.denny",
    'Unknown key: did you mean "deny"',
  ]],
  ["a pattern of the wrong type", bad({ url: URL_OK, tools: { deny: ["a", 1] } }), [
    "servers.a.tools.deny[1]",
    "Cannot be a number",
  ]],
  ["an empty pattern", bad({ url: URL_OK, tools: { deny: [""] } }), [
    "servers.a.tools.deny[0]",
    "Cannot be a pattern of 0",
  ]],
  ["a secret in a pattern", bad({ url: URL_OK, tools: { deny: ["${T}"] } }), [
    "servers.a.tools.deny[0]",
    'Cannot refer to secrets here, as "${T}" does: write "${env:NAME}", or "$${" for "${"',
  ]],
  ["allowPrivate as a string", bad({ url: URL_OK, allowPrivate: "yes" }), [
    "servers.a.allowPrivate",
    "Cannot be a string: write true",
  ]],
  ...[0, -1, 1.5, 3_600_001].map((timeoutMs): readonly [string, unknown, readonly [string, string]] => [
    `timeoutMs ${timeoutMs}`,
    bad({ url: URL_OK, timeoutMs }),
    [
      "servers.a.timeoutMs",
      `Cannot be a time-out as it is out of range: write milliseconds as a whole number from 1 to 3600000`,
    ],
  ]),
  ["timeoutMs NaN", bad({ url: URL_OK, timeoutMs: NaN }), [
    "servers.a.timeoutMs",
    "Cannot be a time-out as it is out of range",
  ]],
  ["timeoutMs as a string", bad({ url: URL_OK, timeoutMs: "10s" }), ["servers.a.timeoutMs", "Cannot be a string"]],
  ["several faults", { servers: { a: { url: 1, timeoutMs: 0 }, b: {} }, x: 1 }, ["x", ""], ["servers.a.url", ""], [
    "servers.a.timeoutMs",
    "",
  ], ["servers.b.url", ""]],
];

for (const [name, config, ...expected] of FAULTS) {
  Deno.test(`resolveAgent() rejects ${name} with its path, without values`, () => {
    const faults = faultsOf(() => resolveUntyped("A", config));
    assertEquals(
      faults.map(({ path }) => path),
      expected.map(([path]) => path === "" ? "agents.A" : `agents.A.${path}`),
    );
    for (const [index, [, start]] of expected.entries()) {
      const message = faults[index]?.message ?? "";
      assertEquals(message.slice(0, start.length), start);
    }
    assertFalse(JSON.stringify(faults).includes("hunter22"));
  });
}

for (
  const header of ["Accept", "connection", "content-length", "Content-Type", "host", "Mcp-Method", "mcp-name"].concat(
    ["MCP-Protocol-Version", "mcp-session-id", "mcp-param-region", "transfer-encoding", "upgrade", "last-event-id"],
  )
) {
  Deno.test(`resolveAgent() rejects header ${header} as the protocol owns it`, () => {
    const faults = faultsOf(() => resolveUntyped("A", bad({ url: URL_OK, headers: { [header]: "x" } })));
    assertEquals(faults.map(({ message }) => message), ["Cannot set this header as the protocol owns it: remove it"]);
  });
}

for (const name of ["", "1a", "_a", "a b", "a".repeat(65), "é"]) {
  Deno.test(`resolveAgent() rejects agent name ${JSON.stringify(name)}`, () => {
    assertEquals(faultsOf(() => resolveAgent(name, { servers: {} })).length, 1);
  });
}

Deno.test("resolveAgent() gives paths below options.path, also when that is empty", () => {
  const paths = (path: string) => faultsOf(() => resolveUntyped("A", bad({}), { path })).map((fault) => fault.path);
  assertEquals(paths("clients[2]"), ["clients[2].servers.a.url"]);
  assertEquals(paths(""), ["servers.a.url"]);
});

Deno.test("resolveAgent() refers to options.env, its own members alone", () => {
  const config = { servers: { a: { url: URL_OK, headers: { x: "${env:A}", y: "${env:toString:-d}" } } } };
  const { servers } = resolveAgent("A", config, { env: { A: "${env:A}" } });
  assertEquals([servers[0]?.headers.x?.reveal(), servers[0]?.headers.y?.reveal()], ["${env:A}", "d"]);
});

Deno.test("resolveAgent() lists 1,000 faults at most and counts the others", () => {
  const servers = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`s${index}`, {}]));
  const faults = faultsOf(() => resolveUntyped("A", { servers }));
  assertEquals(faults.length, 1_001);
  assertEquals(faults.at(-1), { path: "", message: "Further faults that are not listed: 500" });
});

Deno.test("resolveAgent() throws nothing but ConfigError on any data", () => {
  const word = fc.constantFrom("servers", "secrets", "url", "headers", "tools", "allow", "__proto__", "a", "x", "${a}");
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "medium" },
      fc.constantFrom(null, undefined, true, 0, NaN, "", URL_OK, "${a}", "${env:A}"),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(word, tie("tree"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(fc.property(tree, tree, (servers, secrets) => {
    try {
      resolveUntyped("A", { servers: { a: servers }, secrets });
    } catch (error) {
      assert(error instanceof ConfigError, String(error));
    }
  }));
});

Deno.test("resolveServer() fills in defaults and secrets", () => {
  const server = resolveServer("a", { url: URL_OK, headers: { x: "${T}" } }, { T: "hunter22" });
  assertEquals([server.name, server.url.href, server.transport], ["a", URL_OK, "auto"]);
  assertEquals(server.headers.x?.reveal(), "hunter22");
});

Deno.test("resolveServer() rejects with every fault and its path", () => {
  const paths = (options?: ResolveOptions) =>
    faultsOf(() => resolveServer("a", { url: "x", headers: { x: "${T}" } }, {}, options)).map(({ path }) => path);
  assertEquals(paths(), ["servers.a.url", "secrets.a.T"]);
  assertEquals(paths({ path: "config" }), ["config.url", "secrets.a.T"]);
  assertEquals(faultsOf(() => resolveServer("a b", { url: URL_OK })).map(({ path }) => path), ['servers["a b"]']);
});
