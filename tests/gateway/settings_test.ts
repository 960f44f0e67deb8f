import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/errors.ts";
import { parseLogSettings, parseSettings } from "../../src/gateway/settings.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

function faultPaths(env: Record<string, string>): string[] {
  return assertThrows(() => parseSettings(env), ConfigError).faults.map((fault) => fault.path);
}

Deno.test("parseSettings() has a default for everything", () => {
  assertEquals(parseSettings({ HOME: "/", PORTOLAN_KEYS: "", PORTOLAN_HOST: undefined }), {
    config: { path: "portolan.yaml" },
    configFrom: undefined,
    reload: undefined,
    kv: undefined,
    host: "127.0.0.1",
    storeSecret: undefined,
    port: 8_000,
    keys: {},
    allowedHosts: undefined,
    allowedOrigins: [],
    allowOpen: false,
    maxBodyBytes: 1_048_576,
    maxRequests: 1_000,
    connect: undefined,
    mcpSessions: "auto",
    publicUrl: undefined,
    logLevel: "info",
    logFormat: undefined,
    auditDays: 30,
  });
});

Deno.test("parseSettings() reads every variable", () => {
  const settings = parseSettings({
    PORT: "0",
    PORTOLAN_CONFIG_TEXT: "servers: {}",
    PORTOLAN_CONFIG_FROM: "kv",
    PORTOLAN_RELOAD: "off",
    PORTOLAN_STORE_SECRET: "0123456789abcdef",
    PORTOLAN_KV: "./kv.db",
    PORTOLAN_HOST: "[::1]",
    PORTOLAN_KEYS: `Kairos=${DIGEST}, ${DIGEST} ; *=${DIGEST};`,
    PORTOLAN_ALLOWED_HOSTS: "MCP.example.com, mcp.example.org:8443,[::1]:80",
    PORTOLAN_ALLOWED_ORIGINS: "https://app.example.com,http://localhost:5173",
    PORTOLAN_ALLOW_OPEN: "loopback",
    PORTOLAN_MAX_BODY_BYTES: "1000",
    PORTOLAN_MAX_REQUESTS: "50",
    PORTOLAN_CONNECT: "lazy",
    PORTOLAN_MCP_SESSIONS: "off",
    PORTOLAN_PUBLIC_URL: "https://MCP.example.com/",
    PORTOLAN_LOG_LEVEL: "debug",
    PORTOLAN_LOG_FORMAT: "json",
    PORTOLAN_AUDIT_DAYS: "90",
  });
  assertEquals(settings, {
    config: { text: "servers: {}" },
    configFrom: "kv",
    reload: "off",
    storeSecret: new TextEncoder().encode("0123456789abcdef"),
    kv: "./kv.db",
    host: "::1",
    port: 0,
    keys: { Kairos: [DIGEST, DIGEST], "*": [DIGEST] },
    allowedHosts: ["mcp.example.com", "mcp.example.org:8443", "[::1]:80"],
    allowedOrigins: ["https://app.example.com", "http://localhost:5173"],
    allowOpen: true,
    maxBodyBytes: 1_000,
    maxRequests: 50,
    connect: "lazy",
    mcpSessions: "off",
    publicUrl: "https://mcp.example.com",
    logLevel: "debug",
    logFormat: "json",
    auditDays: 90,
  });
});

Deno.test("parseSettings() reports every fault at once under the variable's name", () => {
  const paths = faultPaths({
    PORTOLAN_CONFIG: "a",
    PORTOLAN_CONFIG_TEXT: "b",
    PORT: "65536",
    PORTOLAN_KEYS: "Kairos",
    PORTOLAN_ALLOWED_HOSTS: "https://mcp.example.com",
    PORTOLAN_ALLOWED_ORIGINS: "app.example.com",
    PORTOLAN_ALLOW_OPEN: "yes",
    PORTOLAN_MAX_BODY_BYTES: "1e3",
    PORTOLAN_MAX_REQUESTS: "0",
    PORTOLAN_CONNECT: "now",
  });
  assertEquals(paths.sort(), [
    "PORT",
    "PORTOLAN_ALLOWED_HOSTS",
    "PORTOLAN_ALLOWED_ORIGINS",
    "PORTOLAN_ALLOW_OPEN",
    "PORTOLAN_CONFIG_TEXT",
    "PORTOLAN_CONNECT",
    "PORTOLAN_KEYS",
    "PORTOLAN_MAX_BODY_BYTES",
    "PORTOLAN_MAX_REQUESTS",
  ]);
});

Deno.test("parseSettings() refuses an unknown variable and names the nearest known one", () => {
  const error = assertThrows(() => parseSettings({ PORTOLAN_KEY: "*=sha256:x" }), ConfigError);
  assertEquals(error.faults.map((fault) => fault.path), ["PORTOLAN_KEY"]);
  assertStringIncludes(error.message, 'did you mean "PORTOLAN_KEYS"');
});

Deno.test("parseSettings() never repeats what may be a key", () => {
  for (const keys of ["Kairos=hunter2", "hunter2", "Kairos=sha256:hunter2", `Kairos=${DIGEST}=hunter2`, "=hunter2"]) {
    const error = assertThrows(() => parseSettings({ PORTOLAN_KEYS: keys }), ConfigError);
    assertEquals(error.message.includes("hunter2"), false);
  }
});

Deno.test("parseSettings() refuses origins that are none", () => {
  for (
    const origin of ["null", "*", "https://app.example.com/", "ftp://app.example.com", "https://app.example.com:443"]
  ) {
    assertEquals(faultPaths({ PORTOLAN_ALLOWED_ORIGINS: origin }), ["PORTOLAN_ALLOWED_ORIGINS"], origin);
  }
});

Deno.test("parseSettings() takes a store secret of 16 bytes or more, and never repeats it", () => {
  assertEquals(parseSettings({}).storeSecret, undefined);
  const secret = parseSettings({ PORTOLAN_STORE_SECRET: "0123456789abcdef" }).storeSecret;
  assertEquals(secret?.byteLength, 16);
  const error = assertThrows(() => parseSettings({ PORTOLAN_STORE_SECRET: "hunter2-hunter2" }), ConfigError);
  assertEquals(error.faults.map(({ path }) => path), ["PORTOLAN_STORE_SECRET"]);
  assert(!error.message.includes("hunter2"));
});

Deno.test("parseSettings() refuses a public URL that is no origin, or could be listened to", () => {
  const refused = ["mcp.example.com", "http://mcp.example.com", "https://mcp.example.com/mcp", "https://a.example/?b"];
  for (const url of [...refused, "https://a.example/#", "https://user@a.example"]) {
    assertEquals(faultPaths({ PORTOLAN_PUBLIC_URL: url }), ["PORTOLAN_PUBLIC_URL"], url);
  }
  assertEquals(parseSettings({ PORTOLAN_PUBLIC_URL: "http://localhost:8000" }).publicUrl, "http://localhost:8000");
});

Deno.test("parseSettings() wants a database and a secret for a configuration that is kept in KV", () => {
  assertEquals(faultPaths({ PORTOLAN_CONFIG_FROM: "kv" }), ["PORTOLAN_STORE_SECRET"]);
  assertEquals(
    faultPaths({ PORTOLAN_CONFIG_FROM: "kv", PORTOLAN_KV: "off", PORTOLAN_STORE_SECRET: "0123456789abcdef" }),
    [
      "PORTOLAN_CONFIG_FROM",
    ],
  );
  assertEquals(faultPaths({ PORTOLAN_CONFIG_FROM: "file", PORTOLAN_RELOAD: "on" }), [
    "PORTOLAN_CONFIG_FROM",
    "PORTOLAN_RELOAD",
  ]);
});

Deno.test("parseSettings() takes days for the audit trail, or off", () => {
  assertEquals(parseSettings({ PORTOLAN_AUDIT_DAYS: "off" }).auditDays, undefined);
  assertEquals(parseSettings({ PORTOLAN_AUDIT_DAYS: "365" }).auditDays, 365);
  for (const days of ["0", "366", "30d", "-1", "Off"]) {
    assertEquals(faultPaths({ PORTOLAN_AUDIT_DAYS: days }), ["PORTOLAN_AUDIT_DAYS"], days);
  }
});

Deno.test("parseSettings() refuses a level and a format that it does not know", () => {
  assertEquals(faultPaths({ PORTOLAN_LOG_LEVEL: "warn", PORTOLAN_LOG_FORMAT: "xml" }), [
    "PORTOLAN_LOG_LEVEL",
    "PORTOLAN_LOG_FORMAT",
  ]);
});

Deno.test("parseLogSettings() has something of use for every environment", () => {
  const faulty = { PORT: "x", PORTOLAN_LOG_LEVEL: "loud", PORTOLAN_LOG_FORMAT: "text" };
  assertEquals(parseLogSettings(faulty), { logLevel: "info", logFormat: "text" });
});
