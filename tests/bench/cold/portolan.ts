/** This library: with a route cache where the job has one. */

import { MultiServerMCPClient, type MultiServerMCPClientOptions, type ServerConfig } from "@portolan/mcp";
import { textOf } from "../contenders/contender.ts";
import { finish, readJob } from "./job.ts";

const { urls, tool, kvPath } = readJob();
const servers: Record<string, ServerConfig> = {};
for (const [index, url] of urls.entries()) servers[`server${index}`] = { url };
let options: MultiServerMCPClientOptions = {};
if (kvPath !== undefined) {
  const { KvRouteStore } = await import("@portolan/mcp/kv");
  const store = new KvRouteStore(await Deno.openKv(kvPath));
  options = { store, storeSecret: new TextEncoder().encode("a secret of a benchmark") };
}
const client = new MultiServerMCPClient("bench", { servers }, options);
const { result } = await client.callToolRouted(tool, { text: "ahoy" });
// Whoever fills the cache waits for the servers that the call did not need.
if (Deno.args[1] === "fill") await client.connectToServers();
if (Deno.args[1] === "fill") await client.close();
finish(textOf(result));
