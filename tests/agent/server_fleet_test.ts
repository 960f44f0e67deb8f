import { assertEquals } from "@std/assert";
import { ServerFleet } from "../../src/agent/server_fleet.ts";
import type { Tool } from "../../src/protocol.ts";
import type { SingleServerMCPClient } from "../../src/single_server_client.ts";
import type { ToolCatalog } from "../../src/agent/tool_catalog.ts";

/** A fleet of one server, which answers a listing when it is told to. */
function createFleet() {
  const open: (() => void)[] = [];
  const recorded: number[] = [];
  const tokens: number[] = [];
  const catalog = {
    begin: () => Promise.resolve(tokens.push(tokens.length)),
    record: (_server: string, _listing: unknown, token: number) => Promise.resolve(void recorded.push(token)),
    statusOf: () => ({}),
  };
  const adopted: (readonly Tool[])[] = [];
  const client = {
    server: "files",
    forgetTools: () => {},
    adoptTools: (tools: readonly Tool[]) => void adopted.push(tools),
    connect: () => new Promise<void>((resolve) => open.push(resolve)),
    listTools: () => Promise.resolve([]),
    getStatus: () => ({}),
    listCacheScope: () => "private",
    close: () => Promise.resolve(void closed++),
  };
  let made = 0;
  let closed = 0;
  const makeClient = () => (made++, client as unknown as SingleServerMCPClient);
  const fleet = new ServerFleet(catalog as unknown as ToolCatalog);
  fleet.add({ server: "files", makeClient, timeoutMs: undefined });
  /** Answers what was asked so far, and has what follows from it done. */
  const answer = async () => {
    for (const resolve of open.splice(0)) resolve();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return { fleet, recorded, answer, adopted, counts: () => ({ made, closed }) };
}

for (const [anew, asked] of [[false, [1]], [true, [1, 2]]] as const) {
  Deno.test(`ServerFleet.askAll() with anew ${anew} asks ${asked.length} times where it is asking already`, async () => {
    const { fleet, recorded, answer } = createFleet();
    const first = fleet.askAll(["files"], { concurrency: 1 });
    const second = fleet.askAll(["files"], { concurrency: 1, anew });
    for (let turn = 0; turn < 3; turn++) await answer();
    assertEquals([await first, await second], [{ files: true }, { files: true }]);
    assertEquals(recorded, [...asked]);
    await fleet.close();
  });
}

Deno.test("ServerFleet makes a client when it is first needed, with the newest list that came before", async () => {
  const { fleet, adopted, counts } = createFleet();
  const tools = ["read", "write"].map((name) => ({ name, inputSchema: { type: "object" as const } }));
  for (const tool of tools) fleet.adopt("files", [tool]);
  assertEquals([counts().made, adopted], [0, []]);
  const { client } = fleet.memberOf("files");
  assertEquals([fleet.clientOf("files") === client, counts().made, adopted], [true, 1, [[tools[1]]]]);
  fleet.adopt("files", tools);
  assertEquals(adopted.length, 2);
  await fleet.close();
  assertEquals(counts(), { made: 1, closed: 1 });
});

Deno.test("ServerFleet.close() and detach() make no client", async () => {
  const detach = (fleet: ServerFleet) => Promise.resolve(fleet.detach("files"));
  for (const end of [(fleet: ServerFleet) => fleet.close(), detach]) {
    const { fleet, counts } = createFleet();
    await end(fleet);
    assertEquals(counts(), { made: 0, closed: 0 });
  }
});
