import { assert, assertEquals, assertLess } from "@std/assert";
import { parseLedger } from "../../src/limits/call_ledger.ts";
import { KvRouteStore } from "../../src/kv_route_store.ts";
import { createStoreFile } from "../support/cold_support.ts";
import { type GatewayProcess, startGateway } from "../support/gateway_process.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { textResult } from "../support/test_tools.ts";

const SECRET = "a secret of more than 16 bytes";

/** A real server that notes which calls it has run. */
async function startNotingServer(name: string) {
  const ran: string[] = [];
  const run = (args: Record<string, unknown>) => {
    ran.push(String(args.id));
    return textResult(`${name} ${args.id}`);
  };
  return Object.assign(await startMCPServer({ name, json: true, tools: [{ name: `note_${name}`, run }] }), { ran });
}

interface Answer {
  readonly id: string;
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | null;
}

/** One call; `undefined` where the connection broke. */
async function call(gateway: GatewayProcess, agent: string, tool: string, id: string): Promise<Answer | undefined> {
  try {
    const response = await fetch(`${gateway.origin}/agents/${agent}/tools/${tool}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      // A stream, as fetch would send other bodies again where a connection breaks.
      body: new Blob([JSON.stringify({ id })]).stream(),
    });
    const { status, headers } = response;
    const { result } = await response.json();
    return { id, status, text: result?.content[0].text ?? "", retryAfter: headers.get("retry-after") };
  } catch {
    return undefined;
  }
}

/** Calls from many callers at once, each in sequence, until each has made its calls or its gateway is gone. */
async function load(
  gateway: GatewayProcess,
  prefix: string,
  { callers, calls, agent, tools }: {
    readonly callers: number;
    readonly calls: number;
    readonly agent: string;
    readonly tools: readonly string[];
  },
  onAnswer: () => void = () => {},
) {
  const answers: Answer[] = [];
  const lost: string[] = [];
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    for (let number = 0; number < calls; number++) {
      const id = `${prefix}-${caller}-${number}`;
      const answer = await call(gateway, agent, tools[(caller + number) % tools.length] ?? "", id);
      if (answer === undefined) return void lost.push(id);
      answers.push(answer);
      onAnswer();
    }
  }));
  return { answers, lost };
}

Deno.test("Two gateways on one KV file answer every call once and rightly, also while one of them is killed", async () => {
  await using file = await createStoreFile();
  await using files = await startNotingServer("files");
  await using notes = await startNotingServer("notes");
  const yaml = `servers: { files: { url: "${files.url}" }, notes: { url: "${notes.url}" } }
agents: { Kairos: { servers: [files, notes] } }
limits: { callsPerMinute: 100000, concurrentCallsPerCaller: 200 }`;
  const env = { PORTOLAN_KV: file.path, PORTOLAN_STORE_SECRET: SECRET };
  await using doomed = await startGateway(yaml, { env });
  await using survivor = await startGateway(yaml, { env });
  await Promise.all([doomed.ready(), survivor.ready()]);

  const plan = { callers: 12, calls: 30, agent: "Kairos", tools: ["note_files", "note_notes"] };
  let answered = 0;
  const [killed, well] = await Promise.all([
    load(doomed, "doomed", plan, () => {
      if (++answered === 100) doomed.kill("SIGKILL");
    }),
    load(survivor, "survivor", plan),
  ]);
  await doomed.ended;
  const after = await load(survivor, "after", { ...plan, calls: 5 });

  // Nobody but the callers of the killed one has lost anything, and of these each the call that was under way.
  assertEquals([well.lost, after.lost], [[], []]);
  assertEquals([well.answers.length, after.answers.length], [12 * 30, 12 * 5]);
  assert(killed.answers.length >= 100 && killed.lost.length === 12, `${killed.answers.length} ${killed.lost.length}`);
  const answers = [...killed.answers, ...well.answers, ...after.answers];
  for (const { id, status, text } of answers) {
    assertEquals([status, text.replace(/^(files|notes) /, "")], [200, id]);
  }
  const ran = [...files.ran, ...notes.ran];
  assertEquals(new Set(ran).size, ran.length, "a call ran twice");
  assertEquals(answers.filter(({ id }) => !ran.includes(id)), []);
  assertEquals(ran.filter((id) => !answers.some((answer) => answer.id === id) && !killed.lost.includes(id)), []);
});

Deno.test("Two gateways on one KV file keep one limit together, also where one of them is killed, and give back at a stop", async () => {
  const [limit, lease] = [300, 10];
  await using file = await createStoreFile();
  await using files = await startNotingServer("files");
  const yaml = `servers: { files: { url: "${files.url}" } }
agents: { Kairos: { servers: [files], limits: { callsPerMinute: ${limit}, callsPerLease: ${lease} } }, Idle: { servers: [files] } }
limits: { callsPerMinute: ${limit}, callsPerLease: ${lease} }`;
  const env = { PORTOLAN_KV: file.path };
  await using doomed = await startGateway(yaml, { env });
  await using survivor = await startGateway(yaml, { env });
  await Promise.all([doomed.ready(), survivor.ready()]);
  const begunMs = performance.now();
  const plan = { callers: 8, calls: 60, agent: "Kairos", tools: ["note_files"] };
  let answered = 0;
  const loads = await Promise.all([
    load(doomed, "doomed", plan, () => {
      if (++answered === 80) doomed.kill("SIGKILL");
    }),
    load(survivor, "survivor", plan),
  ]);
  await doomed.ended;
  const tookMs = performance.now() - begunMs;
  const answers = loads.flatMap(({ answers }) => answers);
  const refused = answers.filter(({ status }) => status === 429);
  assertEquals(new Set(answers.map(({ status }) => status)), new Set([200, 429]));
  assert(refused.every(({ retryAfter }) => Number(retryAfter) >= 1 && Number(retryAfter) <= 64));
  // What ran, as some of what the killed one admitted has no answer.
  assert(files.ran.length <= limit + 2 * lease || tookMs > 60_000, String(files.ran.length));
  assert(files.ran.length >= limit - 2 * lease, String(files.ran.length));

  for (let number = 0; number < 7; number++) await call(survivor, "Idle", "note_files", `idle-${number}`);
  survivor.kill("SIGINT");
  assertEquals(await survivor.ended, 0);
  using kv = await Deno.openKv(file.path);
  const store = new KvRouteStore(kv, { prefix: ["portolan_gateway"], consistency: "strong" });
  const ledger = parseLedger((await store.get(["limits", "v1", "Idle", "all"]))?.value);
  assertEquals(ledger?.slots.reduce((sum, [, calls]) => sum + calls, 0), 7);
});

Deno.test("Every key and value that a gateway leaves in KV is within its limits, with many agents and huge catalogues", async () => {
  await using file = await createStoreFile();
  const long = (name: string, length: number) => name.padEnd(length, "x");
  const description = "é".repeat(500);
  const tools = Array.from({ length: 600 }, (_, index) => ({ name: long(`tool_${index}_`, 128), description }));
  await using huge = await startMCPServer({ name: "huge", tools, pageSize: 200, json: true });
  await using small = await startNotingServer("small");
  const servers = [long("huge", 32), long("small", 32)] as const;
  const names = Array.from({ length: 50 }, (_, index) => long(`Agent${index}`, 64));
  const agents = names.map((name, index) => `  ${name}: { servers: [${index < 5 ? servers.join(", ") : servers[1]}] }`);
  const yaml = `servers:
  ${servers[0]}: { url: "${huge.url}?${"q=1&".repeat(200)}", pin: warn }
  ${servers[1]}: { url: "${small.url}", pin: warn }
agents:
${agents.join("\n")}
limits: { callsPerMinute: 1000, callsPerMinutePerCaller: 100 }`;
  // Lazily, so that one after another comes to the database.
  const env = { PORTOLAN_KV: file.path, PORTOLAN_STORE_SECRET: SECRET, PORTOLAN_CONNECT: "lazy" };
  await using gateway = await startGateway(yaml, { env });
  for (const name of names.slice(0, 5)) {
    const response = await fetch(`${gateway.origin}/agents/${name}/tools`);
    assertEquals((await response.json()).tools.length, 601);
  }
  for (const name of names) assertEquals((await call(gateway, name, "note_small", name))?.status, 200);
  gateway.kill("SIGINT");
  assertEquals(await gateway.ended, 0);

  using kv = await Deno.openKv(file.path);
  const entries = await Array.fromAsync(kv.list<Record<string, unknown>>({ prefix: [] }));
  const keyBytes = entries.map(({ key }) => key.reduce<number>((sum, part) => sum + utf8Bytes(String(part)) + 2, 0));
  const valueBytes = entries.map(({ value }) =>
    Object.values(value).reduce<number>((sum, part) => sum + sizeOf(part), 0)
  );
  assertLess(Math.max(...keyBytes), 2_048);
  assert(Math.max(...valueBytes) <= 60_000, String(Math.max(...valueBytes)));
  // The catalogues are there, in parts, and the ledgers of every agent and its caller.
  assert(valueBytes.reduce((sum, bytes) => sum + bytes, 0) > 600 * 1_000);
  const limited = entries.filter(({ key }) => key.includes("limits"));
  assert(entries.some(({ value }) => value.lines instanceof Uint8Array), "no audit trail");
  assert(limited.some(({ key }) => key.includes(names[0] ?? "")) && limited.length > names.length, "no ledgers");
});

/** What a part of a value takes: bytes where it is text or JSON, a few where it is a number. */
function sizeOf(part: unknown): number {
  return part instanceof Uint8Array ? part.byteLength : utf8Bytes(String(part));
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
