import { assertEquals } from "@std/assert";
import { limitsByAgent } from "../../src/gateway/limits_by_agent.ts";

Deno.test("limitsByAgent() collects the limits of each agent, and those of all under *", () => {
  const agents = { Kairos: { servers: {}, limits: { callsPerMinute: 6 } }, Mercurius: { servers: {} } };
  assertEquals({ ...limitsByAgent({ agents }) }, { Kairos: { callsPerMinute: 6 } });
  assertEquals({ ...limitsByAgent({ agents, limits: { concurrentCalls: 3 } }) }, {
    "*": { concurrentCalls: 3 },
    Kairos: { callsPerMinute: 6 },
  });
});
