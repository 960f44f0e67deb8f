import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { Access, Authenticator } from "../../src/callers/access.ts";
import { MAX_KEY_CHARS, PageSessions, SESSION_MS } from "../../src/page/page_session.ts";

const ADA: Access = { caller: "ada", agents: new Set(["Kairos"]), isAdmin: false };
const SECRET = new TextEncoder().encode("a secret of at least 16 bytes");

/** Knows the keys that it is given; they can be taken away. */
function knowing(keys: Set<string>): Authenticator {
  return {
    authenticate(authorization) {
      const key = authorization?.replace("Bearer ", "") ?? "";
      return Promise.resolve(keys.has(key) ? ADA : undefined);
    },
  };
}

function createSessions(keys: Set<string>, storeSecret: Uint8Array | undefined = SECRET) {
  const clock = { nowMs: Date.parse("2026-11-26T12:00:00Z") };
  const now = () => clock.nowMs;
  return { clock, sessions: new PageSessions({ authenticator: knowing(keys), open: false, storeSecret, now }) };
}

Deno.test("PageSessions opens what it has sealed, also in another isolate with the same secret", async () => {
  const cookie = await createSessions(new Set(["a-key"])).sessions.seal("a-key");
  const visitor = await createSessions(new Set(["a-key"])).sessions.open(cookie);
  assertEquals(visitor, { access: ADA, authorization: "Bearer a-key" });
});

Deno.test("PageSessions seals a key so that it cannot be read, and never twice the same", async () => {
  const { sessions } = createSessions(new Set());
  const [one, two] = [await sessions.seal("a-canary-key"), await sessions.seal("a-canary-key")];
  assertMatch(one, /^\d{13}\.[\w-]+$/);
  assertNotEquals(one, two);
  const text = new TextDecoder().decode(Uint8Array.fromBase64(one.split(".")[1]!, { alphabet: "base64url" }));
  assertEquals(text.includes("canary"), false);
});

Deno.test("PageSessions opens nothing that was changed, is of another secret, or of no shape at all", async () => {
  const { sessions } = createSessions(new Set(["a-key"]));
  const cookie = await sessions.seal("a-key");
  const [expires, sealed] = cookie.split(".") as [string, string];
  const flipped = sealed.replace(/.$/, (last) => last === "A" ? "B" : "A");
  const moved = `${sealed.slice(0, 5)}${sealed[5] === "x" ? "y" : "x"}${sealed.slice(6)}`;
  const changed = [`${Number(expires) + 1}.${sealed}`, `${expires}.${moved}`, `${expires}.`, sealed, "", "1.2.3"];
  for (const other of [...changed, `${expires}.${flipped.slice(0, -8)}`, undefined]) {
    assertEquals(await sessions.open(other), undefined, other);
  }
  const strange = createSessions(new Set(["a-key"]), crypto.getRandomValues(new Uint8Array(32))).sessions;
  assertEquals(await strange.open(cookie), undefined);
});

Deno.test("PageSessions opens nothing after twelve hours, whatever the browser says", async () => {
  const { sessions, clock } = createSessions(new Set(["a-key"]));
  const cookie = await sessions.seal("a-key");
  clock.nowMs += SESSION_MS - 1;
  assert(await sessions.open(cookie) !== undefined);
  clock.nowMs += 1;
  assertEquals(await sessions.open(cookie), undefined);
});

Deno.test("PageSessions opens nothing for a key that was revoked meanwhile", async () => {
  const keys = new Set(["a-key"]);
  const { sessions } = createSessions(keys);
  const cookie = await sessions.seal("a-key");
  keys.delete("a-key");
  assertEquals(await sessions.open(cookie), undefined);
});

Deno.test("PageSessions identifies no key that a header cannot carry, or a cookie not hold", async () => {
  const long = "k".repeat(MAX_KEY_CHARS + 1);
  const { sessions } = createSessions(new Set(["", "a\nb", "ä", long]));
  for (const key of ["", "a\nb", "ä", long]) assertEquals(await sessions.identify(key), undefined, key);
});

Deno.test("PageSessions seals the longest key into what browsers keep", async () => {
  const { sessions } = createSessions(new Set());
  const cookie = await sessions.seal("k".repeat(MAX_KEY_CHARS));
  assert(`portolan_session=${cookie}`.length <= 4_096);
});

Deno.test("PageSessions asks for no key where the gateway is served without keys", async () => {
  const open: Authenticator = { authenticate: () => Promise.resolve(ADA) };
  const sessions = new PageSessions({ authenticator: open, open: true, storeSecret: undefined });
  assertEquals(await sessions.open(undefined), { access: ADA, authorization: undefined });
});
