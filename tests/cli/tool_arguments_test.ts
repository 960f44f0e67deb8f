import { assertEquals, assertRejects } from "@std/assert";
import { CliError } from "../../src/cli/cli_error.ts";
import { readToolArguments } from "../../src/cli/tool_arguments.ts";
import type { JsonObject } from "../../src/protocol.ts";

const SCHEMA: JsonObject = {
  type: "object",
  properties: {
    zip: { type: "string" },
    count: { type: "integer" },
    level: { enum: ["1", "2"] },
    maybe: { type: ["string", "null"] },
    either: { type: ["string", "number"] },
  },
};

function read(words: readonly string[], schema: JsonObject | undefined = SCHEMA): Promise<JsonObject> {
  return readToolArguments(words, {
    readFile: (path) => Promise.resolve(`{ "from": ${JSON.stringify(path)} }`),
    readStdin: () => Promise.resolve(' {"from": "stdin"}\n'),
    schemaOf: () => Promise.resolve(schema),
  });
}

Deno.test("readToolArguments() takes a JSON object, a file, the standard input, or nothing", async () => {
  assertEquals(await read([]), {});
  assertEquals(await read(['{"a":[1,{"b":null}]}']), { a: [1, { b: null }] });
  assertEquals(await read(["@in.json"]), { from: "in.json" });
  assertEquals(await read(["-"]), { from: "stdin" });
});

Deno.test("readToolArguments() takes pairs, whose values are text where the schema wants text", async () => {
  assertEquals(
    await read(["zip=01234", "count=3", "level=1", "maybe=5", "either=7", "other=true", "text=a=b c", "none="]),
    {
      zip: "01234",
      count: 3,
      level: "1",
      maybe: "5",
      either: 7,
      other: true,
      text: "a=b c",
      none: "",
    },
  );
  assertEquals(await read(['list:=["a",1]', "zip:=5"]), { list: ["a", 1], zip: 5 });
  assertEquals(await read(["a=1", "b=[1]", "url=https://x/?a=b"], undefined), { a: 1, b: [1], url: "https://x/?a=b" });
  assertEquals(Object.keys(await read(["__proto__=1", "constructor=2"])), ["__proto__", "constructor"]);
});

Deno.test("readToolArguments() asks for the schema only where it decides", async () => {
  let asked = 0;
  const deps = {
    readFile: () => Promise.resolve("{}"),
    readStdin: () => Promise.resolve("{}"),
    schemaOf: () => {
      asked++;
      return Promise.resolve(SCHEMA);
    },
  };
  await readToolArguments(["message=hello", "path=a.txt", "n:=5"], deps);
  assertEquals(asked, 0);
  await readToolArguments(["count=5", "zip=6"], deps);
  assertEquals(asked, 1);
});

Deno.test("readToolArguments() refuses what is no arguments, and says what to write", async () => {
  for (
    const words of [["[1]"], ["{"], ["{}", "a=1"], ["word"], ["=1"], ["a=1", "a=2"], ["a:={"], ["@a", "b=1"], ["null"]]
  ) {
    const error = await assertRejects(() => read(words), CliError);
    assertEquals(error.code, "invalid_usage");
    assertEquals(error.message.startsWith("Cannot "), true);
  }
});

Deno.test("readToolArguments() takes an optional text of a Python server as one", async () => {
  const title = { anyOf: [{ type: "string" }, { type: "null" }], default: null };
  const size = { anyOf: [{ type: "string" }, { type: "integer" }] };
  const schema = { type: "object", properties: { title, size } };
  assertEquals(await read(["title=2024", "size=7"], schema), { title: "2024", size: 7 });
});

Deno.test("readToolArguments() refuses numbers that would be passed on as others", async () => {
  for (const words of [['{"id":9007199254740993}'], ["id=9007199254740993"], ["id:=1e999"]]) {
    const error = await assertRejects(() => read(words), CliError);
    assertEquals([error.code, error.message.includes("write it as a text")], ["invalid_usage", true]);
  }
  assertEquals(await read(["zip=9007199254740993"]), { zip: "9007199254740993" });
});
