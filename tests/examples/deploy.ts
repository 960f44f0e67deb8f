/**
 * What Deno Deploy does with main.ts, on this machine: isolates that start for a request, with everything they know in
 * the environment, and a database in common.
 *
 *   FILES_URL=http://localhost:3001/mcp deno run -A deploy.ts
 *
 * Deploy adds a domain, TLS and several regions. See docs/deploy.md for what to click.
 */

import { digestKey } from "@portolan/mcp/gateway";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const folder = await Deno.makeTempDir();
const key = crypto.randomUUID();

/** The variables that are set for the app. */
const env = {
  DENO_DEPLOYMENT_ID: "rehearsal",
  PORTOLAN_CONFIG_TEXT: JSON.stringify({
    servers: { files: { url: "${env:FILES_URL}" } },
    agents: { Kairos: { servers: ["files"] } },
  }),
  PORTOLAN_KEYS: `Kairos=${await digestKey(key)}`,
  PORTOLAN_STORE_SECRET: "the same secret in every isolate",
  PORTOLAN_KV: `${folder}/kv.db`,
  FILES_URL: Deno.env.get("FILES_URL") ?? "http://localhost:3001/mcp",
};

for (const name of ["first isolate", "second isolate"]) {
  const isolate = new Deno.Command(Deno.execPath(), {
    args: ["serve", "-A", "--host=127.0.0.1", "--port=0", MAIN],
    env,
    stdout: "piped",
  }).spawn();
  const origin = await readOrigin(isolate.stdout);
  const call = async (authorization: string) => {
    const response = await fetch(`${origin}/agents/Kairos/tools/echo`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: '{"text":"ahoy"}',
    });
    return { status: response.status, ...await response.json() };
  };
  const refused = await call("Bearer guessed");
  const cold = await call(`Bearer ${key}`);
  const warm = await call(`Bearer ${key}`);
  console.log(`${name}: ${refused.status} ${refused.code}, then by ${cold.route}, then by ${warm.route}`);
  // As Deploy stops it: it has five seconds for what is under way.
  isolate.kill("SIGINT");
  console.log(`${name}: ended with ${(await isolate.status).code}`);
}
await Deno.remove(folder, { recursive: true });

async function readOrigin(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const chunk of stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const origin = /listens on (http:\/\/[\d.:]+)/.exec(text)?.[1];
    if (origin !== undefined) return origin;
  }
  throw new Error(`The isolate ended before it listened: ${text}`);
}
