/** The official memory server, which speaks stdio, behind the bridge `supergateway`. */

import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { MultiServerMCPClient, SingleServerMCPClient } from "@portolan/mcp";
import { failureOf, until } from "../support/client_support.ts";
import { startBridged } from "../support/supergateway.ts";

const PACKAGE = "npm:@modelcontextprotocol/server-memory@2026.8.31";
const ADA = { name: "Ada", entityType: "person", observations: ["wrote the first program"] };
const BABBAGE = { name: "Babbage", entityType: "person", observations: ["designed the engine"] };
const KNOWS = { from: "Ada", to: "Babbage", relationType: "knows" };
/** A process starts with each session. */
const config = (url: string) => ({ url, timeoutMs: 30_000 });

Deno.test("SingleServerMCPClient uses a memory server behind supergateway", async (t) => {
  const file = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    await using server = await startBridged({ package: PACKAGE, env: { MEMORY_FILE_PATH: file } });
    const client = new SingleServerMCPClient("memory", config(server.url));

    await t.step("listTools() lists its tools with their schemas", async () => {
      const tools = await client.listTools();
      assertEquals(tools.map(({ name }) => name), [
        ...["create_entities", "create_relations", "add_observations", "delete_entities", "delete_observations"],
        ...["delete_relations", "read_graph", "search_nodes", "open_nodes"],
      ]);
      assertEquals(tools.every(({ outputSchema }) => outputSchema?.type === "object"), true);
      assertEquals([client.getStatus().era, client.getStatus().transport], ["legacy", "streamable_http"]);
    });

    await t.step("callTool() creates and reads back, as structured content", async () => {
      const created = await client.callTool("create_entities", { entities: [ADA, BABBAGE] });
      assertEquals(created.structuredContent, { entities: [ADA, BABBAGE] });
      const related = await client.callTool("create_relations", { relations: [KNOWS] });
      assertEquals(related.structuredContent, { relations: [KNOWS] });
      const graph = { entities: [ADA, BABBAGE], relations: [KNOWS] };
      const read = await client.callTool("read_graph");
      assertEquals(read.structuredContent, graph);
      assertEquals(read.content.map((block) => block.type === "text" && JSON.parse(block.text)), [graph]);
      const found = await client.callTool("search_nodes", { query: "engine" });
      assertEquals(found.structuredContent, { entities: [BABBAGE], relations: [KNOWS] });
      const contents = ["lived in London"];
      const added = await client.callTool("add_observations", { observations: [{ entityName: "Ada", contents }] });
      assertEquals(added.structuredContent, { results: [{ entityName: "Ada", addedObservations: contents }] });
    });

    await t.step("callTool() refuses arguments that do not match before anything is sent", async () => {
      const error = await failureOf(() => client.callTool("create_entities", { entities: "Ada" }), "invalid_arguments");
      assertEquals(error.faults.map(({ path }) => path), ["entities"]);
    });

    await t.step("callTool() resolves with isError where the tool fails", async () => {
      const observations = [{ entityName: "Nobody", contents: ["is not there"] }];
      assertEquals((await client.callTool("add_observations", { observations })).isError, true);
    });

    await t.step("subscribeResource() tells of a change by a tool", async () => {
      const [resource] = await client.listResources();
      assertEquals(resource?.uri, "memory://knowledge-graph");
      const updates: string[] = [];
      const subscription = await client.subscribeResource(resource!.uri, (uri) => updates.push(uri));
      await client.callTool("delete_relations", { relations: [KNOWS] });
      await until(() => updates.length === 1);
      assertEquals(updates, [resource!.uri]);
      await subscription.close();
      const { contents } = await client.readResource(resource!.uri);
      assertEquals(contents.map(({ mimeType }) => mimeType), ["application/json"]);
      assertMatch(contents[0]?.text ?? "", /"relations": \[\]/);
    });

    await t.step("another session reads what the first has written, and close() ends its process", async () => {
      const before = server.processIds().length;
      const other = new MultiServerMCPClient("Kairos", { servers: { memory: config(server.url) } });
      assertEquals(await other.connectToServers(), { memory: true });
      const opened = await other.callTool("open_nodes", { names: ["Babbage"] });
      assertEquals(opened.structuredContent, { entities: [BABBAGE], relations: [] });
      assertGreater(server.processIds().length, before);
      await other.close();
      await until(() => server.processIds().length === before);
    });

    await client.close();
    await server.stop();
    assertEquals(server.processIds(), []);
  } finally {
    await Deno.remove(file);
  }
});
