import { assertEquals } from "@std/assert";
import { buildGateway } from "./support/build.ts";
import { methodsSince } from "./support/cold_support.ts";
import { type GatewayProcess, startGateway } from "./support/gateway_process.ts";
import { startMCPServer } from "./support/mcp_server.ts";

const STATIC_IMPORT = /^(?:import|export|\}) ?(?:[^"]* from )?"\.\/([^"]+)";$/gm;
/** Nothing but the bundle: no package of npm, not even one that another program has left in a cache. */
const ALONE = ["-A", "--no-npm", "--no-remote"];

/** What the task makes, in a folder of its own where nothing else is. */
async function build() {
  const folder = await Deno.makeTempDir({ prefix: "portolan-build-" });
  await buildGateway(`${folder}/app`);
  return {
    app: `${folder}/app`,
    env: {
      DENO_DIR: `${folder}/cache`,
      PORTOLAN_KV: `${folder}/routes.db`,
      PORTOLAN_STORE_SECRET: "a secret of more than 16 bytes",
      PORTOLAN_ALLOW_OPEN: "loopback",
      PORTOLAN_CONNECT: "lazy",
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** The files that are loaded when the program is. */
async function readLoaded(folder: string, file: string, loaded = new Set<string>()): Promise<ReadonlySet<string>> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  const code = await Deno.readTextFile(`${folder}/${file}`);
  for (const [, imported = ""] of code.matchAll(STATIC_IMPORT)) await readLoaded(folder, imported, loaded);
  return loaded;
}

async function call(gateway: GatewayProcess): Promise<readonly unknown[]> {
  const response = await fetch(`${gateway.origin}/agents/Kairos/tools/echo`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"text":"ahoy"}',
  });
  const { route, result } = await response.json();
  return [response.status, route, result?.content[0].text];
}

Deno.test("The bundle serves from a folder of its own, and a first call over a warm KV file with what is loaded at the start alone", async () => {
  await using upstream = await startMCPServer();
  await using built = await build();
  const yaml = `servers: { files: { url: "${upstream.url}" } }\nagents: { Kairos: { servers: [files] } }\n`;
  const json = JSON.stringify({ agents: { Kairos: { servers: { files: { url: upstream.url } } } } });
  const { app, env } = built;
  {
    const args = ["run", ...ALONE, "main.js", "--listen"];
    await using gateway = await startGateway(yaml, { env, program: { args, cwd: app } });
    assertEquals(await call(gateway), [200, "discovery", "ahoy"]);
  }
  const loaded = await readLoaded(app, "main.js");
  const files = await Array.fromAsync(Deno.readDir(app), ({ name }) => name);
  assertEquals(files.filter((name) => !name.endsWith(".js")), ["deno.json"]);
  const late = files.filter((name) => name.endsWith(".js") && !loaded.has(name));
  assertEquals(
    ["sdk", "legacy_connection", "config_file", "compiled_schema"].filter((name) => {
      return !late.some((file) => file.startsWith(`${name}-`));
    }),
    [],
  );
  for (const name of late) await Deno.remove(`${app}/${name}`);
  const { length } = upstream.requests;
  {
    const args = ["serve", ...ALONE, "--host=127.0.0.1", "--port=0", "main.js"];
    await using gateway = await startGateway(json, { env, program: { args, cwd: app } });
    assertEquals(await call(gateway), [200, "cache", "ahoy"]);
  }
  assertEquals(methodsSince(upstream, length), ["tools/call"]);
});
