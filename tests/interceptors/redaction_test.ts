import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { intercept, redaction, type RedactionOptions } from "@portolan/mcp/interceptors";
import type { LogMessage } from "../../src/context.ts";
import type { FeatureClient } from "../../src/feature_client.ts";
import type { Progress } from "../../src/protocol.ts";
import { textOf } from "../support/client_support.ts";
import { type Answer, callThrough, fakeClient, resultOf } from "./interceptor_support.ts";

const PATTERNS = ["secret"];

/** What becomes of a text that a server answers. */
async function redacted(text: string, options: Partial<RedactionOptions> = {}): Promise<unknown> {
  const answer = () => resultOf(text);
  return textOf(await callThrough([redaction({ patterns: PATTERNS, ...options })], { answer }));
}

Deno.test("redaction() takes out texts, expressions with any flags, and what functions say, one after the other", async () => {
  assertEquals(await redacted("a secret, another secret"), "a [redacted], another [redacted]");
  for (const pattern of [/b+/, /b+/g, /B+/gi, /b+/y]) {
    assertEquals(await redacted("abbab", { patterns: [pattern] }), "a[redacted]a[redacted]");
  }
  const shout = (text: string) => text.toUpperCase();
  assertEquals(await redacted("abba", { patterns: [/b/, shout] }), "A[REDACTED][REDACTED]A");
  assertEquals(await redacted("abc", { patterns: ["b"], replacement: "$&$1" }), "a$&$1c");
});

Deno.test("redaction() leaves an expression of the caller as it was", async () => {
  const pattern = /b/g;
  pattern.lastIndex = 3;
  assertEquals(await redacted("abcb", { patterns: [pattern] }), "a[redacted]c[redacted]");
  assertEquals(pattern.lastIndex, 3);
});

Deno.test("redaction() works in the direction it is told", async () => {
  for (
    const [where, sent, got] of [
      ["arguments", "[redacted]", "secret"],
      ["results", "secret", "[redacted]"],
      ["both", "[redacted]", "[redacted]"],
    ] as const
  ) {
    const seen: unknown[] = [];
    const client = intercept(
      fakeClient({ answer: (_name, { list }) => (seen.push((list as string[])[0]), resultOf("secret")) }),
      [redaction({ patterns: PATTERNS, in: where })],
    );
    assertEquals(textOf(await client.callTool("read", { list: ["secret"] })), got);
    assertEquals(seen, [sent]);
  }
});

Deno.test("redaction() looks through what JSON makes of instances and of what writes itself", async () => {
  class Person {
    readonly name = "secret";
  }
  const sent: unknown[] = [];
  const answer: Answer = (_name, args) => (sent.push(JSON.parse(JSON.stringify(args))), resultOf("x"));
  const client = intercept(fakeClient({ answer }), [redaction({ patterns: PATTERNS })]);
  const writer = { toJSON: () => ({ of: ["secret"] }) };
  await client.callTool("read", {
    person: new Person(),
    url: new URL("https://secret.example"),
    writer,
    at: new Date(0),
  });
  assertEquals(sent, [{
    person: { name: "[redacted]" },
    url: "https://[redacted].example/",
    writer: { of: ["[redacted]"] },
    at: "1970-01-01T00:00:00.000Z",
  }]);
  const circle: Record<string, unknown> = { toJSON: () => circle.self };
  circle.self = Object.assign(new Person(), { circle });
  await assertRejects(() => client.callTool("read", { circle: circle.self }), Error);
  assertEquals(sent.length, 1);
});

Deno.test("redaction() looks through prompts, completions and resources", async () => {
  const client = fakeClient();
  const wrapped: FeatureClient = intercept(client, [redaction({ patterns: PATTERNS })]);
  const prompt = await wrapped.getPrompt("secret", { who: "secret" });
  assertEquals(prompt.messages, [{ role: "user", content: { type: "text", text: "[redacted]" } }]);
  const resource = await wrapped.readResource("a:secret");
  assertEquals(resource.contents, [{ uri: "a:secret", text: "a:[redacted]" }]);
  const argument = { name: "secret", value: "secret", context: { of: "secret" } };
  await wrapped.complete({ type: "ref/prompt", name: "greet" }, argument);
  assertEquals(client.asked, [
    'getPrompt secret {"who":"[redacted]"}',
    "readResource a:secret",
    'complete ref/prompt {"name":"secret","value":"[redacted]","context":{"of":"[redacted]"}}',
  ]);
});

Deno.test("redaction() looks through all of a result but kinds, addresses and bytes", async () => {
  const answer: Answer = () => ({
    content: [
      { type: "text", text: "secret", data: "secret", _meta: { uri: "secret" } },
      { type: "image", data: "secret", mimeType: "secret" },
      { type: "resource_link", uri: "a:secret", name: "secret", description: "secret" },
      { type: "resource", resource: { uri: "a:secret", text: "secret", blob: "secret" } },
    ],
    structuredContent: { type: "secret", data: ["secret", { secret: 4 }], none: null },
    _meta: { data: "secret" },
  });
  const none = "[redacted]";
  assertEquals(await callThrough([redaction({ patterns: PATTERNS })], { answer }), {
    content: [
      { type: "text", text: none, data: none, _meta: { uri: none } },
      { type: "image", data: "secret", mimeType: "secret" },
      { type: "resource_link", uri: "a:secret", name: none, description: none },
      { type: "resource", resource: { uri: "a:secret", text: none, blob: "secret" } },
    ],
    structuredContent: { type: none, data: [none, { secret: 4 }], none: null },
    _meta: { data: none },
  });
});

Deno.test("redaction() looks through progress and log messages of a call", async () => {
  const heard: unknown[] = [];
  const answer: Answer = (_name, _args, { onProgress, onLog }) => {
    onProgress?.({ progress: 1, message: "secret" });
    onLog?.({ server: "files", level: "info", data: { text: "secret" } });
    return resultOf("x");
  };
  const listeners = {
    onProgress: ({ message }: Progress) => heard.push(message),
    onLog: ({ server, data }: LogMessage) => heard.push([server, data]),
  };
  await callThrough([redaction({ patterns: PATTERNS })], { answer, ...listeners });
  assertEquals(heard, ["[redacted]", ["files", { text: "[redacted]" }]]);
  await callThrough([redaction({ patterns: PATTERNS, in: "arguments" })], { answer, ...listeners });
  assertEquals(heard.slice(2), ["secret", ["files", { text: "secret" }]]);
});

Deno.test("redaction() replaces texts and values that are too large to be looked through", async () => {
  assertEquals(await redacted("x".repeat(10), { maxTextLength: 10 }), "x".repeat(10));
  assertEquals(await redacted("x".repeat(11), { maxTextLength: 10 }), "[redacted]");
  const growing = [(text: string) => text.repeat(10), (text: string) => `${text}!`];
  assertEquals(await redacted("xx", { maxTextLength: 10, patterns: growing }), "[redacted]");
  let deep: unknown = "secret";
  for (let depth = 0; depth < 5_000; depth++) deep = [deep];
  const result = await callThrough([redaction({ patterns: PATTERNS })], {
    answer: () => ({ content: [], structuredContent: { deep } }),
  });
  assertEquals(JSON.stringify(result).includes("secret"), false);
});

Deno.test("redaction() fails the request where a pattern fails, before anything is sent", async () => {
  let calls = 0;
  const answer = () => (calls++, resultOf("x"));
  const failing = redaction({
    patterns: [() => {
      throw new Error("own");
    }],
  });
  await assertRejects(() => callThrough([failing], { answer }), Error, "own");
  assertEquals(calls, 0);
});

Deno.test("redaction() leaves no text of a pattern in any JSON", async () => {
  await fc.assert(fc.asyncProperty(fc.jsonValue(), fc.string({ minLength: 1, maxLength: 2 }), async (value, text) => {
    fc.pre(!"[redacted]".includes(text));
    const answer = () => ({ content: [], structuredContent: { value } });
    const result = await callThrough([redaction({ patterns: [text], replacement: "" })], { answer });
    const texts: string[] = [];
    JSON.stringify(result.structuredContent, (_key, part) => (typeof part === "string" && texts.push(part), part));
    const before: string[] = [];
    JSON.stringify(value, (_key, part) => (typeof part === "string" && before.push(part), part));
    assertEquals(texts, before.map((one) => one.replaceAll(text, "")));
  }));
});

Deno.test("redaction() refuses an empty text and a length that is none", () => {
  assertThrows(() => redaction({ patterns: [""] }), TypeError);
  assertThrows(() => redaction({ patterns: PATTERNS, maxTextLength: 0 }), RangeError);
});
