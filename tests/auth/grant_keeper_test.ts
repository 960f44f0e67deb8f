import { assertEquals } from "@std/assert";
import { AuthStore } from "../../src/auth/auth_store.ts";
import { GrantKeeper } from "../../src/auth/grant_keeper.ts";
import type { Grant } from "../../src/auth/oauth_records.ts";
import { STORE_SECRET } from "../support/auth_support.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";

const NOW_MS = 1_800_000_000_000;

function toGrant(accessToken: string, issuedAtMs = NOW_MS, expiresAtMs?: number): Grant {
  return {
    issuer: "https://login.example.com",
    tokenEndpoint: "https://login.example.com/token",
    resource: "https://mcp.example.com/mcp",
    client: { clientId: "a", method: "none", clientSecret: undefined },
    scopes: ["read"],
    tokens: { accessToken, refreshToken: `${accessToken} refresh`, scope: undefined, issuedAtMs, expiresAtMs },
  };
}

/** Two isolates over one store, and a clock for all. */
function create() {
  const clock = { nowMs: NOW_MS };
  const now = () => clock.nowMs;
  const routes = new FaultyRouteStore(now);
  const createKeeper = () => {
    const store = new AuthStore({ store: routes, storeSecret: STORE_SECRET, now });
    return new GrantKeeper({ store, address: { kind: "grant", parts: ["calendar"] }, now });
  };
  return { clock, routes, one: createKeeper(), two: createKeeper() };
}

Deno.test("GrantKeeper tells a token that is good for longer from one that is good for now, and from one that has ended", async () => {
  for (const [lifeMs, earlyMs] of [[3_600_000, 30_000], [60_000, 6_000]] as const) {
    const { clock, one } = create();
    await one.save(toGrant("t", NOW_MS, NOW_MS + lifeMs));
    const stateAt = (restMs: number) => {
      clock.nowMs = NOW_MS + lifeMs - restMs;
      return [one.isFresh, one.usable !== undefined];
    };
    assertEquals([stateAt(earlyMs + 1), stateAt(earlyMs), stateAt(1), stateAt(0)], [
      [true, true],
      [false, true],
      [false, true],
      [false, false],
    ]);
  }
});

Deno.test("GrantKeeper takes a token without an end for good until it is refused", async () => {
  const { clock, one } = create();
  assertEquals([one.isFresh, one.usable], [false, undefined]);
  await one.save(toGrant("t"));
  clock.nowMs += 365 * 86_400_000;
  assertEquals([one.isFresh, one.usable !== undefined], [true, true]);
  await one.save({ ...toGrant("t"), tokens: undefined });
  assertEquals([one.isFresh, one.usable, one.grant?.scopes], [false, undefined, ["read"]]);
});

Deno.test("GrantKeeper.load() takes what another isolate has saved, and its removal", async () => {
  const { one, two } = create();
  await one.load();
  await one.save(toGrant("t1"));
  await two.load();
  assertEquals(two.grant, toGrant("t1"));
  await two.save({ ...toGrant("t1"), tokens: undefined });
  await one.load();
  assertEquals(one.usable, undefined);
});

Deno.test("GrantKeeper.save() gives way to newer tokens of another isolate, and to nothing older", async () => {
  for (const [mine, theirs, winner] of [[2, 1, "mine"], [1, 2, "theirs"]] as const) {
    const { routes, one, two } = create();
    await one.load();
    await two.load();
    await two.save(toGrant("theirs", NOW_MS + theirs));
    await one.save(toGrant("mine", NOW_MS + mine));
    await two.load();
    assertEquals([one, two].map(({ grant }) => grant?.tokens?.accessToken), [winner, winner]);
    assertEquals(routes.memory.size, 1);
  }
});

Deno.test("GrantKeeper keeps what the store did not take, and tells the store when it is back", async () => {
  const { clock, routes, one, two } = create();
  await one.load();
  await one.save(toGrant("old"));
  routes.fault = "rejects";
  await one.save(toGrant("new", NOW_MS + 1));
  await one.load();
  assertEquals(one.usable?.tokens?.accessToken, "new");
  routes.fault = "none";
  clock.nowMs += 10_000;
  await one.load();
  await two.load();
  assertEquals([one, two].map(({ usable }) => usable?.tokens?.accessToken), ["new", "new"]);
});

Deno.test("GrantKeeper keeps a grant in memory where no store has ever answered", async () => {
  const { routes, one } = create();
  routes.fault = "rejects";
  await one.load();
  await one.save(toGrant("t"));
  await one.load();
  assertEquals(one.usable?.tokens?.accessToken, "t");
});
