/** The fixture's tools that only answer: contents of all kinds, progress, log messages, an error, schemas. */

import { delay } from "@std/async";
import { fromJsonSchema, type McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

/** A picture of one red pixel, as base64. */
export const IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A sound without a sample, as base64. */
const AUDIO = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";
/** Between two notices of one call: the suite wants to see them arrive. */
const PACE_MS = 20;

/** Every keyword that a gateway may not lose. */
const SCHEMA_2020_12 = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object" as const,
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};

/** Adds them. */
export function addContent(mcp: McpServer): void {
  const text = (words: string) => ({ type: "text" as const, text: words });
  const image = { type: "image" as const, data: IMAGE, mimeType: "image/png" };
  const resource = (uri: string, mimeType: string, words: string) => {
    return { type: "resource" as const, resource: { uri, mimeType, text: words } };
  };
  const answers = {
    test_simple_text: [text("This is a simple text response for testing.")],
    test_image_content: [image],
    test_audio_content: [{ type: "audio" as const, data: AUDIO, mimeType: "audio/wav" }],
    test_embedded_resource: [
      resource("test://embedded-resource", "text/plain", "This is an embedded resource content."),
    ],
    test_multiple_content_types: [
      text("Multiple content types test:"),
      image,
      resource("test://mixed-content-resource", "application/json", JSON.stringify({ test: "data", value: 123 })),
    ],
  };
  for (const [name, content] of Object.entries(answers)) {
    mcp.registerTool(name, { description: `Answers as ${name} has to` }, () => ({ content }));
  }
  mcp.registerTool("test_error_handling", { description: "Fails" }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
  addNotices(mcp);
  const described = { description: "Has a schema of 2020-12", inputSchema: fromJsonSchema(SCHEMA_2020_12) };
  mcp.registerTool("json_schema_2020_12_tool", described, (args) => ({ content: [text(JSON.stringify(args))] }));
  const mirrored = {
    region: { type: "string" as const, "x-mcp-header": "Region" },
    level: { type: "integer" as const },
  };
  const inputSchema = fromJsonSchema<{ readonly region?: string }>({ type: "object", properties: mirrored });
  const headed = { description: "Has an argument that is a header too", inputSchema };
  mcp.registerTool("test_x_mcp_header", headed, ({ region }) => ({ content: [text(`region=${region}`)] }));
}

function addNotices(mcp: McpServer): void {
  const done = { content: [{ type: "text" as const, text: "Done" }] };
  const inputSchema = z.object({});
  mcp.registerTool("test_tool_with_progress", { description: "Tells of its progress", inputSchema }, async (_, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      const params = { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` };
      await ctx.mcpReq.notify({ method: "notifications/progress", params });
      await delay(PACE_MS, { signal: ctx.mcpReq.signal });
    }
    return done;
  });
  const log = { description: "Logs what it does", inputSchema };
  mcp.registerTool("test_tool_with_logging", log, async (_, ctx) => {
    for (const what of ["started", "going on", "completed"]) {
      await ctx.mcpReq.log("info", `Tool execution ${what}`);
      await delay(PACE_MS, { signal: ctx.mcpReq.signal });
    }
    return done;
  });
  mcp.registerTool("test_logging_tool", log, async (_, ctx) => {
    await ctx.mcpReq.log("info", "Heard by who asked for it");
    return done;
  });
  const cut = { description: "Ends its stream before it answers, where it can", inputSchema };
  mcp.registerTool("test_reconnection", cut, async (_, ctx) => {
    ctx.http?.closeSSE?.();
    await delay(PACE_MS, { signal: ctx.mcpReq.signal });
    return done;
  });
}
