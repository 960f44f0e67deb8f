import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/errors.ts";
import { decideAccess } from "../../src/gateway/access_rule.ts";
import { parseSettings } from "../../src/gateway/settings.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;
const AGENTS = { agents: { Kairos: { servers: {} } } };

function refusal(env: Record<string, string>, bindsItself: boolean): string {
  return assertThrows(() => decideAccess(parseSettings(env), AGENTS, { bindsItself }), ConfigError).message;
}

Deno.test("decideAccess() joins the keys of the settings and of the configuration", () => {
  const settings = parseSettings({ PORTOLAN_KEYS: `Kairos=${DIGEST};*=${DIGEST}` });
  const access = decideAccess(settings, { ...AGENTS, keys: { Kairos: [OTHER] } }, { bindsItself: false });
  const ofEnv = { digest: DIGEST, source: "env" } as const;
  assertEquals(access, { keys: { Kairos: [ofEnv, { digest: OTHER, source: "file" }], "*": [ofEnv] } });
});

Deno.test("decideAccess() serves loopback without keys where that was chosen", () => {
  const decide = (env: Record<string, string>, bindsItself: boolean) =>
    decideAccess(parseSettings(env), AGENTS, { bindsItself });
  assertEquals(decide({}, true), { open: "loopback" });
  assertEquals(decide({ PORTOLAN_HOST: "::1" }, true), { open: "loopback" });
  assertEquals(decide({ PORTOLAN_ALLOW_OPEN: "loopback" }, false), { open: "loopback" });
  assertEquals(decide({ PORTOLAN_ALLOW_OPEN: "loopback", PORTOLAN_KEYS: `*=${DIGEST}` }, false), {
    keys: { "*": [{ digest: DIGEST, source: "env" }] },
  });
});

Deno.test("decideAccess() refuses to serve others without keys and says what to do", () => {
  assertStringIncludes(refusal({ PORTOLAN_HOST: "0.0.0.0" }, true), "set PORTOLAN_KEYS");
  assertStringIncludes(refusal({ PORTOLAN_HOST: "0.0.0.0" }, true), "or listen on 127.0.0.1");
  assertStringIncludes(refusal({}, false), "PORTOLAN_ALLOW_OPEN=loopback");
});

Deno.test("decideAccess() refuses a key for an agent that is not configured", () => {
  assertStringIncludes(
    refusal({ PORTOLAN_KEYS: `Karios=${DIGEST}` }, true),
    'PORTOLAN_KEYS: Unknown agent: did you mean "Kairos"',
  );
  const config = { ...AGENTS, keys: { constructor: [DIGEST] } };
  const error = assertThrows(() => decideAccess(parseSettings({}), config, { bindsItself: true }), ConfigError);
  assertEquals(error.faults.map((fault) => fault.path), ["keys"]);
});

Deno.test("decideAccess() lets an agent have two good keys over all sources, and not three", () => {
  const third = `sha256:${"c".repeat(64)}`;
  const settings = parseSettings({ PORTOLAN_KEYS: `Kairos=${DIGEST}` });
  const decide = (expiresAt: string) => {
    const keys = { Kairos: [OTHER, { digest: third, id: "old", expiresAt }] };
    return decideAccess(settings, { ...AGENTS, keys }, { bindsItself: true, now: () => Date.parse("2027-01-31") });
  };
  assertEquals(decide("2027-01-31").keys?.Kairos?.length, 3, "one of them has ended");
  const { faults } = assertThrows(() => decide("2027-02-01"), ConfigError);
  assertEquals(faults, [{
    path: "keys",
    message: 'Cannot give agent "Kairos" 3 keys at a time: write 2, the old and the new one',
  }]);
  // The same key in both places is one key.
  const twice = { Kairos: [DIGEST.toUpperCase().replace("SHA", "sha"), OTHER] };
  assertEquals(decideAccess(settings, { ...AGENTS, keys: twice }, { bindsItself: true }).keys?.Kairos?.length, 3);
});

Deno.test("decideAccess() takes issuers of tokens for keys, and asks for an audience", () => {
  const jwt = [{ issuer: "https://login.example.com" }];
  const decide = (env: Record<string, string>, publicUrl?: string) =>
    decideAccess(parseSettings(env), { ...AGENTS, jwt, publicUrl }, { bindsItself: false });
  const ofFile = "https://file.example.com";
  assertEquals(decide({}, ofFile), { jwt, publicUrl: ofFile });
  const ofEnv = "https://env.example.com";
  assertEquals(decide({ PORTOLAN_PUBLIC_URL: ofEnv }, ofFile), { jwt, publicUrl: ofEnv });
  const { faults } = assertThrows(() => decide({}), ConfigError);
  assertEquals(faults.map(({ path }) => path), ["publicUrl"]);
});
