import { assertEquals, assertLess } from "@std/assert";
import { redaction, type RedactionPattern, redactionPatterns } from "@portolan/mcp/interceptors";
import { textOf } from "../support/client_support.ts";
import { callThrough, resultOf } from "./interceptor_support.ts";

const { email, cardNumber, bearerToken, jwt } = redactionPatterns;

async function without(pattern: RedactionPattern, text: string): Promise<unknown> {
  return textOf(
    await callThrough([redaction({ patterns: [pattern], replacement: "[redacted]" })], {
      answer: () => resultOf(text),
    }),
  );
}

const CASES: readonly (readonly [keyof typeof redactionPatterns, string, string])[] = [
  ["email", "Write to ann.lee+x@mail.example.org.", "Write to [redacted]."],
  ["email", "<bob@example.com>, jürgen@bücher.example", "<[redacted]>, [redacted]"],
  ["email", "a@b, @example.com, 3@4", "a@b, @example.com, 3@4"],
  ["cardNumber", "Card 4111111111111111!", "Card [redacted]!"],
  ["cardNumber", "4111 1111 1111 1111 and 5500-0000-0000-0004", "[redacted] and [redacted]"],
  ["cardNumber", "No 123 4111 1111 1111 1111 99", "No 123 [redacted] 99"],
  ["cardNumber", "378282246310005", "[redacted]"],
  ["cardNumber", "4111111111111112, 1700000000000, 2026-11-25", "4111111111111112, 1700000000000, 2026-11-25"],
  ["cardNumber", "941111111111111119 and 41111111111111110000000", "941111111111111119 and 41111111111111110000000"],
  ["bearerToken", 'authorization: Bearer abc.DEF-1_2~3+4/5==", bearer\tx', 'authorization: [redacted]", [redacted]'],
  ["bearerToken", "The bearer of this, forbearer x", "The [redacted] this, forbearer x"],
  ["jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln and eyJ.a.b", "[redacted] and eyJ.a.b"],
  ["jwt", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "[redacted]"],
];

for (const [name, text, expected] of CASES) {
  Deno.test(`redactionPatterns.${name} makes of "${text}" what it should be`, async () => {
    assertEquals(await without(redactionPatterns[name], text), expected);
  });
}

Deno.test("redactionPatterns take time in proportion to the text, whatever the text", async () => {
  const length = 400_000;
  const hostile: readonly (readonly [RedactionPattern, string])[] = [
    [email, "a"],
    [email, "a@"],
    [email, "a@a."],
    [email, "a."],
    [cardNumber, "1"],
    [cardNumber, "4 "],
    [cardNumber, "4-1 "],
    [bearerToken, "Bearer "],
    [bearerToken, "Bearer\t="],
    [jwt, "eyJ"],
    [jwt, "eyJ-"],
    [jwt, "eyJaaaaaaaa."],
    [jwt, "-eyJaaaaaaaaaaa.aaaaaaaa"],
  ];
  for (const [pattern, part] of hostile) {
    const timeOf = async (size: number) => {
      const text = part.repeat(size / part.length);
      const startedAt = performance.now();
      await without(pattern, text);
      return performance.now() - startedAt;
    };
    await timeOf(length / 8);
    const shortMs = Math.min(await timeOf(length / 8), await timeOf(length / 8));
    const longMs = Math.min(await timeOf(length), await timeOf(length));
    // Eight times the text: eight times the time, sixty-four times where it grows with the square.
    assertLess(longMs, 30 * shortMs + 30, `${pattern} on ${part}`);
  }
});
