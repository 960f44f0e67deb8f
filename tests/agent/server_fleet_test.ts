import { assertEquals } from "@std/assert";
import { ServerFleet } from "../../src/agent/server_fleet.ts";
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
  const client = {
    server: "files",
    connect: () => new Promise<void>((resolve) => open.push(resolve)),
    listTools: () => Promise.resolve([]),
    getStatus: () => ({}),
    listCacheScope: () => "private",
    close: () => Promise.resolve(),
  };
  const fleet = new ServerFleet(catalog as unknown as ToolCatalog);
  fleet.add(client as unknown as SingleServerMCPClient, undefined);
  /** Answers what was asked so far, and has what follows from it done. */
  const answer = async () => {
    for (const resolve of open.splice(0)) resolve();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return { fleet, recorded, answer };
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
