import { assertEquals } from "@std/assert";
import { describeListening, describeStartError } from "../../src/gateway/announce.ts";
import { MCPError } from "../../src/errors.ts";

const LOCAL = { hostname: "127.0.0.1", port: 8_000 };

function named(name: string): Error {
  return Object.assign(new Error("os error 98"), { name });
}

Deno.test("describeListening() says where, and what to try first", () => {
  assertEquals(
    describeListening(LOCAL, ["Kairos", "Mercurius"], { open: "loopback" }),
    "Portolan listens on http://127.0.0.1:8000\nTry: curl http://127.0.0.1:8000/agents/Kairos/tools",
  );
  assertEquals(
    describeListening({ hostname: "::1", port: 1 }, [], { keys: {} }),
    'Portolan listens on http://[::1]:1\nTry: curl -H "authorization: Bearer $KEY" http://[::1]:1/agents/:agent/tools',
  );
});

Deno.test("describeStartError() says what to do about the address", () => {
  const inUse = "Cannot listen on 127.0.0.1:8000 as the port is in use: choose another, as in PORT=8001";
  assertEquals(describeStartError(named("AddrInUse"), LOCAL), inUse);
  assertEquals(
    describeStartError(named("AddrNotAvailable"), { hostname: "::2", port: 1 }),
    "Cannot listen on [::2]:1 as this machine has no such address: change PORTOLAN_HOST",
  );
  assertEquals(
    describeStartError(named("PermissionDenied"), { hostname: "127.0.0.1", port: 80 }),
    "Cannot listen on 127.0.0.1:80 as the system does not allow it: choose a port above 1023, as in PORT=8000",
  );
  assertEquals(describeStartError(named("Http"), LOCAL), "Cannot listen on 127.0.0.1:8000: Http: os error 98");
});

Deno.test("describeStartError() repeats the message of an MCPError and never a stack", () => {
  assertEquals(describeStartError(new MCPError("invalid_config", "Cannot use it"), undefined), "Cannot use it");
  assertEquals(
    describeStartError(named("NotCapable"), undefined),
    "Cannot start as something failed: NotCapable: os error 98",
  );
  assertEquals(describeStartError("text", undefined), "Cannot start as something failed: Error: text");
});
