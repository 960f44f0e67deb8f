import { assertEquals, assertFalse, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MIN_SECRET_BYTES, Sealer } from "../../src/cache/sealer.ts";

const toSecret = (seed: number, bytes = 32) => new Uint8Array(bytes).fill(seed);

Deno.test("Sealer.open() gives back what seal() was given, in another isolate with the same secret too", async () => {
  const text = fc.string({ unit: "binary", maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(text, text, async (plain, boundTo) => {
      const sealed = await new Sealer(toSecret(1)).seal(plain, boundTo);
      assertEquals(await new Sealer(toSecret(1)).open(sealed, boundTo), plain);
    }),
    { numRuns: 30 },
  );
});

Deno.test("Sealer.seal() shows nothing of the text, and never the same twice", async () => {
  const sealer = new Sealer(toSecret(1));
  const [first, second] = [await sealer.seal("session-canary", "key"), await sealer.seal("session-canary", "key")];
  assertNotEquals(first, second);
  for (const sealed of [first, second]) assertFalse(atob(sealed).includes("canary"));
});

Deno.test("Sealer.open() is undefined for another key, and for another secret", async () => {
  const sealer = new Sealer(toSecret(1));
  const sealed = await sealer.seal("session", '["v1","connection","Kairos"]');
  assertEquals(await sealer.open(sealed, '["v1","connection","Mercurius"]'), undefined);
  assertEquals(await sealer.open(sealed, ""), undefined);
  assertEquals(await new Sealer(toSecret(2)).open(sealed, '["v1","connection","Kairos"]'), undefined);
  assertEquals(await new Sealer(toSecret(1, 31)).open(sealed, '["v1","connection","Kairos"]'), undefined);
});

Deno.test("Sealer.open() is undefined where any byte was changed or is missing", async () => {
  const sealer = new Sealer(toSecret(1));
  const bytes = Uint8Array.from(atob(await sealer.seal("session", "key")), (char) => char.charCodeAt(0));
  const toText = (changed: Uint8Array) => btoa(String.fromCharCode(...changed));
  assertEquals(await sealer.open(toText(bytes), "key"), "session");
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    assertEquals(await sealer.open(toText(changed), "key"), undefined, `byte ${at} changed`);
    assertEquals(await sealer.open(toText(bytes.subarray(0, at)), "key"), undefined, `cut at byte ${at}`);
  }
});

Deno.test("Sealer.open() is undefined for any other text", async () => {
  const sealer = new Sealer(toSecret(1));
  await fc.assert(fc.asyncProperty(fc.oneof(fc.string(), fc.base64String()), async (text) => {
    assertEquals(await sealer.open(text, "key"), undefined);
  }));
});

Deno.test("Sealer() refuses a secret that is too short", () => {
  for (const bytes of [0, 1, MIN_SECRET_BYTES - 1]) {
    assertThrows(() => new Sealer(toSecret(1, bytes)), RangeError, `less than 16 bytes: ${bytes}`);
  }
});

Deno.test("Sealer() takes a copy of a secret of 16 bytes", async () => {
  const secret = toSecret(1, MIN_SECRET_BYTES);
  const sealer = new Sealer(secret);
  secret.fill(9);
  const sealed = await sealer.seal("session", "key");
  assertEquals(await new Sealer(toSecret(1, MIN_SECRET_BYTES)).open(sealed, "key"), "session");
});
