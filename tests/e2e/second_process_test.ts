import { assertEquals } from "@std/assert";
import { startRawServer } from "../support/fault_server.ts";
import { createStoreFile, methodsSince } from "../support/cold_support.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startModernServer } from "../support/modern_server.ts";

const SCRIPT = new URL("./_call_once.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url);

/** Runs the script in a process of its own, and returns what it told. */
async function callOnce(
  file: string,
  servers: Record<string, { url: string }>,
  tool: string,
  secret?: string,
): Promise<unknown> {
  const args = ["run", "-A", "--no-check", "--config", CONFIG.pathname, SCRIPT.pathname];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args, file, JSON.stringify({ servers }), tool, ...(secret === undefined ? [] : [secret])],
    stdin: "null",
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("A second process with the same KV file calls a known tool by connecting to its owner alone", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/routes.db`;
    await using fileio = await startMCPServer({ name: "fileio", tools: [{ name: "read_file" }] });
    await using calendar = await startMCPServer({ name: "calendar" });
    const notes = startRawServer();
    const servers = { notes: { url: notes.url }, fileio: { url: fileio.url }, calendar: { url: calendar.url } };

    const content = [{ type: "text", text: "calendar" }];
    assertEquals(await callOnce(file, servers, "whoami"), { server: "calendar", route: "discovery", content });
    const before = [fileio.requests.length, calendar.requests.length, notes.requests.length];
    await notes.stop();

    assertEquals(await callOnce(file, servers, "whoami"), { server: "calendar", route: "cache", content });
    assertEquals([fileio.requests.length, notes.requests.length], [before[0], before[2]]);
    const asked = calendar.requests.slice(before[1]).map(({ method, rpcMethod }) => rpcMethod ?? method);
    assertEquals(asked, ["initialize", "notifications/initialized", "tools/call", "DELETE"]);
    assertEquals(calendar.executions.get("whoami"), 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (
  const [what, start] of [
    ["legacy with sessions", () => startMCPServer({ name: "owner" })],
    ["modern", () => Promise.resolve(startModernServer({ name: "owner" }))],
  ] as const
) {
  Deno.test(`A second process with the same KV file and secret calls a known tool in one upstream request: ${what}`, async () => {
    await using file = await createStoreFile();
    await using owner = await start();
    await using other = await startMCPServer({ name: "other", tools: [{ name: "read_file" }] });
    const servers = { other: { url: other.url }, owner: { url: owner.url } };
    const answer = { server: "owner", content: [{ type: "text", text: "owner" }] };
    const secret = "a secret of more than 16 bytes";
    assertEquals(await callOnce(file.path, servers, "whoami", secret), { ...answer, route: "discovery" });
    const [ownerBefore, otherBefore] = [owner.requests.length, other.requests.length];

    assertEquals(await callOnce(file.path, servers, "whoami", secret), { ...answer, route: "cache" });
    assertEquals([methodsSince(owner, ownerBefore), methodsSince(other, otherBefore)], [["tools/call"], []]);
    assertEquals(owner.executions.get("whoami"), 2);
  });
}
