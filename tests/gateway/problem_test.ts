import { assertEquals, assertFalse } from "@std/assert";
import { AuthorizationRequiredError } from "../../src/auth/authorization_required_error.ts";
import { ConfigError, MCPError, type MCPErrorCode } from "../../src/errors.ts";
import { problemHeaders, toProblem } from "../../src/gateway/problem.ts";
import { RequestError } from "../../src/gateway/request_error.ts";

const STATUS: Record<MCPErrorCode, number> = {
  unreachable: 503,
  deadline_exceeded: 504,
  outcome_unknown: 502,
  upstream_error: 502,
  bad_response: 502,
  too_large: 502,
  unauthorized: 502,
  forbidden: 502,
  rate_limited: 503,
  redirect_refused: 502,
  input_required: 502,
  authorization_required: 502,
  auth_failed: 502,
  task_required: 502,
  task_failed: 502,
  denied: 403,
  not_supported: 502,
  overloaded: 503,
  circuit_open: 503,
  session_lost: 502,
  unsupported_protocol: 502,
  tool_not_found: 404,
  server_not_found: 404,
  agent_not_found: 404,
  resource_not_found: 404,
  prompt_not_found: 404,
  tool_ambiguous: 409,
  resource_ambiguous: 409,
  prompt_ambiguous: 409,
  invalid_arguments: 400,
  invalid_result: 502,
  invalid_config: 500,
  closed: 503,
};

for (const [code, status] of Object.entries(STATUS) as [MCPErrorCode, number][]) {
  Deno.test(`toProblem() gives ${code} the status ${status}`, () => {
    const problem = toProblem(new MCPError(code, "Cannot do it"), "id");
    assertEquals([problem.status, problem.code, problem.type], [status, code, `urn:portolan:problem:${code}`]);
  });
}

Deno.test("toProblem() keeps the message, the server, the wait and the suggestions of an MCPError", () => {
  const error = new MCPError("rate_limited", "Cannot call it yet", {
    server: "files",
    retryAfterMs: 2_100,
    suggestions: ["search"],
  });
  assertEquals(toProblem(error, "id"), {
    type: "urn:portolan:problem:rate_limited",
    title: "The server asks to slow down",
    status: 503,
    code: "rate_limited",
    detail: "Cannot call it yet",
    server: "files",
    requestId: "id",
    retryAfterMs: 2_100,
    suggestions: ["search"],
  });
});

Deno.test("toProblem() says nothing of an error that nobody expected", () => {
  for (const error of [new Error("canary"), "canary", undefined, { code: "unreachable", message: "canary" }]) {
    const problem = toProblem(error, "id");
    assertEquals([problem.status, problem.code, JSON.stringify(problem).includes("canary")], [500, "internal", false]);
  }
});

Deno.test("toProblem() does not tell a caller the faults of the configuration", () => {
  const problem = toProblem(new ConfigError([{ path: "servers.canary", message: "Missing" }]), "id");
  assertEquals([problem.status, JSON.stringify(problem).includes("canary")], [500, false]);
});

Deno.test("toProblem() does not speak of a URL that it does not give, where a person has to authorize", () => {
  const authorizationUrl = "https://login.example.com/authorize?state=canary";
  const error = new AuthorizationRequiredError({ server: "calendar", authorizationUrl, expiresAtMs: 1 });
  const problem = toProblem(error, "id");
  assertEquals([problem.status, problem.code, problem.server], [502, "authorization_required", "calendar"]);
  assertFalse(/URL|login|canary/.test(JSON.stringify(problem)), problem.detail);
});

Deno.test("toProblem() treats a code from another version of the package as unexpected", () => {
  const error = new MCPError("toString" as MCPErrorCode, "Cannot do it");
  assertEquals(toProblem(error, "id").code, "internal");
});

Deno.test("problemHeaders() gives Retry-After in whole seconds, rounded up", () => {
  const wait = (retryAfterMs?: number) =>
    problemHeaders(toProblem(new MCPError("rate_limited", "", { retryAfterMs }), "id"))["retry-after"];
  assertEquals([wait(2_100), wait(1), wait()], ["3", "1", "1"]);
  assertEquals(problemHeaders(toProblem(new MCPError("bad_response", ""), "id"))["retry-after"], undefined);
});

Deno.test("problemHeaders() asks for a bearer key with 401 alone", () => {
  const ask = (error: unknown) => problemHeaders(toProblem(error, "id"))["www-authenticate"];
  assertEquals(ask(new RequestError("unauthenticated", "")), "Bearer");
  assertEquals(ask(new MCPError("unauthorized", "")), undefined);
});

Deno.test("toProblem() gives arguments that do not match the tool's schema 422, with their faults", () => {
  const faults = [{ path: "city", message: "Missing: add it as a string" }];
  const problem = toProblem(new MCPError("invalid_arguments", "Cannot call it", { faults }), "id");
  assertEquals([problem.status, problem.code, problem.faults], [422, "invalid_arguments", faults]);
});
