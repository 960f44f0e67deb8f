import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { type Access, mayUse } from "../../src/callers/access.ts";
import { KeyAdmin } from "../../src/callers/key_admin.ts";
import { KeyBook } from "../../src/callers/key_book.ts";
import { createKey, createKeyRing, digestKey, type GatewayKey, toConfiguredKeys } from "../../src/callers/keys.ts";
import { isKeyDigest, parseKeyEnd } from "../../src/config/key_config.ts";
import { RequestError } from "../../src/gateway/request_error.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";

const NOON_MS = Date.parse("2027-01-31T12:00:00Z");
const KEYS = {
  Kairos: [await digestKey("one"), await digestKey("shared")],
  Mercurius: [await digestKey("shared")],
  "*": [await digestKey("admin")],
};

function openRing(keys: Readonly<Record<string, readonly (string | GatewayKey)[]>> = KEYS) {
  const clock = { nowMs: NOON_MS };
  const now = () => clock.nowMs;
  const store = new FaultyRouteStore(now);
  const configured = toConfiguredKeys(keys, NOON_MS);
  const book = new KeyBook(store, { now });
  let compared = 0;
  const isSame = (left: Int32Array, right: Int32Array) => {
    compared++;
    return left.every((word, index) => word === right[index]);
  };
  const ring = createKeyRing({ configured, book, now });
  const counting = createKeyRing({ configured, book, now, isSame });
  return {
    clock,
    store,
    admin: new KeyAdmin({ configured, book }),
    ask: (key: string) => ring.authenticate(`Bearer ${key}`),
    ring,
    /** How many digests are compared, and how often the store is asked, for one header. */
    async work(authorization: string | null): Promise<readonly number[]> {
      compared = 0;
      const before = store.operations.length;
      await counting.authenticate(authorization);
      return [compared, store.operations.length - before];
    },
  };
}

Deno.test("digestKey() is the SHA-256 that sha256sum prints", async () => {
  const expected = "sha256:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
  assertEquals(await digestKey("key"), expected);
});

Deno.test("createKey() makes a key of 256 bits that can be recognised and is never made twice", () => {
  const keys = Array.from({ length: 100 }, createKey);
  for (const key of keys) assertMatch(key, /^ptl_[A-Za-z0-9_-]{43}$/);
  assertEquals(new Set(keys).size, 100);
});

Deno.test("KeyRing.authenticate() gives a key the agents it is bound to", async () => {
  const { ring } = openRing();
  const agents = async (header: string) => (await ring.authenticate(header))?.agents;
  assertEquals(await agents("Bearer one"), new Set(["Kairos"]));
  assertEquals(await agents("bearer  one"), new Set(["Kairos"]));
  assertEquals(await agents("Bearer shared"), new Set(["Kairos", "Mercurius"]));
  assertEquals(await agents("Bearer admin"), "*");
});

Deno.test("KeyRing.authenticate() names callers apart by a part of the digest", async () => {
  const { ask } = openRing();
  const [one, admin] = [await ask("one"), await ask("admin")];
  assertEquals(one?.caller, `key:${(await digestKey("one")).slice(7, 23)}`);
  assertEquals([one?.isAdmin, admin?.isAdmin], [false, true]);
  assertNotEquals(one?.caller, admin?.caller);
});

Deno.test("S2 KeyRing.authenticate() gives nothing to unknown keys and malformed headers", async () => {
  const { ring } = openRing();
  const digest = await digestKey("one");
  const headers = [
    ...["", "one", "Bearer", "Bearer ", "Bearer one two", "Bearer on", "Bearer onee", "Basic b25l"],
    ...["Bearer one, Bearer two", `Bearer ${digest}`, `Bearer ${digest.slice(7)}`, "Bearer ÿ"],
    ...[`Bearer ${"a".repeat(9_000)}`, "Bearer one=", "Bearer \u0000one"],
  ];
  for (const header of [undefined, null, ...headers]) {
    assertEquals(await ring.authenticate(header), undefined, `${header}`);
  }
});

Deno.test("S2 KeyRing.authenticate() does the same work for every key, known or not, good or not", async () => {
  const gone = { digest: await digestKey("gone"), expiresAt: "2020-01-01" };
  const { work, admin, ask } = openRing({ ...KEYS, Kairos: [...KEYS.Kairos, gone] });
  const id = (await digestKey("one")).slice(7, 23);
  await admin.revoke("Kairos", id);
  assertEquals(await ask("one"), undefined);
  for (const key of ["shared", "one", "gone", "admin", "wrong", "x".repeat(1_000), createKey()]) {
    assertEquals(await work(`Bearer ${key}`), [5, 0], key);
  }
});

Deno.test("KeyRing.authenticate() takes digests in upper case", async () => {
  const upper = (await digestKey("one")).toUpperCase().replace("SHA256", "sha256");
  assertEquals((await openRing({ Kairos: [upper] }).ask("one"))?.agents, new Set(["Kairos"]));
});

Deno.test("KeyRing.authenticate() refuses a key from its end on, for the agent that it has ended for", async () => {
  const digest = await digestKey("shared");
  const { ask, clock } = openRing({ Kairos: [{ digest, expiresAt: "2027-01-31T12:00:01Z" }], Mercurius: [digest] });
  assertEquals((await ask("shared"))?.agents, new Set(["Kairos", "Mercurius"]));
  clock.nowMs += 1_000;
  assertEquals((await ask("shared"))?.agents, new Set(["Mercurius"]));
});

Deno.test("KeyRing.authenticate() knows a created key at once, until it ends", async () => {
  const { ask, admin, clock } = openRing();
  const { key } = await admin.create("Mercurius", { expiresAtMs: NOON_MS + 60_000 });
  const access = await ask(key);
  assertEquals([access?.agents, access?.isAdmin], [new Set(["Mercurius"]), false]);
  assertEquals((await ask((await admin.create("*")).key))?.isAdmin, true);
  clock.nowMs += 60_000;
  assertEquals(await ask(key), undefined);
});

for (const fault of ["rejects", "throws", "hangs"] as const) {
  Deno.test(`K1 KeyRing.authenticate() knows configured keys with a store that ${fault} from the start`, async () => {
    const { ask, store, clock } = openRing();
    store.fault = fault;
    assertEquals((await ask("one"))?.agents, new Set(["Kairos"]));
    assertEquals(await ask("wrong"), undefined);
    // Who brings what could be a created key is asked to come again: it is not known that there is no such key.
    const error = await assertRejects(() => ask(createKey()), RequestError);
    assertEquals([error.code, error.retryAfterMs], ["callers_unavailable", 1_000]);
    store.releaseHung();
    store.fault = "none";
    clock.nowMs += 5_000;
    assertEquals(await ask(createKey()), undefined);
  });

  Deno.test(`K1 KeyRing.authenticate() goes on with what it knew when the store ${fault} later`, async () => {
    const { ask, admin, store, clock } = openRing();
    const { key } = await admin.create("Kairos", { id: "created" }).catch(() => ({ key: "" }));
    assertEquals(key, "", "Kairos has two");
    const created = await admin.create("Mercurius");
    await admin.revoke("Kairos", (await digestKey("one")).slice(7, 23));
    store.fault = fault;
    for (let minutes = 0; minutes < 10; minutes++) {
      clock.nowMs += 60_000;
      const answers: (Access | undefined)[] = [];
      for (const key of [created.key, "shared", "one", createKey()]) answers.push(await ask(key));
      assertEquals(answers.map((access) => access?.agents), [
        new Set(["Mercurius"]),
        new Set(["Kairos", "Mercurius"]),
        undefined,
        undefined,
      ]);
      store.releaseHung();
    }
  });
}

Deno.test("toConfiguredKeys() refuses what is not a digest and does not repeat it", () => {
  for (const text of ["hunter2-plain-key", "sha256:abc", `md5:${"0".repeat(64)}`]) {
    const error = assertThrows(() => toConfiguredKeys({ Kairos: [text] }, NOON_MS), TypeError);
    assertEquals([error.message.includes(text), isKeyDigest(text)], [false, false]);
  }
});

Deno.test("toConfiguredKeys() refuses a third good key, an id and an end that are none", async () => {
  const [one, two, three] = await Promise.all(["one", "two", "three"].map(digestKey));
  assert(one !== undefined && two !== undefined && three !== undefined);
  const convert = (...keys: readonly (string | GatewayKey)[]) => toConfiguredKeys({ Kairos: keys }, NOON_MS);
  assertThrows(() => convert(one, two, three), TypeError, "3 keys at a time");
  assertEquals(convert(one, two, { digest: three, expiresAt: "2027-01-31" }).length, 3);
  assertThrows(() => convert({ digest: one, id: "a b" }), TypeError, "its id");
  assertThrows(() => convert({ digest: one, expiresAt: "tomorrow" }), TypeError, "no ISO date");
});

Deno.test("toConfiguredKeys() takes one key of two sources for one, with the earlier end", async () => {
  const digest = await digestKey("one");
  const keys = [{ digest, id: "mine", expiresAt: "2028-01-01" }, { digest, expiresAt: "2027-06-01" }];
  const [key, ...others] = toConfiguredKeys({ Kairos: keys }, NOON_MS);
  assertEquals([key?.id, key?.expiresAtMs, others], ["mine", Date.parse("2027-06-01"), []]);
});

Deno.test("parseKeyEnd() reads ISO dates and times with a zone, and nothing else", () => {
  assertEquals(parseKeyEnd("2027-01-31"), Date.UTC(2027, 0, 31));
  assertEquals(parseKeyEnd("2027-01-31T12:00Z"), NOON_MS);
  assertEquals(parseKeyEnd("2027-01-31T13:00:00.000+01:00"), NOON_MS);
  const refused = ["", "tomorrow", "2027", "2027-1-31", "31.01.2027", "2027-01-31T12:00", "2027-02-30", "2027-13-01"];
  for (const text of [...refused, "2027-01-31T25:00Z", "1e9"]) assertEquals(parseKeyEnd(text), undefined, text);
});

Deno.test("S6 mayUse() opens no agent called after a member of Object", () => {
  for (const name of ["__proto__", "constructor", "toString", "has"]) {
    const access: Access = { caller: "key:0", agents: new Set(["Kairos"]), isAdmin: false };
    assertEquals(mayUse(access, name), false);
  }
});
