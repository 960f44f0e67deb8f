import { assertEquals, assertFalse } from "@std/assert";
import { checkAuth, fillAuth, textsOfAuth } from "../../src/auth/auth_config.ts";
import { FaultList } from "../../src/config/config_checks.ts";
import { fillTemplate, templateText } from "../../src/config/template.ts";
import { ConfigError } from "../../src/errors.ts";

const REDIRECT = "https://agents.example.com/oauth/callback";

function resolve(value: unknown, secrets: Record<string, string> = {}) {
  const faults = new FaultList();
  const checked = checkAuth(value, "auth", { env: { CLIENT: "kairos" }, faults });
  const filled = checked && fillAuth(checked, ({ path, template }) => {
    const text = templateText(fillTemplate(template, ({ name }) => secrets[name]));
    return { path, text, suffix: " (with the secrets)" };
  }, faults);
  return { checked, filled, faults: faultsOf(faults) };
}

function faultsOf(faults: FaultList): readonly string[] {
  try {
    faults.throwIfAny();
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.faults.map(({ path, message }) => `${path}: ${message}`) : ["?"];
  }
}

Deno.test("checkAuth() takes one line for a client of its own, with secrets and the environment", () => {
  const { checked, filled, faults } = resolve({ clientId: "${env:CLIENT}", clientSecret: "${KEY}" }, {
    KEY: "hunter22",
  });
  assertEquals(faults, []);
  assertEquals(textsOfAuth(checked).length, 2);
  assertEquals([filled?.grant, filled?.clientId, filled?.clientSecret?.reveal()], [
    "client_credentials",
    "kairos",
    "hunter22",
  ]);
  assertEquals([filled?.tokenAuth, filled?.issuers, filled?.allowPrivate], ["auto", [], false]);
  assertFalse(JSON.stringify(filled).includes("hunter22"));
});

Deno.test("checkAuth() takes one line for a person", () => {
  const { filled, faults } = resolve({ redirectUrl: REDIRECT });
  assertEquals(faults, []);
  assertEquals([filled?.grant, filled?.redirectUrl, filled?.clientName], ["authorization_code", REDIRECT, "Portolan"]);
});

Deno.test("checkAuth() is nothing where there is no auth", () => {
  assertEquals(resolve(undefined), { checked: undefined, filled: undefined, faults: [] });
  assertEquals(textsOfAuth(undefined), []);
});

Deno.test("fillAuth() is nothing where a secret is missing, and checks what secrets make of a text", () => {
  assertEquals(resolve({ clientId: "a", clientSecret: "${KEY}" }).filled, undefined);
  const { filled, faults } = resolve({ redirectUrl: "${URL}", issuers: ["${ISSUER}"] }, {
    URL: "http://a.example/",
    ISSUER: "",
  });
  assertEquals(filled, undefined);
  assertEquals(faults, [
    "auth.redirectUrl: Cannot use http here but on loopback: write an https URL (with the secrets)",
    "auth.issuers[0]: Cannot be empty: write it, or remove the key (with the secrets)",
  ]);
});

const FAULTS: readonly (readonly [what: string, value: unknown, path: string])[] = [
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

for (const [what, value, fault] of FAULTS) {
  Deno.test(`checkAuth() has a fault for ${what}`, () => {
    const { filled, faults } = resolve(value);
    assertEquals(filled, undefined);
    assertEquals(faults[0]?.slice(0, fault.length), fault);
  });
}
