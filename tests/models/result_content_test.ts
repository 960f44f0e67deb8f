import { assertEquals, assertThrows } from "@std/assert";
import { toAISDKOutput, toAnthropicContent, toOpenAIContent, toText } from "@portolan/mcp/models";
import type { ContentBlock, ToolResult } from "../../src/protocol.ts";

const PNG = "aW1hZ2U=";
const TEXT: ContentBlock = { type: "text", text: "Hello" };
const IMAGE: ContentBlock = { type: "image", data: PNG, mimeType: "image/png" };
const PDF: ContentBlock = {
  type: "resource",
  resource: { uri: "file:///docs/report.pdf?v=1", mimeType: "application/pdf", blob: PNG },
};
const UNKNOWN = { type: "hologram", text: 7 } as unknown as ContentBlock;

/** Every kind of block. */
const ALL: ToolResult = {
  content: [
    TEXT,
    IMAGE,
    { type: "audio", data: PNG, mimeType: "audio/wav" },
    { type: "resource", resource: { uri: "file:///a.txt", text: "A text" } },
    PDF,
    { type: "resource_link", uri: "file:///b.txt", name: "b", description: "Another", mimeType: "text/plain" },
    UNKNOWN,
  ],
};

Deno.test("toText() tells of every kind of block", () => {
  assertEquals(
    toText(ALL).split("\n"),
    [
      "Hello",
      "[File left out: image/png, 6 bytes]",
      "[File left out: audio/wav, 6 bytes]",
      "Resource file:///a.txt:",
      "A text",
      "[File left out: report.pdf, application/pdf, 6 bytes]",
      "Link to resource file:///b.txt (b; text/plain; Another)",
      '{"type":"hologram","text":7}',
    ],
  );
});

Deno.test("toText() tells of data where no block has a text, and of nothing where there is none", () => {
  const structuredContent = { a: 1 };
  assertEquals(toText({ content: [], structuredContent }), '{"a":1}');
  assertEquals(toText({ content: [{ type: "text", text: " \n" }], structuredContent }), '{"a":1}');
  assertEquals(toText({ content: [IMAGE], structuredContent }).split("\n").at(-1), '{"a":1}');
  assertEquals(toText({ content: [TEXT], structuredContent }), "Hello");
  assertEquals(toText({ content: [] }), "[The tool answered with nothing]");
});

Deno.test("toText() takes blocks that are not what they say as JSON", () => {
  for (const block of [{ type: "text" }, { type: "image", data: 1 }, { type: "resource", resource: null }, {}, []]) {
    assertEquals(toText({ content: [block as unknown as ContentBlock] }), JSON.stringify(block));
  }
});

Deno.test("toText() gives text that can be sent, whatever a server writes", () => {
  assertEquals(toText({ content: [{ type: "text", text: "half \ud83d of it" }] }), "half \ufffd of it");
});

Deno.test("toText() says how much it cut, over all blocks", () => {
  const content: ContentBlock[] = ["12345", "67890", "abc"].map((text) => ({ type: "text", text }));
  assertEquals(toText({ content }, { maxChars: 7 }), "12345\n67\n[6 more characters left out]");
  assertEquals(toText({ content }, { maxChars: 13 }), "12345\n67890\nabc");
  assertEquals(toText({ content }, { maxChars: 0 }), "[13 more characters left out]");
  assertEquals(
    toText({ content: [{ type: "text", text: "a😀" }] }, { maxChars: 2 }),
    "a\n[2 more characters left out]",
  );
  const long = toText({ content: [{ type: "text", text: "x".repeat(200_000) }] });
  assertEquals(long.endsWith("\n[100000 more characters left out]"), true);
  for (const maxChars of [-1, 0.5, NaN]) assertThrows(() => toText({ content }, { maxChars }), RangeError);
});

Deno.test("toOpenAIContent() gives text as one string, images and PDFs as parts", () => {
  assertEquals(toOpenAIContent({ content: [TEXT, TEXT] }), "Hello\nHello");
  assertEquals(toOpenAIContent({ content: [TEXT, IMAGE, PDF, ALL.content[2]!] }), [
    { type: "input_text", text: "Hello" },
    { type: "input_image", image_url: `data:image/png;base64,${PNG}` },
    { type: "input_file", filename: "report.pdf", file_data: `data:application/pdf;base64,${PNG}` },
    { type: "input_text", text: "[File left out: audio/wav, 6 bytes]" },
  ]);
  assertEquals(toOpenAIContent(ALL, { api: "chat" }), toText(ALL));
});

Deno.test("toOpenAIContent() says before the text that the tool failed", () => {
  assertEquals(toOpenAIContent({ content: [TEXT], isError: true }), "The tool failed:\nHello");
  assertEquals(toOpenAIContent({ content: [TEXT], isError: true }, { api: "chat" }), "The tool failed:\nHello");
  const [first] = toOpenAIContent({ content: [IMAGE], isError: true });
  assertEquals(first, { type: "input_text", text: "The tool failed:" });
});

Deno.test("toAnthropicContent() gives images and PDFs as blocks, other files in words", () => {
  const svg: ContentBlock = { type: "image", data: PNG, mimeType: "image/svg+xml" };
  assertEquals(toAnthropicContent({ content: [TEXT, IMAGE, PDF, svg] }), {
    content: [
      { type: "text", text: "Hello" },
      { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: PNG } },
      { type: "text", text: "[File left out: image/svg+xml, 6 bytes]" },
    ],
  });
});

Deno.test("toAnthropicContent() gives text alone where the tool failed, and no blank text", () => {
  assertEquals(toAnthropicContent({ content: [{ type: "text", text: " " }, IMAGE], isError: true }), {
    content: [{ type: "text", text: "[File left out: image/png, 6 bytes]" }],
    is_error: true,
  });
  assertEquals(toAnthropicContent({ content: [], isError: true }).content.length, 1);
});

Deno.test("toAISDKOutput() gives text, data, content or an error, as the result is", () => {
  const structuredContent = { a: 1 };
  assertEquals(toAISDKOutput({ content: [TEXT] }), { type: "text", value: "Hello" });
  assertEquals(toAISDKOutput({ content: [], structuredContent }), { type: "json", value: structuredContent });
  assertEquals(toAISDKOutput({ content: [], structuredContent, isError: true }), {
    type: "error-json",
    value: structuredContent,
  });
  assertEquals(toAISDKOutput({ content: [TEXT, IMAGE], isError: true }), {
    type: "error-text",
    value: "Hello\n[File left out: image/png, 6 bytes]",
  });
  assertEquals(toAISDKOutput({ content: [TEXT, PDF] }), {
    type: "content",
    value: [
      { type: "text", text: "Hello" },
      {
        type: "file",
        mediaType: "application/pdf",
        data: { type: "data", data: PNG },
        filename: "report.pdf",
      },
    ],
  });
});

Deno.test("toAISDKOutput() gives data that is too long as text that says so", () => {
  const output = toAISDKOutput({ content: [], structuredContent: { a: "12345" } }, { maxChars: 5 });
  assertEquals(output, { type: "text", value: '{"a":\n[8 more characters left out]' });
});

Deno.test("Content leaves out files beyond the cap of bytes, over all blocks, and says so", () => {
  const result: ToolResult = { content: [IMAGE, IMAGE] };
  assertEquals(toAnthropicContent(result, { maxFileBytes: 11 }).content.map(({ type }) => type), ["image", "text"]);
  assertEquals(toAnthropicContent(result, { maxFileBytes: 0 }).content[0], {
    type: "text",
    text: "[File left out as it is too large: image/png, 6 bytes]",
  });
});

Deno.test("Content takes a media type for unknown that could not stand in a data URL", () => {
  for (const mimeType of ["image/png,evil", "image", "", "../x/y", 7]) {
    const block = { type: "image", data: PNG, mimeType } as ContentBlock;
    assertEquals(toOpenAIContent({ content: [block] }), "[File left out: application/octet-stream, 6 bytes]");
  }
  const block: ContentBlock = { type: "image", data: PNG, mimeType: "IMAGE/PNG; q=1" };
  assertEquals(toOpenAIContent({ content: [block] }), [
    { type: "input_image", image_url: `data:image/png;base64,${PNG}` },
  ]);
});
