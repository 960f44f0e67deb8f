import { assertEquals } from "@std/assert";
import type { ClientEvent } from "../src/events.ts";
import { tell } from "../src/tell.ts";

const EVENT: ClientEvent = { type: "breaker", server: "files", state: "open" };

Deno.test("tell() gives the listener the event itself", () => {
  const told: ClientEvent[] = [];
  tell((event) => told.push(event), EVENT);
  assertEquals(told, [EVENT]);
});

Deno.test("tell() tells nobody where there is no listener", () => {
  assertEquals(tell(undefined, EVENT), undefined);
});

Deno.test("tell() goes on where the listener throws", () => {
  let told = 0;
  const listener = () => {
    told++;
    throw new Error("of the listener");
  };
  tell(listener, EVENT);
  tell(listener, EVENT);
  assertEquals(told, 2);
});
