import { createHash, createHmac } from "node:crypto";
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { ArgumentsHash } from "../../src/audit/arguments_hash.ts";

const SECRET = new TextEncoder().encode("0123456789abcdef");
const ARGS = { b: [1, { y: "é", x: null }], a: "canary" };
const TEXT = 'portolan audit v1 {"a":"canary","b":[1,{"x":null,"y":"é"}]}';

Deno.test("ArgumentsHash.of() is what another implementation says of the canonical JSON, with a secret and without", async () => {
  assertEquals(
    await new ArgumentsHash(undefined).of(ARGS),
    `sha256:${createHash("sha256").update(TEXT).digest("hex")}`,
  );
  const keyed = createHmac("sha256", SECRET).update(TEXT).digest("hex");
  assertEquals(await new ArgumentsHash(SECRET).of(ARGS), `hmac-sha256:${keyed}`);
});

Deno.test("ArgumentsHash.of() is the same for equal arguments, and another for others and under another secret", async () => {
  const hash = new ArgumentsHash(SECRET);
  assertEquals(await hash.of({ a: "canary", b: [1, { x: null, y: "é" }] }), await hash.of(ARGS));
  assertNotEquals(await hash.of({ ...ARGS, a: "canary " }), await hash.of(ARGS));
  const other = new ArgumentsHash(new TextEncoder().encode("fedcba9876543210"));
  assertNotEquals(await other.of(ARGS), await hash.of(ARGS));
  assertMatch(await hash.of({}) ?? "", /^hmac-sha256:[0-9a-f]{64}$/);
});

Deno.test("ArgumentsHash.of() has none for what is no JSON, or is nested too deep", async () => {
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  assertEquals(await new ArgumentsHash(SECRET).of({ deep: deep as never }), undefined);
  assertEquals(await new ArgumentsHash(SECRET).of({ n: NaN }), undefined);
});
