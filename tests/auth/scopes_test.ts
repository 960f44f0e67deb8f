import { assertEquals } from "@std/assert";
import { chooseScopes, parseScope, type ScopeChoice, uniteScopes } from "../../src/auth/scopes.ts";

const NOTHING: ScopeChoice = {
  challenged: undefined,
  listed: undefined,
  configured: undefined,
  before: [],
  supported: undefined,
  wantsRefresh: true,
};

Deno.test("parseScope() keeps each well-formed token once, and at most 100", () => {
  assertEquals(parseScope('a  b a é "c" d\\e'), ["a", "b"]);
  assertEquals(parseScope(undefined), []);
  assertEquals(parseScope(Array.from({ length: 200 }, (_, index) => `s${index}`).join(" ")).length, 100);
  assertEquals(uniteScopes(["a", "x".repeat(300)], ["b", "a"]), ["a", "b"]);
});

Deno.test("chooseScopes() asks for what is challenged, else for what is listed, else for nothing", () => {
  assertEquals(chooseScopes({ ...NOTHING, challenged: "a", listed: ["b"] }), ["a"]);
  assertEquals(chooseScopes({ ...NOTHING, challenged: "", listed: ["b", "c"] }), ["b", "c"]);
  assertEquals(chooseScopes(NOTHING), []);
});

Deno.test("chooseScopes() unites with what was configured and with what was had before", () => {
  assertEquals(chooseScopes({ ...NOTHING, challenged: "a", configured: "c d", before: ["b", "a"] }), [
    "c",
    "d",
    "b",
    "a",
  ]);
});

Deno.test("chooseScopes() asks for offline_access exactly where the authorization server lists it and a person is there", () => {
  const supported = ["a", "offline_access"];
  assertEquals(chooseScopes({ ...NOTHING, challenged: "a", supported }), ["a", "offline_access"]);
  assertEquals(chooseScopes({ ...NOTHING, challenged: "a", supported, wantsRefresh: false }), ["a"]);
  assertEquals(chooseScopes({ ...NOTHING, challenged: "a offline_access", supported: ["a"] }), ["a"]);
  assertEquals(chooseScopes({ ...NOTHING, supported }), [], "alone it would replace the default scopes");
  assertEquals(chooseScopes({ ...NOTHING, configured: "offline_access" }), ["offline_access"]);
});
