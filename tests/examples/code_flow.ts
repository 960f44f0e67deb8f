/**
 * OAuth by a person, in processes that live as long as one request: one begins, another one finishes, a third goes on.
 *
 *   export CALENDAR_URL=https://cal.example.com/mcp STORE_SECRET="a text of 16 bytes or more"
 *   deno run -A --unstable-kv code_flow.ts                        # prints the URL that the person opens
 *   deno run -A --unstable-kv code_flow.ts "https://…/callback?…"  # with the URL that their browser came back to
 *   deno run -A --unstable-kv code_flow.ts                        # calls the tool
 *
 * What they share is the store; state, verifier and tokens lie in it encrypted.
 */

import { AuthorizationRequiredError, MultiServerMCPClient } from "@portolan/mcp";
import { KvRouteStore } from "@portolan/mcp/kv";

const [callbackUrl] = Deno.args;
using kv = await Deno.openKv(Deno.env.get("KV_PATH") ?? "code_flow.db");
await using client = new MultiServerMCPClient("Ada", {
  servers: {
    calendar: {
      url: Deno.env.get("CALENDAR_URL") ?? "https://cal.example.com/mcp",
      auth: {
        redirectUrl: Deno.env.get("REDIRECT_URL") ?? "https://agents.example.com/callback",
        // For an authorization server on this machine alone; leave it out.
        allowPrivate: Deno.env.get("ALLOW_PRIVATE") === "true",
      },
    },
  },
}, { store: new KvRouteStore(kv), storeSecret: new TextEncoder().encode(Deno.env.get("STORE_SECRET") ?? "") });

if (callbackUrl !== undefined) {
  const { server, principal } = await client.finishAuthorization(callbackUrl);
  console.log(`authorized: ${server} for ${principal}`);
} else {
  try {
    const { content } = await client.callTool("whoami");
    console.log("answer:", content[0]?.text);
  } catch (error) {
    if (!(error instanceof AuthorizationRequiredError)) throw error;
    console.log("open:", error.authorizationUrl);
  }
}
