import { assertEquals, assertStringIncludes } from "@std/assert";
import { agentStatus } from "../gateway/gateway_support.ts";
import { openPage, type PageBrowser } from "./_page_browser.ts";

/** Reads the events of the page as they come. */
async function* readEvents(browser: PageBrowser, query = ""): AsyncGenerator<{ event: string; data: string }> {
  const response = await browser.ask(`/ui/events${query}`);
  assertEquals([response.status, response.headers.get("content-type")], [200, "text/event-stream"]);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += part.value;
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
        const { event, data } = Object.fromEntries(
          text.slice(0, end).split("\n").map((
            line,
          ) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
        );
        text = text.slice(end + 2);
        yield { event: event ?? "", data: String(JSON.parse(data ?? '""')) };
      }
    }
  } finally {
    await reader.cancel();
  }
}

const idOf = (html: string) => /^<section id="([^"]*)"/.exec(html)?.[1];

Deno.test("GET /ui/events sends each part of the screen, then only those that changed", async () => {
  const changes = { totalTools: 1 };
  const { browser } = await openPage({ getStatus: () => ({ ...agentStatus("Kairos"), ...changes }) });
  await browser.signIn("kairos-key");
  const ids: (string | undefined)[] = [];
  for await (const { event, data } of readEvents(browser, "?view=agent&agent=Kairos")) {
    assertEquals(event, "part");
    ids.push(idOf(data));
    if (ids.length === 4) changes.totalTools = 7;
    if (ids.length < 5) continue;
    assertStringIncludes(data, "7 tools");
    break;
  }
  assertEquals(ids, ["summary", "pins", "servers", "tools", "summary"]);
});

Deno.test("GET /ui/events tells of the agents of its key alone", async () => {
  const { browser } = await openPage();
  await browser.signIn("kairos-key");
  for await (const { data } of readEvents(browser)) {
    assertEquals(data.includes("Mercurius"), false);
    if (idOf(data) === "recent") break;
  }
  for await (const { event } of readEvents(browser, "?view=agent&agent=Mercurius")) assertEquals(event, "again");
});

Deno.test("GET /ui/events ends when the gateway stops", async () => {
  const { browser, gateway } = await openPage();
  await browser.signIn("kairos-key");
  let drained: Promise<void> | undefined;
  for await (const { event } of readEvents(browser)) {
    assertEquals(event, "part");
    drained ??= gateway.drain({ graceMs: 2_000 });
  }
  await drained;
});

Deno.test("GET /ui/events leads to the form once the key is revoked", async () => {
  const { browser, ask } = await openPage();
  const made = await ask("/admin/agents/Mercurius/keys", {
    method: "POST",
    body: '{"id":"short"}',
    headers: { "content-type": "application/json" },
    key: "admin-key",
  });
  await browser.signIn((await made.json()).key);
  const events: string[] = [];
  for await (const { event } of readEvents(browser)) {
    events.push(event);
    if (events.length > 1) continue;
    const revoked = await ask("/admin/agents/Mercurius/keys/short", { method: "DELETE", key: "admin-key" });
    await revoked.body?.cancel();
  }
  assertEquals(events.at(-1), "again");
});

Deno.test("GET /ui/events says that a server went down, and that it came back", async () => {
  const server = { server: "files", url: "https://files.example.com/mcp", breaker: "closed", warnings: [] };
  const states = { now: "connected" };
  const status = () => ({ ...agentStatus("Kairos"), servers: { files: { ...server, state: states.now } } }) as never;
  const { browser } = await openPage({ getStatus: status });
  await browser.signIn("kairos-key");
  const said: string[] = [];
  let parts = 0;
  for await (const { event, data } of readEvents(browser, "?view=agent&agent=Kairos")) {
    if (event === "part" && ++parts === 4) states.now = "failed";
    if (event !== "say") continue;
    said.push(data);
    states.now = "connected";
    if (said.length === 2) break;
  }
  assertEquals(said, ["files of Kairos is down.", "files of Kairos is connected."]);
});

Deno.test("GET /ui/events has a place for so many screens of one caller, and gives it back", async () => {
  const { browser, gateway } = await openPage();
  await browser.signIn("kairos-key");
  const open = () => browser.ask("/ui/events");
  const streams = await Promise.all(Array.from({ length: 32 }, open));
  assertEquals(streams.every(({ status }) => status === 200), true);
  const refused = await open();
  assertEquals(refused.status, 503);
  await refused.body?.cancel();
  for (const stream of streams) await stream.body?.cancel();
  const again = await open();
  assertEquals(again.status, 200);
  await again.body?.cancel();
  await gateway.drain();
});
