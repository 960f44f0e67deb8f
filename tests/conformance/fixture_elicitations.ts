/** The fixture's tools that ask once, with the forms that the suite looks at, and a model. */

import { inputRequired, inputResponse, type McpServer, type ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";

type Form = Parameters<typeof inputRequired.elicit>[0]["requestedSchema"];

const RESPONSE: Form = {
  type: "object",
  properties: { response: { type: "string", description: "User's response" } },
  required: ["response"],
};

const DEFAULTS: Form = {
  type: "object",
  properties: {
    name: { type: "string", description: "User name", default: "John Doe" },
    age: { type: "integer", description: "User age", default: 30 },
    score: { type: "number", description: "User score", default: 95.5 },
    status: {
      type: "string",
      description: "User status",
      enum: ["active", "inactive", "pending"],
      default: "active",
    },
    verified: { type: "boolean", description: "Verification status", default: true },
  },
  required: [],
};

const OPTIONS = ["option1", "option2", "option3"];
const titled = (ordinals: readonly string[], noun: string) =>
  ordinals.map((ordinal, index) => ({ const: `value${index + 1}`, title: `${ordinal} ${noun}` }));
const TITLED_OPTIONS = titled(["First", "Second", "Third"], "Option");
const TITLED_CHOICES = titled(["First", "Second", "Third"], "Choice");

const ENUMS: Form = {
  type: "object",
  properties: {
    untitledSingle: { type: "string", description: "Select one option", enum: OPTIONS },
    titledSingle: { type: "string", description: "Select one option with titles", oneOf: TITLED_OPTIONS },
    legacyEnum: {
      type: "string",
      description: "Select one option (legacy)",
      enum: ["opt1", "opt2", "opt3"],
      enumNames: ["Option One", "Option Two", "Option Three"],
    },
    untitledMulti: {
      type: "array",
      description: "Select multiple options",
      minItems: 1,
      maxItems: 3,
      items: { type: "string", enum: OPTIONS },
    },
    titledMulti: {
      type: "array",
      description: "Select multiple options with titles",
      minItems: 1,
      maxItems: 3,
      items: { anyOf: TITLED_CHOICES },
    },
  },
  required: [],
};

/** Adds them. */
export function addElicitations(mcp: McpServer): void {
  const asks = (message: string, requestedSchema: Form, { mcpReq }: ServerContext) => {
    const answer = inputResponse(mcpReq.inputResponses, "asked");
    if (answer.kind === "missing") {
      return inputRequired({ inputRequests: { asked: inputRequired.elicit({ message, requestedSchema }) } });
    }
    return { content: [{ type: "text" as const, text: JSON.stringify(answer) }] };
  };
  const asked = { description: "Asks a person", inputSchema: z.object({ message: z.string() }) };
  mcp.registerTool("test_elicitation", asked, ({ message }, ctx) => asks(message, RESPONSE, ctx));
  const fixed = { description: "Asks a person", inputSchema: z.object({}) };
  mcp.registerTool("test_elicitation_sep1034_defaults", fixed, (_, ctx) => asks("Please review", DEFAULTS, ctx));
  mcp.registerTool("test_elicitation_sep1330_enums", fixed, (_, ctx) => asks("Please select", ENUMS, ctx));
  // The scenario wants to see a question only at the end of the stream.
  mcp.registerTool("test_streaming_elicitation", fixed, (_, ctx) => asks("Please respond", RESPONSE, ctx));
  const sampled = { description: "Asks a model", inputSchema: z.object({ prompt: z.string() }) };
  mcp.registerTool("test_sampling", sampled, ({ prompt }, ctx) => askModel(prompt, ctx));
  const lacking = { description: "Asks a model without looking at what the client can", inputSchema: z.object({}) };
  mcp.registerTool("test_missing_capability", lacking, (_, ctx) => askModel("Which port?", ctx));
}

/** Asks the client's model. */
function askModel(text: string, { mcpReq }: ServerContext) {
  const answer = inputResponse(mcpReq.inputResponses, "asked");
  if (answer.kind === "missing") {
    const content = { type: "text" as const, text };
    const asked = inputRequired.createMessage({ messages: [{ role: "user", content }], maxTokens: 100 });
    return inputRequired({ inputRequests: { asked } });
  }
  return { content: [{ type: "text" as const, text: JSON.stringify(answer) }] };
}
