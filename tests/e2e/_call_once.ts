/**
 * One short-lived process: calls one tool over a route store in a file, tells how it went, and ends.
 *
 * Arguments: the file, the configuration of the agent as JSON, the tool.
 */

import { type AgentConfig, MultiServerMCPClient } from "@portolan/mcp";
import { KvRouteStore } from "@portolan/mcp/kv";

const [file = "", config = "", tool = ""] = Deno.args;
using kv = await Deno.openKv(file);
const store = new KvRouteStore(kv);
await using client = new MultiServerMCPClient("Kairos", JSON.parse(config) as AgentConfig, { store });
const { server, route, result } = await client.callToolRouted(tool);
console.log(JSON.stringify({ server, route, content: result.content }));
