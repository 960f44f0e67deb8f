/**
 * After a garbage collection Deno's `abort()` no longer closes a body of which only the reader is held: every place
 * that reads one keeps its response.
 */

import { assertEquals } from "@std/assert";
import { SingleServerMCPClient } from "@portolan/mcp";
import { hangAfterHead } from "../support/behaviours.ts";
import { codeOf, until } from "../support/client_support.ts";
import { startRawServer } from "../support/fault_server.ts";
import { collectGarbage } from "../support/garbage.ts";
import { startMCPServer } from "../support/mcp_server.ts";

Deno.test("SingleServerMCPClient.callTool() closes the sockets of aborted calls after a garbage collection", async () => {
  await using server = startRawServer({ "tools/call": hangAfterHead });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  const controller = new AbortController();
  const calls = Array.from({ length: 10 }, () => codeOf(client.callTool("echo", {}, { signal: controller.signal })));
  await until(() => server.count("tools/call") === 10);
  await collectGarbage();
  controller.abort("left");
  assertEquals(new Set(await Promise.all(calls)), new Set(["left"]));
  await until(() => server.openStreams() === 0);
});

Deno.test("SingleServerMCPClient.connect() closes the socket of a handshake after a garbage collection", async () => {
  await using server = startRawServer({ initialize: hangAfterHead });
  await using client = new SingleServerMCPClient("files", { url: server.url });
  const controller = new AbortController();
  const connecting = codeOf(client.connect({ signal: controller.signal }));
  await until(() => server.count("initialize") === 1);
  await collectGarbage();
  controller.abort("left");
  assertEquals(await connecting, "left");
  await until(() => server.openStreams() === 0);
});

Deno.test("SingleServerMCPClient.close() closes the stream of SSE after a garbage collection", async () => {
  await using server = await startMCPServer({ transport: "sse" });
  const client = new SingleServerMCPClient("files", { url: server.url });
  await client.connect();
  await collectGarbage();
  await client.close();
  await until(() => server.openStreams() === 0);
});
