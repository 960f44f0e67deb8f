/**
 * One short-lived process: finishes an authorization over a route store in a file, tells whose it was, and ends. It
 * knows nothing of agents and servers.
 *
 * Arguments: the file, the secret of the store, and the URL that the browser was sent back to.
 */

import { MCPClientManager } from "@portolan/mcp";
import { KvRouteStore } from "@portolan/mcp/kv";

const [file = "", secret = "", callbackUrl = ""] = Deno.args;
using kv = await Deno.openKv(file);
const storeSecret = new TextEncoder().encode(secret);
await using manager = new MCPClientManager({ agents: {} }, { store: new KvRouteStore(kv), storeSecret });
console.log(JSON.stringify(await manager.finishAuthorization(callbackUrl)));
