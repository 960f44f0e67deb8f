import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { ConfigError, isMCPError, MCPError } from "@portolan/mcp";

Deno.test("MCPError() carries what is given, and defaults that promise nothing", () => {
  const cause = new Error("underneath");
  const full = new MCPError("rate_limited", "Cannot call", {
    server: "files",
    retryable: true,
    retryAfterMs: 7,
    httpStatus: 429,
    rpcCode: -32000,
    suggestions: ["a"],
    cause,
  });
  const { code, server, retryable, retryAfterMs, httpStatus, rpcCode, suggestions } = full;
  assertEquals([code, server, retryable, retryAfterMs], ["rate_limited", "files", true, 7]);
  assertEquals([httpStatus, rpcCode, suggestions], [429, -32000, ["a"]]);
  assertStrictEquals(full.cause, cause);
  assertInstanceOf(full, Error);
  assertEquals([full.name, full.message, String(full)], ["MCPError", "Cannot call", "MCPError: Cannot call"]);

  const bare = new MCPError("closed", "Cannot use");
  assertEquals([bare.server, bare.retryable, bare.retryAfterMs, bare.suggestions], [undefined, false, undefined, []]);
  assertEquals(Object.hasOwn(bare, "cause"), false);
});

Deno.test("ConfigError() lists every fault with its path, under the code invalid_config", () => {
  const faults = [{ path: "servers.files.url", message: "Missing" }, { path: "", message: "Empty" }];
  const error = new ConfigError(faults);
  assertEquals([error.code, error.name, error.faults], ["invalid_config", "ConfigError", faults]);
  assertEquals(error.message.split("\n"), [
    "Cannot use the configuration as it has 2 faults:",
    "  servers.files.url: Missing",
    "  Empty",
  ]);
  assertEquals(isMCPError(error), true);
});

Deno.test("isMCPError() is true for an error of another copy of the package, and for nothing that looks like one", () => {
  const foreign = Object.defineProperty(new Error("other copy"), Symbol.for("portolan.mcp.error"), { value: true });
  assertEquals([isMCPError(new MCPError("closed", "")), isMCPError(foreign)], [true, true]);
  const lookalike = Object.assign(new Error(""), { code: "closed", name: "MCPError" });
  for (const value of [lookalike, null, undefined, "closed", {}, 7]) assertEquals(isMCPError(value), false);
});

Deno.test("MCPError does not show its brand, and JSON of it holds no message and no cause", () => {
  const error = new MCPError("closed", "Cannot use", { cause: new Error("underneath") });
  assertEquals(Object.keys(error).includes("portolan.mcp.error"), false);
  assertEquals(JSON.stringify(error).includes("underneath"), false);
});
