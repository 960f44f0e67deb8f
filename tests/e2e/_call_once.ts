/**
 * One short-lived process: calls one tool over a route store in a file, tells how it went, and ends.
 *
 * Arguments: the file, the configuration of the agent as JSON, the tool, and the secret of the store where there is one.
 */

import { type AgentConfig, MultiServerMCPClient } from "@portolan/mcp";
import { KvRouteStore } from "@portolan/mcp/kv";

const [file = "", config = "", tool = "", secret] = Deno.args;
using kv = await Deno.openKv(file);
const store = new KvRouteStore(kv);
const storeSecret = secret === undefined ? undefined : new TextEncoder().encode(secret);
await using client = new MultiServerMCPClient("Kairos", JSON.parse(config) as AgentConfig, { store, storeSecret });
const { server, route, result } = await client.callToolRouted(tool);
console.log(JSON.stringify({ server, route, content: result.content }));
