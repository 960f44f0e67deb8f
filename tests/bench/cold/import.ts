/** Prints how long the import of a module takes, in milliseconds: the first argument says of which. */

const MODULES: Readonly<Record<string, () => Promise<unknown>>> = {
  "Portolan": () => import("@portolan/mcp"),
  "Portolan with its KV store": () => Promise.all([import("@portolan/mcp"), import("@portolan/mcp/kv")]),
  "SDK 1.32": () => import("../../../src/sdk.ts"),
  "SDK 2.4": () => import("@modelcontextprotocol/client"),
};
const startedAt = performance.now();
await MODULES[Deno.args[0] ?? ""]?.();
console.log(performance.now() - startedAt);
