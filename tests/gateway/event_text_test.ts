import { assertEquals } from "@std/assert";
import { describeEvent } from "../../src/gateway/event_text.ts";
import type { ClientEvent } from "../../src/events.ts";

const BASE = { agent: "Kairos", server: "files" } as const;

const LINES: readonly (readonly [event: ClientEvent, line: string | undefined])[] = [
  [
    { ...BASE, type: "connected", era: "modern", transport: "streamable_http", resumed: false },
    'Server "files" of "Kairos" is connected (modern, streamable_http)',
  ],
  [
    { server: "files", type: "recovered", era: "legacy", transport: "sse", resumed: false },
    'Server "files" is back (legacy, sse)',
  ],
  [
    { ...BASE, type: "failed", code: "unreachable", message: "Cannot reach it" },
    'Server "files" of "Kairos" failed (unreachable): Cannot reach it',
  ],
  [
    { ...BASE, type: "breaker", state: "open" },
    'Server "files" of "Kairos" kept failing and is left alone for a while',
  ],
  [{ ...BASE, type: "breaker", state: "half_open" }, undefined],
  [{ ...BASE, type: "breaker", state: "closed" }, 'Server "files" of "Kairos" is asked again'],
  [
    { ...BASE, type: "tools_changed", added: ["a"], removed: [], changed: ["b", "c"] },
    'Server "files" of "Kairos" changed its tools: 1 new, 0 gone, 2 changed',
  ],
  [{ ...BASE, type: "authorization_required" }, 'Server "files" of "Kairos" needs a person to authorize'],
  [{ ...BASE, type: "failed", code: "authorization_required", message: "Open the URL" }, undefined],
  [{ ...BASE, type: "call", tool: "read", outcome: "ok", durationMs: 1 }, undefined],
];

for (const [event, line] of LINES) {
  Deno.test(`describeEvent() has ${line === undefined ? "no line" : "a line"} for ${JSON.stringify(event)}`, () => {
    assertEquals(describeEvent(event), line);
  });
}
