import { assertEquals } from "@std/assert";
import type { ApiOperation, ApiParameter } from "../../src/page/api_document.ts";
import { toCurl, toParameterSchema, toTryRequest } from "../../src/page/try_request.ts";

function operation(path: string, ...parameters: readonly Partial<ApiParameter>[]): ApiOperation {
  return {
    id: "one",
    method: "POST",
    path,
    tool: undefined,
    summary: "",
    description: "",
    tag: "",
    parameters: parameters.map((given) => ({
      name: "id",
      place: "path",
      isRequired: true,
      description: "",
      schema: { type: "string" },
      ...given,
    })),
    body: undefined,
    responses: [],
    isKeyless: false,
    isDangerous: false,
    canStream: false,
  };
}

Deno.test("toTryRequest() puts each parameter where it goes, encoded", () => {
  const found = toTryRequest(
    operation("/a/{id}/b", {}, { name: "q", place: "query" }, { name: "X-At", place: "header" }),
    { id: "a/b?c", q: "x&y=z", "X-At": 5 },
    { a: 1 },
    "text/event-stream",
  );
  assertEquals(found, {
    method: "POST",
    target: "/a/a%2Fb%3Fc/b?q=x%26y%3Dz",
    headers: { accept: "text/event-stream", "x-at": "5", "content-type": "application/json" },
    body: { a: 1 },
  });
});

for (const text of ["", ".", ".."]) {
  Deno.test(`toTryRequest() refuses "${text}" as a part of a path`, () => {
    assertEquals(toTryRequest(operation("/a/{id}", {}), { id: text }, undefined), {
      faults: [{ path: "id", message: "Cannot be a part of a path: write a name" }],
    });
  });
}

for (const text of ["a\r\nx-admin: 1", "é", "\0"]) {
  Deno.test(`S4 toTryRequest() refuses ${JSON.stringify(text)} as a header`, () => {
    assertEquals(toTryRequest(operation("/a", { place: "header" }), { id: text }, undefined), {
      faults: [{ path: "id", message: "A header has printable ASCII characters only" }],
    });
  });
}

Deno.test("toParameterSchema() tells parameters of the same name apart, and offers the agents", () => {
  const { properties, required } = toParameterSchema(
    operation("/a/{agent}", { name: "agent" }, {}, { place: "query", isRequired: false }),
    ["Kairos"],
  );
  assertEquals(properties, {
    agent: { enum: ["Kairos"], title: "agent" },
    path_id: { type: "string", title: "id" },
    query_id: { type: "string", title: "id" },
  });
  assertEquals(required, ["agent", "path_id"]);
});

Deno.test("toCurl() writes a command that a shell takes as it is", async () => {
  const request = {
    method: "POST",
    target: "/a/%20b",
    headers: { accept: "application/json", "x-at": "it's $HOME `id`" },
    body: { text: 'it\'s "quoted" $HOME\n`id` \\' },
  };
  const command = toCurl(request, "http://gateway.test", true).replace("curl", "printf '%s\\n'");
  const { stdout } = await new Deno.Command("sh", { args: ["-c", command], env: { PORTOLAN_KEY: "k" } }).output();
  assertEquals(new TextDecoder().decode(stdout).trimEnd().split("\n"), [
    "-X",
    "POST",
    "http://gateway.test/a/%20b",
    "-H",
    "authorization: Bearer k",
    "-H",
    "x-at: it's $HOME `id`",
    "-d",
    JSON.stringify(request.body),
  ]);
});
