/** Every server row of the table of faults through every door: the same code, and nothing left behind. */

import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { assertNoCanary, CANARY, until } from "../support/client_support.ts";
import { refusedUrl, startRawServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { type Door, DOORS } from "./_door.ts";
import { openHouse } from "./_house.ts";
import { SERVER_ROWS, type ServerRow } from "./_server_rows.ts";

/** Calls of the other server while the faulty one fails. */
const GOOD_CALLS = 5;

/** Runs a row through a door. */
async function assertRow(row: ServerRow, door: Door): Promise<void> {
  const { script, options, config, calls, sent, retryAfterMs } = row;
  await using faulty = startRawServer(script?.() ?? {}, options);
  await using good = await startMCPServer({ name: "good" });
  const url = script === undefined ? refusedUrl() : faulty.url;
  await using house = await openHouse({
    agents: {
      Kairos: {
        servers: {
          faulty: { ...config, url: `${url}?key=\${KEY}`, headers: { authorization: "Bearer ${KEY}" } },
          good: { url: good.url },
        },
        secrets: { faulty: { KEY: CANARY } },
      },
    },
  });
  const others = Array.from({ length: GOOD_CALLS }, () => door(house, "good__whoami", {}));

  for (const [expected, atOnce = 1] of calls) {
    const texts = Array.from({ length: atOnce }, (_, at) => expected === "invalid_arguments" ? "a!" : `text ${at}`);
    const outcomes = await Promise.all(texts.map((text) => door(house, "faulty__echo", { text })));
    for (const [at, outcome] of outcomes.entries()) {
      assertNoCanary(outcome.seen);
      const server = expected === "ok" ? undefined : "faulty";
      assertEquals([outcome.code, outcome.server], [expected, server], Deno.inspect(outcome.seen, { depth: 9 }));
      if (expected === "ok") assertEquals(outcome.text, texts[at]);
      if (retryAfterMs !== undefined) assertEquals(outcome.retryAfterMs, retryAfterMs);
    }
  }

  if (sent !== undefined) assertEquals(faulty.count("tools/call"), sent);
  for (const { text } of await Promise.all(others)) assertEquals(text, "good", "F50 the other server is not affected");
  assertEquals((await door(house, "good__whoami", {})).text, "good");
  assertEquals([good.count("initialize"), good.count("tools/list")], [1, 1]);
  const streams = config?.watch === true ? 1 : 0;
  await until(() => faulty.openStreams() <= streams);
  assertNoCanary(house.manager.getStatusSummary());
  assertNoCanary(good.requests.map(({ headers, path, query, body }) => [[...headers], path, query, body]));
  await house.manager.close();
  await until(() => faulty.openStreams() === 0);
  // F40: what was opened is closed in the protocol's own way.
  if (options?.sessionId !== undefined && calls.at(-1)?.[0] === "ok") {
    assertGreaterOrEqual(faulty.requests.filter(({ method }) => method === "DELETE").length, 1);
  }
  assertEquals(house.internal, []);
}

for (const [name, door] of Object.entries(DOORS)) {
  for (const row of SERVER_ROWS) {
    Deno.test(`${row.name}: through ${name}`, () => assertRow(row, door));
  }
}
