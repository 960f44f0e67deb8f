import { assert, assertEquals, assertThrows } from "@std/assert";
import { estimateTokens, toAnthropicTools, ToolSearch } from "@portolan/mcp/models";
import { toWords } from "../../src/models/search_words.ts";
import type { Tool } from "../../src/protocol.ts";
import EVERYTHING from "./everything_tools.json" with { type: "json" };
import { HUNDRED_TOOLS, QUERIES } from "./hundred_tools.ts";

const EVERYTHING_TOOLS: readonly Tool[] = EVERYTHING;
const ALL_TOOLS = [...HUNDRED_TOOLS, ...EVERYTHING_TOOLS];

function toolOf(name: string, rest: Partial<Tool> = {}): Tool {
  return { name, inputSchema: { type: "object" }, ...rest };
}

function namesFor(search: ToolSearch, query: string, limit?: number): readonly string[] {
  return search.search(query, { limit }).map(({ tool }) => tool.name);
}

Deno.test("ToolSearch.search() finds one of the wanted tools among the first five for nine queries of ten", () => {
  const search = new ToolSearch(ALL_TOOLS);
  const hits = (limit: number) => (
    QUERIES.filter(([query, wanted]) => namesFor(search, query, limit).some((name) => wanted.includes(name))).length
  );
  const [five, one] = [hits(5) / QUERIES.length, hits(1) / QUERIES.length];
  console.info(
    `${QUERIES.length} queries, ${search.size} tools: recall@5 ${five.toFixed(2)}, recall@1 ${one.toFixed(2)}`,
  );
  assert(QUERIES.length >= 30 && five >= 0.9 && one >= 0.8);
});

Deno.test("The labelled queries want tools that exist", () => {
  const names = new Set(ALL_TOOLS.map(({ name }) => name));
  assertEquals(QUERIES.flatMap(([, wanted]) => wanted).filter((name) => !names.has(name)), []);
});

Deno.test("ToolSearch.search() gives less than a tenth of the tokens of all tools", () => {
  const search = new ToolSearch(ALL_TOOLS);
  const told = (tools: readonly Tool[]) => estimateTokens(toAnthropicTools(tools).tools);
  const found = QUERIES.map(([query]) => told(search.search(query).map(({ tool }) => tool)));
  const share = found.reduce((sum, tokens) => sum + tokens, 0) / found.length / told(ALL_TOOLS);
  console.info(`the five best of ${ALL_TOOLS.length} tools: ${(100 * share).toFixed(1)} % of the tokens`);
  assert(share < 0.1);
});

Deno.test("ToolSearch is built in time linear in the list, some ten times that of JSON.stringify", () => {
  const listOf = (servers: number) => (
    Array.from({ length: servers }, (_, at) => HUNDRED_TOOLS.map((tool) => ({ ...tool, name: `s${at}__${tool.name}` })))
      .flat()
  );
  const median = (work: () => unknown) => {
    const times = Array.from({ length: 9 }, () => {
      const startedAt = performance.now();
      work();
      return performance.now() - startedAt;
    });
    return times.sort((a, b) => a - b)[4]!;
  };
  const [small, large] = [listOf(4), listOf(40)];
  const growth = median(() => new ToolSearch(large)) / median(() => new ToolSearch(small));
  const json = median(() => JSON.stringify(large));
  const build = median(() => new ToolSearch(large)) / json;
  const search = new ToolSearch(large);
  const query = median(() => QUERIES.map(([words]) => search.search(words))) / QUERIES.length / json;
  console.info(
    `${large.length} tools: build ${build.toFixed(1)}, query ${query.toFixed(2)} of JSON.stringify; ` +
      `ten times the tools take ${growth.toFixed(1)} times as long to build`,
  );
  // Wide, since other work may take the machine; the square of the list would be a growth of 100.
  assert(growth < 40 && build < 100 && query < 1);
});

Deno.test("ToolSearch.search() ranks a word of the name above one of the description above one of an argument", () => {
  const search = new ToolSearch([
    toolOf("pull", { inputSchema: { properties: { mail: { type: "string" } } } }),
    toolOf("push", { description: "mail" }),
    toolOf("copy", { title: "mail" }),
    toolOf("mail"),
    toolOf("other"),
  ]);
  assertEquals(namesFor(search, "mail"), ["mail", "copy", "push", "pull"]);
});

Deno.test("ToolSearch.search() ranks a rare word above a common one, and equals in the order of the list", () => {
  const search = new ToolSearch([toolOf("file_copy"), toolOf("file_move"), toolOf("file_link"), toolOf("zip_pack")]);
  assertEquals(namesFor(search, "file zip"), ["zip_pack", "file_copy", "file_move", "file_link"]);
  const [first, second] = search.search("file zip");
  assert(first!.score > second!.score && second!.score > 0);
});

Deno.test("ToolSearch.search() finds words by their beginning where no tool has the word", () => {
  const search = new ToolSearch([toolOf("fork_repository"), toolOf("report")]);
  assertEquals(namesFor(search, "repo"), ["report", "fork_repository"]);
  assertEquals(namesFor(search, "re"), []);
});

Deno.test("ToolSearch.search() finds nothing for nothing", () => {
  const search = new ToolSearch(HUNDRED_TOOLS);
  for (const query of ["", " ", "the of and", "?!", "xylophone", "__proto__x"]) assertEquals(search.search(query), []);
  assertEquals(new ToolSearch([]).search("file"), []);
  assertEquals(namesFor(new ToolSearch([toolOf("constructor")]), "constructor"), ["constructor"]);
});

Deno.test("ToolSearch.search() gives as many as asked for, five by default", () => {
  const search = new ToolSearch(HUNDRED_TOOLS);
  assertEquals([1, undefined, 7].map((limit) => namesFor(search, "file", limit).length), [1, 5, 7]);
  for (const limit of [0, -1, 1.5, NaN]) assertThrows(() => search.search("file", { limit }), RangeError);
});

Deno.test("ToolSearch keeps to its caps", () => {
  assertThrows(() => new ToolSearch(Array.from({ length: 10_001 }, (_, at) => toolOf(`t${at}`))), RangeError);
  const search = new ToolSearch([toolOf("long", { description: `${"word ".repeat(100_000)} needle` }), toolOf("x")]);
  assertEquals(namesFor(search, "word"), ["long"]);
  assertEquals(namesFor(search, "needle"), []);
  assertEquals(namesFor(search, `${"word ".repeat(1_000)} x`), ["long"]);
});

Deno.test("ToolSearch holds the list that it was given, also when the caller changes it", () => {
  const tools = [toolOf("read_file")];
  const search = new ToolSearch(tools);
  tools.pop();
  assertEquals([namesFor(search, "file"), search.size], [["read_file"], 1]);
});

Deno.test("toWords() splits names of every style", () => {
  assertEquals(toWords("list_all-my.open/issues"), ["list", "all", "open", "issu"]);
  assertEquals(toWords("getHTTPServer2Url"), ["gethttpserver2url", "get", "http", "server2", "url"]);
  assertEquals(toWords("s3 base64"), ["s3", "base64"]);
});

Deno.test("toWords() folds plurals and endings to the same stem", () => {
  const same = [
    ["list", "lists", "listing", "listed"],
    ["create", "creates", "creating", "created"],
    ["query", "queries"],
    ["search", "searches", "searching"],
    ["run", "running", "runs"],
    ["file", "files"],
    ["address", "addresses"],
  ];
  for (const words of same) assertEquals(new Set(words.flatMap((word) => toWords(word))).size, 1, words.join(", "));
  assertEquals(toWords("string thing need class status bus"), ["string", "thing", "need", "class", "status", "bus"]);
});

Deno.test("toWords() folds accents and case, and takes unspaced scripts in pairs", () => {
  assertEquals(toWords("CAFÉ Café cafe\u0301"), ["caf", "caf", "caf"]);
  assertEquals(toWords("Größe Übung"), ["groß", "ubung"]);
  assertEquals(toWords("读取文件"), ["读取", "取文", "文件"]);
  assertEquals(
    toWords("поиск файлов"),
    ["поиск", "файлов"].map((word) => word.normalize("NFKD").replace(/\p{M}/gu, "")),
  );
});

Deno.test("toWords() keeps to its caps", () => {
  assertEquals(toWords("one two three", 2), ["one", "two"]);
  assertEquals(toWords("x".repeat(1_000))[0]!.length, 40);
});
