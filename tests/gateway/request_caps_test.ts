import { assertEquals, assertThrows } from "@std/assert";
import { checkRequestSize } from "../../src/gateway/request_caps.ts";
import { RequestError } from "../../src/gateway/request_error.ts";

function codeOf(path: string, headers: Record<string, string> = {}): string | undefined {
  const request = new Request(`http://localhost/${path}`, { headers });
  try {
    checkRequestSize(request);
    return undefined;
  } catch (error) {
    return error instanceof RequestError ? error.code : "another";
  }
}

function many(count: number, value: string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, value]));
}

Deno.test("checkRequestSize() lets an honest request pass", () => {
  assertEquals(codeOf(`agents/${"a".repeat(64)}/tools/${"%C3%A9".repeat(128)}`, many(50, "x".repeat(200))), undefined);
});

Deno.test("checkRequestSize() refuses a URL that is too long", () => {
  assertEquals([codeOf("a".repeat(8_000)), codeOf("a".repeat(8_192)), codeOf(`?${"a".repeat(9_000)}`)], [
    undefined,
    "url_too_long",
    "url_too_long",
  ]);
});

Deno.test("checkRequestSize() refuses headers that are too many, too long, or too large together", () => {
  assertEquals([codeOf("", many(100, "x")), codeOf("", many(101, "x"))], [undefined, "headers_too_large"]);
  const one = (length: number) => codeOf("", { "x-a": "x".repeat(length) });
  assertEquals([one(16_000), one(16_384)], [undefined, "headers_too_large"]);
  const all = (length: number) => codeOf("", many(10, "x".repeat(length)));
  assertEquals([all(3_000), all(3_300)], [undefined, "headers_too_large"]);
});

Deno.test("checkRequestSize() repeats nothing of what it refuses", () => {
  const request = new Request("http://localhost/", { headers: { "x-a": "canary".repeat(4_000) } });
  const { message } = assertThrows(() => checkRequestSize(request), RequestError);
  assertEquals(message, "Cannot serve the request with its headers as one has more than 16384 bytes");
});
