import { assertEquals, assertThrows } from "@std/assert";
import { mayUse } from "../../src/callers/access.ts";
import { createKeyRing, digestKey, isKeyDigest } from "../../src/callers/keys.ts";

const ring = createKeyRing({
  Kairos: [await digestKey("one"), await digestKey("two"), await digestKey("shared")],
  Mercurius: [await digestKey("shared")],
  "*": [await digestKey("admin")],
});

Deno.test("digestKey() is the SHA-256 that sha256sum prints", async () => {
  const expected = "sha256:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
  assertEquals(await digestKey("key"), expected);
});

Deno.test("KeyRing.authenticate() gives a key the agents it is bound to", async () => {
  const agents = async (header: string) => (await ring.authenticate(header))?.agents;
  assertEquals(await agents("Bearer one"), new Set(["Kairos"]));
  assertEquals(await agents("bearer  two"), new Set(["Kairos"]));
  assertEquals(await agents("Bearer shared"), new Set(["Kairos", "Mercurius"]));
  assertEquals(await agents("Bearer admin"), "*");
});

Deno.test("KeyRing.authenticate() names callers apart by a part of the digest", async () => {
  const [one, admin] = [await ring.authenticate("Bearer one"), await ring.authenticate("Bearer admin")];
  assertEquals(one?.caller, `key:${(await digestKey("one")).slice(7, 23)}`);
  assertEquals([one?.isAdmin, admin?.isAdmin, one?.caller === admin?.caller], [false, true, false]);
});

Deno.test("KeyRing.authenticate() gives nothing to unknown keys and malformed headers", async () => {
  const digest = await digestKey("one");
  const headers = [
    "",
    "one",
    "Bearer",
    "Bearer ",
    "Bearer one two",
    "Bearer on",
    "Bearer onee",
    "Basic b25l",
    "Bearer one, Bearer two",
  ];
  for (const header of [undefined, null, ...headers, `Bearer ${digest}`, `Bearer ${"a".repeat(5_000)}`, "Bearer ÿ"]) {
    assertEquals(await ring.authenticate(header), undefined, `${header}`);
  }
});

Deno.test("KeyRing.authenticate() takes digests in upper case", async () => {
  const upper = (await digestKey("one")).toUpperCase().replace("SHA256", "sha256");
  assertEquals((await createKeyRing({ Kairos: [upper] }).authenticate("Bearer one"))?.agents, new Set(["Kairos"]));
});

Deno.test("createKeyRing() refuses what is not a digest and does not repeat it", () => {
  for (const text of ["hunter2-plain-key", "sha256:abc", `md5:${"0".repeat(64)}`]) {
    const error = assertThrows(() => createKeyRing({ Kairos: [text] }), TypeError);
    assertEquals([error.message.includes(text), isKeyDigest(text)], [false, false]);
  }
});

Deno.test("S6 mayUse() opens no agent called after a member of Object", () => {
  for (const name of ["__proto__", "constructor", "toString", "has"]) {
    assertEquals(mayUse({ caller: "key:0", agents: new Set(["Kairos"]), isAdmin: false }, name), false);
  }
});
