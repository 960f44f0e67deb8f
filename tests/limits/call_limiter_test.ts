import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Access } from "../../src/callers/access.ts";
import { RequestError } from "../../src/gateway/request_error.ts";
import { CallLimiter } from "../../src/limits/call_limiter.ts";
import type { CallLimits } from "../../src/limits/limits_config.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";

const START_MS = 1_800_000_000_000;

function access(caller: string): Access {
  return { caller, agents: "*", isAdmin: false };
}

function createLimiter(limits: Record<string, CallLimits>, maxCallers?: number) {
  const now = () => START_MS;
  return new CallLimiter(limits, { store: new MemoryRouteStore({ now }), now, maxCallers });
}

/** Admits calls one after another until one is refused. */
async function admitAll(limiter: CallLimiter, caller: string, agent = "Kairos"): Promise<number> {
  for (let admitted = 0;; admitted++) {
    if (admitted > 1_000) return Infinity;
    try {
      await limiter.admit(access(caller), agent);
    } catch (error) {
      if (error instanceof RequestError && error.code === "too_many_requests") return admitted;
      throw error;
    }
  }
}

Deno.test("CallLimiter.admit() admits everything where there are no limits", async () => {
  const limiter = createLimiter({ "*": { callsPerMinute: 0, callsPerLease: 5 } });
  assertEquals(await admitAll(limiter, "a"), Infinity);
  const { headers, holdsPlace } = await limiter.admit(access("a"), "Kairos");
  assertEquals([headers, holdsPlace], [{}, false]);
});

Deno.test("CallLimiter.admit() keeps the limit of each caller and that of the agent, each agent apart", async () => {
  const limiter = createLimiter({ "*": { callsPerMinute: 10, callsPerMinutePerCaller: 4 } });
  assertEquals([await admitAll(limiter, "a"), await admitAll(limiter, "b"), await admitAll(limiter, "c")], [4, 4, 2]);
  assertEquals(await admitAll(limiter, "a", "Mercurius"), 4);
});

Deno.test("CallLimiter.admit() lets an agent's own limits go before those of all agents, field by field", async () => {
  const limiter = createLimiter({
    "*": { callsPerMinute: 3, callsPerMinutePerCaller: 2 },
    Kairos: { callsPerMinute: 5, callsPerMinutePerCaller: undefined },
    Mercurius: { callsPerMinutePerCaller: 0 },
  });
  assertEquals([await admitAll(limiter, "a"), await admitAll(limiter, "b"), await admitAll(limiter, "c")], [2, 2, 1]);
  assertEquals(await admitAll(limiter, "a", "Mercurius"), 3);
});

Deno.test("CallLimiter.admit() charges nobody for what another limit refuses", async () => {
  const limiter = createLimiter({ Kairos: { callsPerMinute: 2, callsPerMinutePerCaller: 20, concurrentCalls: 1 } });
  const held = await limiter.admit(access("a"), "Kairos");
  const refused = limiter.admit(access("b"), "Kairos", { maxWaitMs: 1 });
  await assertRejects(() => refused, RequestError, "too many calls of the agent are under way");
  held.release();
  (await limiter.admit(access("b"), "Kairos")).release();
  await assertRejects(() => limiter.admit(access("b"), "Kairos"), RequestError, "the agent's 2 calls a minute");
});

Deno.test("CallLimiter.admit() tells what is left, and a refused caller when to come again", async () => {
  const limiter = createLimiter({ Kairos: { callsPerMinute: 600, callsPerMinutePerCaller: 2 } });
  const { headers } = await limiter.admit(access("a"), "Kairos");
  assertEquals(headers, {
    "ratelimit-policy": '"caller";q=2;w=60, "agent";q=600;w=60',
    ratelimit: '"caller";r=1, "agent";r=599',
  });
  await limiter.admit(access("a"), "Kairos");
  const { code, retryAfterMs, headers: refused } = await assertRejects(
    () => limiter.admit(access("a"), "Kairos"),
    RequestError,
    "Cannot make the call as the caller's 2 calls a minute are used up",
  );
  assertEquals([code, retryAfterMs, refused["ratelimit-policy"]], [
    "too_many_requests",
    63_000,
    headers["ratelimit-policy"],
  ]);
  assertEquals(refused.ratelimit?.startsWith('"caller";r=0;t=63, "agent";r=5'), true, refused.ratelimit);
});

Deno.test("CallLimiter.admit() lets calls wait for a place in their order, and refuses more than may wait", async () => {
  const limiter = createLimiter({ Kairos: { concurrentCalls: 1 } });
  const first = await limiter.admit(access("a"), "Kairos");
  const second = limiter.admit(access("a"), "Kairos");
  const { retryAfterMs } = await assertRejects(() => limiter.admit(access("a"), "Kairos"), RequestError);
  first.release();
  first.release();
  const { release, holdsPlace } = await second;
  assertEquals([retryAfterMs, holdsPlace], [1_000, true]);
  const third = limiter.admit(access("b"), "Kairos");
  release();
  (await third).release();
});

Deno.test("CallLimiter.admit() gives up waiting where the caller goes away, and holds no place then", async () => {
  const limiter = createLimiter({ Kairos: { concurrentCalls: 2, concurrentCallsPerCaller: 1 } });
  const first = await limiter.admit(access("a"), "Kairos");
  const gone = new AbortController();
  const waiting = limiter.admit(access("a"), "Kairos", { signal: gone.signal });
  gone.abort(new Error("gone"));
  assertEquals(await waiting.catch(({ code }) => code), "caller_gone");
  first.release();
  const others = [await limiter.admit(access("a"), "Kairos"), await limiter.admit(access("b"), "Kairos")];
  for (const { release } of others) release();
});

Deno.test("CallLimiter forgets callers who do nothing, and lets those who do not begin anew where it is full", async () => {
  const limiter = createLimiter({ Kairos: { callsPerMinutePerCaller: 40, callsPerLease: 1 } }, 2);
  assertEquals(await admitAll(limiter, "a"), 40);
  assertEquals(await admitAll(limiter, "b"), 40);
  assertEquals(await admitAll(limiter, "c"), 40);
  // Forgotten here, and still known to the store.
  assertEquals(await admitAll(limiter, "a"), 0);
});

Deno.test("CallLimiter.giveBack() leaves the leases to other isolates, and does not wait for a store that hangs", async () => {
  const now = () => START_MS;
  const store = new MemoryRouteStore({ now });
  const limits = { Kairos: { callsPerMinute: 100, callsPerLease: 50 } };
  const [first, second] = [new CallLimiter(limits, { store, now }), new CallLimiter(limits, { store, now })];
  for (let call = 0; call < 20; call++) {
    await first.admit(access("a"), "Kairos");
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await first.giveBack();
  assertEquals(await admitAll(second, "a"), 80);

  let hangs = false;
  const hanging = {
    get: (key: readonly string[]) => hangs ? new Promise<never>(() => {}) : store.get(key),
    set: (...args: Parameters<MemoryRouteStore["set"]>) => hangs ? new Promise<never>(() => {}) : store.set(...args),
    delete: () => Promise.resolve(true),
  };
  const third = new CallLimiter({ Mercurius: limits.Kairos }, { store: hanging, now });
  for (let call = 0; call < 20; call++) {
    await third.admit(access("a"), "Mercurius");
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  hangs = true;
  await third.giveBack();
});

Deno.test("CallLimiter refuses limits that are none", () => {
  for (const callsPerMinute of [-1, 1.5, NaN, Infinity, 1_000_001]) {
    assertThrows(() => createLimiter({ Kairos: { callsPerMinute } }), RangeError, 'callsPerMinute of agent "Kairos"');
  }
});
