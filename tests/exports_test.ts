import { assert, assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { VERSION } from "../src/version.ts";
import { readModuleGraph } from "./support/module_graph.ts";

/** What each entry point gives at run time; types are not listed. A line added here is a decision about the API. */
const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  ".": [
    "AuthStore",
    "AuthorizationRequiredError",
    "ConfigError",
    "InputRequiredError",
    "MCPClient",
    "MCPClientManager",
    "MCPError",
    "MemoryRouteStore",
    "MultiServerMCPClient",
    "SharedConnections",
    "SingleServerMCPClient",
    "isMCPError",
  ],
  "./cli": ["runCli"],
  "./config": ["parseConfig"],
  "./kv": ["KvRouteStore"],
  "./gateway": ["createGateway", "digestKey"],
  "./interceptors": [
    "approval",
    "intercept",
    "interceptTools",
    "isCallToolRequest",
    "rateLimit",
    "redaction",
    "redactionPatterns",
    "resultCache",
    "retryPolicy",
  ],
  "./models": [
    "ToolSearch",
    "estimateTokens",
    "toAISDKOutput",
    "toAISDKTools",
    "toAnthropicContent",
    "toAnthropicTools",
    "toLeanListing",
    "toOpenAIContent",
    "toOpenAITools",
    "toText",
  ],
};

/** Packages that an entry point may load when it is imported, beside those of the packages named. */
const LOADS: Readonly<Record<string, readonly string[]>> = {
  ".": ["@std/async", "eventsource-parser"],
  "./cli": ["@stricli/core", "node:util"],
  "./config": ["@std/yaml"],
  "./kv": ["@std/async"],
  "./gateway": ["@std/async", "hono"],
  "./interceptors": ["@std/async"],
  "./models": [],
};

for (const [entry, path] of Object.entries(config.exports)) {
  Deno.test(`The entry point "${entry}" exports the public names and no other`, async () => {
    const module: object = await import(new URL(`../${path}`, import.meta.url).href);
    assertEquals(Object.keys(module).sort(), [...EXPORTS[entry] ?? []].sort());
  });

  Deno.test(`The entry point "${entry}" loads no package but its own when it is imported`, async () => {
    const graph = await readModuleGraph([path.slice(2)]);
    const packages = new Set([...graph.values()].flatMap((file) => file.packages.map(toPackageName)));
    assertEquals([...packages].sort(), [...LOADS[entry] ?? []].sort());
  });

  Deno.test(`The entry point "${entry}" needs no permission, no timer and no fetch to be imported`, async () => {
    const code = `
      const names = ["fetch", "setTimeout", "setInterval"];
      for (const name of names) globalThis[name] = () => { throw new Error(name + " was called"); };
      await import(${JSON.stringify(new URL(`../${path}`, import.meta.url).href)});
    `;
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/import.js`, code);
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--config", new URL("../deno.json", import.meta.url).pathname, "--frozen", `${folder}/import.js`],
        stdout: "null",
      }).output();
      assert(success, new TextDecoder().decode(stderr));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("The library and its entry points for configuration and KV name no Deno API", async () => {
  const graph = await readModuleGraph(Object.values(config.exports).map((path) => path.slice(2)));
  const named = [...graph].filter(([, { code }]) => /(?<!")\bDeno\s*[.[]/.test(code)).map(([path]) => path);
  // That of the command line is a program too.
  assertEquals(named, ["src/cli/mod.ts"]);
});

Deno.test("VERSION is the version of deno.json", () => {
  assertEquals(VERSION, config.version);
});

function toPackageName(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}
