/**
 * Functions around every call: one of one's own that signs and logs, and two ready ones that ask and hide.
 *
 *   FILES_URL=http://localhost:3001/mcp deno run --allow-net --allow-env interceptor.ts
 */

import { isMCPError, MultiServerMCPClient } from "@portolan/mcp";
import { approval, intercept, type Interceptor, redaction, redactionPatterns } from "@portolan/mcp/interceptors";

/** Says who asks, and logs how each call ended. */
function signed(user: string): Interceptor {
  return {
    async callTool(request, next) {
      const result = await next(request.with({ args: { ...request.args, user } }));
      console.log(`log: ${request.name} ${result.isError === true ? "failed" : "ok"}`);
      return result;
    },
  };
}

await using client = intercept(
  new MultiServerMCPClient("Kairos", {
    servers: { files: { url: Deno.env.get("FILES_URL") ?? "http://localhost:3001/mcp" } },
  }),
  [
    signed("ada"),
    redaction({ patterns: [redactionPatterns.email] }),
    // Last, so that nothing changes what was approved. A program with a person in front of it asks them here.
    approval({ when: ({ name }) => name.startsWith("delete_"), ask: () => false }),
  ],
);

console.log((await client.callTool("read_file", { path: "crew.txt" })).content[0]?.text);
try {
  await client.callTool("delete_file", { path: "crew.txt" });
} catch (error) {
  if (isMCPError(error)) console.log(`${error.code}: ${error.message}`);
}
