import { assertEquals, assertStrictEquals } from "@std/assert";
import { AuthorizationRequiredError } from "../../src/auth/authorization_required_error.ts";
import { MCPError } from "../../src/errors.ts";
import { failureOf, until } from "../support/client_support.ts";
import { createTestContext } from "../support/context_support.ts";

const DOWN = new MCPError("unreachable", "Cannot reach the server", { retryable: true });

Deno.test("AgentContext lists what all servers offer, with the servers, in their order", async () => {
  const opened = Promise.withResolvers<void>();
  const lists = {
    a: { resources: ["x://1"], templates: ["x://{v}"], gate: opened.promise },
    b: { resources: ["x://1", "x://2"], templates: ["x://{v}"] },
  };
  const { context, servers: { b } } = createTestContext(lists);
  const listing = context.listResources({});
  await until(() => b.count("resources") === 1);
  opened.resolve();
  assertEquals((await listing).map(({ uri, server }) => [uri, server]), [["x://1", "a"], ["x://1", "b"], [
    "x://2",
    "b",
  ]]);
  const templates = (await context.listTemplates({})).map(({ uriTemplate, server }) => [uriTemplate, server]);
  assertEquals(templates, [["x://{v}", "a"], ["x://{v}", "b"]]);
  assertEquals(await context.listPrompts({}), []);
});

Deno.test("AgentContext leaves out servers that fail or are silent, and rejects where not one answers", async () => {
  const lists = { a: { prompts: DOWN }, b: { prompts: ["plan"] }, c: { gate: new Promise(() => {}) } };
  const { context, servers: { a, b } } = createTestContext(lists);
  const heard = await context.listPrompts({ timeoutMs: 50 });
  assertEquals(heard.map(({ name, server }) => [name, server]), [["plan", "b"]]);
  await context.listPrompts({ timeoutMs: 20 });
  assertEquals([a.count("prompts"), b.count("prompts")], [1, 1], "a failure is remembered for a while");
  for (const server of ["b", "c"]) context.remove(server);
  const error = await failureOf(() => context.listPrompts({}), "unreachable");
  assertStrictEquals(error.cause, DOWN);
  assertEquals([error.server, error.retryable, error.message], [
    "a",
    true,
    'Cannot list the prompts of agent "Kairos" as no server answered: "a" (unreachable)',
  ]);
  await context.close();
});

Deno.test("AgentContext asks again where not one server answered, once the failures are past their time", async () => {
  const { context, clock, servers: { a, b } } = createTestContext({ a: { resources: DOWN }, b: { resources: DOWN } });
  await failureOf(() => context.listResources({}), "unreachable");
  clock.nowMs += 29_999;
  await failureOf(() => context.listResources({}), "unreachable");
  assertEquals([a.count("resources"), b.count("resources")], [1, 1]);
  clock.nowMs += 1;
  await failureOf(() => context.listResources({}), "unreachable");
  clock.nowMs += 30_000;
  a.resources = ["x://1"];
  assertEquals((await context.listResources({})).map(({ uri }) => uri), ["x://1"]);
  assertEquals([a.count("resources"), b.count("resources")], [3, 3]);
});

for (const [code, retryable] of [["unreachable", true], ["forbidden", false]] as const) {
  Deno.test(`AgentContext rejects with retryable ${retryable} where no server answered: ${code}`, async () => {
    const { context } = createTestContext({ a: { prompts: new MCPError(code, "Cannot list") } });
    assertEquals((await failureOf(() => context.listPrompts({}), code)).retryable, retryable);
    assertEquals((await failureOf(() => context.getPrompt("plan", {}, {}), code)).retryable, retryable);
  });
}

Deno.test("AgentContext leads to the authorization server, and asks again each time, where a person has to authorize", async () => {
  const required = new AuthorizationRequiredError({
    server: "a",
    authorizationUrl: "https://login.example.com/authorize",
    expiresAtMs: 1,
  });
  const lists = { a: { prompts: required, resources: required, templates: required } };
  const { context, servers: { a } } = createTestContext(lists);
  for (const asked of [1, 2]) {
    assertStrictEquals(await context.listPrompts({}).catch((error) => error), required);
    assertEquals(a.count("prompts"), asked);
  }
  assertStrictEquals(await context.getPrompt("plan", {}, {}).catch((error) => error), required);
  assertStrictEquals(await context.read("x://1", {}).catch((error) => error), required);
  assertEquals([a.count("prompts"), a.count("resources"), a.count("templates")], [3, 1, 1]);
  Object.assign(a, { prompts: ["plan"], resources: ["x://1"], templates: [] });
  assertEquals((await context.read("x://1", {})).contents[0]?.text, "a");
  assertEquals((await context.getPrompt("a__plan", {}, {})).description, "a");
  assertEquals((await context.listPrompts({})).length, 1);
});

Deno.test("AgentContext asks each server once for all who wait for the same list", async () => {
  const { context, servers: { a } } = createTestContext({ a: { resources: ["x://1"] } });
  await Promise.all([context.listResources({}), context.listResources({}), context.read("x://1", {})]);
  assertEquals(a.requests, ["resources", "read x://1"]);
});

Deno.test("AgentContext refreshes lists past their time in the background", async () => {
  const { context, clock, servers: { a } } = createTestContext({ a: { resources: ["x://1"] } });
  await context.listResources({});
  clock.nowMs += 59_999;
  await context.listResources({});
  assertEquals(a.count("resources"), 1, "within its time");
  clock.nowMs += 1;
  a.resources = ["x://2"];
  assertEquals((await context.listResources({})).map(({ uri }) => uri), ["x://1"]);
  await until(async () => (await context.listResources({}))[0]?.uri === "x://2");
  assertEquals(a.count("resources"), 2);
});

Deno.test("AgentContext takes the time that a server gives its list, but for the shortest", async () => {
  for (const [serverTtlMs, freshMs] of [[5_000, 5_000], [0, 1_000], [600_000, 600_000]] as const) {
    const { context, clock, servers: { a } } = createTestContext({ a: { prompts: ["plan"] } }, { serverTtlMs });
    await context.listPrompts({});
    clock.nowMs += freshMs - 1;
    await context.listPrompts({});
    assertEquals([serverTtlMs, a.count("prompts")], [serverTtlMs, 1]);
    clock.nowMs += 1;
    await context.listPrompts({});
    await until(() => a.count("prompts") === 2);
  }
});

Deno.test("AgentContext.invalidate() has a list asked for anew, and waits for it where lists are wanted", async () => {
  const { context, servers: { a } } = createTestContext({ a: { resources: ["x://1"], prompts: ["plan"] } });
  context.invalidate("a", "resources");
  assertEquals(a.requests, [], "what was never asked for is not asked for now");
  await context.listResources({});
  await context.listPrompts({});
  a.resources = [];
  context.invalidate("a", "resources");
  assertEquals(await context.listResources({}), [], "a change that was announced is believed at once");
  assertEquals([a.count("resources"), a.count("templates"), a.count("prompts")], [2, 0, 1]);
  context.invalidate("a", "prompts");
  await until(() => a.count("prompts") === 2);
  context.invalidate("nobody", "prompts");
});

Deno.test("AgentContext.invalidate() while a list is under way has it asked for once more", async () => {
  const opened = Promise.withResolvers<void>();
  const { context, servers: { a } } = createTestContext({ a: { resources: ["x://1"], gate: opened.promise } });
  const listing = context.listResources({});
  await until(() => a.count("resources") === 1);
  context.invalidate("a", "resources");
  opened.resolve();
  await listing;
  assertEquals(a.count("resources"), 2, "the first answer may be from before the change");
  await context.listResources({});
  assertEquals(a.count("resources"), 2);
});

Deno.test("AgentContext keeps a good list where a new one fails, or is empty for the first time", async () => {
  const { context, clock, servers: { a } } = createTestContext({ a: { prompts: ["plan"] } });
  await context.listPrompts({});
  const next = async (prompts: readonly string[] | MCPError) => {
    a.prompts = prompts;
    clock.nowMs += 60_000;
    const before = a.count("prompts");
    await context.listPrompts({});
    await until(() => a.count("prompts") === before + 1);
    return (await context.listPrompts({})).map(({ name }) => name);
  };
  assertEquals(await next(DOWN), ["plan"]);
  assertEquals(await next([]), ["plan"]);
  await next([]);
  await until(async () => (await context.listPrompts({})).length === 0);
});

Deno.test("AgentContext forgets what a removed server listed, and asks one that is added", async () => {
  const { context, servers: { b } } = createTestContext({ a: { prompts: ["plan"] }, b: { prompts: ["plan"] } });
  assertEquals((await context.listPrompts({})).length, 2);
  context.remove("a");
  assertEquals((await context.listPrompts({})).map(({ name, server }) => [name, server]), [["plan", "b"]]);
  assertEquals((await context.getPrompt("plan", {}, {})).description, "b");
  context.remove("b");
  assertEquals(await context.listPrompts({}), []);
  await failureOf(() => context.getPrompt("plan", {}, {}), "prompt_not_found");
  context.add("b", undefined);
  assertEquals((await context.listPrompts({})).length, 1);
  assertEquals(b.count("prompts"), 2);
});
