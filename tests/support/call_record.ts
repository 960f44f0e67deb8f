/**
 * A call of a tool: as it is about to be made, what it is answered, and what is noted of it.
 *
 * @module
 */

import type { BegunCall, CallRecord } from "../../src/gateway/call_record.ts";
import type { RoutedResult } from "../../src/status.ts";

const CALL = { requestId: "r1", caller: "key:1", agent: "Kairos", door: "rest", tool: "read" } as const;

/** The call. */
export const BEGUN: BegunCall = {
  ...CALL,
  args: { path: "a" },
  trace: undefined,
};

/** What it is answered. */
export const ROUTED: RoutedResult = { server: "files", tool: "read_file", route: "memory", result: { content: [] } };

/** What is noted of it. */
export const RECORD: CallRecord = {
  ...CALL,
  server: "files",
  toolName: "read_file",
  route: "memory",
  outcome: "ok",
  atMs: 0,
  durationMs: 20,
};
