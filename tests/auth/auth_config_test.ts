import { assertEquals, assertFalse } from "@std/assert";
import { checkAuth, fillAuth, textsOfAuth } from "../../src/auth/auth_config.ts";
import { FaultList } from "../../src/config/config_checks.ts";
import { fillTemplate, templateText } from "../../src/config/template.ts";
import { ConfigError } from "../../src/errors.ts";
import { AUTH_FAULTS } from "../config/_faults.ts";

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

for (const [what, value, fault] of AUTH_FAULTS) {
  Deno.test(`checkAuth() has a fault for ${what}`, () => {
    const { filled, faults } = resolve(value);
    assertEquals(filled, undefined);
    assertEquals(faults[0]?.slice(0, fault.length), fault);
  });
}
