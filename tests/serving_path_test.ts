import { assertEquals } from "@std/assert";
import { readModuleGraph, readSourceFile } from "./support/module_graph.ts";

/** Packages that the program may load before its first call is answered. */
const PACKAGES = [
  "@std/async",
  "eventsource-parser",
  "hono",
  "hono/accepts",
  "hono/cors",
  "hono/etag",
  "hono/method-not-allowed",
  "hono/route",
  "hono/streaming",
];

/** What a first call over a warm route cache does without, and what loads it instead. */
const LATE: Readonly<Record<string, string>> = {
  "src/audit/audit_export.ts": "routes/audit.ts",
  "src/audit/kv_audit_store.ts": "src/audit/open_audit_trail.ts",
  "src/audit/memory_audit_store.ts": "src/audit/open_audit_trail.ts",
  "src/config_file.ts": "src/gateway/load_config.ts",
  "src/config/config_text.ts": "src/config_file.ts",
  "src/config/config_schema.ts": "routes/openapi.ts",
  "src/connection/legacy_connection.ts": "src/connection/opener.ts",
  "src/connection/sse_connection.ts": "src/connection/legacy_connection.ts",
  "src/reload/file_watch.ts": "src/reload/open_config.ts",
  "src/reload/kept_config.ts": "src/reload/open_config.ts",
  "src/reload/stored_config.ts": "src/reload/open_config.ts",
  "src/sdk.ts": "src/connection/legacy_connection.ts",
  "src/schema/compiled_schema.ts": "src/schema/schema_checker.ts",
  "src/auth/finish_authorization.ts": "src/client_manager.ts",
  "src/auth/oauth_authorizer.ts": "src/server/server_links.ts",
  "src/auth/oauth_flow.ts": "src/auth/oauth_authorizer.ts",
  "src/telemetry/call_tracer.ts": "main.ts",
  "src/telemetry/metrics_page.ts": "routes/metrics.ts",
  "src/telemetry/traced_fetch.ts": "main.ts",
  "src/auth/token_authorizer.ts": "src/server/server_links.ts",
};

Deno.test("main.ts loads no SDK and no other package than it needs for a first call", async () => {
  const graph = await readModuleGraph(["main.ts"]);
  const packages = new Set([...graph.values()].flatMap((file) => file.packages));
  assertEquals([...packages].sort(), PACKAGES);
});

Deno.test("main.ts loads late what a first call does without", async () => {
  const loaded = new Set((await readModuleGraph(["main.ts"])).keys());
  assertEquals(Object.keys(LATE).filter((path) => loaded.has(path)), []);
  for (const [path, loader] of Object.entries(LATE)) {
    const { imports, lazyImports } = await readSourceFile(loader);
    assertEquals([...imports, ...lazyImports].includes(path), true, `${loader} → ${path}`);
  }
  assertEquals([...loaded].filter((path) => /^src\/(interceptors|models|schema\/.*_rules)\b/.test(path)), []);
});
