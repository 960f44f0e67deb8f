import { assertEquals } from "@std/assert";
import { MCPError } from "../../src/errors.ts";
import { ToolBook } from "../../src/interceptors/tool_book.ts";
import type { Tool } from "../../src/protocol.ts";
import { never, orAborted, toolOf } from "./interceptor_support.ts";

const PATIENT = { timeoutMs: 60_000, signal: new AbortController().signal };

function bookOf(list: () => Promise<readonly Tool[]>) {
  const state = { asked: 0, nowMs: 0 };
  const listTools = () => (state.asked++, list());
  return { state, book: new ToolBook({ listTools, now: () => state.nowMs }) };
}

Deno.test("ToolBook.find() asks once for all who ask at once, and not again while the list is fresh", async () => {
  const { state, book } = bookOf(() => Promise.resolve([toolOf("read"), toolOf("constructor")]));
  assertEquals(book.get("read").tool, undefined);
  const found = await Promise.all(["read", "constructor", "toString"].map((name) => book.find(name, PATIENT)));
  assertEquals(found.map((tool) => tool?.name), ["read", "constructor", undefined]);
  assertEquals([(await book.find("write", PATIENT))?.name, state.asked], [undefined, 1]);
  assertEquals(book.get("read").tool?.name, "read");
});

Deno.test("ToolBook.find() asks anew when the list is old, and then knows nothing of what is gone", async () => {
  const lists = [[toolOf("read", { readOnlyHint: true })], [toolOf("read", { readOnlyHint: false })], []];
  const { state, book } = bookOf(() => Promise.resolve(lists.shift() ?? []));
  assertEquals((await book.find("read", PATIENT))?.annotations, { readOnlyHint: true });
  state.nowMs += 300_000;
  assertEquals((await book.find("read", PATIENT))?.annotations, { readOnlyHint: false });
  state.nowMs += 300_000;
  assertEquals(await book.find("read", PATIENT), undefined);
  book.learn([toolOf("read")]);
  assertEquals([(await book.find("read", PATIENT))?.name, state.asked], ["read", 3]);
});

Deno.test("ToolBook.find() gives undefined where no list can be had, also where an old one is known", async () => {
  const lists = [() => Promise.resolve([toolOf("read")])];
  const { state, book } = bookOf(lists.shift() ?? (() => Promise.reject(new MCPError("unreachable", "away"))));
  assertEquals((await book.find("read", PATIENT))?.name, "read");
  const failing = new ToolBook({ listTools: () => Promise.reject(new MCPError("unreachable", "away")) });
  assertEquals(await failing.find("read", PATIENT), undefined);
  assertEquals(await new ToolBook().find("read", PATIENT), undefined);
  assertEquals(state.asked, 1);
});

Deno.test("ToolBook.find() rejects with the signal's reason, and the listing is aborted", async () => {
  const controller = new AbortController();
  let signal: AbortSignal | undefined;
  const book = new ToolBook({ listTools: (options) => (signal = options.signal, orAborted(never(), signal)) });
  const finding = book.find("read", { timeoutMs: 60_000, signal: controller.signal });
  controller.abort("left");
  assertEquals([await finding.catch((error) => error), signal?.aborted], ["left", true]);
});

Deno.test("ToolBook.get() and find() put what describe() says before what a list said", async () => {
  const described = toolOf("read", { title: "described" });
  const book = new ToolBook({
    describe: (name) => name === "read" ? { tool: described, server: "files" } : { server: "other" },
  });
  book.learn([toolOf("read"), toolOf("write")]);
  assertEquals(book.get("read"), { tool: described, server: "files" });
  assertEquals(book.get("write"), { tool: toolOf("write"), server: "other" });
  assertEquals(await book.find("read", PATIENT), described);
});
