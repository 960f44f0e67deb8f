import { assertEquals } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { codeOf, failureOf, until } from "../support/client_support.ts";
import { createTestContext } from "../support/context_support.ts";

const DOWN = new MCPError("unreachable", "Cannot reach the server", { retryable: true });

/** Who answered a read. */
function readerOf(result: Promise<{ readonly contents: readonly { readonly text?: string | undefined }[] }>) {
  return result.then(({ contents: [first] }) => first?.text);
}

Deno.test("AgentContext.read() goes to the server that lists the URI, and to no other", async () => {
  const { context, servers: { a, b } } = createTestContext({
    a: { resources: ["x://1"] },
    b: { resources: ["x://2"] },
  });
  assertEquals(await readerOf(context.read("x://2", {})), "b");
  assertEquals(await readerOf(context.read("x://1", {})), "a");
  assertEquals([a.requests, b.requests], [["resources", "read x://1"], ["resources", "read x://2"]]);
});

Deno.test("AgentContext.read() gives an equal URI to the first server, whoever answers first, and never slides", async () => {
  const opened = Promise.withResolvers<void>();
  const lists = { a: { resources: ["x://1"], gate: opened.promise }, b: { resources: ["x://1"] } };
  const { context, servers: { a, b } } = createTestContext(lists);
  const reading = readerOf(context.read("x://1", {}));
  await until(() => b.count("resources") === 1);
  assertEquals(b.requests, ["resources"], "the first server may list it");
  opened.resolve();
  assertEquals(await reading, "a");
  a.failure = DOWN;
  assertEquals(await codeOf(context.read("x://1", {})), "unreachable");
  assertEquals(await readerOf(context.read("x://1", { server: "b" })), "b");
  assertEquals(b.requests, ["resources", "read x://1"]);
});

Deno.test("AgentContext.read() does not wait for a later server where the first one lists the URI", async () => {
  const { context } = createTestContext({ a: { resources: ["x://1"] }, b: { gate: new Promise(() => {}) } });
  assertEquals(await readerOf(context.read("x://1", {})), "a");
  await context.close();
});

for (const policy of ["prefix", "error"] as const) {
  Deno.test(`AgentContext.read() rejects an equal URI under the policy ${policy} and names the owners`, async () => {
    const lists = { a: { resources: ["x://1", "x://2"] }, b: { resources: ["x://1"], templates: ["y://{z}"] } };
    const { context } = createTestContext(lists, { policy });
    const error = await failureOf(() => context.read("x://1", {}), "resource_ambiguous");
    assertEquals(error.message, 'Cannot read resource "x://1" as the servers "a", "b" list it: give { server }');
    assertEquals(error.suggestions, ["a", "b"]);
    assertEquals(await readerOf(context.read("x://2", {})), "a");
    assertEquals(await readerOf(context.read("y://any", {})), "b");
    assertEquals(await readerOf(context.read("x://1", { server: "b" })), "b");
  });
}

Deno.test("AgentContext.read() sends a URI that nobody lists to the server whose template it follows", async () => {
  const lists = {
    a: { templates: ["db://{table}"] },
    b: { templates: ["db://{table}/{id}", "{", "__proto__://{x}"], resources: ["db://listed"] },
  };
  const { context, servers: { a, b } } = createTestContext(lists);
  for (const [uri, owner] of [["db://t", "a"], ["db://t/1", "b"], ["db://listed", "b"], ["__proto__://1", "b"]]) {
    assertEquals([uri, await readerOf(context.read(uri!, {}))], [uri, owner]);
  }
  assertEquals([a.count("templates"), b.count("templates")], [1, 1]);
});

Deno.test("AgentContext.read() bounds the work that a server's templates make of a URI", async () => {
  const many = Array.from({ length: 100 }, (_, at) => `x://{+v}/${at}`);
  const { context } = createTestContext({ a: { templates: ["y://{v}", ...many, "x://{v}"] } });
  assertEquals(await readerOf(context.read("x://1", {})), "a");
  await failureOf(() => context.read(`x://${"1".repeat(2_000)}`, {}), "resource_not_found");
});

Deno.test("AgentContext.read() never sends a URI that nobody lists to anybody", async () => {
  const { context, servers } = createTestContext({ a: { resources: ["x://one"] }, b: { templates: ["y://{z}"] } });
  const error = await failureOf(() => context.read("x://user:word@ohn?token=s3cret#frag", {}), "resource_not_found");
  assertEquals([/word|s3cret|frag/.test(error.message), error.message.includes('"x://ohn"')], [false, true]);
  assertEquals((await failureOf(() => context.read("x://on", {}), "resource_not_found")).suggestions, ["x://one"]);
  for (const uri of ["__proto__", "constructor", ""]) {
    await failureOf(() => context.read(uri, {}), "resource_not_found");
  }
  for (const { requests } of Object.values(servers)) assertEquals(requests, ["resources", "templates"]);
});

Deno.test("AgentContext.read() asks once more for a URI that nobody lists where the lists are not from just now", async () => {
  const { context, clock, servers: { a } } = createTestContext({ a: {} });
  await failureOf(() => context.read("x://new", {}), "resource_not_found");
  a.resources = ["x://new"];
  await failureOf(() => context.read("x://new", {}), "resource_not_found");
  clock.nowMs += 5_000;
  assertEquals(await readerOf(context.read("x://new", {})), "a");
  assertEquals(a.count("resources"), 2);
});

Deno.test("AgentContext.read() finds the new owner of a resource that has moved, and believes a refusal otherwise", async () => {
  const { context, clock, servers: { a, b } } = createTestContext({ a: { resources: ["x://1"] }, b: {} });
  assertEquals(await readerOf(context.read("x://1", {})), "a");
  const gone = new MCPError("resource_not_found", "Gone", { rpcCode: -32002 });
  a.failure = gone;
  assertEquals(await codeOf(context.read("x://1", {})), "resource_not_found");
  assertEquals(a.count("resources"), 1, "the list is from just now");
  clock.nowMs += 5_000;
  assertEquals(await context.read("x://1", {}).catch((error) => error), gone);
  assertEquals([a.count("resources"), a.count("read x://1")], [2, 3]);
  clock.nowMs += 5_000;
  [a.resources, b.resources] = [[], ["x://1"]];
  assertEquals(await readerOf(context.read("x://1", {})), "b");
});

Deno.test("AgentContext.read() rejects with server_not_found where the caller names a server that is none", async () => {
  const { context } = createTestContext({ a: {} });
  for (const server of ["b", "__proto__", "constructor"]) {
    await failureOf(() => context.read("x://1", { server }), "server_not_found");
    await failureOf(() => context.getPrompt("p", {}, { server }), "server_not_found");
  }
});

Deno.test("AgentContext.read() rejects at its deadline while a server that could own the URI is silent", async () => {
  const { context } = createTestContext({ a: { gate: new Promise(() => {}) }, b: { resources: ["x://1"] } });
  const error = await failureOf(() => context.read("x://1?secret", { timeoutMs: 50 }), "deadline_exceeded");
  assertEquals([error.retryable, error.message.includes('"a"'), error.message.includes("secret")], [true, true, false]);
  await context.close();
});

Deno.test("AgentContext.read() rejects with the caller's own reason, and with closed after close()", async () => {
  const { context, close } = createTestContext({ a: { gate: new Promise(() => {}) } });
  const reason = new Error("Enough");
  const caller = new AbortController();
  const reading = codeOf(context.read("x://1", { signal: caller.signal }));
  caller.abort(reason);
  assertEquals(await reading, reason);
  const other = codeOf(context.read("x://1", {}));
  await close();
  assertEquals([await other, await codeOf(context.listPrompts({}))], ["closed", "closed"]);
});

Deno.test("AgentContext.getPrompt() routes by the same names as tools", async () => {
  const lists = {
    a: { prompts: ["plan", "a__plan"] },
    b: { prompts: ["plan", "my plan", "__proto__", "constructor"] },
  };
  const { context, servers: { a, b } } = createTestContext(lists);
  const names = (await context.listPrompts({})).map(({ name, server, promptName }) => [name, server, promptName]);
  assertEquals(names.slice(0, 1).concat(names.slice(2, 4)), [
    [names[0]![0]!, "a", "a__plan"],
    ["__proto__", "b", "__proto__"],
    ["constructor", "b", "constructor"],
  ]);
  const cases = [["plan", "a"], ["a__plan", "a"], ["b__plan", "b"], ["b__my plan", "b"], ["my plan", "b"]];
  for (const [name, owner] of [...cases, ["__proto__", "b"], ["constructor", "b"]]) {
    assertEquals([name, (await context.getPrompt(name!, {}, {})).description], [name, owner]);
  }
  assertEquals(a.requests.slice(1), ["get plan", "get plan"]);
  assertEquals(b.requests.slice(1), ["get plan", "get my plan", "get my plan", "get __proto__", "get constructor"]);
  for (const { name, server, promptName } of await context.listPrompts({})) {
    const { description } = await context.getPrompt(name, {}, {});
    assertEquals([description, (server === "a" ? a : b).requests.at(-1)], [server, `get ${promptName}`]);
  }
});

for (const policy of ["prefix", "error"] as const) {
  Deno.test(`AgentContext.getPrompt() heeds the collision policy ${policy}`, async () => {
    const { context } = createTestContext({ a: { prompts: ["plan", "only"] }, b: { prompts: ["plan"] } }, { policy });
    const code = policy === "error" ? "prompt_ambiguous" : "prompt_not_found";
    const error = await failureOf(() => context.getPrompt("plan", {}, {}), code);
    if (policy === "error") assertEquals(error.suggestions, ["a__plan", "b__plan"]);
    assertEquals((await context.getPrompt("b__plan", {}, {})).description, "b");
    assertEquals(await codeOf(context.getPrompt("only", {}, {})), policy === "error" ? "ok" : "prompt_not_found");
    assertEquals((await context.getPrompt("plan", {}, { server: "b" })).description, "b");
  });
}

Deno.test("AgentContext.getPrompt() with a server asks that one alone, by any name of the prompt", async () => {
  const { context, servers: { a, b } } = createTestContext({ a: { prompts: ["plan"] }, b: { prompts: ["plan"] } });
  assertEquals((await context.getPrompt("b__plan", {}, { server: "b" })).description, "b");
  assertEquals((await context.getPrompt("hidden", {}, { server: "b" })).description, "b");
  assertEquals([a.requests, b.requests], [[], ["prompts", "get plan", "get hidden"]]);
});

Deno.test("AgentContext.getPrompt() by a qualified name waits for its own server alone", async () => {
  const { context } = createTestContext({ a: { gate: new Promise(() => {}) }, b: { prompts: ["plan"] } });
  assertEquals((await context.getPrompt("b__plan", {}, {})).description, "b");
  await context.close();
});

Deno.test("AgentContext.getPrompt() suggests names, and tells apart who failed from what does not exist", async () => {
  const { context } = createTestContext({ a: { prompts: DOWN }, b: { prompts: ["plan_week"] } });
  const error = await failureOf(() => context.getPrompt("plan_weak", {}, {}), "prompt_not_found");
  assertEquals(error.suggestions, ["plan_week"]);
  assertEquals(error.message.includes('servers that did not answer are "a"; did you mean "plan_week"?'), true);
  assertEquals((await failureOf(() => context.getPrompt("a__plan", {}, {}), "unreachable")).server, "a");
});

Deno.test("AgentContext.complete() goes to the owner of the prompt, under its own name, or of the template", async () => {
  const lists = {
    a: { prompts: ["plan"], templates: ["x://{v}"] },
    b: { prompts: ["plan"], templates: ["y://{v}{?q}"] },
  };
  const { context, servers: { a, b } } = createTestContext(lists);
  const argument = { name: "v", value: "to " };
  const ofPrompt = await context.complete({ type: "ref/prompt", name: "b__plan" }, argument, {});
  assertEquals(ofPrompt.values, ["to b"]);
  const ofTemplate = await context.complete({ type: "ref/resource", uri: "y://{v}{?q}" }, argument, {});
  assertEquals(ofTemplate.values, ["to b"]);
  assertEquals((await context.complete({ type: "ref/resource", uri: "x://1" }, argument, {})).values, ["to a"]);
  assertEquals(b.requests.filter((request) => request.startsWith("complete")), [
    "complete plan",
    "complete y://{v}{?q}",
  ]);
  assertEquals(a.requests.filter((request) => request.startsWith("complete")), ["complete x://1"]);
  await failureOf(() => context.complete({ type: "ref/prompt", name: "none" }, argument, {}), "prompt_not_found");
  await failureOf(() => context.complete({ type: "ref/resource", uri: "z://{v}" }, argument, {}), "resource_not_found");
});

Deno.test("AgentContext.subscribe() goes to the owner of the resource", async () => {
  const { context, servers: { a } } = createTestContext({ a: {}, b: { resources: ["x://1"], templates: ["y://{v}"] } });
  assertEquals((await context.subscribe("x://1", () => {}, {})).server, "b");
  assertEquals((await context.subscribe("y://1", () => {}, {})).server, "b");
  assertEquals((await context.subscribe("z://1", () => {}, { server: "a" })).server, "a");
  const error = await failureOf(() => context.subscribe("z://1", () => {}, {}), "resource_not_found");
  assertEquals(error.message.startsWith('Cannot watch resource "z://1"'), true);
  assertEquals(a.requests.filter((request) => request.startsWith("watch")), ["watch z://1"]);
});
