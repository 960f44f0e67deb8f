import { assertEquals, assertStringIncludes } from "@std/assert";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { openConfig, type OpenConfigDeps } from "../../src/reload/open_config.ts";
import type { RouteStore } from "../../src/route_store.ts";
import { until } from "../support/client_support.ts";
import { CONFIG_SECRET, toYaml } from "../support/kept_config.ts";

function toDeps(said: string[], warned: string[], shared: RouteStore | undefined): OpenConfigDeps {
  return {
    env: () => ({}),
    readTextFile: Deno.readTextFile,
    watch: Deno.watchFs,
    realPath: Deno.realPath,
    shared: Promise.resolve(shared),
    check: () => {},
    onTaken: (message) => said.push(message),
    onWarning: (message) => warned.push(message),
  };
}

const SETTINGS = {
  config: { text: toYaml("first") },
  configFrom: undefined,
  reload: undefined,
  storeSecret: undefined,
};

Deno.test("openConfig() watches a file until it is closed", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/portolan.yaml`;
  await Deno.writeTextFile(path, toYaml("first"));
  const [said, warned] = [[] as string[], [] as string[]];
  const source = await openConfig({ ...SETTINGS, config: { path } }, toDeps(said, warned, undefined));
  await source.watch();
  await Deno.writeTextFile(path, toYaml("second"));
  await until(() => said.length === 1);
  assertStringIncludes(said[0] ?? "", 'server "second" added');
  source.close();
  assertEquals([source.admin, source.poll, warned], [undefined, undefined, []]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openConfig() takes what was written before anybody watched", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/portolan.yaml`;
  await Deno.writeTextFile(path, toYaml("first"));
  const said: string[] = [];
  const source = await openConfig({ ...SETTINGS, config: { path } }, toDeps(said, said, undefined));
  await Deno.writeTextFile(path, toYaml("second"));
  await source.watch();
  assertStringIncludes(said[0] ?? "", 'server "second" added');
  source.close();
  await Deno.remove(folder, { recursive: true });
});

for (const reload of [undefined, "watch"] as const) {
  Deno.test(`openConfig() says that a file is not watched, louder where that was asked for: ${reload}`, async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/portolan.yaml`;
    await Deno.writeTextFile(path, toYaml("first"));
    const [said, warned] = [[] as string[], [] as string[]];
    const watch = () => {
      throw new Deno.errors.NotCapable("no");
    };
    const source = await openConfig({ ...SETTINGS, config: { path }, reload }, {
      ...toDeps(said, warned, undefined),
      watch,
    });
    await source.watch();
    const message = `Cannot watch "${path}" as this program may not read its folder: SIGHUP has it read anew`;
    assertEquals([said, warned], reload === "watch" ? [[], [message]] : [[message], []]);
    source.close();
    await Deno.remove(folder, { recursive: true });
  });
}

Deno.test("openConfig() watches nothing where it is told not to, or where there is no file", async () => {
  for (const settings of [SETTINGS, { ...SETTINGS, reload: "off" as const }]) {
    const said: string[] = [];
    const watch = () => {
      throw new TypeError("Nothing is to be watched");
    };
    const source = await openConfig(settings, { ...toDeps(said, said, undefined), watch });
    await source.watch();
    await source.reload();
    assertEquals(said, ["Configuration taken: nothing has changed"]);
  }
});

Deno.test("openConfig() takes the configuration from the store, or says that there is none", async () => {
  const store = new MemoryRouteStore();
  const settings = { ...SETTINGS, configFrom: "kv" as const, storeSecret: CONFIG_SECRET };
  const [said, warned] = [[] as string[], [] as string[]];
  const one = await openConfig(settings, toDeps(said, warned, store));
  await one.admin?.write(toYaml("second"));
  const two = await openConfig(settings, toDeps(said, warned, store));
  assertEquals(Object.keys(two.config.agents.Kairos?.servers ?? {}), ["second"]);
  const without = await openConfig(settings, toDeps(said, warned, undefined));
  assertEquals([without.admin, Object.keys(without.config.agents.Kairos?.servers ?? {})], [undefined, ["first"]]);
  assertEquals(warned, ["Cannot take the configuration from KV as this runtime has none: the text holds"]);
});
