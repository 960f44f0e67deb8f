import { assertEquals, assertRejects } from "@std/assert";
import { mayStillUse } from "../../src/callers/authenticate_request.ts";
import { createCallers } from "../../src/callers/callers.ts";
import { digestKey } from "../../src/callers/keys.ts";
import { MemoryRouteStore } from "../../src/memory_route_store.ts";
import { RequestError } from "../../src/gateway/request_error.ts";

const KEY = "a-key-of-kairos";
const request = new Request("http://gateway.test/", { headers: { authorization: `Bearer ${KEY}` } });

Deno.test("mayStillUse() tells of a key that has ended, and of one that was revoked", async () => {
  let nowMs = Date.parse("2026-11-25T00:00:00Z");
  const key = { digest: await digestKey(KEY), id: "one", expiresAt: "2026-11-25T01:00:00Z" };
  const deps = { store: new MemoryRouteStore({ now: () => nowMs }), fetch, now: () => nowMs };
  const { authenticator } = createCallers({ keys: { Kairos: [key] }, jwt: [], publicUrl: undefined }, deps);
  assertEquals(await mayStillUse(request, authenticator, "Kairos"), true);
  assertEquals(await mayStillUse(request, authenticator, "Mercurius"), false);
  nowMs += 3_600_000;
  assertEquals(await mayStillUse(request, authenticator, "Kairos"), false);

  const lasting = { keys: { Kairos: [{ ...key, expiresAt: undefined }] }, jwt: [], publicUrl: undefined };
  const callers = createCallers(lasting, deps);
  assertEquals(await mayStillUse(request, callers.authenticator, "Kairos"), true);
  await callers.keys.revoke("Kairos", "one");
  assertEquals(await mayStillUse(request, callers.authenticator, "Kairos"), false);
});

Deno.test("mayStillUse() goes on with what was known where callers cannot be told apart, and hides no failure", async () => {
  const failing = (error: unknown) => ({ authenticate: () => Promise.reject(error) });
  const away = new RequestError("callers_unavailable", "Cannot check the token");
  assertEquals(await mayStillUse(request, failing(away), "Kairos"), true);
  await assertRejects(() => mayStillUse(request, failing(new TypeError("broken")), "Kairos"), TypeError);
});
