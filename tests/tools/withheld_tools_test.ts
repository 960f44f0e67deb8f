import { assertEquals } from "@std/assert";
import type { PinKeeper } from "../../src/tools/pin_keeper.ts";
import { PINS_MAX_AGE_MS } from "../../src/tools/pinned_tool.ts";
import { WithheldTools } from "../../src/tools/withheld_tools.ts";

/** Decisions in memory, as several isolates share them; `isAway` while the store does not answer. */
function createStore() {
  const store = { isAway: false, reads: 0, revision: 0, withheld: new Set<string>() };
  const tell = () => ({ revision: store.revision, withheld: [...store.withheld] });
  const keeper: PinKeeper = {
    load: () => Promise.resolve({}),
    save: () => Promise.resolve(),
    loadDecisions: () => {
      store.reads++;
      return Promise.resolve(store.isAway ? undefined : tell());
    },
    saveDecisions: ({ withhold = [], release = [] }) => {
      if (store.isAway) return Promise.resolve(undefined);
      for (const name of withhold) store.withheld.add(name);
      for (const name of release) store.withheld.delete(name);
      store.revision++;
      return Promise.resolve(tell());
    },
  };
  return { store, keeper };
}

Deno.test("WithheldTools.isDue says every 10 s that others may have decided, and never without a store", () => {
  let nowMs = 1_000_000;
  const { keeper } = createStore();
  const withheld = new WithheldTools(keeper, () => nowMs);
  assertEquals([withheld.isDue, new WithheldTools(undefined, () => nowMs).isDue], [true, false]);
  void withheld.read();
  const ages = [0, PINS_MAX_AGE_MS - 1, PINS_MAX_AGE_MS, -1].map((ageMs) => {
    nowMs = 1_000_000 + ageMs;
    return withheld.isDue;
  });
  assertEquals(ages, [false, false, true, true]);
});

Deno.test("WithheldTools.read() tells what another isolate has decided, once, and nothing of its own", async () => {
  const { keeper } = createStore();
  const [mine, other] = [new WithheldTools(keeper, Date.now), new WithheldTools(keeper, Date.now)];
  assertEquals([await mine.read(), await other.read()], [false, false]);
  assertEquals(await mine.decide({ withhold: ["read"] }), true);
  assertEquals([await mine.read(), await other.read(), await other.read()], [false, true, false]);
  assertEquals([other.has("read"), other.names], [true, ["read"]]);
  await other.decide({ release: ["read"] });
  assertEquals([await mine.read(), mine.names], [true, []]);
});

Deno.test("K1 WithheldTools.decide() withholds here at once, and keeps it when the store is back", async () => {
  const { store, keeper } = createStore();
  store.isAway = true;
  const withheld = new WithheldTools(keeper, Date.now);
  assertEquals([await withheld.decide({ withhold: ["read"] }), withheld.has("read")], [false, true]);
  assertEquals([await withheld.read(), withheld.has("read")], [false, true]);
  store.isAway = false;
  await withheld.read();
  assertEquals([[...store.withheld], withheld.has("read")], [["read"], true]);
  await withheld.decide({ release: ["read"] });
  assertEquals([[...store.withheld], withheld.has("read")], [[], false]);
});

Deno.test("K5 WithheldTools.read() does not go back to what a replica has that is behind", async () => {
  const { store, keeper } = createStore();
  const withheld = new WithheldTools(keeper, Date.now);
  await withheld.decide({ withhold: ["read"] });
  store.revision = 0;
  store.withheld.clear();
  assertEquals([await withheld.read(), withheld.has("read")], [false, true]);
});
