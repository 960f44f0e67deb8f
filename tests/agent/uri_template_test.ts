import { assertEquals, assertLess } from "@std/assert";
import { parseUriTemplate } from "../../src/agent/uri_template.ts";

const CASES: readonly (readonly [template: string, uris: readonly string[], others: readonly string[]])[] = [
  ["file:///readme", ["file:///readme"], ["file:///readme2", "file:///read", ""]],
  ["db://{table}", ["db://users", "db://a%20b", "db://ü"], ["db://", "db://a/b", "db://a?b", "db://a#b", "xdb://a"]],
  ["db://{table}/{id}/end", ["db://a/b/end"], ["db://a/end", "db://a/b/c/end", "db://a/b/end2"]],
  ["{+uri}", ["https://example.com/a?b#c"], [""]],
  ["files://{+path}", ["files://a/b/c?x#y", "files://a"], ["files://"]],
  ["files://{+path}/{name}", ["files://a/b/c", "files://a/b"], ["files://a", "files://a/b?c"]],
  ["{+a}x{+b}x", ["1x2x", "xxxx"], ["1x2", "xx", "x1x"]],
  ["x://a{/b}", ["x://a/b", "x://a"], ["x://a/", "x://a/b/c", "x://ab"]],
  ["x://a{/b*}", ["x://a/b/c", "x://a/b"], ["x://a?b"]],
  ["x://a{/b,c}/d", ["x://a/b/c/d", "x://a/b/d", "x://a/d"], ["x://a/b/c"]],
  ["x://a{.format}", ["x://a.json", "x://a"], ["x://a.", "x://a/json"]],
  ["x://a{;v}", ["x://a;v=1", "x://a"], ["x://av=1"]],
  ["x://s{?q,n}", ["x://s", "x://s?q=1", "x://s?n=1&q=2", "x://s?q"], [
    "x://s?",
    "x://s?z=1",
    "x://s?q=1&z=2",
    "x://sq",
  ]],
  ["x://s{?q:3}", ["x://s?q=abc"], ["x://s?r=abc"]],
  ["x://s{?q*}", ["x://s?any=1&other=2"], ["x://s/any"]],
  ["x://s?v=1{&q}", ["x://s?v=1&q=2", "x://s?v=1"], ["x://s?q=2"]],
  ["x://s{?q}{#part}", ["x://s?q=1#p", "x://s#p", "x://s"], ["x://s?z#p", "x://s#"]],
  ["x://{a,b}", ["x://1,2", "x://1"], ["x://1/2"]],
  ["x://{__proto__}/{constructor}", ["x://a/b"], ["x://a"]],
];

Deno.test("UriTemplate.matches() says whether a URI can have come of the template", () => {
  for (const [text, uris, others] of CASES) {
    const template = parseUriTemplate(text);
    for (const uri of uris) assertEquals([text, uri, template?.matches(uri)], [text, uri, true]);
    for (const uri of others) assertEquals([text, uri, template?.matches(uri)], [text, uri, false]);
  }
});

Deno.test("parseUriTemplate() gives nothing for what is malformed, reserved or too long", () => {
  for (const text of ["{", "a}", "{}", "{a", "{{a}}", "{=a}", "{!a}", "{|a}", "{a b}", "{+}", "{a,}", "{(a+)+$}"]) {
    assertEquals([text, parseUriTemplate(text)], [text, undefined]);
  }
  assertEquals(parseUriTemplate("x".repeat(513)), undefined);
  assertEquals(parseUriTemplate("{a}".repeat(17)), undefined);
  assertEquals(parseUriTemplate("{+a}")?.matches("x".repeat(2_049)), false);
});

Deno.test("UriTemplate.matches() takes a bounded time, whatever a server lists", () => {
  const hostile = ["{+a}".repeat(16) + "!", "{+a}x".repeat(16), `{+a}${"x".repeat(500)}`, "{/a*}{/b*}{?c*}".repeat(5)];
  const uri = "x".repeat(2_047) + "?";
  for (const text of hostile) {
    const template = parseUriTemplate(text);
    const startedAt = performance.now();
    for (let i = 0; i < 100; i++) assertEquals(template?.matches(uri), false);
    // Trying one way after the other would take longer than anybody waits.
    assertLess(performance.now() - startedAt, 2_000, text.slice(0, 40));
  }
});
