import { assert, assertEquals, assertFalse, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { SignJWT } from "jose";
import type { JwtConfig } from "../../src/config/jwt_config.ts";
import { createJwtVerifier } from "../../src/callers/jwt_verifier.ts";
import { RequestError } from "../../src/gateway/request_error.ts";
import { forge, PUBLIC_URL, startIssuer, type TestIssuer } from "./jwt_support.ts";

const START_MS = Date.parse("2027-01-31T12:00:00Z");

async function open(config: Partial<JwtConfig> = {}, publicUrl: string | undefined = PUBLIC_URL) {
  const clock = { nowMs: START_MS };
  const now = () => clock.nowMs;
  const issuer = await startIssuer(now);
  const issuers = [{ issuer: issuer.issuer, ...config }];
  const verify = createJwtVerifier({ issuers, publicUrl, fetch: (...args) => fetch(...args), now });
  return { clock, issuer, verify, [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose]() };
}

async function agentsOf(setting: Awaited<ReturnType<typeof open>>, claims: Record<string, unknown>) {
  const access = await setting.verify(await setting.issuer.sign({ claims }));
  return access === undefined ? undefined : [access.isAdmin ? "admin" : "caller", access.agents];
}

Deno.test("verify() tells whose a token is, by issuer and subject, and what it opens", async () => {
  await using setting = await open();
  const { verify, issuer } = setting;
  const access = await verify(await issuer.sign());
  assertEquals([access?.agents, access?.isAdmin, access?.stepUp], [new Set(["Kairos"]), false, undefined]);
  assertMatch(access?.caller ?? "", /^jwt:[0-9a-f]{16}$/);
  const again = await verify(await issuer.sign({ claims: { portolan_agents: ["Kairos", "Mercurius", 7] } }));
  assertEquals([again?.caller, again?.agents], [access?.caller, new Set(["Kairos", "Mercurius"])]);
  assertNotEquals((await verify(await issuer.sign({ claims: { sub: "other" } })))?.caller, access?.caller);
  assertEquals(issuer.paths.filter((path) => path === "/jwks").length, 1);
});

Deno.test("verify() finds agents in the claim that is configured, and nothing where there is none", async () => {
  await using setting = await open({ agents: { claim: "https://example.com/agents" } });
  const name = "https://example.com/agents";
  assertEquals(await agentsOf(setting, { [name]: ["Kairos"] }), ["caller", new Set(["Kairos"])]);
  assertEquals(await agentsOf(setting, { [name]: undefined }), ["caller", new Set<string>()]);
  assertEquals(await agentsOf(setting, { [name]: { Kairos: true } }), ["caller", new Set<string>()]);
  assertEquals(await agentsOf(setting, { [name]: "*" }), ["caller", new Set(["*"])], "no word for all");
});

Deno.test("S6 verify() takes no member of Object for a claim", async () => {
  await using setting = await open({ agents: { claim: "constructor" }, admin: { claim: "__proto__", value: "x" } });
  assertEquals(await agentsOf(setting, {}), ["caller", new Set<string>()]);
});

Deno.test("verify() finds agents in scopes, and how to come to another", async () => {
  await using setting = await open({ agents: { scope: "agent:" }, admin: { scope: "portolan:admin" } });
  const { verify, issuer } = setting;
  const scope = "openid agent:Kairos agent:Mercurius";
  const access = await verify(await issuer.sign({ claims: { scope } }));
  assertEquals(access?.agents, new Set(["Kairos", "Mercurius"]));
  assertEquals(access?.stepUp, { scopePrefix: "agent:" });
  assertEquals(await agentsOf(setting, { scope: "openid portolan:admin" }), ["admin", "*"]);
  assertEquals(await agentsOf(setting, { scope: "portolan:administrator" }), ["caller", new Set<string>()]);
});

Deno.test("verify() takes a token for an administrator's only where the claim says so", async () => {
  await using setting = await open({ admin: { claim: "roles", value: "portolan-admin" } });
  assertEquals(await agentsOf(setting, { roles: ["portolan-admin"] }), ["admin", "*"]);
  assertEquals(await agentsOf(setting, { roles: ["user"] }), ["caller", new Set(["Kairos"])]);
  await using without = await open();
  assertEquals(await agentsOf(without, { roles: ["portolan-admin"] }), ["caller", new Set(["Kairos"])]);
});

Deno.test("verify() takes a token for the endpoint of one agent for that agent alone", async () => {
  await using setting = await open({ admin: { claim: "roles", value: "admin" } });
  const portolan_agents = ["Kairos", "Mercurius"];
  const ofKairos = `${PUBLIC_URL}/agents/Kairos/mcp`;
  assertEquals(await agentsOf(setting, { aud: ofKairos, portolan_agents }), ["caller", new Set(["Kairos"])]);
  assertEquals(await agentsOf(setting, { aud: [ofKairos], portolan_agents, roles: "admin" }), [
    "caller",
    new Set(["Kairos"]),
  ]);
  assertEquals(await agentsOf(setting, { aud: ofKairos, portolan_agents: ["Mercurius"] }), [
    "caller",
    new Set<string>(),
  ]);
  assertEquals(await agentsOf(setting, { aud: [ofKairos, `${PUBLIC_URL}/`], portolan_agents }), [
    "caller",
    new Set(portolan_agents),
  ]);
});

Deno.test("verify() takes the configured audience, with and without a public URL", async () => {
  for (const publicUrl of [PUBLIC_URL, undefined]) {
    await using setting = await open({ audience: ["urn:gateway", "gateway"] }, publicUrl);
    assertEquals(await agentsOf(setting, { aud: "gateway" }), ["caller", new Set(["Kairos"])]);
  }
});

const BAD: Readonly<Record<string, (issuer: TestIssuer) => Promise<string> | string>> = {
  "an audience elsewhere": (issuer) => issuer.sign({ claims: { aud: "https://other.example.com" } }),
  "an audience that only begins so": (issuer) => issuer.sign({ claims: { aud: `${PUBLIC_URL}.evil.example` } }),
  "another path of the gateway": (issuer) => issuer.sign({ claims: { aud: `${PUBLIC_URL}/agents/Kairos/mcp/x` } }),
  "no audience": (issuer) => issuer.sign({ claims: { aud: undefined } }),
  "no subject": (issuer) => issuer.sign({ claims: { sub: undefined } }),
  "an empty subject": (issuer) => issuer.sign({ claims: { sub: "" } }),
  "no end": (issuer) => issuer.sign({ claims: { exp: undefined } }),
  "an end that has passed": (issuer) => issuer.sign({ claims: { exp: START_MS / 1_000 - 6 } }),
  "a beginning that is to come": (issuer) => issuer.sign({ claims: { nbf: START_MS / 1_000 + 6 } }),
  "another issuer": (issuer) => issuer.sign({ claims: { iss: "https://evil.example" } }),
  "the issuer with a slash": (issuer) => issuer.sign({ claims: { iss: `${issuer.issuer}/` } }),
  "no issuer": (issuer) => issuer.sign({ claims: { iss: undefined } }),
  "a header that nobody understands": (issuer) =>
    forge({ alg: "ES256", kid: "key-1", crit: ["exp"], exp: 1 }, { iss: issuer.issuer }),
  "no signature": async (issuer) => (await issuer.sign()).replace(/\.[^.]+$/, ".AA"),
  "the algorithm none": (issuer) => forge({ alg: "none" }, { iss: issuer.issuer, aud: PUBLIC_URL, sub: "x" }, "AA"),
  "a key that is not known": (issuer) => issuer.sign({ header: { kid: "key-9" } }),
  "an algorithm that the key is not for": (issuer) =>
    forge({ alg: "RS256", kid: "key-1" }, { iss: issuer.issuer, aud: PUBLIC_URL, sub: "x" }, "AAAA"),
  "no JSON": () => "AAAA.AAAA.AAAA",
};

for (const [what, make] of Object.entries(BAD)) {
  Deno.test(`S2 verify() gives nothing for a token with ${what}`, async () => {
    await using setting = await open();
    assert(await setting.verify(await setting.issuer.sign()));
    assertEquals(await setting.verify(await make(setting.issuer)), undefined);
  });
}

Deno.test("S2 verify() gives nothing for a token that is signed with the public key as a shared secret", async () => {
  await using setting = await open();
  const { issuer, verify } = setting;
  const claims = { iss: issuer.issuer, aud: PUBLIC_URL, sub: "x", exp: START_MS / 1_000 + 60 };
  const token = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "key-1" })
    .sign(new TextEncoder().encode(JSON.stringify(issuer.jwks().keys[0])));
  assertEquals(await verify(token), undefined);
  assertEquals(issuer.paths, [], "its algorithm alone refuses it");
});

Deno.test("verify() gives nothing for a token of another key of the same issuer", async () => {
  await using one = await open();
  await using other = await open();
  const token = await other.issuer.sign({ claims: { iss: one.issuer.issuer } });
  assertEquals(await one.verify(token), undefined);
});

Deno.test("verify() forgives a clock that is off by the tolerance, and no more", async () => {
  await using setting = await open({ clockToleranceMs: 60_000 });
  const ended = (seconds: number) => setting.issuer.sign({ claims: { exp: START_MS / 1_000 - seconds } });
  assert(await setting.verify(await ended(59)));
  assertEquals(await setting.verify(await ended(61)), undefined);
});

Deno.test("verify() asks for the type that is configured", async () => {
  await using setting = await open({ typ: "at+jwt" });
  assert(await setting.verify(await setting.issuer.sign({ header: { typ: "application/at+jwt" } })));
  assertEquals(await setting.verify(await setting.issuer.sign({ header: { typ: "JWT" } })), undefined);
});

Deno.test("verify() takes public keys of the configuration and asks nobody", async () => {
  await using issuer = await startIssuer(() => START_MS);
  const issuers = [{ issuer: issuer.issuer, jwks: issuer.jwks(), algorithms: ["ES256"] }];
  const refuse = () => Promise.reject(new TypeError("nobody is to be asked"));
  const verify = createJwtVerifier({ issuers, publicUrl: PUBLIC_URL, fetch: refuse, now: () => START_MS });
  assert(await verify(await issuer.sign()));
  assertEquals(issuer.paths, []);
});

Deno.test("verify() fetches keys once for all who come at once, and anew for a key that it does not know", async () => {
  await using setting = await open();
  const { verify, issuer, clock } = setting;
  const count = () => issuer.paths.filter((path) => path === "/jwks").length;
  const token = await issuer.sign();
  await Promise.all(Array.from({ length: 20 }, () => verify(token)));
  assertEquals(count(), 1);
  await issuer.rotate();
  const young = await issuer.sign();
  assertEquals(await verify(young), undefined, "they were fetched a moment ago");
  clock.nowMs += 30_000;
  const found = await Promise.all(Array.from({ length: 20 }, () => verify(young)));
  assertEquals([found.every((access) => access !== undefined), count()], [true, 2]);
  for (let tries = 0; tries < 10; tries++) await verify(await issuer.sign({ header: { kid: `key-${tries + 10}` } }));
  assertEquals(count(), 2, "strangers cannot make it ask");
});

Deno.test("verify() says that it cannot tell where the keys cannot be had, and goes on with those it has", async () => {
  await using setting = await open();
  const { verify, issuer, clock } = setting;
  issuer.answers.set("/jwks", () => new Response("down", { status: 503 }));
  const token = await issuer.sign();
  const error = await assertRejects(() => verify(token), RequestError);
  assertEquals([error.code, error.retryAfterMs], ["callers_unavailable", 5_000]);
  assertFalse(error.message.includes("127.0.0.1"));
  const asked = issuer.paths.length;
  for (let tries = 0; tries < 5; tries++) await assertRejects(() => verify(token), RequestError);
  assertEquals(issuer.paths.length, asked, "an issuer that is down is left alone");
  // What needs no keys to be refused is refused.
  assertEquals(await verify(forge({ alg: "none" }, { iss: issuer.issuer })), undefined);
  issuer.answers.clear();
  clock.nowMs += 5_000;
  assert(await verify(token));
  issuer.answers.set("/jwks", () => new Response("down", { status: 503 }));
  for (let minutes = 0; minutes < 59; minutes++) {
    clock.nowMs += 60_000;
    assert(await verify(await issuer.sign()), `${minutes} minutes`);
  }
  clock.nowMs += 120_000;
  await assertRejects(async () => await verify(await issuer.sign()), RequestError);
});

Deno.test("verify() chooses among issuers by what the token says, and believes each for itself alone", async () => {
  await using one = await startIssuer(() => START_MS);
  await using other = await startIssuer(() => START_MS);
  const issuers = [{ issuer: one.issuer }, { issuer: other.issuer, agents: { claim: "roles" } }];
  const deps = { issuers, publicUrl: PUBLIC_URL, fetch: globalThis.fetch, now: () => START_MS };
  const verify = createJwtVerifier(deps);
  const [ofOne, ofOther] = [await verify(await one.sign()), await verify(await other.sign())];
  assertEquals([ofOne?.agents, ofOther?.agents], [new Set(["Kairos"]), new Set<string>()]);
  assertNotEquals(ofOne?.caller, ofOther?.caller, "the same subject of two issuers is two callers");
  assertEquals(await verify(await one.sign({ claims: { iss: other.issuer } })), undefined);
});
