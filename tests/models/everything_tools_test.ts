import { assertEquals } from "@std/assert";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { startEverything } from "../support/everything.ts";
import EVERYTHING from "./everything_tools.json" with { type: "json" };

Deno.test("everything_tools.json is what the reference server lists", async () => {
  await using server = await startEverything("streamableHttp");
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
  try {
    assertEquals<unknown>((await client.listTools()).tools, EVERYTHING);
  } finally {
    await client.close();
  }
});
