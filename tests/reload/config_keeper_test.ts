import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConfigError } from "../../src/errors.ts";
import { ConfigKeeper } from "../../src/reload/config_keeper.ts";
import type { PortolanConfig } from "../../src/server_config.ts";
import { toYaml } from "../support/kept_config.ts";

async function openOnFile(text: string) {
  const file: { text: string | Error } = { text };
  const env: Record<string, string> = {};
  const [said, refused, taken] = [[] as string[], [] as string[], [] as PortolanConfig[]];
  const keeper = new ConfigKeeper({
    source: { path: "portolan.yaml" },
    env: () => env,
    readTextFile: () => file.text instanceof Error ? Promise.reject(file.text) : Promise.resolve(file.text),
    check: () => {},
    onTaken: (message) => said.push(message),
    onRefused: (message) => refused.push(message),
  });
  const config = await keeper.open();
  keeper.serve((config) => {
    taken.push(config);
    return Promise.resolve(keeper.compare(config));
  });
  return { keeper, file, env, said, refused, taken, config };
}

Deno.test("ConfigKeeper.reload() takes a file that is another, and tells the difference in words", async () => {
  const { keeper, file, said, taken } = await openOnFile(toYaml("one"));
  await keeper.reload();
  assertEquals([said, taken], [[], []], "the file is as it was");
  file.text = toYaml("one", "# a word more\n");
  await keeper.reload();
  assertEquals([said, taken], [["Configuration taken: nothing has changed"], []]);
  file.text = toYaml("one", "limits: { callsPerMinute: 60 }\n");
  await keeper.reload();
  assertEquals([said[1], taken.length], ["Configuration taken: gateway changed: limits", 1]);
});

Deno.test("ConfigKeeper.reload() refuses a file with faults, one that is empty, and one that is gone, once each", async () => {
  const { keeper, file, refused, taken } = await openOnFile(toYaml("one"));
  for (
    const text of ["agents: {", "agents: {", "", "\n", "agents: { A: { servers: [b] } }", new Deno.errors.NotFound()]
  ) {
    file.text = text;
    await keeper.reload();
    await keeper.reload({ force: true });
  }
  assertEquals([refused.length, taken], [4, []]);
  for (const message of refused) assertStringIncludes(message, "The configuration of before goes on");
  assertStringIncludes(refused[2] ?? "", "agents.A.servers[0]: ");
  file.text = toYaml("two");
  await keeper.reload();
  assertEquals(taken.length, 1);
});

Deno.test("ConfigKeeper.reload() with force reads the environment anew", async () => {
  const { keeper, file, env, taken, refused } = await openOnFile(toYaml("one"));
  file.text = 'servers: { x: { url: "https://${env:HOST}/mcp" } }\nagents: { Kairos: { servers: [x] } }\n';
  await keeper.reload();
  assertEquals([taken.length, refused.length], [0, 1]);
  env.HOST = "x.example.com";
  await keeper.reload({ force: true });
  assertEquals(taken.at(-1)?.agents.Kairos?.servers.x?.url, "https://x.example.com/mcp");
});

Deno.test("ConfigKeeper.reload() goes on where taking a configuration fails", async () => {
  const { keeper, file, refused } = await openOnFile(toYaml("one"));
  keeper.serve(() => Promise.reject(new TypeError("canary")));
  file.text = toYaml("two");
  await keeper.reload();
  assertEquals(refused, [
    'The configuration of before goes on, as "portolan.yaml" was refused: Cannot use it as something failed (TypeError)',
  ]);
});

Deno.test("ConfigKeeper.open() rejects where the first configuration has faults", async () => {
  await assertRejects(() => openOnFile("agents: 7"), ConfigError);
});
