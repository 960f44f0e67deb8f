import { assertEquals } from "@std/assert";
import { listSourceFiles, readSourceFile, type SourceFile } from "./support/module_graph.ts";

/**
 * The map of the code: a file may import, also for types and also by `import()`, files of lower layers only. A file that
 * is not listed is a decision that nobody has made yet.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  "time": [
    "src/alarm.ts",
  ],
  "words and small tools": [
    "src/agent/server_order.ts",
    "src/agent/uri_template.ts",
    "src/audit/audit_store.ts",
    "src/auth/authorizer.ts",
    "src/auth/bearer_challenge.ts",
    "src/auth/client_authentication.ts",
    "src/auth/metadata_urls.ts",
    "src/auth/scopes.ts",
    "src/cache/kv_database.ts",
    "src/cache/sealer.ts",
    "src/cache/sha256.ts",
    "src/config/json_text.ts",
    "src/config/special_address.ts",
    "src/config/template.ts",
    "src/config/variables.ts",
    "src/connection/body_reader.ts",
    "src/deadline.ts",
    "src/errors.ts",
    "src/interceptors/checks.ts",
    "src/frozen_json.ts",
    "src/interceptors/redaction_patterns.ts",
    "src/joined_signal.ts",
    "src/latency.ts",
    "src/limits/load_meter.ts",
    "src/list_watch.ts",
    "src/models/cut_text.ts",
    "src/models/search_words.ts",
    "src/models/token_estimate.ts",
    "src/models/vendor_names.ts",
    "src/nearest.ts",
    "src/once_body.ts",
    "src/protocol.ts",
    "src/resilience/breaker.ts",
    "src/resilience/retry_budget.ts",
    "src/schema/dialect.ts",
    "src/schema/fault_text.ts",
    "src/schema/pattern_parser.ts",
    "src/schema/schema_verdict.ts",
    "src/schema/unusable_schema_error.ts",
    "src/sdk.ts",
    "src/secrets.ts",
    "src/server/notice_pacer.ts",
    "src/telemetry/clean_text.ts",
    "src/telemetry/line_writer.ts",
    "src/tell.ts",
    "src/tools/pin_keeper.ts",
    "src/tools/tool_filter.ts",
    "src/reload/file_watch.ts",
    "src/version.ts",
    "src/work_count.ts",
  ],
  "what is said: shapes, errors, answers": [
    "src/agent/no_list_error.ts",
    "src/audit/arguments_hash.ts",
    "src/audit/audit_kv.ts",
    "src/audit/memory_audit_store.ts",
    "src/auth/authorization_required_error.ts",
    "src/auth/oauth_errors.ts",
    "src/cache/cached_tools.ts",
    "src/cache/server_cache_key.ts",
    "src/config/config_checks.ts",
    "src/config/schema_parts.ts",
    "src/config/server_address.ts",
    "src/connection/answer_reader.ts",
    "src/connection/param_headers.ts",
    "src/connection/stream_ends.ts",
    "src/context.ts",
    "src/events.ts",
    "src/guarded_fetch.ts",
    "src/input.ts",
    "src/limits/call_ledger.ts",
    "src/input_round.ts",
    "src/models/mended_schema.ts",
    "src/models/result_parts.ts",
    "src/models/schema_pointer.ts",
    "src/models/tool_search.ts",
    "src/network_errors.ts",
    "src/openapi/operation_ids.ts",
    "src/openapi/server_text.ts",
    "src/resilience/bulkhead.ts",
    "src/route_store.ts",
    "src/schema/json_size.ts",
    "src/schema/linear_pattern.ts",
    "src/schema/plain_check.ts",
    "src/schema/schema_document.ts",
    "src/server/list_changes.ts",
    "src/shared_task.ts",
    "src/tasks/poll_pace.ts",
    "src/tasks/task_progress.ts",
    "src/tasks/task_state.ts",
    "src/tools/pinned_tool.ts",
    "src/tools/tool_digest.ts",
    "src/telemetry/log.ts",
    "src/telemetry/series_table.ts",
    "src/tools/tool_diff.ts",
    "src/tools/tool_shape.ts",
  ],
  "ports, stores, settings of a field": [
    "src/audit/kv_audit_store.ts",
    "src/auth/auth_address.ts",
    "src/auth/auth_texts.ts",
    "src/auth/token_authorizer.ts",
    "src/cache/pin_book.ts",
    "src/cache/route_entry.ts",
    "src/cache/route_store_guard.ts",
    "src/cache/tool_chunks.ts",
    "src/config/config_text.ts",
    "src/config/server_fields.ts",
    "src/connection/limits.ts",
    "src/connection/modern_envelope.ts",
    "src/connection/tool_messages.ts",
    "src/http_failure.ts",
    "src/kv_route_store.ts",
    "src/limits/rate_limit_fields.ts",
    "src/limits/recent_calls.ts",
    "src/memory_route_store.ts",
    "src/models/anthropic_content.ts",
    "src/models/text_content.ts",
    "src/models/vendor_schema.ts",
    "src/openapi/schema_keywords.ts",
    "src/schema/evaluation.ts",
    "src/status.ts",
    "src/telemetry/prometheus_text.ts",
    "src/tool_client.ts",
    "src/tools/tool_list.ts",
    "src/tools/withheld_tools.ts",
  ],
  "ways out, exchanges, lists": [
    "src/agent/list_freshness.ts",
    "src/apply_config_options.ts",
    "src/auth/auth_config.ts",
    "src/auth/auth_fetch.ts",
    "src/auth/auth_store.ts",
    "src/cache/saved_decisions.ts",
    "src/config/jwt_config.ts",
    "src/config/key_config.ts",
    "src/config/public_url.ts",
    "src/connection/call_exchange.ts",
    "src/connection/connection.ts",
    "src/connection/sdk_fetch.ts",
    "src/connection/trace_fields.ts",
    "src/feature_client.ts",
    "src/interceptors/tool_book.ts",
    "src/limits/leased_limit.ts",
    "src/limits/limits_config.ts",
    "src/models/ai_sdk_output.ts",
    "src/models/exported_tools.ts",
    "src/models/lean_listing.ts",
    "src/models/openai_content.ts",
    "src/models/strict_schema.ts",
    "src/openapi/schema_references.ts",
    "src/route_cache.ts",
    "src/schema/pattern_set.ts",
    "src/schema/rule_maker.ts",
    "src/server/context_list.ts",
    "src/server/context_messages.ts",
    "src/tools/tool_pins.ts",
  ],
  "questions, eras, changes of requests": [
    "src/agent/catalog_slot.ts",
    "src/agent/known_lists.ts",
    "src/agent/resource_watches.ts",
    "src/auth/discovery.ts",
    "src/cache/saved_pins.ts",
    "src/auth/token_endpoint.ts",
    "src/config/server_checks.ts",
    "src/connection/negotiate.ts",
    "src/connection/notice_stream.ts",
    "src/connection/server_questions.ts",
    "src/connection/sse_connection.ts",
    "src/interceptors/request_changes.ts",
    "src/limits/agent_limits.ts",
    "src/models/ai_sdk_tools.ts",
    "src/models/anthropic_tools.ts",
    "src/models/openai_tools.ts",
    "src/openapi/embedded_schema.ts",
    "src/schema/choice_rules.ts",
    "src/schema/object_rules.ts",
    "src/schema/value_rules.ts",
    "src/server/input_responder.ts",
    "src/server/input_rounds.ts",
    "src/server/server_notices.ts",
  ],
  "connections over HTTP, an agent's checks": [
    "src/auth/oauth_records.ts",
    "src/config/agent_checks.ts",
    "src/connection/streamable_connection.ts",
    "src/interceptors/requests.ts",
    "src/schema/array_rules.ts",
  ],
  "configuration, grants, interceptors": [
    "src/agent/name_owners.ts",
    "src/auth/client_registration.ts",
    "src/auth/finish_authorization.ts",
    "src/auth/grant_keeper.ts",
    "src/interceptors/create_request.ts",
    "src/interceptors/interceptor.ts",
    "src/schema/compiled_schema.ts",
    "src/server_config.ts",
  ],
  "handshakes, flows, the schema checker": [
    "src/agent/tool_names.ts",
    "src/auth/code_flow.ts",
    "src/config/agent_file.ts",
    "src/config/config_difference.ts",
    "src/connection/legacy_connection.ts",
    "src/interceptors/approval.ts",
    "src/interceptors/chain.ts",
    "src/interceptors/rate_limit.ts",
    "src/interceptors/redaction.ts",
    "src/interceptors/result_cache.ts",
    "src/interceptors/retry_policy.ts",
    "src/schema/schema_checker.ts",
  ],
  "openers, catalogues of an agent": [
    "src/agent/context_catalog.ts",
    "src/agent/tool_catalog.ts",
    "src/auth/oauth_flow.ts",
    "src/config/config_data.ts",
    "src/config/server_schema.ts",
    "src/connection/opener.ts",
    "src/interceptors/intercept_tools.ts",
  ],
  "connectors, authorizers, routers": [
    "src/agent/context_router.ts",
    "src/auth/oauth_authorizer.ts",
    "src/cache/saved_connections.ts",
    "src/config/config_schema.ts",
    "src/config_file.ts",
    "src/connection/connector.ts",
    "src/interceptors/intercept.ts",
  ],
  "the link to a server": [
    "src/agent/agent_context.ts",
    "src/server/operations.ts",
    "src/server/server_link.ts",
  ],
  "who holds a link, hears it, runs its requests": [
    "src/server/server_links.ts",
    "src/server/server_listener.ts",
    "src/server/server_requests.ts",
  ],
  "what a server offers": [
    "src/multi_server_options.ts",
    "src/server/server_context.ts",
    "src/server/server_tools.ts",
    "src/single_server_options.ts",
    "src/tasks/task_channel.ts",
  ],
  "listings, the tasks of one era": [
    "src/server/tool_listing.ts",
    "src/tasks/legacy_task.ts",
    "src/tasks/modern_task.ts",
  ],
  "running tasks": [
    "src/tasks/task_runner.ts",
  ],
  "calling tools": [
    "src/server/tool_caller.ts",
  ],
  "the parts of a client of one server": [
    "src/server/server_parts.ts",
  ],
  "the work of a client of one server": [
    "src/server/server_work.ts",
  ],
  "one server": [
    "src/single_server_client.ts",
  ],
  "one agent's servers": [
    "src/agent/agent_pins.ts",
    "src/agent/agent_watches.ts",
    "src/agent/server_factory.ts",
    "src/agent/server_fleet.ts",
  ],
  "one agent's routes": [
    "src/agent/tool_router.ts",
  ],
  "one agent's tools": [
    "src/agent/agent_tools.ts",
  ],
  "which servers an agent has": [
    "src/agent/server_roster.ts",
  ],
  "all of one agent": [
    "src/agent/agent_servers.ts",
  ],
  "one agent": [
    "src/multi_server_client.ts",
  ],
  "agents of another configuration": [
    "src/prepared_agents.ts",
  ],
  "all agents": [
    "src/client_manager.ts",
    "src/legacy_client.ts",
  ],
  "what an operator is told of servers": [
    "src/operation/fault_advice.ts",
    "src/operation/server_finding.ts",
  ],
  "what is worth a look": [
    "src/operation/server_warnings.ts",
  ],
  "trying servers": [
    "src/operation/check_servers.ts",
  ],
  "the MCP endpoint's words": [
    "src/gateway/trace_headers.ts",
    "src/northbound/clock.ts",
    "src/northbound/header_values.ts",
    "src/northbound/input_relay.ts",
    "src/northbound/rpc.ts",
  ],
  "the gateway's words": [
    "src/reload/config_admin.ts",
    "src/callers/access.ts",
    "src/callers/key_record.ts",
    "src/callers/protected_resource.ts",
    "src/gateway/call_record.ts",
    "src/gateway/event_text.ts",
    "src/gateway/open_store.ts",
    "src/gateway/request_error.ts",
    "src/rest/call_outcome.ts",
  ],
  "the gateway's parts": [
    "src/audit/audit_entry.ts",
    "src/callers/authenticate_request.ts",
    "src/callers/issuer_fetch.ts",
    "src/callers/issuer_keys.ts",
    "src/callers/jwt_access.ts",
    "src/callers/key_book.ts",
    "src/callers/key_digests.ts",
    "src/gateway/agent_directory.ts",
    "src/gateway/call_journal.ts",
    "src/gateway/host_check.ts",
    "src/gateway/in_flight.ts",
    "src/gateway/json_body.ts",
    "src/gateway/pin_words.ts",
    "src/gateway/problem.ts",
    "src/gateway/query_count.ts",
    "src/rest/idempotency_key.ts",
    "src/rest/request_timeout.ts",
    "src/gateway/request_caps.ts",
    "src/limits/call_limiter.ts",
    "src/telemetry/gateway_metrics.ts",
    "src/telemetry/request_watch.ts",
  ],
  "what is kept of a configuration": [
    "src/reload/literal_secrets.ts",
    "src/reload/stored_config.ts",
  ],
  "keys and tokens of callers": [
    "src/audit/audit_trail.ts",
    "src/gateway/activity.ts",
    "src/callers/jwt_verifier.ts",
    "src/callers/keys.ts",
  ],
  "changing keys": [
    "src/audit/audit_export.ts",
    "src/audit/open_audit_trail.ts",
    "src/callers/key_admin.ts",
  ],
  "the gateway's rules": [
    "src/callers/callers.ts",
    "src/gateway/settings.ts",
    "src/openapi/gateway_route.ts",
    "src/openapi/shared_parts.ts",
    "src/rest/batch.ts",
    "src/telemetry/call_tracer.ts",
    "src/telemetry/metrics_page.ts",
    "src/telemetry/request_line.ts",
    "src/telemetry/traced_fetch.ts",
    "src/rest/key_claims.ts",
  ],
  "calls made once": [
    "src/openapi/agent_document.ts",
    "src/openapi/gateway_schemas.ts",
    "src/rest/idempotent_calls.ts",
  ],
  "calls by REST": [
    "src/gateway/gateway_env.ts",
    "src/openapi/agent_documents.ts",
    "src/openapi/admin_routes.ts",
    "src/openapi/mcp_routes.ts",
    "src/rest/rest_calls.ts",
  ],
  "what the MCP endpoint reads, and how it is read": [
    "src/northbound/agent_notices.ts",
    "src/northbound/frame.ts",
    "src/northbound/message_stream.ts",
    "src/northbound/request_state.ts",
    "src/northbound/rpc_errors.ts",
    "src/northbound/stream_slots.ts",
  ],
  "answers of the MCP endpoint": [
    "src/northbound/answer.ts",
  ],
  "sessions, requests that wait": [
    "src/northbound/conversation.ts",
    "src/northbound/session.ts",
  ],
  "all sessions, all requests that wait": [
    "src/northbound/conversation_book.ts",
    "src/northbound/session_book.ts",
  ],
  "a request to the MCP endpoint": [
    "src/northbound/exchange.ts",
  ],
  "what the MCP endpoint answers": [
    "src/northbound/offer.ts",
    "src/northbound/results.ts",
  ],
  "lists, relays, handshakes": [
    "src/northbound/handshake.ts",
    "src/northbound/lists.ts",
    "src/northbound/relay.ts",
  ],
  "methods of the MCP endpoint": [
    "src/northbound/calls.ts",
    "src/northbound/listen.ts",
  ],
  "all methods of the MCP endpoint": [
    "src/northbound/methods.ts",
  ],
  "the MCP endpoint": [
    "src/northbound/endpoint.ts",
  ],
  "the gateway's start": [
    "src/gateway/access_rule.ts",
    "src/gateway/limits_by_agent.ts",
    "src/gateway/load_config.ts",
    "src/operation/permissions.ts",
    "src/openapi/gateway_routes.ts",
    "src/rest/batch_run.ts",
    "routes/_request_notes.ts",
  ],
  "the configuration that is served": [
    "src/reload/config_keeper.ts",
  ],
  "the configuration of all isolates": [
    "src/reload/kept_config.ts",
  ],
  "what a gateway is made of": [
    "src/gateway/gateway_options.ts",
  ],
  "the configuration of a program": [
    "src/reload/open_config.ts",
  ],
  "what routes share": [
    "src/openapi/gateway_document.ts",
    "routes/_audited.ts",
    "routes/_event_stream.ts",
    "routes/_frame.ts",
  ],
  "routes of an administrator": [
    "routes/config.ts",
  ],
  "routes": [
    "routes/activity.ts",
    "routes/admin.ts",
    "routes/guards.ts",
    "routes/health.ts",
    "routes/mcp.ts",
    "routes/metrics.ts",
    "routes/protected_resource.ts",
    "routes/audit.ts",
    "routes/batch.ts",
    "routes/openapi.ts",
    "routes/pins.ts",
    "routes/reconnect.ts",
    "routes/status.ts",
    "routes/tool_routes.ts",
    "routes/tools.ts",
    "src/gateway/announce.ts",
  ],
  "the app": [
    "routes/app.ts",
    "src/telemetry/program_log.ts",
  ],
  "entry points": [
    "mod.ts",
    "routes/mod.ts",
    "src/interceptors/mod.ts",
    "src/models/mod.ts",
  ],
  "the program": [
    "main.ts",
  ],
};

/** What only some files may do. */
const ONLY: readonly { readonly what: string; readonly pattern: RegExp; readonly files: readonly string[] }[] = [
  {
    what: "import the MCP SDK",
    pattern: /"@modelcontextprotocol\/sdk[/"]/,
    files: ["src/sdk.ts"],
  },
  {
    what: "name the global fetch",
    pattern: /globalThis\.fetch(?!\s*\|)|(?<![.\w#"`])fetch\((?!request|this)/,
    files: ["src/guarded_fetch.ts"],
  },
  { what: "name a Deno API", pattern: /(?<!")\bDeno\s*[.[]/, files: ["main.ts"] },
  {
    what: "re-export",
    pattern: /^export \{[^}]*\} from/m,
    files: ["mod.ts", "routes/mod.ts", "src/interceptors/mod.ts", "src/models/mod.ts", "src/sdk.ts"],
  },
  // A signal that only its listeners hold does not survive a garbage collection in Deno 2.5; fetch holds its own.
  { what: "join signals by AbortSignal.any()", pattern: /AbortSignal\.any\(/, files: ["src/connection/sdk_fetch.ts"] },
  { what: "run text as code", pattern: /\beval\(|new Function\(/, files: [] },
  { what: "re-export everything", pattern: /export \*/, files: [] },
];

async function readAll(): Promise<ReadonlyMap<string, SourceFile>> {
  const paths = await listSourceFiles();
  return new Map(await Promise.all(paths.map(async (path) => [path, await readSourceFile(path)] as const)));
}

Deno.test("Every source file stands in exactly one layer", async () => {
  assertEquals(Object.values(LAYERS).flat().sort(), [...await listSourceFiles()]);
});

Deno.test("Imports lead to strictly lower layers, types included", async () => {
  const layerOf = new Map(Object.values(LAYERS).flatMap((files, layer) => files.map((file) => [file, layer] as const)));
  const upward: string[] = [];
  for (const [path, { imports, lazyImports, typeImports }] of await readAll()) {
    for (const target of new Set([...imports, ...lazyImports, ...typeImports])) {
      if (!((layerOf.get(target) ?? Infinity) < (layerOf.get(path) ?? -1))) upward.push(`${path} → ${target}`);
    }
  }
  assertEquals(upward, []);
});

for (const { what, pattern, files } of ONLY) {
  Deno.test(`Only ${files.join(", ") || "no file"} may ${what}`, async () => {
    const found = [...await readAll()].filter(([, { code }]) => pattern.test(code)).map(([path]) => path);
    assertEquals(found.filter((path) => !files.includes(path)), []);
  });
}

Deno.test("No source file has more than 400 lines", async () => {
  const root = new URL("../", import.meta.url);
  const long: string[] = [];
  for (const path of await listSourceFiles()) {
    if ((await Deno.readTextFile(new URL(path, root))).split("\n").length > 401) long.push(path);
  }
  assertEquals(long, []);
});
