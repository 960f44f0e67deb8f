import { assertEquals, assertLess } from "@std/assert";
import { MAX_PAGES, MAX_TOOLS, type RawToolPage, readToolList } from "../../src/tools/tool_list.ts";

const inputSchema = { type: "object" };

function tool(name: unknown, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name, inputSchema, ...more };
}

/** Reads a list of fixed pages, whose cursors are `1`, `2` and so on. */
async function readPages(...pages: readonly (readonly unknown[])[]) {
  return await readToolList((cursor) => {
    const at = Number(cursor ?? 0);
    const nextCursor = at + 1 < pages.length ? String(at + 1) : undefined;
    return Promise.resolve({ tools: pages[at] ?? [], nextCursor });
  });
}

Deno.test("readToolList() reads all pages, in the server's order", async () => {
  const list = await readPages([tool("b"), tool("a")], [], [tool("c", { title: "C", later: 1 })]);
  assertEquals(list.tools.map(({ name }) => name), ["b", "a", "c"]);
  assertEquals([list.partial, list.warnings, list.tools[2]?.later], [false, [], 1]);
});

Deno.test("readToolList() rejects where a page cannot be read", async () => {
  const failing = new Error("no page");
  const list = readToolList((cursor) => {
    return cursor === undefined ? Promise.resolve({ tools: [], nextCursor: "x" }) : Promise.reject(failing);
  });
  assertEquals(await list.catch((error) => error), failing);
});

/** What is wrong with a tool, and the words in the warning. */
const MALFORMED: readonly (readonly [string, unknown, string])[] = [
  ["null", null, "object"],
  ["a text", "echo", "object"],
  ["a list", [], "object"],
  ["no name", { inputSchema }, "name"],
  ["a number for a name", tool(7), "name"],
  ["F32 an empty name", tool(""), "name"],
  ["F32 __proto__", JSON.parse('{"name":"__proto__","inputSchema":{}}'), "name"],
  ["F32 a bidirectional override", tool("safe\u202Eexe"), "name"],
  ["F32 an ANSI escape", tool("\u001b[31mred"), "name"],
  ["F32 a line break", tool("a\r\nb"), "name"],
  ["F32 a zero-width space", tool("ec\u200Bho"), "name"],
  ["F32 a lone surrogate", tool("\uD800"), "name"],
  ["a name of 129 characters", tool("x".repeat(129)), "name"],
  ["no inputSchema", { name: "echo" }, "inputSchema"],
  ["a text for an inputSchema", { name: "echo", inputSchema: "object" }, "inputSchema"],
  ["F27 a text for an outputSchema", tool("echo", { outputSchema: "text" }), "outputSchema"],
  ["F27 null for an outputSchema", tool("echo", { outputSchema: null }), "outputSchema"],
  ["a large inputSchema", { name: "echo", inputSchema: { text: "x".repeat(65_536) } }, "inputSchema"],
  ["F27 a large outputSchema", tool("echo", { outputSchema: { text: "x".repeat(65_536) } }), "outputSchema"],
  ["a number for a description", tool("echo", { description: 7 }), "description"],
  ["a number for a title", tool("echo", { title: 7 }), "title"],
  ["a text for annotations", tool("echo", { annotations: "readOnly" }), "annotations"],
  ["a text for a hint", tool("echo", { annotations: { readOnlyHint: "yes" } }), "annotations"],
];

for (const [what, malformed, words] of MALFORMED) {
  Deno.test(`F26 readToolList() drops a malformed tool alone: ${what}`, async () => {
    const list = await readPages([tool("before"), malformed, tool("after")]);
    assertEquals(list.tools.map(({ name }) => name), ["before", "after"]);
    assertEquals([list.partial, list.warnings.length], [false, 1]);
    const [warning = ""] = list.warnings;
    assertEquals(warning.startsWith("Dropped tool 2 of page 1: ") && warning.includes(words), true, warning);
    // deno-lint-ignore no-control-regex
    assertEquals(/[\u0000-\u001f\u202e\ud800]/.test(warning), false, "no text of the server");
  });
}

for (const name of ["constructor", "toString", "a.b", "a/b", "größe", "検索", "with space", "x".repeat(128)]) {
  Deno.test(`readToolList() keeps the name ${name.slice(0, 20)}`, async () => {
    assertEquals((await readPages([tool(name)])).tools.map((listed) => listed.name), [name]);
  });
}

Deno.test("readToolList() keeps the first of two tools of one name", async () => {
  const list = await readPages([tool("a", { description: "first" })], [tool("a", { description: "second" })]);
  assertEquals(list.tools.map(({ description }) => description), ["first"]);
  assertEquals(list.warnings.length, 1);
});

Deno.test("F25 readToolList() stops at a cursor that leads back, and marks the list", async () => {
  let reads = 0;
  const pages: Record<string, RawToolPage> = {
    first: { tools: [tool("a")], nextCursor: "x" },
    x: { tools: [tool("b")], nextCursor: "y" },
    y: { tools: [tool("c")], nextCursor: "x" },
  };
  const list = await readToolList((cursor = "first") => {
    reads++;
    return Promise.resolve(pages[cursor]!);
  });
  assertEquals([list.tools.map(({ name }) => name), list.partial, reads], [["a", "b", "c"], true, 3]);
});

Deno.test("F25 readToolList() reads 64 pages of a list that never ends, and marks it", async () => {
  let reads = 0;
  const list = await readToolList(() => Promise.resolve({ tools: [tool(`t${reads}`)], nextCursor: `${++reads}` }));
  assertEquals([reads, list.tools.length, list.partial], [MAX_PAGES, MAX_PAGES, true]);
});

Deno.test("F31 readToolList() keeps 2,000 of 10,000 tools, and marks the list", async () => {
  const list = await readPages(Array.from({ length: 10_000 }, (_, index) => tool(`t${index}`)));
  assertEquals([list.tools.length, list.partial], [MAX_TOOLS, true]);
  const exact = await readPages(Array.from({ length: MAX_TOOLS }, (_, index) => tool(`t${index}`)));
  assertEquals([exact.tools.length, exact.partial], [MAX_TOOLS, false]);
});

Deno.test("readToolList() keeps few warnings of many", async () => {
  const list = await readPages(Array.from({ length: 1_000 }, () => null));
  assertLess(list.warnings.length, 100);
});
