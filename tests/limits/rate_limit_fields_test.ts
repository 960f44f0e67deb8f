import { assertEquals } from "@std/assert";
import { rateLimitPolicy, rateLimitStates } from "../../src/limits/rate_limit_fields.ts";

Deno.test("rateLimitPolicy() lists the limits with their windows", () => {
  const limits = [{ name: "caller", limit: 60 }, { name: "agent", limit: 600 }] as const;
  assertEquals(rateLimitPolicy(limits), '"caller";q=60;w=60, "agent";q=600;w=60');
  assertEquals(rateLimitPolicy([]), "");
});

Deno.test("rateLimitStates() lists what is left, with whole seconds where the time is known", () => {
  const states = [{ name: "caller", remaining: 0, waitMs: 1 }, { name: "agent", remaining: 7, waitMs: 0 }] as const;
  assertEquals(rateLimitStates(states), '"caller";r=0;t=1, "agent";r=7');
});
