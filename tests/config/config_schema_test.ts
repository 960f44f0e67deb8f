import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { Ajv } from "ajv";
import fc from "fast-check";
import { getLanguageService, TextDocument } from "vscode-json-languageservice";
import { AUTH_KEYS } from "../../src/auth/auth_config.ts";
import { AGENT_KEYS, ECOSYSTEM_KEYS, FILE_KEYS } from "../../src/config/config_data.ts";
import { toConfigSchema } from "../../src/config/config_schema.ts";
import { JWT_KEYS } from "../../src/config/jwt_config.ts";
import { KEY_KEYS } from "../../src/config/key_config.ts";
import { SERVER_KEYS } from "../../src/config/server_checks.ts";
import { TOOL_FILTER_KEYS } from "../../src/config/server_fields.ts";
import { parseConfig } from "../../src/config_file.ts";
import { LIMIT_NAMES } from "../../src/limits/limits_config.ts";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { readBlocks } from "../support/readme.ts";
import { AUTH_FAULTS, DIGEST, FILE_FAULTS, GATEWAY_FAULTS, OTHER } from "./_faults.ts";

/** The validator of others, as strict with the schema as it can be. */
const isValid = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true })
  .compile<JsonObject>(toConfigSchema());

/** Every key that there is, and most of what can stand under it. */
const FULL: JsonObject = {
  $schema: "./portolan.schema.json",
  servers: {
    calendar: {
      url: "https://cal.example.com/${TENANT}/mcp",
      transport: "auto",
      era: "${env:ERA:-legacy}",
      headers: { "X-Key": "${TOKEN}" },
      timeoutMs: 8_000,
      tools: { allow: ["*"], deny: ["delete_*"] },
      pin: "warn",
      watch: false,
      trustAnnotations: "${env:TRUST:-true}",
      validateArguments: true,
      validateResults: false,
      auth: {
        grant: "client_credentials",
        clientId: "kairos",
        privateKey: "${TOKEN}",
        algorithm: "ES256",
        tokenAuth: "auto",
        scope: "read write",
        issuers: ["https://login.example.com"],
        allowPrivate: false,
      },
      allowPrivate: true,
    },
    mail: {
      url: "HTTP://localhost:3001/mcp",
      timeoutMs: "${env:TIME:-20}",
      auth: {
        redirectUrl: "https://agents.example.com/callback",
        clientMetadataUrl: "https://agents.example.com/client.json",
        clientName: "Kairos",
      },
    },
    notes: { url: "http://[::1]/mcp", auth: { clientId: "a", clientSecret: "b" } },
  },
  agents: {
    Kairos: {
      servers: ["calendar", "mail", "notes"],
      secrets: { calendar: { TENANT: "t", TOKEN: '{"kty":"EC","crv":"P-256","d":"a","x":"a","y":"a"}' } },
      collisions: "prefix",
      keys: [DIGEST, "${env:DIGEST}", { digest: OTHER, id: "2026", expiresAt: "2027-01-31T12:00:00Z" }],
      limits: { callsPerMinute: 600, callsPerLease: "${env:LEASE:-7}" },
    },
    Mercurius: { servers: { own: { url: "${env:URL}" } } },
  },
  limits: { callsPerMinutePerCaller: 60, concurrentCalls: 0, concurrentCallsPerCaller: 8 },
  publicUrl: "https://mcp.example.com/",
  jwt: [{
    issuer: "https://login.example.com",
    audience: "urn:gateway",
    algorithms: ["ES256"],
    jwksUrl: "https://login.example.com/jwks",
    agents: { scope: "agent:" },
    admin: { claim: "roles", value: "admin" },
    clockToleranceMs: 0,
    typ: "at+jwt",
    allowPrivate: false,
  }, { issuer: "http://localhost:7", jwks: { keys: [{ kty: "EC", crv: "P-256", x: "eA", y: "eQ" }] } }],
};
const ECOSYSTEM: JsonObject = {
  mcpServers: { calendar: { type: "http", url: "https://cal.example.com/mcp", headers: { a: "${T}" } } },
  secrets: { calendar: { T: "hunter22" } },
  collisions: "error",
  keys: [DIGEST],
  limits: { callsPerMinute: 1 },
  publicUrl: "https://mcp.example.com",
  jwt: { issuer: "https://login.example.com" },
};
const ENV = { DIGEST, URL: "https://a.example.com/mcp", EMPTY: "", LINES: "a\nb", PIN: "987654321" };

/** What the parser alone can tell: it knows the environment, the secrets, and which names and addresses there are. */
const PARSER_ALONE = [
  "an unknown server",
  "constructor as a server",
  "a missing variable",
  "two missing variables in one text",
  "a missing variable of a secret, without a second fault",
  "an empty variable",
  "constructor as a variable",
  "missing secrets, for each agent",
  "a secret in a secret",
  "secrets of a server that the agent has not",
  "a secret that breaks a header, for its agent",
  "a variable that breaks a header",
  "a variable that is out of range",
  "a variable that is no number",
  "a missing secret of mcpServers",
  "another program's default",
  "a key twice",
  "two keys of one name",
  "a public URL over http",
  "an issuer over http",
  "an issuer at a private address",
  "an issuer twice",
  "auth: a key in another form",
  "auth: a way back over http",
  "auth: a way back with a fragment",
  "auth: an id that is an origin",
  "auth: an issuer that is no URL",
  "auth: a scope that is none",
  "auth: an id with a line break",
];

function parses(value: JsonValue): boolean {
  try {
    parseConfig(JSON.stringify(value), { env: ENV });
    return true;
  } catch {
    return false;
  }
}

function errorsOf(value: unknown): string {
  return isValid(value) ? "" : JSON.stringify(isValid.errors);
}

Deno.test("toConfigSchema() accepts what the parser accepts: every key, and both shapes of a file", () => {
  for (const value of [FULL, ECOSYSTEM, { agents: {} }, { mcpServers: {} }]) {
    assertEquals([parses(value), errorsOf(value)], [true, ""]);
  }
});

Deno.test("toConfigSchema() accepts every whole configuration of the documents", async () => {
  const blocks = [...await readBlocks("yaml"), ...await readBlocks("json")];
  const whole = blocks.filter((block) => /^agents:|"?mcpServers"?:/m.test(block));
  assert(whole.length > 1);
  assertEquals(whole.map((block) => errorsOf(parse(block))), whole.map(() => ""));
});

Deno.test("toConfigSchema() refuses what the parser refuses, but for what cannot be told without the environment", () => {
  const files = [...FILE_FAULTS, ...GATEWAY_FAULTS].map(([what, text]) =>
    [what, parse(text, { schema: "core" })] as const
  );
  const auths = AUTH_FAULTS.map(([what, auth]) => {
    return [`auth: ${what}`, { mcpServers: { a: { url: "https://a.example.com", auth } } }] as const;
  });
  const missed = [...files, ...auths].filter(([, value]) => isValid(value)).map(([what]) => what);
  assertEquals(missed, PARSER_ALONE);
});

Deno.test("toConfigSchema() refuses nothing that the parser accepts, whatever is changed", () => {
  const words = ["servers", "agents", "mcpServers", "url", "auth", "keys", "claim", "type", "grant", "sse", "0", "x y"];
  const value = fc.oneof(
    fc.constantFrom<JsonValue>(null, true, 0, 7, 1.5, -1, "", "a", "${env:PIN}", "${T}", [], {}, ["a"], { a: "b" }),
    fc.constantFrom(...words),
  );
  const change = fc.record({
    at: fc.nat(),
    key: fc.constantFrom(...words),
    value,
    kind: fc.constantFrom("set", "drop", "add"),
  });
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(FULL, ECOSYSTEM), fc.array(change, { minLength: 1, maxLength: 3 }), (base, changes) => {
      const changed = structuredClone(base) as JsonValue;
      for (const one of changes) apply(changed, one);
      const isParsed = parses(changed);
      const errors = errorsOf(changed);
      if (isParsed) {
        accepted++;
        assertEquals(errors, "");
      } else if (errors !== "") refused++;
    }),
    { numRuns: 800, seed: 7 },
  );
  // It says nothing where nothing is accepted, or nothing refused.
  assert(accepted > 50 && refused > 250, `${accepted} accepted, ${refused} refused by both`);
});

interface Change {
  readonly at: number;
  readonly key: string;
  readonly value: JsonValue;
  readonly kind: string;
}

/** Changes one member somewhere in a tree. */
function apply(root: JsonValue, { at, key, value, kind }: Change): void {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (node: unknown) => {
    if (typeof node !== "object" || node === null) return;
    for (const [name, member] of Object.entries(node)) {
      places.push([node as Record<string, unknown>, name]);
      walk(member);
    }
  };
  walk(root);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return;
  const [parent, name] = place;
  if (kind === "set") parent[name] = structuredClone(value);
  else if (kind === "drop" && !Array.isArray(parent)) delete parent[name];
  else if (!Array.isArray(parent)) parent[key] = structuredClone(value);
}

const service = getLanguageService({});
service.configure({ schemas: [{ uri: "mem:portolan", fileMatch: ["*.json"], schema: toConfigSchema() }] });

/** What an editor offers where the text has a `|`. */
async function offers(text: string): Promise<readonly string[]> {
  const document = TextDocument.create("file:///portolan.json", "json", 1, text.replace("|", ""));
  const position = document.positionAt(text.indexOf("|"));
  const list = await service.doComplete(document, position, service.parseJSONDocument(document));
  return (list?.items ?? []).map(({ label }) => label).sort();
}

const OFFERS: readonly (readonly [where: string, text: string, offered: readonly string[]])[] = [
  ["in an empty file", "{ | }", [...new Set([...FILE_KEYS, ...ECOSYSTEM_KEYS])]],
  ["in an agent", '{ "agents": { "A": { | } } }', AGENT_KEYS],
  ["in a server", '{ "servers": { "a": { | } }, "agents": {} }', SERVER_KEYS],
  ["in an agent's own server", '{ "agents": { "A": { "servers": { "a": { | } } } } }', SERVER_KEYS],
  ["in a server of mcpServers", '{ "mcpServers": { "a": { | } } }', [...SERVER_KEYS, "type"]],
  ["in an auth", '{ "servers": { "a": { "auth": { | } } }, "agents": {} }', AUTH_KEYS],
  ["in a filter", '{ "servers": { "a": { "tools": { | } } }, "agents": {} }', TOOL_FILTER_KEYS],
  ["in a key", '{ "agents": { "A": { "keys": [{ | }] } } }', KEY_KEYS],
  ["in limits", '{ "agents": {}, "limits": { | } }', LIMIT_NAMES],
  ["in an issuer", '{ "agents": {}, "jwt": { | } }', JWT_KEYS],
  ["for an era", '{ "servers": { "a": { "era": | } }, "agents": {} }', ['"auto"', '"legacy"', '"modern"']],
];

for (const [where, text, offered] of OFFERS) {
  Deno.test(`toConfigSchema() has an editor offer ${where} what the parser knows`, async () => {
    assertEquals(await offers(text), [...offered].sort());
  });
}

Deno.test("toConfigSchema() has an editor mark the very word that is wrong, and explain each key", async () => {
  const text = '{ "servers": { "a": { "url": "https://a.example.com", "timeout": 5, "pin": "wran" } }, "agents": {} }';
  const document = TextDocument.create("file:///portolan.json", "json", 1, text);
  const json = service.parseJSONDocument(document);
  const marked = (await service.doValidation(document, json)).map(({ range }) => document.getText(range));
  assertEquals(marked.sort(), ['"timeout"', '"wran"']);
  const hover = await service.doHover(document, document.positionAt(text.indexOf("pin") + 1), json);
  assertEquals(JSON.stringify(hover?.contents).includes("no longer what it was first seen as"), true);
});
