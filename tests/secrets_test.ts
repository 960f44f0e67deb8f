import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { redact, Secret } from "../src/secrets.ts";

Deno.test("Secret.reveal() gives the value", () => {
  assertEquals(new Secret("hunter22").reveal(), "hunter22");
});

const PRINTERS: Readonly<Record<string, (secret: Secret) => string>> = {
  String: (secret) => String(secret),
  template: (secret) => `${secret}`,
  concatenation: (secret) => "" + secret,
  "JSON.stringify": (secret) => JSON.stringify({ a: [secret] }),
  "Deno.inspect": (secret) => Deno.inspect({ a: { b: secret } }, { depth: 9, showHidden: true }),
  "Object.entries": (secret) => JSON.stringify(Object.entries(secret)),
  "an error's cause": (secret) => Deno.inspect(new Error("failed", { cause: secret })),
  structuredClone: (secret) => JSON.stringify(structuredClone({ ...secret })),
};

for (const [name, print] of Object.entries(PRINTERS)) {
  Deno.test(`Secret does not show its value through ${name}`, () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z0-9]{12,20}$/), (value) => {
      assertFalse(print(new Secret(value)).includes(value));
    }));
  });
}

Deno.test("Secret shows that it is one", () => {
  assertEquals(Deno.inspect(new Secret("hunter22")), "[secret]");
  assertEquals(JSON.stringify(new Secret("hunter22")), '"[secret]"');
});

const CASES: readonly (readonly [string, string, readonly (string | Secret)[], string])[] = [
  ["every occurrence", "a hunter22 b hunter22", ["hunter22"], "a [secret] b [secret]"],
  ["a Secret", "a hunter22", [new Secret("hunter22")], "a [secret]"],
  ["overlapping secrets as one", "abcdefgh", ["abcdef", "cdefgh"], "[secret]"],
  ["a secret inside another", "abcdefgh", ["cdef", "abcdefgh"], "[secret]"],
  ["a secret that overlaps itself", "aaaaaaa", ["aaaa"], "[secret]"],
  ["neighbours one by one", "abcdefgh", ["abcd", "efgh"], "[secret][secret]"],
  ["the credential without its scheme", "key hunter22 refused", ["Bearer hunter22"], "key [secret] refused"],
  ["the percent-encoded form", "?key=a%2Fb%2Bc", ["a/b+c"], "?key=[secret]"],
  ["the JSON form", '{"a":"x\\"yz\\n"}', ['x"yz\n'], '{"a":"[secret]"}'],
  ["nothing for short secrets", "a abc b", ["abc", "", "a"], "a abc b"],
  ["nothing where there is none", "text", ["hunter22"], "text"],
  ["special characters of patterns", "a.*$& b", ["a.*$&"], "[secret] b"],
  ["a secret that reads like the placeholder", "[secret] secret", ["secret"], "[[secret]] [secret]"],
];

for (const [name, text, secrets, expected] of CASES) {
  Deno.test(`redact() replaces ${name}`, () => {
    assertEquals(redact(text, secrets), expected);
  });
}

Deno.test("redact() leaves no secret in any text", () => {
  const secret = fc.stringMatching(/^[a-c]{4,6}$/);
  const parts = fc.array(fc.oneof(secret, fc.string()), { maxLength: 8 });
  fc.assert(fc.property(fc.array(secret, { maxLength: 4 }), parts, (secrets, words) => {
    const text = redact([...words, ...secrets].join(""), secrets);
    assert(secrets.every((value) => !text.includes(value)));
  }));
});

Deno.test("redact() takes a secret with a lone surrogate", () => {
  assertEquals(redact("a \ud800abcd", ["\ud800abcd"]), "a [secret]");
});
