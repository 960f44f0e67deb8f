import { assertEquals } from "@std/assert";
import openapiTS, { astToString } from "openapi-typescript";
import { MCPClientManager } from "../../src/client_manager.ts";
import { createGateway, digestKey } from "../../routes/mod.ts";
import { startEverything } from "../support/everything.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import type { JsonObject } from "../../src/protocol.ts";
import { startRawServer } from "../support/fault_server.ts";

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A gateway on a socket, whose agent has the tools of the reference server. */
async function serveEverything() {
  const everything = await startEverything("streamableHttp");
  const directory = new MCPClientManager({ agents: { Kairos: { servers: { everything: { url: everything.url } } } } });
  const keys = { Kairos: [await digestKey("kairos-key")] };
  const gateway = createGateway({ directory, store: new MemoryRouteStore() }, { keys });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch);
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const headers = { authorization: "Bearer kairos-key" };
  return {
    origin,
    async readDocument() {
      return await (await fetch(`${origin}/agents/Kairos/openapi.json`, { headers })).text();
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await directory.close();
      await everything.stop();
    },
  };
}

async function generate(document: string): Promise<string> {
  return astToString(await openapiTS(document));
}

/** Checks a program beside a generated file and runs it: what it says, or what the type checker says of it. */
async function run(generated: string, program: string): Promise<{ readonly stdout: string; readonly faults: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/api.ts`, generated);
    await Deno.writeTextFile(`${folder}/program.ts`, program);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "--allow-net", "--config", CONFIG, "--frozen", `${folder}/program.ts`],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { stdout: decoder.decode(stdout), faults: success ? "" : decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Calls tools by a client made from the generated file. The type checker fails it where a marked line is right. */
const PROGRAM = `
  import createClient from "openapi-fetch";
  import type { paths } from "./api.ts";

  type Json = "application/json" | "application/problem+json";
  const client = createClient<paths, Json>({ baseUrl: ORIGIN, headers: { authorization: "Bearer kairos-key" } });
  const WEATHER = "/agents/Kairos/tools/get-structured-content";
  const SUM = "/agents/Kairos/tools/get-sum";

  const { data, error } = await client.POST(WEATHER, { body: { location: "New York" } });
  const temperature: number | undefined = data?.result.structuredContent?.temperature;
  const header = { "X-Request-Timeout-Ms": 20_000, "Idempotency-Key": '"k"' };
  const sum = await client.POST(SUM, { body: { a: 2, b: 3 }, params: { header } });
  const refused = await client.POST(SUM, { body: { a: 2, b: "3" as unknown as number } });
  const text: unknown = sum.data?.result.content[0]?.text;
  const replayed = sum.response.headers.get("idempotency-replayed");
  console.log(JSON.stringify([typeof temperature, error, text, replayed, refused.error?.code, refused.error?.faults]));

  export async function wrong() {
    // @ts-expect-error An argument is missing
    await client.POST(WEATHER, { body: {} });
    // @ts-expect-error It is of another type
    await client.POST(WEATHER, { body: { location: 7 } });
    // @ts-expect-error It is none of the values
    await client.POST(WEATHER, { body: { location: "Atlantis" } });
    // @ts-expect-error There is no such tool
    await client.POST("/agents/Kairos/tools/get-difference", { body: { a: 2, b: 3 } });
    // @ts-expect-error It is a number
    const conditions: boolean | undefined = data?.result.structuredContent?.temperature;
    // @ts-expect-error There is no such code
    return [conditions, error?.code === "no_such_code"];
  }
`;

Deno.test("a client generated from the live document calls tools, and wrong arguments are type errors", async () => {
  await using served = await serveEverything();
  const document = await served.readDocument();
  assertEquals(JSON.parse(document).servers, [{ url: served.origin }]);
  const program = PROGRAM.replace("ORIGIN", JSON.stringify(served.origin));
  const { stdout, faults } = await run(await generate(document), program);
  assertEquals(faults, "");
  const places = [{ path: "b", message: "Expected a number: got a string" }];
  const text = "The sum of 2 and 3 is 5.";
  assertEquals(JSON.parse(stdout), ["number", null, text, null, "invalid_arguments", places]);
});

Deno.test("clients can be generated from the documents of the gateway and of hostile tools, and type-check", async () => {
  const schemas: readonly JsonObject[] = [
    { $ref: "#" },
    {
      $ref: "#/$defs/a",
      $defs: { a: { allOf: [{ $ref: "#/$defs/b" }] }, b: { anyOf: [{ $ref: "#/$defs/a" }, { type: "string" }] } },
    },
    {
      type: "object",
      properties: { node: { $ref: "#/$defs/node" } },
      $defs: { node: { properties: { next: { $ref: "#/$defs/node" } } } },
    },
    {
      type: "object",
      properties: { a: true, b: false, "*/ evil(": { enum: ["*/", { a: [1] }, null] }, constructor: { const: [] } },
    },
    {
      type: ["object", "null"],
      properties: { list: { type: "array", items: [{ type: "string" }], additionalItems: false } },
    },
    {
      type: "object",
      description: "*/ evil(); /*",
      default: { a: "*/" },
      "x-evil": 1,
      oneOf: [{ required: ["a"] }, {}],
    },
  ];
  const tools = schemas.map((schema, index) => {
    return { name: `t-${index}`, title: "*/ evil();", inputSchema: schema, outputSchema: schema };
  });
  await using upstream = startRawServer({}, { tools });
  await using directory = new MCPClientManager({ agents: { Kairos: { servers: { hostile: { url: upstream.url } } } } });
  const gateway = createGateway({ directory }, { keys: { Kairos: [await digestKey("kairos-key")] } });
  for (const path of ["/openapi.json", "/agents/Kairos/openapi.json"]) {
    const headers = { host: "gateway.test", authorization: "Bearer kairos-key" };
    const text = await (await gateway.fetch(new Request(`http://gateway.test${path}`, { headers }))).text();
    if (path !== "/openapi.json") assertEquals(Object.keys(JSON.parse(text).paths).length, schemas.length);
    const program =
      'import type { components, paths } from "./api.ts";\nexport type All = [paths, components["schemas"]];';
    assertEquals((await run(await generate(text), program)).faults, "");
  }
});
