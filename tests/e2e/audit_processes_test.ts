import { assert, assertEquals } from "@std/assert";
import { digestKey } from "@portolan/mcp/gateway";
import { createStoreFile } from "../support/cold_support.ts";
import { type GatewayProcess, startGateway } from "../support/gateway_process.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { textResult } from "../support/test_tools.ts";

const CANARY = "canary-5f1e";
const KEY = `${CANARY}-key`;
const ADMIN_KEY = `${CANARY}-admin-key`;
const CALLS = 40;

interface Entry {
  readonly kind: string;
  readonly requestId: string;
  readonly argumentsHash?: string;
  readonly at: string;
}

/** A call by one of the doors, with a canary wherever a caller can put one. */
async function call({ origin }: GatewayProcess, id: string, door: "tools/note" | "batch" | "mcp"): Promise<void> {
  const args = { text: `${CANARY}-argument-${id}`, [`${CANARY}-name`]: 1 };
  const rpc = { jsonrpc: "2.0", id: `${CANARY}-rpc`, method: "tools/call", params: { name: "note", arguments: args } };
  const bodies = {
    "tools/note": args,
    batch: { calls: [{ tool: "note", arguments: args, id: `${CANARY}-id` }] },
    mcp: rpc,
  };
  const response = await fetch(`${origin}/agents/Kairos/${door}?q=${CANARY}-query`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${KEY}`,
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "x-request-id": id,
      cookie: `${CANARY}-cookie=1`,
      "user-agent": `${CANARY}-agent`,
      "x-secret": `${CANARY}-header`,
    },
    body: JSON.stringify(bodies[door]),
  });
  assertEquals(response.status, 200, await response.text());
}

async function exportAll({ origin }: GatewayProcess): Promise<{ readonly text: string; readonly entries: Entry[] }> {
  let text = "";
  for (let path: string | undefined = "/admin/audit?limit=17"; path !== undefined;) {
    const response: Response = await fetch(origin + path, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
    assertEquals(response.status, 200);
    text += await response.text();
    path = response.headers.get("link")?.match(/^<([^>]+)>; rel="next"$/)?.[1];
  }
  return { text, entries: text.trimEnd().split("\n").map((line) => JSON.parse(line)) };
}

for (const secret of [undefined, `${CANARY}-store-secret`]) {
  const what = secret === undefined ? "without a secret of the store" : "with a secret of the store";
  Deno.test(`the audit trail of two gateways is complete, and no secret and no argument is in KV or the export, ${what}`, async () => {
    await using file = await createStoreFile();
    await using server = await startMCPServer({
      name: "notes",
      requireHeader: { name: "x-api-key", value: `${CANARY}-upstream` },
      tools: [{ name: "note", run: () => textResult(`${CANARY}-result`) }],
    });
    const yaml = `servers: { notes: { url: "${server.url}", headers: { x-api-key: "\${env:UPSTREAM_KEY}" } } }
agents: { Kairos: { servers: [notes] } }`;
    const env = {
      PORTOLAN_KV: file.path,
      PORTOLAN_KEYS: `Kairos=${await digestKey(KEY)};*=${await digestKey(ADMIN_KEY)}`,
      UPSTREAM_KEY: `${CANARY}-upstream`,
      ...(secret !== undefined && { PORTOLAN_STORE_SECRET: secret }),
    };
    await using stopping = await startGateway(yaml, { env });
    await using staying = await startGateway(yaml, { env });
    const made: string[] = [];
    for (let n = 0; n < CALLS; n++) {
      const door = (["tools/note", "batch", "mcp"] as const)[n % 3] ?? "mcp";
      made.push(`s${n}`, `t${n}`);
      await Promise.all([call(stopping, `s${n}`, door), call(staying, `t${n}`, door)]);
    }
    stopping.kill("SIGINT");
    assertEquals(await stopping.ended, 0);

    const { text, entries } = await exportAll(staying);
    assertEquals(entries.map(({ requestId }) => requestId).sort(), made.sort());
    const algorithm = secret === undefined ? "sha256:" : "hmac-sha256:";
    assert(entries.every(({ argumentsHash }) => argumentsHash?.startsWith(algorithm)));
    assertEquals(new Set(entries.map(({ argumentsHash }) => argumentsHash)).size, 2 * CALLS);
    const dump = await file.dump();
    assert(dump.includes("portolan_audit") && dump.includes("s7"));
    assertEquals([dump.includes(CANARY), text.includes(CANARY)], [false, false]);
  });
}
