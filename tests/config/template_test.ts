import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import {
  fillTemplate,
  parseTemplate,
  renderTemplate,
  type Template,
  templateReferences,
  templateText,
} from "../../src/config/template.ts";

const secret = (name: string) => ({ from: "secrets" as const, name, fallback: undefined });
const env = (name: string, fallback?: string) => ({ from: "env" as const, name, fallback });

const CASES: readonly (readonly [string, Template])[] = [
  ["", []],
  ["plain", ["plain"]],
  ["${A}", [secret("A")]],
  ["Bearer ${TOKEN}", ["Bearer ", secret("TOKEN")]],
  ["${A}${B}", [secret("A"), secret("B")]],
  ["${env:A}", [env("A")]],
  ["${env:A:-x y}", [env("A", "x y")]],
  ["${env:A:-}", [env("A", "")]],
  ["${__proto__}", [secret("__proto__")]],
  ["$${A}", ["${A}"]],
  ["$$${A}", ["$", secret("A")]],
  ["$$$${A}", ["$${A}"]],
  ["$$$$${A}", ["$$", secret("A")]],
  ["cost $5 {x} $", ["cost $5 {x} $"]],
  ["pa$$word", ["pa$$word"]],
  ["{${A}}", ["{", secret("A"), "}"]],
  ["a{b{c", ["a{b{c"]],
];

for (const [text, expected] of CASES) {
  Deno.test(`parseTemplate() splits ${JSON.stringify(text)} and renderTemplate() writes it back`, () => {
    assertEquals(parseTemplate(text), expected);
    assertEquals(parseTemplate(renderTemplate(expected)), expected);
  });
}

for (
  const text of [
    "${",
    "${}",
    "${A",
    "${A B}",
    "${1A}",
    "${A:-x}",
    "${input:a}",
    "${env:}",
    "${env:A:-${B}}",
    "${env:A:+x}",
  ]
) {
  Deno.test(`parseTemplate() refuses ${JSON.stringify(text)} without quoting it`, () => {
    const fault = parseTemplate(`hunter22 ${text}`);
    assert(typeof fault === "string");
    assert(fault.startsWith("Malformed reference at character 10: write"), fault);
    assertFalse(fault.includes("hunter22"));
  });
}

Deno.test("fillTemplate() expands once: a value that looks like a reference stays", () => {
  const value = fc.array(fc.constantFrom("$", "${", "{", "}", "${A}", "${env:B}", "$${", "x"), { maxLength: 8 });
  fc.assert(fc.property(value, value, (one, two) => {
    const values = new Map([["A", one.join("")], ["B", two.join("")]]);
    const template = parseTemplate("<${A}|$${A}|${B}>");
    assert(typeof template !== "string");
    const filled = fillTemplate(template, ({ name }) => values.get(name));
    assertEquals(templateText(filled), `<${one.join("")}|\${A}|${two.join("")}>`);
  }));
});

Deno.test("renderTemplate() writes every template so that parseTemplate() reads the same", () => {
  const literal = fc.array(fc.constantFrom("$", "{", "}", "${", "$${", "x", "A"), { maxLength: 6 })
    .map((parts) => parts.join(""));
  const part = fc.oneof(literal, fc.constantFrom(secret("A"), env("B"), env("C", ""), env("C", "$")));
  fc.assert(fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
    const template = fillTemplate(parts, () => undefined);
    assertEquals(parseTemplate(renderTemplate(template)), template);
  }));
});

Deno.test("templateReferences() gives the references in order", () => {
  const template = parseTemplate("${A} ${env:B} ${A}");
  assert(typeof template !== "string");
  assertEquals(templateReferences(template).map(({ name }) => name), ["A", "B", "A"]);
  assertEquals(templateText(template), undefined);
});

Deno.test("parseTemplate() is linear in the length of hostile texts", () => {
  const start = performance.now();
  for (const text of ["$".repeat(1e6), "{".repeat(1e6), "$${".repeat(3e5), "${A:-".repeat(2e5), "${A}".repeat(2e5)]) {
    parseTemplate(text);
  }
  assert(performance.now() - start < 2_000);
});
