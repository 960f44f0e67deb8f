import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { JsonObject } from "../../src/protocol.ts";
import { attributeOf, textOf } from "../support/html.ts";
import { drawForm, findUnbound } from "./_drawn_form.ts";
import { hostileSchemas, schemasWithValues } from "./_schema_values.ts";

/** An object schema with one member. */
function one(member: JsonObject, isRequired = false): JsonObject {
  return { type: "object", properties: { it: member }, ...(isRequired ? { required: ["it"] } : {}) };
}

Deno.test("SchemaForm gives back any value that fits its schema, through a browser's form", async () => {
  await fc.assert(
    fc.asyncProperty(schemasWithValues, async ({ schema, value }) => {
      const form = await drawForm(schema, { value });
      assertEquals(form.send(), { args: value });
      assertEquals(findUnbound(form), []);
    }),
    { numRuns: 300 },
  );
});

Deno.test("SchemaForm draws whatever a server calls a schema, with labels, and what it draws can be read", async () => {
  await fc.assert(
    fc.asyncProperty(hostileSchemas, fc.boolean(), async (schema, isMember) => {
      const form = await drawForm(isMember ? one(schema) : schema);
      const read = form.send({ "~mode": "json", "~json": '{"a": 1}' });
      assertEquals([read, findUnbound(form)], [{ args: { a: 1 } }, []]);
      form.send();
    }),
    { numRuns: 300 },
  );
});

Deno.test("SchemaForm proposes the defaults of the schema, and leaves out what says nothing", async () => {
  const properties = {
    query: { type: "string" },
    limit: { type: "integer", default: 10 },
    order: { enum: ["new", "old"], default: "old" },
    deep: { type: "boolean" },
    tags: { type: "array", items: { type: "string" } },
    wrong: { type: "integer", default: "ten" },
    within: { type: "object", properties: { from: { type: "string", default: "x" } } },
  };
  const form = await drawForm({ type: "object", properties, required: ["query"] });
  assertEquals(form.send({ "/query": "a" }), { args: { query: "a", limit: 10, order: "old" } });
  assertEquals(form.send({ "/query": "a", "/limit": "", "/deep": "true", "/within~on": "true" }), {
    args: { query: "a", order: "old", deep: true, within: { from: "x" } },
  });
});

Deno.test("SchemaForm asks for a required value, and sends an empty text only as JSON", async () => {
  const form = await drawForm(one({ type: "string" }, true));
  assertEquals(form.send(), {
    faults: [{ path: "it", message: "Required: write a text; an empty one is written as JSON" }],
  });
  assertEquals(form.send({ "~mode": "json", "~json": '{ "it": "" }' }), { args: { it: "" } });
  assertEquals((await drawForm(one({ enum: [1, 2] }, true))).send(), {
    faults: [{ path: "it", message: "Required: choose one" }],
  });
});

for (
  const [type, text, message] of [
    ["number", "ten", "Not a number: write digits"],
    ["number", "1,5", "Not a number: write a point, not a comma"],
    ["number", "1e999", "Too large a number"],
    ["number", "0x10", "Not a number: write digits"],
    ["integer", "1.5", "Not a whole number: leave out what follows the point"],
    ["integer", "12345678901234567890", "Too many digits: the number cannot be sent exactly"],
  ] as const
) {
  Deno.test(`readSchemaForm() says what is wrong with "${text}" as ${type}, and where`, async () => {
    const schema = { type: "object", properties: { a: one({ type }) }, required: ["a"] };
    assertEquals((await drawForm(schema)).send({ "/a/it": text }), { faults: [{ path: "a.it", message }] });
    const list = await drawForm(one({ type: "array", items: { type } }));
    assertEquals(list.send({ "/it": `1\n\n${text}\n2` }), { faults: [{ path: "it[1]", message }] });
  });
}

for (
  const [json, message] of [
    ["{", /^Not JSON: look at line 1, column \d$/],
    ["[]", /^Not an object/],
    ["[".repeat(300) + "]".repeat(300), /^Too deep: at most 256 levels$/],
    [`"${"a".repeat(1_048_576)}"`, /^Too long/],
    [`{"a":[${"0,".repeat(300_000)}0]}`, /^Too large$/],
  ] as const
) {
  Deno.test(`readSchemaForm() refuses JSON that begins ${json.slice(0, 6)} with ${message.source}`, async () => {
    const read = (await drawForm(one({}))).send({ "~mode": "json", "~json": json });
    assert("faults" in read);
    assertEquals(read.faults.map(({ path }) => path), [""]);
    assert(message.test(read.faults[0]!.message), read.faults[0]!.message);
  });
}

Deno.test("S3 readSchemaForm() keeps members called __proto__ as members", async () => {
  const schema: JsonObject = JSON.parse('{ "properties": { "__proto__": { "type": "string" }, "more": {} } }');
  const form = await drawForm(schema);
  const read = form.send({ "/__proto__": "x", "/more~json": '{ "__proto__": { "polluted": true } }' });
  assert("args" in read);
  assertEquals(JSON.stringify(read.args), '{"__proto__":"x","more":{"__proto__":{"polluted":true}}}');
  assertEquals(Object.getPrototypeOf(read.args), Object.prototype);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("SchemaForm names what is wrong at its control, links to it, and keeps what was written", async () => {
  const schema = {
    type: "object",
    properties: { when: { type: "integer" }, tags: { type: "array", items: { type: "integer" } } },
  };
  const sent = new URLSearchParams({ "args/when": "soon", "args/tags": "1\nx" });
  const faults = [
    { path: "when", message: "Not a number" },
    { path: "tags[1]", message: "Not a number either" },
    { path: "other", message: "Not known" },
  ];
  const form = await drawForm(schema, { sent, faults });
  const when = form.control("/when")!;
  assertEquals([attributeOf(when, "value"), attributeOf(when, "aria-invalid")], ["soon", "true"]);
  assertEquals(form.texts("form-fault"), ["Not a number", "Not a number either"]);
  assertStringIncludes(attributeOf(when, "aria-describedby")!, "args/when~fault");
  assertEquals(form.elements.filter(({ tagName }) => tagName === "a").map((link) => attributeOf(link, "href")), [
    "#args/when",
    "#args/tags",
  ]);
  assertEquals(findUnbound(form), []);
});

Deno.test("SchemaForm escapes and bounds what the schema says", async () => {
  const title = `<img src=x onerror=alert(1)>"'\u202e`;
  const form = await drawForm(
    one({ type: "string", title, description: `${title}${"x".repeat(5_000)}`, default: title }),
  );
  assertEquals(form.elements.filter(({ tagName }) => tagName === "img"), []);
  assertEquals(form.texts("form-label"), [`<img src=x onerror=alert(1)>"'`]);
  assert(form.texts("form-help")[0]!.length <= 600);
  assertEquals(attributeOf(form.control("/it")!, "value"), title);
});

for (
  const [what, schema] of [
    ["more fields than a form may have", {
      type: "object",
      properties: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`p${at}`, { type: "string" }])),
    }],
    ["a schema of megabytes", { type: "object", properties: { it: { enum: ["x".repeat(2_000_000)] } } }],
    ["alternatives at the root", { oneOf: [one({ type: "string" }), one({ type: "number" })] }],
    ["no object", { type: "string" }],
  ] as const
) {
  Deno.test(`SchemaForm takes JSON alone for ${what}`, async () => {
    const form = await drawForm(schema as unknown as JsonObject);
    assert(form.html.length < 20_000);
    assertEquals(form.send({ "~json": '{ "p1": "a" }' }), { args: { p1: "a" } });
  });
}

Deno.test("SchemaForm draws a schema that holds itself down to a bounded depth", async () => {
  const schema = { type: "object", properties: { name: { type: "string" }, child: { $ref: "#" } } };
  const form = await drawForm(schema);
  assertEquals(form.elements.filter((element) => attributeOf(element, "class") === "form-group").length, 4);
  const value = { name: "a", child: { name: "b", child: { child: { child: { child: { name: "f" } } } } } };
  assertEquals((await drawForm(schema, { value })).send(), { args: value });
});

Deno.test("SchemaForm says what a value has to be like", async () => {
  const properties = {
    name: { type: "string", minLength: 1, maxLength: 64, pattern: "^[a-z]+$", description: "What to call it." },
    count: { type: "integer", minimum: 1, maximum: 9 },
    mail: { type: "string", format: "email" },
    at: { type: "string", format: "date-time" },
    tags: { type: "array", items: { type: "string" }, maxItems: 3 },
  };
  const form = await drawForm({ type: "object", properties, required: ["name"] });
  assertEquals(form.texts("form-hint"), [
    "1 to 64 characters, matches ^[a-z]+$",
    "whole number, 1 to 9",
    "email",
    "in UTC",
    "one per line, at most 3 items",
  ]);
  assertEquals([form.texts("form-help"), form.texts("form-required")], [["What to call it."], ["required"]]);
  const types = ["/name", "/count", "/at", "/tags"].map((name) => form.control(name)!);
  assertEquals(types.map((control) => attributeOf(control, "type") ?? control.tagName), [
    "text",
    "text",
    "datetime-local",
    "textarea",
  ]);
  assertEquals(form.send({ "/name": "a", "/at": "2026-12-24T18:00" }), {
    args: { name: "a", at: "2026-12-24T18:00:00Z" },
  });
});

Deno.test("SchemaForm draws drafts of before 2019 too, with references and ids of theirs", async () => {
  const schema = {
    $schema: "http://json-schema.org/draft-04/schema#",
    id: "http://example.com/root.json",
    type: "object",
    properties: { place: { $ref: "#/definitions/place" }, far: { $ref: "http://example.com/elsewhere.json" } },
    definitions: { place: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
  };
  const form = await drawForm(schema);
  assertEquals(form.send({ "/place~on": "true", "/place/city": "Porto" }), { args: { place: { city: "Porto" } } });
  assertEquals(form.control("/far~json")?.tagName, "textarea");
});

Deno.test("SchemaForm shows choices by their names", async () => {
  const form = await drawForm(one({ oneOf: [{ const: "eu", title: "Europe" }, { const: "us" }] }));
  const options = form.elements.filter(({ tagName }) => tagName === "option");
  assertEquals(options.map((option) => [attributeOf(option, "value"), textOf(option)]), [
    ["", "Not sent"],
    ['"eu"', "Europe"],
    ['"us"', "us"],
  ]);
  assertEquals(form.send({ "/it": '"eu"' }), { args: { it: "eu" } });
  assertEquals(form.send({ "/it": '"asia"' }), { faults: [{ path: "it", message: "Not one of the choices" }] });
});
