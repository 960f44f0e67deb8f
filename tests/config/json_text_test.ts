import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parse } from "@std/yaml";
import { parseJsonText } from "../../src/config/json_text.ts";

Deno.test("parseJsonText() reads an object as a reader of YAML does", () => {
  fc.assert(fc.property(fc.dictionary(fc.string({ unit: "grapheme-ascii" }), fc.jsonValue()), (data) => {
    for (const text of [JSON.stringify(data), ` \n${JSON.stringify(data, undefined, 2)}\n`]) {
      const read = parseJsonText(text);
      assertEquals(JSON.stringify(read), JSON.stringify(JSON.parse(text)));
      assertEquals(JSON.stringify(read), JSON.stringify(parse(text, { schema: "core" })));
    }
  }));
});

/** What it leaves to whoever reads YAML, which says what is wrong. */
const OTHERS: Readonly<Record<string, string>> = {
  "YAML": "agents: {}",
  "YAML in braces": "{ agents: {} }",
  "a list": "[1]",
  "a single value": '"agents"',
  "an empty text": "",
  "a comment": '{} # "a": 1',
  "a key that stands twice": '{"a": {"b": 1, "c": 2, "b": 3}}',
  "a key that stands twice, once escaped": '{"a": 1, "\\u0061": 2}',
  "a key that stands twice, once as __proto__": '{"__proto__": 1, "__proto__": {}}',
  "a key that stands twice, among texts with colons": '{"a": "\\": 1", "b" : ":", "b"\n: "x"}',
  "too many values": `{"a": [${"1,".repeat(100_000)}1]}`,
  "too long a text": `{"a": "${"x".repeat(1_048_576)}"}`,
};

for (const [name, text] of Object.entries(OTHERS)) {
  Deno.test(`parseJsonText() leaves ${name} alone`, () => assertEquals(parseJsonText(text), undefined));
}

Deno.test("parseJsonText() takes texts that look like keys for what they are", () => {
  const data = { 'a":': '"b": 1', "c": ['"d":', { "__proto__x": ":" }], "": "\\" };
  assertEquals(parseJsonText(JSON.stringify(data)), data);
});
