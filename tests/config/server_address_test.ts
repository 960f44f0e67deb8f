import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import fc from "fast-check";
import { checkServerUrl } from "../../src/config/server_address.ts";

const PUBLIC = [
  "https://example.com/mcp",
  "http://example.com:8080/mcp?x=1",
  "HTTPS://EXAMPLE.com/",
  "https://8.8.8.8/",
  "https://[2606:4700:4700::1111]/",
  "https://localhost.example.com/",
  "http://files:8000/mcp",
  "https://user.example.com/@scope/mcp?a=b@c#d@e",
];
const LOOPBACK = [
  "http://localhost:8000/mcp",
  "http://LOCALHOST./",
  "http://a.localhost/",
  "http://127.0.0.1/",
  "http://127.8.9.10/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f000001/",
  "http://0177.0.0.1/",
  "http://[::1]/",
  "http://[0:0:0:0:0:0:0:1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:7f00:1]/",
];
const SPECIAL: readonly (readonly [string, string])[] = [
  ["http://10.0.0.1/", "private"],
  ["http://167772161/", "private"],
  ["http://0xA000001/", "private"],
  ["http://012.0.0.1/", "private"],
  ["http://10.1/", "private"],
  ["http://172.16.0.1/", "private"],
  ["http://192.168.1.1./", "private"],
  ["http://[::ffff:192.168.1.1]/", "private"],
  ["http://169.254.169.254/latest", "link-local"],
  ["http://[fe80::1]/", "link-local"],
  ["http://[fd00::1]/", "unique local"],
  ["http://100.64.0.1/", "carrier-grade NAT"],
  ["http://0.0.0.0/", "unspecified"],
  ["http://0/", "unspecified"],
  ["http://[::]/", "unspecified"],
  ["http://224.0.0.1/", "multicast"],
  ["http://[ff02::1]/", "multicast"],
  ["http://255.255.255.255/", "reserved"],
  ["http://240.0.0.1/", "reserved"],
  ["http://192.0.2.1/", "reserved"],
  ["http://[2001:db8::1]/", "reserved"],
  ["http://[64:ff9b::10.0.0.1]/", "reserved"],
  ["http://[2002:a00:1::]/", "reserved"],
  ["http://[::127.0.0.1]/", "reserved"],
  ["http://[::10.0.0.1]/", "reserved"],
];
const REFUSED: readonly (readonly [string, string])[] = [
  ["", "Cannot use as a URL: write one"],
  ["example.com/mcp", "Cannot use as a URL: write one"],
  ["ftp://example.com/", "Cannot use as a URL: write one"],
  ["ws://example.com/", "Cannot use as a URL: write one"],
  ["file:///etc/passwd", "Cannot use as a URL: write one"],
  ["javascript:alert(1)", "Cannot use as a URL: write one"],
  ["https:example.com", "Cannot use as a URL: write one"],
  ["https://", "Cannot use as a URL: write one"],
  ["https://999.1.1.1/", "Cannot use as a URL: write one"],
  ["https://exa mple.com/", "Cannot use as a URL as it holds white space"],
  [" https://example.com/", "Cannot use as a URL as it holds white space"],
  ["https://exa\nmple.com/", "Cannot use as a URL as it holds white space"],
  ["https://example.com/\0", "Cannot use as a URL as it holds white space"],
  ["https://user:hunter22@example.com/", "Cannot use a URL with a user name"],
  ["https://user@example.com/", "Cannot use a URL with a user name"],
  ["https://:hunter22@example.com/", "Cannot use a URL with a user name"],
  ["https://@example.com/", "Cannot use a URL with a user name"],
  ["https://:@example.com/", "Cannot use a URL with a user name"],
  ["https:///\\@example.com/", "Cannot use a URL with a user name"],
  ["https://example.com@localhost/", "Cannot use a URL with a user name"],
  [`https://example.com/${"x".repeat(8_192)}`, "Cannot use as a URL as it has 8212 characters"],
];

for (const url of [...PUBLIC, ...LOOPBACK]) {
  Deno.test(`checkServerUrl() allows ${url}`, () => {
    assertInstanceOf(checkServerUrl(url), URL);
  });
}
for (const [url, kind] of SPECIAL) {
  Deno.test(`checkServerUrl() allows ${url} (${kind}) with allowPrivate only`, () => {
    const fault = checkServerUrl(url);
    assert(
      typeof fault === "string" && fault.includes(`(${kind})`) && fault.includes("allowPrivate: true"),
      `${fault}`,
    );
    assertInstanceOf(checkServerUrl(url, { allowPrivate: true }), URL);
  });
}
for (const [url, start] of REFUSED) {
  Deno.test(`checkServerUrl() refuses ${JSON.stringify(url.slice(0, 50))} whatever is allowed`, () => {
    const fault = checkServerUrl(url, { allowPrivate: true });
    assert(typeof fault === "string" && fault.startsWith(start), `${fault}`);
    assert(!fault.includes("hunter22"));
  });
}
for (const url of LOOPBACK) {
  Deno.test(`checkServerUrl() refuses ${url} without allowLoopback`, () => {
    assertEquals(
      checkServerUrl(url, { allowLoopback: false, allowPrivate: true }),
      "Cannot use a loopback address here: write a public one",
    );
  });
}

Deno.test("checkServerUrl() removes the fragment", () => {
  assertEquals(String(checkServerUrl("https://example.com/mcp?a=b#c")), "https://example.com/mcp?a=b");
});

Deno.test("checkServerUrl() never throws and quotes nothing", () => {
  const scheme = fc.constantFrom("https://", "http://", "ftp://", "");
  fc.assert(fc.property(scheme, fc.string({ unit: "binary" }), (start, rest) => {
    const checked = checkServerUrl(`${start}hunter22:${rest}@hunter22/?hunter22`);
    assert(typeof checked !== "string" || !checked.includes("hunter22"));
  }));
});
