/**
 * What tests of clients have in common: waiting for a condition, failures with their code, secrets that must not show.
 *
 * @module
 */

import { assertEquals, assertFalse, assertRejects } from "@std/assert";
import { delay } from "@std/async";
import { isMCPError, MCPError, type MCPErrorCode } from "../../src/errors.ts";
import type { ToolResult } from "../../src/protocol.ts";
// Loaded here, so that no short deadline of a test pays for what the first connection loads.
import "../../src/sdk.ts";

/** A secret that must never show; with characters that end a URL in naive patterns. */
export const CANARY = "canary)kqzx'wvyj";

const POLL_MS = 5;
/** Only what does not come at all takes as long: a machine with other things to do is no failure. */
const POLL_LIMIT_MS = 30_000;

/** Waits until a condition holds that has no event of its own; fails after half a minute. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let leftMs = POLL_LIMIT_MS; leftMs > 0 && !(await condition()); leftMs -= POLL_MS) await delay(POLL_MS);
  assertEquals(await condition(), true, `In vain waited for: ${condition.toString()}`);
}

/** The `MCPError` that work rejects with; fails where it has another code. */
export async function failureOf(work: () => Promise<unknown>, code: MCPErrorCode): Promise<MCPError> {
  const error = await assertRejects(work, MCPError);
  assertEquals(error.code, code, `${error.code}: ${error.message}`);
  assertNoCanary(error);
  return error;
}

/** The code of an outcome: `ok`, the code of an `MCPError`, or another error as it is. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(() => "ok", (error) => isMCPError(error) ? error.code : error);
}

/** The text of a result's first block. */
export function textOf({ content: [block] }: ToolResult): unknown {
  return block?.type === "text" ? block.text : undefined;
}

/** Fails where a value shows the canary in any way in which values are shown. */
export function assertNoCanary(value: unknown): void {
  const shown = [Deno.inspect(value, { depth: 20, showHidden: true }), String(value)];
  shown.push(JSON.stringify(value, (_key, part) => part instanceof Error ? { ...part, text: String(part) } : part));
  for (let error = value; error instanceof Error; error = error.cause) shown.push(error.message, error.stack ?? "");
  const text = shown.join("\n");
  for (const form of ["canary", "kqzx", "wvyj"]) {
    assertFalse(text.includes(form), `Shows ${form}: ${text}`);
  }
}
