import { assertEquals, assertRejects } from "@std/assert";
import { decodeProtectedHeader, exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import { authenticateClient, chooseMethod } from "../../src/auth/client_authentication.ts";

const CONTEXT = { issuer: "https://login.example.com", nowMs: 1_800_000_000_000 };

Deno.test("chooseMethod() takes what the operator says, else the best that is listed, else Basic", () => {
  assertEquals(chooseMethod(undefined, true), "client_secret_basic");
  assertEquals(chooseMethod(["none", "client_secret_post", "client_secret_basic"], true), "client_secret_basic");
  assertEquals(chooseMethod(["none", "client_secret_post"], true), "client_secret_post");
  assertEquals(chooseMethod(["none"], true), "none");
  assertEquals(chooseMethod(["tls_client_auth"], true), "client_secret_basic");
  assertEquals(chooseMethod(["client_secret_basic"], true, "client_secret_post"), "client_secret_post");
  assertEquals(chooseMethod(["client_secret_basic"], false, "client_secret_post"), "none");
});

Deno.test("authenticateClient() encodes id and secret before it joins them", async () => {
  const form = new URLSearchParams();
  const client = { clientId: "a:b", clientSecret: "c d+%", method: "client_secret_basic" } as const;
  const { authorization } = await authenticateClient(client, form, CONTEXT);
  assertEquals(authorization, `Basic ${btoa("a%3Ab:c+d%2B%25")}`);
  assertEquals(form.toString(), "");
  const plain = { clientId: "pre-registered_client.x", clientSecret: "s", method: "client_secret_basic" } as const;
  assertEquals(
    (await authenticateClient(plain, form, CONTEXT)).authorization,
    `Basic ${btoa("pre-registered_client.x:s")}`,
  );
});

Deno.test("authenticateClient() sends no secret where it is not asked for one", async () => {
  for (
    const [method, text] of [["none", "client_id=a"], ["client_secret_post", "client_id=a&client_secret=s"]] as const
  ) {
    const form = new URLSearchParams();
    assertEquals(await authenticateClient({ clientId: "a", clientSecret: "s", method }, form, CONTEXT), {});
    assertEquals(form.toString(), text);
  }
});

Deno.test("authenticateClient() signs for a minute, for one issuer, and never the same twice", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const client = { clientId: "a", method: "private_key_jwt", privateKey: await exportPKCS8(privateKey) } as const;
  const ids: unknown[] = [];
  for (let times = 0; times < 2; times++) {
    const form = new URLSearchParams();
    assertEquals(await authenticateClient(client, form, CONTEXT), {});
    assertEquals(form.get("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    const assertion = form.get("client_assertion") ?? "";
    assertEquals(decodeProtectedHeader(assertion), { alg: "ES256" });
    const { payload } = await jwtVerify(assertion, publicKey, { currentDate: new Date(CONTEXT.nowMs) });
    const { jti, ...claims } = payload;
    ids.push(jti);
    const nowS = CONTEXT.nowMs / 1_000;
    assertEquals(claims, { iss: "a", sub: "a", aud: CONTEXT.issuer, iat: nowS, exp: nowS + 60 });
  }
  assertEquals(new Set(ids).size, 2);
});

Deno.test("authenticateClient() fails for a key that is none, or is for another algorithm", async () => {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const pem = await exportPKCS8(privateKey);
  const rsaPem = await exportPKCS8((await generateKeyPair("RS256", { extractable: true })).privateKey);
  const cases = [
    ["nothing", undefined],
    ["{", undefined],
    ["{}", undefined],
    [pem, "RS256"],
    // Ends the whole process in Deno 2.5 where it is tried.
    [rsaPem, "ES256"],
    ["-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----", undefined],
  ] as const;
  for (const [text, algorithm] of cases) {
    const client = { clientId: "a", method: "private_key_jwt", privateKey: text, algorithm } as const;
    await assertRejects(() => authenticateClient(client, new URLSearchParams(), CONTEXT));
  }
});
