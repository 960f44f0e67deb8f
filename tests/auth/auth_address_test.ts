import { assertEquals, assertInstanceOf } from "@std/assert";
import { checkAuthUrl } from "../../src/auth/auth_address.ts";

const PUBLIC = { serverUrl: new URL("https://mcp.example.com/mcp"), issuers: [], allowPrivate: false };

const SPECIAL = [
  "https://127.0.0.1/",
  "https://localhost:8080/",
  "https://10.0.0.1/",
  "https://192.168.1.1/",
  "https://169.254.169.254/latest/meta-data",
  "https://0xA000001/",
  "https://167772161/",
  "https://[::1]/",
  "https://[::ffff:10.0.0.1]/",
  "https://[fd00::1]/",
  "https://0.0.0.0/",
  "https://100.64.0.1/",
];

Deno.test("checkAuthUrl() takes public https addresses", () => {
  for (const url of ["https://login.example.com/", "https://1.1.1.1/token"]) {
    assertInstanceOf(checkAuthUrl(url, PUBLIC), URL);
  }
});

for (const url of SPECIAL) {
  Deno.test(`S7 checkAuthUrl() refuses a special address unless it is allowed or listed: ${url}`, () => {
    assertEquals(typeof checkAuthUrl(url, PUBLIC), "string");
    assertInstanceOf(checkAuthUrl(url, { ...PUBLIC, allowPrivate: true }), URL);
    assertInstanceOf(checkAuthUrl(url, { ...PUBLIC, issuers: [new URL(url).origin] }), URL);
    assertInstanceOf(checkAuthUrl(url, { ...PUBLIC, serverUrl: new URL(url) }), URL);
    assertEquals(typeof checkAuthUrl(url, { ...PUBLIC, issuers: ["https://127.0.0.1:1"] }), "string");
  });
}

Deno.test("checkAuthUrl() refuses http but on loopback, userinfo, and what is no http URL", () => {
  const loose = { ...PUBLIC, allowPrivate: true };
  for (
    const url of ["http://login.example.com/", "http://10.0.0.1/", "https://a:b@c.example/", "javascript:alert(1)", "x"]
  ) {
    assertEquals(typeof checkAuthUrl(url, loose), "string", url);
  }
  assertInstanceOf(checkAuthUrl("http://127.0.0.1:8080/token", loose), URL);
  assertEquals(typeof checkAuthUrl("http://127.0.0.1:8080/token", PUBLIC), "string");
});
