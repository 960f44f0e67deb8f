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
  assertEquals(access, { keys: { Kairos: [DIGEST, OTHER], "*": [DIGEST] } });
});

Deno.test("decideAccess() serves loopback without keys where that was chosen", () => {
  const decide = (env: Record<string, string>, bindsItself: boolean) =>
    decideAccess(parseSettings(env), AGENTS, { bindsItself });
  assertEquals(decide({}, true), { open: "loopback" });
  assertEquals(decide({ PORTOLAN_HOST: "::1" }, true), { open: "loopback" });
  assertEquals(decide({ PORTOLAN_ALLOW_OPEN: "loopback" }, false), { open: "loopback" });
  assertEquals(decide({ PORTOLAN_ALLOW_OPEN: "loopback", PORTOLAN_KEYS: `*=${DIGEST}` }, false), {
    keys: { "*": [DIGEST] },
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
