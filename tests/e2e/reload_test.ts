import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { digestKey } from "../../src/callers/keys.ts";
import { createStoreFile } from "../support/cold_support.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { ADMIN_KEY, startLoad, startOnFile, untilWithin } from "../support/reload_program.ts";
import { textResult } from "../support/test_tools.ts";

const DIGEST = await digestKey(ADMIN_KEY);
const ENV = { PORTOLAN_KEYS: `*=${DIGEST}` };

async function statusOf(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/agents/Kairos/status`, { headers: { authorization: `Bearer ${key}` } });
  await response.body?.cancel();
  return response.status;
}

Deno.test("main.ts takes its file anew under load: servers come, go and move, keys and limits change, and no call fails", async () => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const run = async () => {
    begun.resolve();
    await gate.promise;
    return textResult("slow is done");
  };
  const whoami = (name: string) => ({ name: "whoami", run: () => textResult(name) });
  await using one = await startMCPServer({ name: "one", json: true, tools: [whoami("one"), { name: "slow", run }] });
  await using two = await startMCPServer({ name: "two", json: true, tools: [whoami("two")] });
  await using notes = await startMCPServer({ name: "notes", json: true, tools: [{ name: "note" }] });
  const toYaml = (url: string, agent = "servers: [files]", rest = "") =>
    `servers: { files: { url: "${url}" }, notes: { url: "${notes.url}" } }\nagents: { Kairos: { ${agent} } }\n${rest}`;
  await using program = await startOnFile(toYaml(one.url), ENV);
  const load = await startLoad(program);
  await load.more(5);
  const slow = program.ask("/agents/Kairos/tools/slow", { method: "POST" });
  await begun.promise;

  await program.replace(toYaml(one.url, "servers: [files, notes]"));
  await program.hears('Configuration taken: agent "Kairos" changed: server "notes" added');
  await load.more(5);
  const note = await program.ask("/agents/Kairos/tools/note", { method: "POST" });
  assertEquals([note.status, (await note.json()).server], [200, "notes"]);

  await program.overwrite(toYaml(two.url, "servers: [files, notes]"));
  await program.hears('Configuration taken: agent "Kairos" changed: server "files" changed');
  await load.more(5);
  const moved = await program.ask("/agents/Kairos/tools/whoami", { method: "POST" });
  assertEquals((await moved.json()).result.content[0].text, "two");

  await program.replace(toYaml(two.url, "servers: [files]"));
  await program.hears('server "notes" removed');
  await load.more(5);
  const gone = await program.ask("/agents/Kairos/tools/note", { method: "POST" });
  assertEquals([gone.status, (await gone.json()).code], [404, "tool_not_found"]);

  const keys = `servers: [files], keys: ["${await digestKey("kairos-key")}"]`;
  await program.replace(toYaml(two.url, keys, "limits: { callsPerMinute: 100000 }\n"));
  await program.hears("Configuration taken: gateway changed: keys, limits");
  await load.more(5);
  assertEquals(await statusOf(program.origin, "kairos-key"), 200);
  const limited = await program.ask("/agents/Kairos/tools/whoami", { method: "POST" });
  await limited.body?.cancel();
  assertEquals(limited.headers.get("ratelimit-policy"), '"agent";q=100000;w=60');

  await program.replace(toYaml(two.url));
  await program.hears("Configuration taken: gateway changed: keys, limits", 2);
  await load.more(5);
  assertEquals(await statusOf(program.origin, "kairos-key"), 401);

  gate.resolve();
  const response = await slow;
  assertEquals([response.status, (await response.json()).result.content[0].text], [200, "slow is done"]);
  const { failed, answered } = await load.end();
  assertEquals(failed, []);
  assert(answered >= 90, String(answered));
});

Deno.test("main.ts refuses a broken, an empty and a half-written file, says why once, and goes on with the one of before", async () => {
  await using server = await startMCPServer({ name: "files" });
  const yaml = `servers: { files: { url: "${server.url}" } }\nagents: { Kairos: { servers: [files] } }\n`;
  await using program = await startOnFile(yaml, ENV);
  const load = await startLoad(program);
  const canary = "hunter22-canary";
  const broken = `servers: { files: { url: "ftp://${canary}" } }\nagents: { Kairos: { servers: [flies] } }\n`;
  await program.replace(broken);
  await program.hears("agents.Kairos.servers[0]: Unknown server");
  await program.overwrite(`${broken} `);
  await program.overwrite("");
  await program.hears('"portolan.yaml" was refused', 2);
  await program.replace(`servers: { files: { url: "${server.url}" }`);
  await program.hears('"portolan.yaml" was refused', 3);
  await load.more(5);
  const said = program.said();
  assertStringIncludes(said, "The configuration of before goes on");
  assertStringIncludes(said, "servers.files.url: ");
  assertFalse(said.includes(canary), "a value of the file is nowhere");
  assertEquals(said.split("Unknown server").length, 2, "once for each reason");

  await program.replace(yaml.replace("[files]", "[files], limits: { concurrentCalls: 500 }"));
  await program.hears('Configuration taken: agent "Kairos" changed: limits');
  assertEquals((await load.end()).failed, []);
});

Deno.test("main.ts reads its file and the environment anew at SIGHUP, also where the file is not watched", async () => {
  await using server = await startMCPServer({ name: "files" });
  const yaml = `servers: { files: { url: "${server.url}" } }\nagents: { Kairos: { servers: [files] } }\n`;
  await using program = await startOnFile(yaml, { ...ENV, PORTOLAN_RELOAD: "off" });
  const load = await startLoad(program);
  await program.replace(`${yaml}limits: { callsPerMinute: 90000 }\n`);
  await load.more(20);
  assertFalse(program.said().includes("Configuration taken"));
  program.kill("SIGHUP");
  await program.hears("Configuration taken: gateway changed: limits");
  program.kill("SIGHUP");
  await program.hears("Configuration taken: nothing has changed");
  await load.more(5);
  assertEquals((await load.end()).failed, []);
});

Deno.test("main.ts asks for keys from the moment that its file has some", async () => {
  const yaml = `servers: { files: { url: "http://127.0.0.1:9/mcp" } }\nagents: { Kairos: { servers: [files] } }\n`;
  await using program = await startOnFile(yaml, { PORTOLAN_CONNECT: "lazy" });
  assertEquals(await statusOf(program.origin, "no-key"), 200);
  await program.replace(yaml.replace("[files]", `[files], keys: ["${DIGEST}"]`));
  await program.hears("Configuration taken: gateway changed: keys");
  assertEquals([await statusOf(program.origin, "no-key"), await statusOf(program.origin, ADMIN_KEY)], [401, 200]);
});

Deno.test("main.ts refuses a key that is taken away at once, however long a new server takes to connect", async () => {
  await using files = await startMCPServer({ name: "files", json: true });
  await using slow = await startMCPServer({ name: "slow", json: true });
  slow.hangNext("server/discover", 1_000);
  slow.hangNext("initialize", 1_000);
  const [kept, gone] = [await digestKey("kept-key"), await digestKey("gone-key")];
  const toYaml = (servers: string, keys: string) =>
    `servers: { files: { url: "${files.url}" }, slow: { url: "${slow.url}" } }\n` +
    `agents: { Kairos: { servers: [${servers}], keys: [${keys}] } }\n`;
  await using program = await startOnFile(toYaml("files", `"${kept}", "${gone}"`));
  assertEquals([await statusOf(program.origin, "kept-key"), await statusOf(program.origin, "gone-key")], [200, 200]);
  await program.replace(toYaml("files, slow", `"${kept}"`));
  await untilWithin(5_000, async () => await statusOf(program.origin, "gone-key") === 401);
  assertFalse(program.said().includes("Configuration taken"), "the new server has not answered yet");
  assertEquals(await statusOf(program.origin, "kept-key"), 200);
});

Deno.test("Two gateways on one KV file: what is put at one is served by both under load, without a failed call", async () => {
  await using file = await createStoreFile();
  const whoami = (name: string) => ({ name: "whoami", run: () => textResult(name) });
  await using one = await startMCPServer({ name: "one", json: true, tools: [whoami("one")] });
  await using two = await startMCPServer({ name: "two", json: true, tools: [whoami("two")] });
  const toYaml = (url: string) => `servers: { files: { url: "${url}" } }\nagents: { Kairos: { servers: [files] } }\n`;
  const env = {
    ...ENV,
    PORTOLAN_KV: file.path,
    PORTOLAN_STORE_SECRET: "a secret of more than 16 bytes",
    PORTOLAN_CONFIG_FROM: "kv",
    CANARY: "hunter22-canary",
  };
  const { CANARY: _, ...withoutCanary } = env;
  await using left = await startOnFile(toYaml(one.url), env);
  await using right = await startOnFile(toYaml(one.url), withoutCanary);
  const put = async (text: string) => {
    const response = await left.ask("/admin/config", {
      method: "PUT",
      headers: { "content-type": "application/yaml" },
      body: text,
    });
    return [response.status, await response.json()] as const;
  };
  const who = async (program: typeof left) => {
    const response = await program.ask("/agents/Kairos/tools/whoami", { method: "POST" });
    return (await response.json()).result.content[0].text;
  };
  const loads = await Promise.all([left, right].map(startLoad));
  for (const load of loads) await load.more(5);

  const [status, change] = await put(toYaml(two.url));
  assertEquals([status, change.difference.changed[0].servers.changed], [200, ["files"]]);
  assertEquals(await who(left), "two");
  await untilWithin(change.effectiveWithinMs, async () => await who(right) === "two");
  for (const load of loads) await load.more(5);

  const [refused, problem] = await put(
    "servers: { files: { url: ftp://x } }\nagents: { Kairos: { servers: [flies] } }\n",
  );
  assertEquals([refused, problem.code, problem.faults.length], [422, "config_refused", 2]);
  // One that is good here and not there, where the variable is missing.
  const [other, { version }] = await put(toYaml(`${one.url}?x=\${env:CANARY}`));
  assertEquals([other, await who(left)], [200, "one"]);
  await right.hears("The configuration of before goes on", 1, change.effectiveWithinMs * 2);
  assertStringIncludes(right.said(), "servers.files.url: ");
  const state = await (await right.ask("/admin/config")).json();
  assertEquals([state.version, state.inUse, await who(right)], [version, false, "two"]);

  const deleted = await left.ask("/admin/config", { method: "DELETE" });
  assertEquals([deleted.status, (await deleted.json()).version], [200, undefined]);
  await untilWithin(change.effectiveWithinMs, async () => await who(right) === "one");
  for (const load of loads) assertEquals((await load.end()).failed, []);
  for (const said of [left.said(), right.said(), await file.dump()]) assertFalse(said.includes("hunter22-canary"));
  // The text itself is in the database in no clear form.
  assertFalse((await file.dump()).includes("env:CANARY"));
});
