import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { MultiServerMCPClient } from "../../src/multi_server_client.ts";
import { checkServers, type CheckServersOptions } from "../../src/operation/check_servers.ts";
import type { ServerFinding } from "../../src/operation/server_finding.ts";
import type { AgentConfig, ServerConfig } from "../../src/server_config.ts";
import { browse } from "../support/auth_support.ts";
import { MACHINE, PERSON, startAuthorized } from "../support/authorized_servers.ts";
import * as does from "../support/behaviours.ts";
import { assertNoCanary, CANARY, until } from "../support/client_support.ts";
import { type RawServerScript, refusedUrl, startRawServer, startSilentServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { textResult } from "../support/test_tools.ts";

async function checkOne(server: ServerConfig, options: CheckServersOptions = {}): Promise<ServerFinding> {
  const config = { agents: { Kairos: { servers: { files: server }, secrets: { files: { TOKEN: CANARY } } } } };
  const [finding, ...others] = await checkServers(config, options);
  assert(finding !== undefined);
  assertEquals(others, []);
  assertNoCanary(finding);
  return finding;
}

const NOT_MCP = 'Correct the path in its "url", which often ends in "/mcp" or "/sse": ' +
  "what answers there is no MCP server, but a web page, a login or another service";
const KEYED = { headers: { authorization: "Bearer ${TOKEN}" } };

/** What each method answers, and what is to be done about it. */
const FAULTS: readonly (readonly [
  fault: string,
  script: RawServerScript,
  code: string,
  advice: string | RegExp,
  server?: Omit<ServerConfig, "url">,
])[] = [
  [
    "401 to a server without a credential",
    everything(does.status(401)),
    "unauthorized",
    'Give it a credential: an "authorization" under its "headers", or "auth"',
  ],
  [
    "401 to a credential",
    everything(does.status(401, { body: CANARY })),
    "unauthorized",
    /^Renew its credential: /,
    KEYED,
  ],
  [
    "403 to a credential",
    everything(does.status(403)),
    "forbidden",
    /for the rights that its credential lacks$/,
    KEYED,
  ],
  ["403 to a server without a credential", everything(does.status(403)), "forbidden", /^Give it a credential, under /],
  ["404 to everything", everything(does.status(404, { body: CANARY })), "unsupported_protocol", NOT_MCP],
  ["405 to everything", everything(does.status(405)), "unsupported_protocol", NOT_MCP],
  ["an HTML page with 200", everything(does.htmlPage), "bad_response", NOT_MCP],
  ["JSON that breaks off", everything(does.invalidJson), "bad_response", NOT_MCP],
  ["HTTP 500", everything(does.status(500)), "upstream_error", "Look at the server's log: it failed (HTTP 500)"],
  ["HTTP 502", everything(does.status(502)), "upstream_error", /^Start the server behind its proxy: .*\(HTTP 502\)/],
  ["429", everything(does.rateLimited(7)), "rate_limited", /^Wait 7 s: Ask again later, /],
  [
    "a redirect to another origin",
    everything(does.redirectTo("https://elsewhere.example.com/mcp")),
    "redirect_refused",
    /^Write the URL that it redirects to as its "url": /,
    KEYED,
  ],
  [
    "an error to the list",
    { "tools/list": does.rpcError(-32603, CANARY) },
    "upstream_error",
    "Look at the server's log: it refused to list its tools",
  ],
  ["a list that is none", { "tools/list": does.answer({ tools: 7 }) }, "bad_response", NOT_MCP],
  ["a list of 9 MiB", { "tools/list": does.oversizeJson(9 * 2 ** 20) }, "too_large", /^Ask for fewer or smaller tools/],
  [
    "a closed connection",
    everything(does.drop),
    "unreachable",
    /^Look at the server's log, and check whether its "url"/,
  ],
];

function everything(behaviour: does.Behaviour): RawServerScript {
  return { "server/discover": behaviour, initialize: behaviour, GET: behaviour };
}

for (const [fault, script, code, advice, more] of FAULTS) {
  Deno.test(`checkServers() says what to do about ${fault}`, async () => {
    await using server = startRawServer(script);
    const finding = await checkOne({ url: server.url, ...more });
    assertEquals([finding.ok, finding.code, finding.toolCount], [false, code, undefined]);
    assertMatch(finding.message, /^Cannot /);
    if (typeof advice === "string") assertEquals(finding.advice, advice);
    else assertMatch(finding.advice, advice);
  });
}

Deno.test("checkServers() says what to do where nothing could be sent", async () => {
  await using server = startModernServer();
  const cases: readonly (readonly [string, RegExp])[] = [
    [refusedUrl(), /^Start the server, or correct the host and the port in its "url"/],
    [server.url.replace("http:", "https:"), /^Check that its certificate is valid, .* "http:\/\/" in its "url"$/],
    ["http://nowhere.invalid/mcp", /^Check the host in its "url" for a typing error/],
  ];
  for (const [url, advice] of cases) {
    const finding = await checkOne({ url, headers: { "x-key": "${TOKEN}" } });
    assertEquals(finding.code, "unreachable", url);
    assertMatch(finding.advice, advice);
  }
});

Deno.test("checkServers() gives a server that hangs no more than its own time", async () => {
  await using silent = startSilentServer();
  const finding = await checkOne({ url: silent.url, timeoutMs: 60 }, { timeoutMs: 5_000 });
  assertEquals(finding.code, "deadline_exceeded");
  assertEquals(
    finding.advice,
    'Look at whether the server hangs; if it is only slow, give it more than 60 ms by its "timeoutMs"',
  );
  await until(() => silent.openConnections() === 0);
});

Deno.test("checkServers() shows nothing of the secrets of a URL, of headers and of an auth", async () => {
  await using server = startRawServer(everything(does.status(404, { body: CANARY })));
  for (const url of [`${server.url}/\${TOKEN}?key=\${TOKEN}`, `http://\${TOKEN}.invalid/mcp`]) {
    for (const more of [{}, KEYED, { auth: { clientId: "a", clientSecret: "${TOKEN}" } }]) {
      const finding = await checkOne({ url, ...more });
      assertEquals(finding.ok, false);
    }
  }
});

Deno.test("checkServers() gets tokens as the gateway would, and tells who has to do something where it cannot", async () => {
  await using server = await startAuthorized();
  const auth = { ...MACHINE, allowPrivate: true };
  const cases: readonly (readonly [ServerConfig["auth"], string | undefined, RegExp])[] = [
    [auth, undefined, /^$/],
    [
      { ...auth, clientSecret: `${CANARY} and more than 32 bytes of it` },
      "auth_failed",
      /^Check "auth": the client's id/,
    ],
    [{ ...auth, issuers: ["https://login.example.com"] }, "auth_failed", /listed under "issuers" where there are any$/],
    [
      PERSON,
      "authorization_required",
      /^Have a person authorize it by its authorization URL, or use client credentials/,
    ],
  ];
  for (const [auth, code, advice] of cases) {
    const finding = await checkOne(server.config(auth));
    assertEquals([finding.code, finding.toolCount], [code, code === undefined ? 4 : undefined]);
    assertMatch(finding.advice, advice);
  }
});

Deno.test("checkServers() uses the tokens that a person has got for the agent", async () => {
  await using server = await startAuthorized();
  const [store, storeSecret] = [new MemoryRouteStore(), new TextEncoder().encode("a secret of more than 16 bytes")];
  const config = { agents: { Kairos: { servers: { files: server.config(PERSON) } } } };
  const codes = async () => (await checkServers(config, { store, storeSecret })).map(({ code }) => code);
  assertEquals(await codes(), ["authorization_required"]);
  await using gateway = new MultiServerMCPClient("Kairos", config.agents.Kairos, {
    store,
    storeSecret,
    onAuthorize: browse,
  });
  await gateway.callTool("whoami");
  assertEquals(await codes(), [undefined]);
});

Deno.test("checkServers() tells of both eras and transports, in the order of the configuration", async () => {
  await using legacy = await startMCPServer();
  await using sse = await startMCPServer({ transport: "sse" });
  await using modern = startModernServer();
  const servers = {
    down: { url: refusedUrl() },
    legacy: { url: legacy.url },
    sse: { url: sse.url },
    modern: { url: modern.url },
  };
  const told: string[] = [];
  const config = {
    agents: { Kairos: { servers, collisions: "prefix" }, Mercurius: { servers: { modern: servers.modern } } },
  };
  const findings = await checkServers(config as { agents: Record<string, AgentConfig> }, {
    onChecked: ({ agent, server }) => told.push(`${agent}.${server}`),
  });
  const seen = findings.map(({ agent, server, ok, era, transport, protocolVersion, toolCount }) =>
    [agent, server, ok, era, transport, protocolVersion, toolCount] as const
  );
  assertEquals(seen, [
    ["Kairos", "down", false, undefined, undefined, undefined, undefined],
    ["Kairos", "legacy", true, "legacy", "streamable_http", "2025-11-25", 3],
    ["Kairos", "sse", true, "legacy", "sse", "2025-11-25", 3],
    ["Kairos", "modern", true, "modern", "streamable_http", "2026-07-28", 2],
    ["Mercurius", "modern", true, "modern", "streamable_http", "2026-07-28", 2],
  ]);
  assertEquals(findings[1]?.message, 'Server "legacy" lists 3 tools for "Kairos"');
  assertEquals(told.toSorted(), findings.map(({ agent, server }) => `${agent}.${server}`).toSorted());
  // Who would send the same shares a connection; the session of the other is ended.
  assertEquals([modern.count("server/discover"), legacy.sessions], [1, []]);
  const warnings = findings.map(({ warnings }) => warnings.map(({ code }) => code));
  assertEquals(warnings, [[], [], ["sse_only"], [], []]);
});

Deno.test("checkServers() checks all at once, as many as the pool lets", async () => {
  let running = 0;
  const peaks: number[] = [];
  const all = Promise.withResolvers<void>();
  for (const concurrency of [2, 4]) {
    let peak = 0;
    const fetch: typeof globalThis.fetch = async () => {
      peak = Math.max(peak, ++running);
      if (peak === 4) all.resolve();
      if (concurrency === 4) await all.promise;
      running--;
      return new Response(null, { status: 401 });
    };
    const names = ["a", "b", "c", "d"];
    const servers = Object.fromEntries(names.map((name) => [name, { url: `http://localhost:9/${name}` }]));
    const findings = await checkServers({ agents: { Kairos: { servers } } }, { concurrency, fetch });
    assertEquals(findings.map(({ code }) => code), names.map(() => "unauthorized" as const));
    peaks.push(peak);
  }
  assertEquals([(peaks[0] ?? 9) <= 2, peaks[1]], [true, 4]);
});

Deno.test("checkServers() warns of shadowed names, unused patterns and filters that let nothing through", async () => {
  await using one = await startMCPServer();
  await using other = await startMCPServer();
  const servers = {
    one: { url: one.url, tools: { allow: ["echo", "ad*", "raed_*"] } },
    other: { url: other.url, tools: { deny: ["whoami"] } },
    third: { url: other.url, tools: { allow: ["nothing*"] } },
  };
  const findings = await checkServers({ agents: { Kairos: { servers } } });
  assertEquals(findings.map(({ ok, warnings }) => [ok, ...warnings]), [
    [true, {
      code: "pattern_unused",
      message: "No tool matches the pattern at tools.allow[2]",
      advice: "Correct the pattern, or remove it",
    }],
    [true, {
      code: "tools_shadowed",
      message: 'Others list tools of the same names: "add", "echo"',
      advice: 'Call them by their qualified names, as in "other__add", ' +
        'or list this server before "one" to have the bare ones lead here',
    }],
    [true, {
      code: "tools_none",
      message: "The agent has no tool of it",
      advice: 'Correct the patterns of its "tools": they let none through',
    }],
  ]);
});

Deno.test("checkServers() warns of dropped tools, of lists that were cut, and of servers without tools", async () => {
  const echo = { name: "echo", inputSchema: { type: "object" } };
  await using dropping = startRawServer({}, { tools: [echo, { name: "\u001b[31m", inputSchema: {} }] });
  await using endless = startRawServer({ "tools/list": does.answer({ tools: [echo], nextCursor: "again" }) });
  await using empty = startRawServer({ "tools/list": does.rpcError(-32601, "Method not found") });
  const warnings = [];
  for (const { url } of [dropping, endless, empty]) warnings.push((await checkOne({ url })).warnings);
  assertEquals(warnings.flat().map(({ code }) => code), [
    "tools_dropped",
    "tools_dropped",
    "tools_partial",
    "tools_none",
  ]);
  assertEquals(warnings[2]?.[0]?.advice, "Remove the server, unless its resources or prompts are wanted");
});

Deno.test("checkServers() warns of a credential that goes over http to another machine", async () => {
  await using server = await startMCPServer();
  const fetch: typeof globalThis.fetch = (_url, init) => globalThis.fetch(server.url, init);
  const headers = { "x-key": "${TOKEN}" };
  const codesOf = async (config: ServerConfig) => (await checkOne(config, { fetch })).warnings.map(({ code }) => code);
  assertEquals(await codesOf({ url: "http://files.example.com/mcp", headers }), ["plaintext_credential"]);
  assertEquals(await codesOf({ url: "http://192.168.7.7/mcp", headers, allowPrivate: true }), ["plaintext_credential"]);
  assertEquals(await codesOf({ url: "http://files.example.com/mcp" }), []);
  assertEquals(await codesOf({ url: "https://files.example.com/mcp", headers }), []);
  assertEquals(await codesOf({ url: "http://[::1]:7/mcp", headers }), []);
});

Deno.test("checkServers() warns of a server that takes more than half of its time", async () => {
  await using server = await startMCPServer();
  const times = [1_000, 6_001];
  const { warnings, durationMs } = await checkOne({ url: server.url }, { now: () => times.shift() ?? 0 });
  assertEquals([durationMs, warnings], [5_001, [{
    code: "slow",
    message: "It took 5001 ms of the 10000 ms it was given",
    advice: 'Look at why it is slow, or raise its "timeoutMs" before it fails',
  }]]);
});

Deno.test("checkServers() finds tools that a gateway has pinned otherwise, and pins none", async () => {
  const tool = (description: string) => [{ name: "read", description, run: () => textResult("ok") }];
  await using server = await startMCPServer({ tools: tool("Reads") });
  const store = new MemoryRouteStore();
  const storeSecret = new TextEncoder().encode("a secret of more than 16 bytes");
  const config: AgentConfig = { servers: { files: { url: server.url, pin: "block" } } };
  const codes = async () => {
    const findings = await checkServers({ agents: { Kairos: config } }, { store, storeSecret });
    return findings.flatMap(({ warnings }) => warnings.map(({ code }) => code));
  };
  assertEquals(await codes(), []);
  server.setTools(tool("Reads, and sends it to us"));
  // The check before has pinned nothing: the gateway sees this one first.
  await using gateway = new MultiServerMCPClient("Kairos", config, { store, storeSecret });
  await gateway.connectToServers();
  assertEquals(await codes(), []);
  server.setTools(tool("Reads"));
  assertEquals(await codes(), ["tools_changed"]);
});

Deno.test("checkServers() finds the faults of a configuration at each of its servers", async () => {
  const servers = { files: { command: "npx", args: ["-y", CANARY] }, mail: { url: "http://localhost:9/mcp" } };
  const config = { agents: { Kairos: { servers: servers as unknown as Record<string, ServerConfig> } } };
  const findings = await checkServers(config);
  assertNoCanary(findings);
  assertEquals(findings.map(({ server, code }) => [server, code]), [["files", "invalid_config"], [
    "mail",
    "invalid_config",
  ]]);
  assertMatch(findings[0]?.message ?? "", /servers\.files\.command: Cannot start a server as a process/);
  assertEquals(findings[0]?.advice, "Correct the configuration at the places that the message names");
});

Deno.test("checkServers() rejects with the reason of its signal", async () => {
  await using silent = startSilentServer();
  const reason = new Error("enough");
  const controller = new AbortController();
  const fetch: typeof globalThis.fetch = (url, init) => {
    queueMicrotask(() => controller.abort(reason));
    return globalThis.fetch(url, init);
  };
  const config = { agents: { Kairos: { servers: { files: { url: silent.url } } } } };
  const told: ServerFinding[] = [];
  const options = { signal: controller.signal, fetch, onChecked: (finding: ServerFinding) => told.push(finding) };
  assertEquals(await assertRejects(() => checkServers(config, options)), reason);
  assertEquals(await assertRejects(() => checkServers(config, options)), reason);
  assertEquals(told, []);
});

Deno.test("checkServers() gives a slow server the time that the configuration gives it", async () => {
  await using silent = startSilentServer();
  const finding = await checkOne({ url: silent.url, timeoutMs: 80 });
  assertEquals([finding.code, finding.advice.includes("more than 80 ms")], ["deadline_exceeded", true]);
});
