import { assertEquals } from "@std/assert";
import { toServerLine, toServerText } from "../../src/openapi/server_text.ts";

Deno.test("toServerText() keeps what people write", () => {
  const text = "Reads a file (up to 2 MB).\n\n- fast\n- *safe*, `path` only; 3 > 2? é 读";
  assertEquals(toServerText(text, 1_000), text.replace(">", "&gt;"));
});

Deno.test("toServerText() takes the effect from markup, links, images and ends of comments", () => {
  assertEquals(toServerText("<script>alert(1)</script>", 100), "&lt;script&gt;alert(1)&lt;/script&gt;");
  assertEquals(toServerText("&lt;img&gt;", 100), "&amp;lt;img&amp;gt;");
  assertEquals(toServerText("![x](http://evil.example) [y][z]", 100), "!\\[x\\](http://evil.example) \\[y\\]\\[z\\]");
  assertEquals(toServerText("*/ process.exit() /*", 100), "* / process.exit() /*");
});

Deno.test("toServerText() drops what is not seen: controls, directions, joiners, halves of characters", () => {
  assertEquals(
    toServerText("a\u0000b\u001b[31mc\u202ed\u200be\ufefff\u2028g\ud800h\r\ni\tj", 100),
    "ab\\[31mcdefgh\ni\tj",
  );
});

Deno.test("toServerText() and toServerLine() keep a part of a long text", () => {
  assertEquals(toServerText("x".repeat(5_000), 10), `${"x".repeat(9)}…`);
  assertEquals(toServerLine(" two\n lines\t of text ", 14), "two lines of…");
});
