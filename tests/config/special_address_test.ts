import { assertEquals } from "@std/assert";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { specialKindOf } from "../../src/config/special_address.ts";

/** What `ipaddr.js` says, in our words. */
function expected(host: string): string | undefined {
  const address = ipaddr.process(host);
  const range = address.range();
  const words: Readonly<Record<string, string>> = {
    loopback: "loopback",
    private: "private",
    linkLocal: "link-local",
    uniqueLocal: "unique local",
    carrierGradeNat: "carrier-grade NAT",
    unspecified: "unspecified",
    multicast: "multicast",
  };
  if (range !== "unicast") return words[range] ?? "reserved";
  const bytes = address.toByteArray();
  return bytes.length === 16 && bytes.slice(0, 12).every((byte) => byte === 0) ? "reserved" : undefined;
}

/** As the URL parser writes it. */
function toHost(address: string): string {
  return new URL(`http://${address}/`).hostname.replace(/^\[|\]$/g, "");
}

const word = fc.nat(0xffff);
const STARTS = ["0", "1", "64", "100", "2001", "2002", "2620", "3fff", "5f00", "fc00", "fe80", "fec0", "ff02", "ffff"];
const start = fc.oneof(fc.constantFrom(...STARTS), word.map((value) => value.toString(16)));
const rest = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 0x10, 0x20, 0x30, 0xdb8, 0xff9b, 0xffff), word), {
  minLength: 7,
  maxLength: 7,
});

Deno.test("specialKindOf() agrees with ipaddr.js on IPv4 addresses", () => {
  const first = fc.oneof(fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 203, 224, 240, 255), fc.nat(255));
  const second = fc.oneof(fc.constantFrom(0, 16, 18, 31, 51, 52, 64, 88, 127, 168, 175, 254), fc.nat(255));
  const third = fc.oneof(fc.constantFrom(0, 2, 48, 99, 100, 113, 193, 196), fc.nat(255));
  fc.assert(
    fc.property(first, second, third, fc.nat(255), (...bytes) => {
      const host = bytes.join(".");
      assertEquals(specialKindOf(host), expected(host), host);
      const mapped = toHost(`[::ffff:${host}]`);
      assertEquals(specialKindOf(mapped), expected(mapped), mapped);
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("specialKindOf() agrees with ipaddr.js on IPv6 addresses", () => {
  fc.assert(
    fc.property(start, rest, (first, words) => {
      const host = toHost(`[${[first, ...words.map((value) => value.toString(16))].join(":")}]`);
      assertEquals(specialKindOf(host), expected(host), host);
    }),
    { numRuns: 5_000 },
  );
});

for (const host of ["", "example.com", "1.2.3", "1.2.3.256", "1::2::3", "1:2:3", "::g", "cafe", "12345::", ":"]) {
  Deno.test(`specialKindOf() takes no name for an address: "${host}"`, () => {
    assertEquals(specialKindOf(host), undefined);
  });
}
