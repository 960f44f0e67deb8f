/** The fixture's resources, template, prompts and completion. */

import { completable, type McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { z } from "zod";
import { IMAGE } from "./fixture_content.ts";

/** Adds them. */
export function addContext(mcp: McpServer): void {
  addResources(mcp);
  const says = (text: string) => ({ role: "user" as const, content: { type: "text" as const, text } });
  mcp.registerPrompt("test_simple_prompt", { description: "Has no arguments" }, () => ({
    messages: [says("This is a simple prompt for testing.")],
  }));
  const places = (text: string) => ["paris", "park", "party"].filter((place) => place.startsWith(text));
  const argsSchema = z.object({ arg1: completable(z.string(), places), arg2: z.string() });
  const both = { description: "Has two arguments", argsSchema };
  mcp.registerPrompt("test_prompt_with_arguments", both, ({ arg1, arg2 }) => ({
    messages: [says(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  }));
  const embedded = { description: "Embeds a resource", argsSchema: z.object({ resourceUri: z.string() }) };
  mcp.registerPrompt("test_prompt_with_embedded_resource", embedded, ({ resourceUri: uri }) => {
    const resource = { uri, mimeType: "text/plain", text: "Embedded resource content for testing." };
    return {
      messages: [
        { role: "user", content: { type: "resource", resource } },
        says("Please process the embedded resource above."),
      ],
    };
  });
  mcp.registerPrompt("test_prompt_with_image", { description: "Shows a picture" }, () => ({
    messages: [
      { role: "user", content: { type: "image", data: IMAGE, mimeType: "image/png" } },
      says("Please analyze the image above."),
    ],
  }));
}

function addResources(mcp: McpServer): void {
  const text = { description: "A text", mimeType: "text/plain" };
  for (const name of ["static-text", "watched-resource"]) {
    mcp.registerResource(name, `test://${name}`, text, ({ href: uri }) => ({
      contents: [{ uri, mimeType: "text/plain", text: `This is the content of ${name}.` }],
    }));
  }
  const binary = { description: "A picture", mimeType: "image/png" };
  mcp.registerResource("static-binary", "test://static-binary", binary, ({ href: uri }) => ({
    contents: [{ uri, mimeType: "image/png", blob: IMAGE }],
  }));
  const template = new ResourceTemplate("test://template/{id}/data", { list: undefined });
  const json = { description: "What an id stands for", mimeType: "application/json" };
  mcp.registerResource("template", template, json, ({ href: uri }, { id }) => ({
    contents: [{ uri, mimeType: "application/json", text: JSON.stringify({ id, templateTest: true }) }],
  }));
}
