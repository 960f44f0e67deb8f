import { assertEquals, assertStrictEquals } from "@std/assert";
import { sha256Hex } from "../../src/cache/sha256.ts";
import { KeyDigests } from "../../src/callers/key_digests.ts";

const NOON_MS = Date.parse("2027-01-31T12:00:00Z");

function openDigests() {
  const clock = { nowMs: NOON_MS };
  return { clock, digests: new KeyDigests(() => clock.nowMs) };
}

Deno.test("KeyDigests.digest() is the SHA-256 of the key, kept or not", async () => {
  const { digests } = openDigests();
  for (const key of ["one", "zwei ⚓"]) {
    const words = await digests.digest(key);
    assertEquals(new Uint8Array(words.buffer).toHex(), await sha256Hex(key));
    digests.keep(key, words);
    assertStrictEquals(await digests.digest(key), words);
  }
});

Deno.test("KeyDigests.digest() keeps nothing by itself", async () => {
  const { digests } = openDigests();
  for (let count = 0; count < 10; count++) await digests.digest(`guess ${count}`);
  assertEquals(digests.count, 0);
});

Deno.test("KeyDigests.keep() holds a key for five seconds, however often it is used", async () => {
  const { clock, digests } = openDigests();
  const words = await digests.digest("one");
  digests.keep("one", words);
  clock.nowMs += 4_999;
  assertStrictEquals(await digests.digest("one"), words);
  digests.keep("one", words);
  clock.nowMs += 1;
  assertEquals(await digests.digest("one") === words, false);
  assertEquals(digests.count, 0);
});

Deno.test("KeyDigests.keep() holds no key longer where the clock is set back", async () => {
  const { clock, digests } = openDigests();
  digests.keep("one", await digests.digest("one"));
  clock.nowMs -= 60_000;
  assertEquals(digests.count, 0);
});

Deno.test("KeyDigests.keep() holds 256 keys at most, the newest", async () => {
  const { digests } = openDigests();
  const words = await digests.digest("any");
  for (let index = 0; index < 300; index++) digests.keep(`key ${index}`, words);
  assertEquals(digests.count, 256);
  assertEquals(await digests.digest("key 43") === words, false);
  assertStrictEquals(await digests.digest("key 44"), words);
});

Deno.test("KeyDigests shows no key to who looks at it", async () => {
  const { digests } = openDigests();
  digests.keep("secret-key", await digests.digest("secret-key"));
  const shown = [Deno.inspect(digests, { showHidden: true, depth: 10 }), JSON.stringify(digests), String(digests)];
  assertEquals(shown.filter((text) => text.includes("secret-key")), []);
});
