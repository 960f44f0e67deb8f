import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError, type ServerConfig } from "@portolan/mcp";
import { parseConfig } from "@portolan/mcp/config";
import { resolveAgent, resolveServer } from "../../src/server_config.ts";
import { assertNoCanary, CANARY } from "../support/client_support.ts";

/** The configuration of the only server of a file. */
function parseServer(server: Record<string, unknown>, env: Record<string, string> = {}): ServerConfig {
  const text = JSON.stringify({ mcpServers: { calendar: server } });
  return parseConfig(text, { env }).agents.default!.servers.calendar!;
}

const URL_TEXT = "https://cal.example.com/mcp";

/** Everything that a server may say, besides its `auth`. */
const SERVER = {
  url: URL_TEXT,
  transport: "streamable_http",
  era: "modern",
  headers: { "x-tenant": "t" },
  timeoutMs: 8_000,
  tools: { allow: ["*"], deny: ["delete_*"] },
  pin: "block",
  watch: true,
  trustAnnotations: true,
  validateArguments: false,
  validateResults: false,
  allowPrivate: true,
};

/** Everything that an `auth` may say, by its grant. */
const AUTHS = {
  "by a secret": { clientId: "kairos", clientSecret: CANARY, tokenAuth: "post", scope: "read write" },
  "by a private key": { clientId: "kairos", privateKey: `{"kty":"EC","d":"${CANARY}"}`, algorithm: "ES256" },
  "with a person": {
    grant: "authorization_code",
    redirectUrl: "https://agents.example.com/callback",
    clientMetadataUrl: "https://agents.example.com/client.json",
    clientName: "Kairos",
  },
} as const;

Deno.test("parseConfig() loses nothing that a file says of a server", () => {
  assertEquals({ ...parseServer(SERVER) }, SERVER as ServerConfig);
});

for (const [what, own] of Object.entries(AUTHS)) {
  Deno.test(`parseConfig() gives an auth that resolves as it was written: ${what}`, () => {
    const auth = { ...own, issuers: ["https://login.example.com", "https://id.example.com/t"], allowPrivate: true };
    const config = parseServer({ url: URL_TEXT, auth });
    const [read, direct] = [config, { url: URL_TEXT, auth }].map((one) => resolveServer("calendar", one).auth!);
    const reveal = ({ clientSecret, privateKey, ...rest }: NonNullable<typeof read>) => {
      return { ...rest, clientSecret: clientSecret?.reveal(), privateKey: privateKey?.reveal() };
    };
    assertEquals(reveal(read!), reveal(direct!));
    for (const [key, value] of Object.entries(auth)) {
      assertEquals({ ...reveal(read!) }[key as keyof typeof read], value);
    }
  });
}

Deno.test("parseConfig() reads an auth's secrets from the environment, and those of the agent later", () => {
  const text = `
servers:
  calendar:
    url: ${URL_TEXT}
    auth: { clientId: "\${env:ID:-kairos}", clientSecret: "\${SECRET}", issuers: ["https://\${env:LOGIN}"] }
agents:
  Kairos: { servers: [calendar], secrets: { calendar: { SECRET: "\${env:KAIROS_SECRET}" } } }
  Mercurius: { servers: [calendar], secrets: { calendar: { SECRET: "another" } } }
`;
  // What comes from outside is not looked into again.
  const KAIROS_SECRET = "${SECRET} and $${env:HOME}";
  const { agents } = parseConfig(text, { env: { LOGIN: "login.example.com", KAIROS_SECRET } });
  const [kairos, mercurius] = ["Kairos", "Mercurius"].map((name) => resolveAgent(name, agents[name]!).servers[0]?.auth);
  assertEquals(kairos?.clientSecret?.reveal(), KAIROS_SECRET);
  assertEquals(mercurius?.clientSecret?.reveal(), "another");
  assertEquals([kairos?.clientId, kairos?.issuers], ["kairos", ["https://login.example.com"]]);
});

Deno.test("parseConfig() keeps a literal ${ of an auth, from the file and from the environment", () => {
  const auth = { clientId: "a$${b}", clientSecret: "${env:SECRET}" };
  const resolved = resolveServer("calendar", parseServer({ url: URL_TEXT, auth }, { SECRET: "$${c}" })).auth;
  assertEquals([resolved?.clientId, resolved?.clientSecret?.reveal()], ["a${b}", "$${c}"]);
});

const FAULTS: Readonly<Record<string, readonly [server: Record<string, unknown>, path: string]>> = {
  "an authorization header beside it": [
    { headers: { Authorization: CANARY }, auth: AUTHS["by a secret"] },
    "headers.authorization",
  ],
  "a missing variable": [{ auth: { clientId: "kairos", clientSecret: "${env:GONE}" } }, "auth.clientSecret"],
  "a secret of no agent": [{ auth: { clientId: "kairos", clientSecret: "${SECRET}" } }, ""],
  "a redirect URL in clear": [{ auth: { redirectUrl: `http://agents.example.com/${CANARY}` } }, "auth.redirectUrl"],
  "a wrong word": [{ auth: { clientId: "kairos", client_secret: CANARY } }, "auth.client_secret"],
};

for (const [what, [server, path]] of Object.entries(FAULTS)) {
  Deno.test(`parseConfig() or resolveAgent() tells where the fault of an auth is, and shows no value: ${what}`, () => {
    const error = assertThrows(() => {
      const config = parseConfig(JSON.stringify({ mcpServers: { calendar: { url: URL_TEXT, ...server } } }));
      resolveAgent("default", config.agents.default!);
    }, ConfigError);
    const expected = path === "" ? "secrets.calendar.SECRET" : `mcpServers.calendar.${path}`;
    assertEquals(error.faults.some((fault) => fault.path === expected), true, error.message);
    assertNoCanary(error);
  });
}
