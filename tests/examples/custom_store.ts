/**
 * A short-lived process over a store of its own: the second run knows from the first where to go, and sends one request.
 *
 *   FILES_URL=http://localhost:3001/mcp deno run --allow-net --allow-env --allow-read --allow-write custom_store.ts routes.db
 */

import { MultiServerMCPClient } from "@portolan/mcp";
import { SqliteRouteStore } from "./sqlite_route_store.ts";

using store = new SqliteRouteStore(Deno.args[0] ?? "routes.db");
await using client = new MultiServerMCPClient("Kairos", {
  servers: { files: { url: Deno.env.get("FILES_URL") ?? "http://localhost:3001/mcp" } },
}, { store, storeSecret: new TextEncoder().encode("the same secret in every process") });

const { server, route, result } = await client.callToolRouted("echo", { text: "ahoy" });
console.log(`${server} answered "${result.content[0]?.text}", found by ${route}`);
