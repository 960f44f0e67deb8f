import { assertEquals, assertFalse, assertMatch, assertRejects } from "@std/assert";
import { KeyAdmin } from "../../src/callers/key_admin.ts";
import { KeyBook } from "../../src/callers/key_book.ts";
import { digestKey, type GatewayKey, toConfiguredKeys } from "../../src/callers/keys.ts";
import type { ProblemCode } from "../../src/gateway/problem.ts";
import { RequestError } from "../../src/gateway/request_error.ts";
import { FaultyRouteStore } from "../support/faulty_route_store.ts";

const NOW_MS = Date.parse("2027-01-31T12:00:00Z");
const NOW = "2027-01-31T12:00:00.000Z";
const DIGEST = await digestKey("of the file");
const ID = DIGEST.slice(7, 23);

function openAdmin(keys: Readonly<Record<string, readonly (string | GatewayKey)[]>> = {}) {
  const clock = { nowMs: NOW_MS };
  const store = new FaultyRouteStore(() => clock.nowMs);
  const configured = toConfiguredKeys(keys, NOW_MS);
  const open = () => new KeyAdmin({ configured, book: new KeyBook(store, { now: () => clock.nowMs }) });
  return { clock, store, admin: open(), other: open() };
}

async function codeOf(work: Promise<unknown>): Promise<ProblemCode> {
  return (await assertRejects(() => work, RequestError)).code;
}

Deno.test("KeyAdmin.create() tells the key once, and the store holds its digest alone", async () => {
  const { admin, other, store } = openAdmin();
  const { key, created } = await admin.create("Kairos", { id: "ci", expiresAtMs: NOW_MS + 60_000 });
  const digest = await digestKey(key);
  const expected = {
    id: "ci",
    digestPrefix: digest.slice(0, 15),
    source: "store",
    createdAt: NOW,
    expiresAt: "2027-01-31T12:01:00.000Z",
    active: true,
  } as const;
  assertEquals(created, expected);
  assertEquals(await other.list("Kairos"), [expected]);
  const stored = JSON.stringify((await store.memory.get(["caller_keys"]))?.value);
  assertFalse(stored.includes(key) || stored.includes(key.slice(4)));
  assertFalse(JSON.stringify(await other.list("Kairos")).includes(digest.slice(7, 24)));
});

Deno.test("KeyAdmin.create() names a key by its digest where nobody does", async () => {
  const { key, created } = await openAdmin().admin.create("Kairos");
  assertEquals(created.id, (await digestKey(key)).slice(7, 23));
  assertEquals(created.expiresAt, undefined);
});

Deno.test("KeyAdmin.create() lets an agent have two good keys, counted over all sources", async () => {
  const old = { digest: await digestKey("old"), id: "old", expiresAt: "2027-01-01", source: "env" } as const;
  const { admin, other, clock } = openAdmin({ Kairos: [DIGEST, old], "*": [DIGEST] });
  await admin.create("Kairos", { id: "second", expiresAtMs: NOW_MS + 1_000 });
  assertEquals(await codeOf(other.create("Kairos")), "key_conflict");
  // One that has ended counts no more, and nor does one that is revoked; others' keys never do.
  clock.nowMs += 1_000;
  await other.create("Kairos", { id: "third" });
  assertEquals(await codeOf(admin.create("Kairos")), "key_conflict");
  await admin.revoke("Kairos", ID);
  await other.create("Kairos", { id: "fourth" });
  await other.create("*", { id: "second-admin" });
  assertEquals(await codeOf(other.create("*")), "key_conflict");
});

Deno.test("KeyAdmin.create() of two isolates at once makes no third key", async () => {
  const { admin, other } = openAdmin();
  const outcomes = await Promise.allSettled([admin, other, admin, other].map((one) => one.create("Kairos")));
  assertEquals(outcomes.filter(({ status }) => status === "fulfilled").length, 2);
  assertEquals((await admin.list("Kairos")).length, 2);
});

Deno.test("KeyAdmin.create() refuses a name that is or was taken, and an end that has passed", async () => {
  const { admin } = openAdmin({ Kairos: [{ digest: DIGEST, id: "file" }] });
  await admin.create("Kairos", { id: "mine" });
  await admin.revoke("Kairos", "mine");
  for (const id of ["file", "mine"]) assertEquals(await codeOf(admin.create("Kairos", { id })), "key_conflict", id);
  assertEquals(await codeOf(admin.create("Kairos", { expiresAtMs: NOW_MS })), "invalid_request");
});

Deno.test("K4 KeyAdmin.create() makes one key where a writing was made and then reported as failed", async () => {
  const { admin, store } = openAdmin();
  store.fault = "applied_then_rejects";
  const { created } = await admin.create("Kairos");
  store.fault = "none";
  assertEquals((await admin.list("Kairos")).map(({ id }) => id), [created.id]);
});

Deno.test("KeyAdmin.revoke() revokes a key of any source, once and for all isolates", async () => {
  const { admin, other, clock } = openAdmin({ Kairos: [{ digest: DIGEST, source: "file" }] });
  const { created } = await admin.create("Kairos", { id: "created" });
  assertEquals(await other.revoke("Kairos", "created"), NOW_MS);
  assertEquals(await other.revoke("Kairos", ID), NOW_MS);
  clock.nowMs += 1_000;
  assertEquals(await admin.revoke("Kairos", ID), NOW_MS, "what is revoked stays so, since then");
  assertEquals(await admin.revoke("Kairos", "created"), NOW_MS);
  assertEquals(await admin.list("Kairos"), [
    { id: ID, digestPrefix: DIGEST.slice(0, 15), source: "file", revokedAt: NOW, active: false },
    { ...created, revokedAt: NOW, active: false },
  ]);
});

Deno.test("KeyAdmin.revoke() of a name in the configuration leaves the next key of that name alone", async () => {
  const { admin, store, clock } = openAdmin({ Kairos: [{ digest: DIGEST, id: "ci" }] });
  await admin.revoke("Kairos", "ci");
  const configured = toConfiguredKeys({ Kairos: [{ digest: await digestKey("the next"), id: "ci" }] }, NOW_MS);
  const later = new KeyAdmin({ configured, book: new KeyBook(store, { now: () => clock.nowMs }) });
  assertEquals((await later.list("Kairos")).map(({ active }) => active), [true]);
});

Deno.test("S6 KeyAdmin knows no key and no agent called after a member of Object", async () => {
  const { admin } = openAdmin({ Kairos: [DIGEST] });
  for (const name of ["__proto__", "constructor", "toString"]) {
    assertEquals(await admin.list(name), []);
    assertEquals(await codeOf(admin.revoke("Kairos", name)), "key_not_found");
    assertEquals(await codeOf(admin.revoke(name, ID)), "key_not_found");
    const { created } = await admin.create(name, { id: "constructor" });
    assertEquals(await admin.list(name), [created]);
  }
});

Deno.test("KeyAdmin keeps its record within the store's limits, with room left for revoking", async () => {
  const { admin } = openAdmin({ Kairos: [DIGEST] });
  let agents = 0;
  let code: ProblemCode | undefined;
  while (code === undefined) {
    const outcome = await admin.create(`Agent-${agents}`).catch((error: RequestError) => error.code);
    if (typeof outcome === "string") code = outcome;
    else agents++;
  }
  assertEquals(code, "key_conflict");
  assertMatch(String(agents), /^2\d\d$/);
  for (const { id } of await admin.list("Agent-0")) await admin.revoke("Agent-0", id);
  await admin.revoke("Kairos", ID);
});

Deno.test("KeyAdmin remembers the last eight created keys that were revoked, and every other revocation", async () => {
  const { admin } = openAdmin({ Kairos: [DIGEST] });
  await admin.revoke("Kairos", ID);
  for (let index = 0; index < 12; index++) {
    await admin.create("Kairos", { id: `key-${index}` });
    await admin.revoke("Kairos", `key-${index}`);
  }
  const ids = (await admin.list("Kairos")).map(({ id }) => id);
  assertEquals(ids, [ID, ...Array.from({ length: 8 }, (_, index) => `key-${index + 4}`)]);
});

for (const fault of ["rejects", "throws"] as const) {
  Deno.test(`K1 KeyAdmin says that the store ${fault} and changes nothing`, async () => {
    const { admin, store } = openAdmin({ Kairos: [DIGEST] });
    store.fault = fault;
    const works = [() => admin.list("Kairos"), () => admin.create("Kairos"), () => admin.revoke("Kairos", ID)];
    for (const work of works) assertEquals(await codeOf(work()), "callers_unavailable");
    store.fault = "none";
    assertEquals((await admin.list("Kairos")).map(({ active }) => active), [true]);
  });
}
