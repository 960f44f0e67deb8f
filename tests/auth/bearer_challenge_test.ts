import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseBearerChallenge } from "../../src/auth/bearer_challenge.ts";

const NOTHING = { resourceMetadata: undefined, scope: undefined, error: undefined };

Deno.test("parseBearerChallenge() reads parameters, quoted or not, in any order and case", () => {
  const url = "https://mcp.example.com/.well-known/oauth-protected-resource";
  const wanted = { resourceMetadata: url, scope: "a b", error: "insufficient_scope" };
  for (
    const header of [
      `Bearer error="insufficient_scope", scope="a b", resource_metadata="${url}"`,
      `bearer  Resource_Metadata="${url}",SCOPE = "a b" , error=insufficient_scope`,
      `Bearer realm="x, scope=\\"no\\"", scope="a b", error=insufficient_scope, resource_metadata="${url}"`,
      `Basic realm="x", Bearer error="insufficient_scope", scope="a b", resource_metadata="${url}"`,
      `Negotiate abc==, Bearer error="insufficient_scope", scope="a b", resource_metadata="${url}", DPoP scope="c"`,
      `Bearer error="insufficient_scope", scope="a b", resource_metadata="${url}", Bearer scope="c"`,
    ]
  ) assertEquals(parseBearerChallenge(header), wanted, header);
});

Deno.test("parseBearerChallenge() finds nothing in what is no challenge for a bearer", () => {
  for (
    const header of [
      undefined,
      "",
      "Bearer",
      'Basic scope="a"',
      'DPoP scope="a"',
      'scope="a"',
      ",,,",
      '="',
      "x".repeat(9_000),
    ]
  ) {
    assertEquals(parseBearerChallenge(header), NOTHING, header);
  }
});

Deno.test("parseBearerChallenge() ends for any text", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...' \t,="\\aB~:;/é'), maxLength: 300 }), (text) => {
    parseBearerChallenge(`Bearer ${text}`);
  }));
});
