import { assertEquals, assertFalse, assertRejects } from "@std/assert";
import { loadIssuerKeys } from "../../src/callers/issuer_fetch.ts";
import { startIssuer } from "./jwt_support.ts";

const JWKS = { keys: [{ kty: "EC", kid: "one" }] };

/** A `fetch` that answers by URL, and remembers what it was asked. */
function fakeFetch(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const send = (input: string | URL | Request) => {
    const url = String(input);
    asked.push(url);
    const answer = answers[url];
    if (answer instanceof Response) return Promise.resolve(answer);
    return Promise.resolve(answer === undefined ? new Response(null, { status: 404 }) : Response.json(answer));
  };
  return { asked, fetch: send as typeof fetch };
}

Deno.test("loadIssuerKeys() looks where the specification says, in its order", async () => {
  const issuer = "https://login.example.com/tenant";
  const appended = `${issuer}/.well-known/openid-configuration`;
  const { asked, fetch } = fakeFetch({
    "https://login.example.com/.well-known/openid-configuration/tenant": {
      issuer: "https://other.example",
      jwks_uri: "x",
    },
    [appended]: { issuer, jwks_uri: "https://keys.example.com/jwks" },
    "https://keys.example.com/jwks": JWKS,
  });
  assertEquals(await loadIssuerKeys({ issuer }, { fetch }), JWKS);
  assertEquals(asked, [
    "https://login.example.com/.well-known/oauth-authorization-server/tenant",
    "https://login.example.com/.well-known/openid-configuration/tenant",
    appended,
    "https://keys.example.com/jwks",
  ]);
});

Deno.test("loadIssuerKeys() asks the configured URL and nothing else", async () => {
  const jwksUrl = "https://keys.example.com/jwks";
  const { asked, fetch } = fakeFetch({ [jwksUrl]: JWKS });
  assertEquals(await loadIssuerKeys({ issuer: "https://login.example.com", jwksUrl }, { fetch }), JWKS);
  assertEquals(asked, [jwksUrl]);
});

for (
  const url of [
    ...[
      "http://keys.example.com/jwks",
      "https://169.254.169.254/latest",
      "https://10.0.0.1/jwks",
      "https://[::1]/jwks",
    ],
    ...["http://localhost/jwks", "https://user@keys.example.com/jwks", "file:///etc/passwd", "https://0xA000001/jwks"],
  ]
) {
  Deno.test(`S7 loadIssuerKeys() makes no request to ${url} that the metadata of an issuer names`, async () => {
    const issuer = "https://login.example.com";
    const metadata = { issuer, jwks_uri: url };
    const { asked, fetch } = fakeFetch({ [`${issuer}/.well-known/oauth-authorization-server`]: metadata });
    const error = await assertRejects(() => loadIssuerKeys({ issuer }, { fetch }), Error);
    assertEquals(asked.length, 1);
    assertFalse(error.message.includes(url));
  });
}

Deno.test("loadIssuerKeys() follows a private address where the operator allows it", async () => {
  const issuer = "https://10.0.0.1";
  const metadata = { issuer, jwks_uri: "https://10.0.0.2/jwks" };
  const well = `${issuer}/.well-known/oauth-authorization-server`;
  const { fetch } = fakeFetch({ [well]: metadata, "https://10.0.0.2/jwks": JWKS });
  assertEquals(await loadIssuerKeys({ issuer, allowPrivate: true }, { fetch }), JWKS);
});

Deno.test("loadIssuerKeys() follows no redirect, and stops at its cap and at its deadline", async () => {
  await using issuer = await startIssuer();
  const load = (timeoutMs?: number) =>
    loadIssuerKeys({ issuer: issuer.issuer, jwksUrl: `${issuer.issuer}/jwks` }, { fetch, timeoutMs });
  issuer.answers.set("/jwks", () => Response.redirect(`${issuer.issuer}/elsewhere`, 302));
  await assertRejects(() => load(), Error);
  assertEquals(issuer.paths, ["/jwks"]);
  let sent = 0;
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(++sent)) });
  issuer.answers.set("/jwks", () => new Response(endless));
  await assertRejects(() => load(), Error, "too large");
  const hung = Promise.withResolvers<Response>();
  issuer.answers.set("/jwks", () => hung.promise);
  await assertRejects(() => load(10), Error);
  hung.resolve(new Response(null, { status: 404 }));
  issuer.answers.set("/jwks", () => new Response("<html>log in", { headers: { "content-type": "text/html" } }));
  await assertRejects(() => load(), Error, "no key set");
});
