import { assertEquals, assertFalse } from "@std/assert";
import { describeDifference, diffConfigs, isSame } from "../../src/config/config_difference.ts";
import type { PortolanConfig } from "../../src/server_config.ts";

const url = "https://files.example.com/mcp";

Deno.test("diffConfigs() names what has come, gone and changed, and holds no value", () => {
  const before: PortolanConfig = {
    agents: {
      Gone: { servers: {} },
      Kairos: { servers: { files: { url }, mail: { url }, old: { url } }, secrets: { mail: { T: "hunter22" } } },
      Same: { servers: { files: { url, headers: { a: "1", b: "2" } } } },
    },
    keys: { Kairos: ["sha256:1"] },
  };
  const after: PortolanConfig = {
    agents: {
      Same: { servers: { files: { headers: { b: "2", a: "1" }, url } } },
      Kairos: {
        servers: { mail: { url }, files: { url }, calendar: { url } },
        secrets: { mail: { T: "hunter23" } },
        collisions: "error",
        limits: { callsPerMinute: 60 },
      },
      New: { servers: {} },
    },
    keys: { Kairos: ["sha256:2"] },
    publicUrl: "https://mcp.example.com",
  };
  const difference = diffConfigs(before, after);
  const servers = { added: ["calendar"], removed: ["old"], changed: ["mail"] };
  assertEquals(difference, {
    added: ["New"],
    removed: ["Gone"],
    changed: [{ agent: "Kairos", servers, order: true, collisions: true, limits: true }],
    gateway: ["keys", "publicUrl"],
  });
  const words = describeDifference(difference);
  assertEquals(
    words,
    'agent "New" added; agent "Gone" removed; agent "Kairos" changed: server "calendar" added, server "old" removed, ' +
      'server "mail" changed, order of servers, collisions, limits; gateway changed: keys, publicUrl',
  );
  assertFalse(/hunter|sha256|example/.test(words + JSON.stringify(difference)));
  assertEquals([isSame(difference), isSame(diffConfigs(after, after))], [false, true]);
  assertEquals(describeDifference(diffConfigs(after, after)), "nothing has changed");
});

Deno.test("diffConfigs() takes a default that is written for what it is, and names of Object for names", () => {
  const toConfig = (collisions?: "first"): PortolanConfig => ({
    agents: {
      constructor: { servers: { constructor: { url }, toString: { url } }, ...(collisions && { collisions }) },
    },
  });
  assertEquals(isSame(diffConfigs(toConfig(), toConfig("first"))), true);
  const { added, removed } = diffConfigs({ agents: {} }, toConfig());
  assertEquals([added, removed], [["constructor"], []]);
});
