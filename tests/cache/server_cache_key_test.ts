import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { toServerCacheKey } from "../../src/cache/server_cache_key.ts";

const parts = { agent: "Kairos", server: "files", url: "https://files.example.com/mcp?key=canary-url" };
const fingerprintKey = new Uint8Array(32).fill(7);
const credential = "authorization: Bearer canary-token";

Deno.test("toServerCacheKey() names agent and server and hashes the URL", async () => {
  const key = await toServerCacheKey(parts);
  assertEquals([...key.slice(0, 4), key[5]], ["v1", "tools", "Kairos", "files", "anonymous"]);
  assertMatch(key[4], /^[0-9a-f]{32}$/);
  assertEquals(await toServerCacheKey({ ...parts, credential: "", fingerprintKey }), key);
});

Deno.test("toServerCacheKey() holds no secret", async () => {
  for (const key of [fingerprintKey, undefined]) {
    const text = JSON.stringify(await toServerCacheKey({ ...parts, credential, fingerprintKey: key }));
    assert(!text.includes("canary"), text);
  }
});

Deno.test("K6 toServerCacheKey() gives two tenants of one server different keys", async () => {
  const first = await toServerCacheKey({ ...parts, credential, fingerprintKey });
  assertEquals(await toServerCacheKey({ ...parts, credential, fingerprintKey }), first);
  const others = [
    { ...parts, credential: `${credential}2`, fingerprintKey },
    { ...parts, credential, fingerprintKey: new Uint8Array(32).fill(8) },
    { ...parts, credential },
    { ...parts, fingerprintKey },
    { ...parts, agent: "Mercurius", credential, fingerprintKey },
    { ...parts, url: `${parts.url}#`, credential, fingerprintKey },
  ];
  const keys = await Promise.all(others.map(toServerCacheKey));
  assertEquals(new Set([first, ...keys].map((key) => JSON.stringify(key))).size, others.length + 1);
});

Deno.test("toServerCacheKey() fingerprints one credential differently for each server", async () => {
  const [files, calendar] = await Promise.all(
    ["files", "calendar"].map((server) => toServerCacheKey({ ...parts, server, credential, fingerprintKey })),
  );
  assertNotEquals(files?.[5], calendar?.[5]);
});

Deno.test("toServerCacheKey() rejects with RangeError for a fingerprint key that is short", async () => {
  await assertRejects(() => toServerCacheKey({ ...parts, fingerprintKey: new Uint8Array(15) }), RangeError, "15");
});

Deno.test("toServerCacheKey() gives well-formed, short and distinct keys for any two names", async () => {
  const name = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom("\ud800", "\udfff", "\ufffd", "__proto__", "sha256:", "x".repeat(129), "x".repeat(130)),
  );
  await fc.assert(
    fc.asyncProperty(name, name, async (agent, server) => {
      const [key, swapped] = await Promise.all([
        toServerCacheKey({ ...parts, agent, server }),
        toServerCacheKey({ ...parts, agent: server, server: agent }),
      ]);
      assert(key.every((part) => part.isWellFormed() && new TextEncoder().encode(part).byteLength <= 128));
      assertEquals(JSON.stringify(key) === JSON.stringify(swapped), agent === server);
    }),
  );
});
