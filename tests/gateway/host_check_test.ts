import { assertEquals } from "@std/assert";
import { checkHost, type HostRules, isLoopbackHost, type PeerInfo } from "../../src/gateway/host_check.ts";
import { RequestError } from "../../src/gateway/request_error.ts";

const OPEN: HostRules = { open: true, allowedHosts: undefined, allowedOrigins: [] };
const KEYED: HostRules = { open: false, allowedHosts: undefined, allowedOrigins: [] };
const LOCAL: PeerInfo = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1" } };

function outcome(headers: Record<string, string>, rules: HostRules, peer = LOCAL, url?: string): string {
  try {
    checkHost(new Request(url ?? `http://${headers.host ?? "localhost"}/`, { headers }), peer, rules);
    return "served";
  } catch (error) {
    if (error instanceof RequestError) return error.code;
    throw error;
  }
}

Deno.test("S1 checkHost() refuses a request without a Host header or with one that is none", () => {
  for (const rules of [OPEN, KEYED]) {
    assertEquals(outcome({}, rules), "host_refused");
    for (
      const host of ["", "a b", "localhost, evil.example", "user@localhost", "localhost/", "localhost:port", "[::1"]
    ) {
      assertEquals(outcome({ host }, rules, LOCAL, "http://localhost/"), "host_refused", host);
    }
  }
});

Deno.test("S1 checkHost() takes the host from the URL, where there is no header and the platform is trusted with it", () => {
  const rules = { ...KEYED, hostFromUrl: true, allowedHosts: ["mcp.example.com"] };
  assertEquals(outcome({}, rules, LOCAL, "https://mcp.example.com/"), "served");
  assertEquals(outcome({}, rules, LOCAL, "https://evil.example/"), "host_refused");
  assertEquals(outcome({ host: "" }, rules, LOCAL, "https://mcp.example.com/"), "host_refused");
});

Deno.test("S1 checkHost() serves only loopback names in open mode, on any port", () => {
  for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:8000", "127.1.2.3", "[::1]", "[::1]:8000"]) {
    assertEquals(outcome({ host }, OPEN), "served", host);
  }
  for (
    const host of ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "0.0.0.0", "192.168.1.2", "[::2]"]
  ) {
    assertEquals(outcome({ host }, OPEN), "host_refused", host);
  }
});

Deno.test("S1 checkHost() refuses an absolute request target that names another host than is served", () => {
  assertEquals(outcome({ host: "localhost" }, OPEN, LOCAL, "http://evil.example/"), "host_refused");
  const rules = { ...KEYED, allowedHosts: ["mcp.example.com"] };
  assertEquals(outcome({ host: "mcp.example.com" }, rules, LOCAL, "http://evil.example/"), "host_refused");
});

Deno.test("S1 checkHost() serves loopback peers alone in open mode", () => {
  const peer = (hostname: string): PeerInfo => ({ remoteAddr: { transport: "tcp", hostname } });
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assertEquals(outcome({ host: "localhost" }, OPEN, peer(address)), "served", address);
  }
  for (const address of ["10.0.0.1", "::2", "::ffff:10.0.0.1", ""]) {
    assertEquals(outcome({ host: "localhost" }, OPEN, peer(address)), "host_refused", address);
  }
  assertEquals(outcome({ host: "localhost" }, OPEN, {}), "host_refused");
  assertEquals(outcome({ host: "localhost" }, OPEN, { remoteAddr: { transport: "unix" } }), "served");
  assertEquals(outcome({ host: "mcp.example.com" }, KEYED, peer("10.0.0.1")), "served");
});

Deno.test("S1 checkHost() refuses in open mode what a proxy on this machine forwards", () => {
  for (const header of ["forwarded", "x-forwarded-for", "x-real-ip", "via", "x-forwarded-proto", "cf-connecting-ip"]) {
    assertEquals(outcome({ host: "localhost", [header]: "for=1.2.3.4" }, OPEN), "host_refused");
    assertEquals(outcome({ host: "localhost", [header]: "for=1.2.3.4" }, KEYED), "served");
  }
});

Deno.test("S1 checkHost() serves the allowed hosts, with a port only on that port", () => {
  const rules = { ...KEYED, allowedHosts: ["mcp.example.com", "mcp.example.org:8443"] };
  for (const host of ["mcp.example.com", "MCP.example.com:9", "mcp.example.org:8443"]) {
    assertEquals(outcome({ host }, rules), "served", host);
  }
  for (const host of ["example.com", "a.mcp.example.com", "mcp.example.org", "localhost"]) {
    assertEquals(outcome({ host }, rules), "host_refused", host);
  }
  assertEquals(outcome({ host: "localhost" }, { ...rules, open: true }), "served");
});

Deno.test("S1 checkHost() serves its own origin and the allowed ones", () => {
  const rules = { ...KEYED, allowedOrigins: ["https://app.example.com"] };
  const at = (host: string, origin: string) => outcome({ host, origin }, rules);
  assertEquals(at("mcp.example.com", "https://mcp.example.com"), "served");
  assertEquals(at("mcp.example.com:443", "https://mcp.example.com"), "served");
  assertEquals(at("localhost:8000", "http://localhost:8000"), "served");
  assertEquals(at("mcp.example.com", "https://app.example.com"), "served");
  for (
    const origin of [
      "null",
      "",
      "https://evil.example",
      "https://mcp.example.com:8443",
      "http://app.example.com",
      "mcp.example.com",
    ]
  ) {
    assertEquals(at("mcp.example.com", origin), "origin_refused", origin);
  }
});

Deno.test("isLoopbackHost() knows the names and addresses of loopback", () => {
  for (const host of ["localhost", "127.0.0.1", "::1", "[::1]", "::ffff:127.0.0.1"]) {
    assertEquals(isLoopbackHost(host), true);
  }
  for (const host of ["0.0.0.0", "::", "127.0.0.1.example", "localhost.", "128.0.0.1"]) {
    assertEquals(isLoopbackHost(host), false);
  }
});
