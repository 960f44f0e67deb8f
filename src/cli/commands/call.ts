/**
 * `portolan call`: one call of one tool.
 *
 * @module
 */

import type { ContentBlock, ToolResult } from "../../protocol.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import { type Output, toSafeJson } from "../output.ts";
import { safeLine, safeText } from "../safe_text.ts";
import type { SessionFlags } from "../session.ts";
import { readToolArguments } from "../tool_arguments.ts";

/** Calls a tool; ends with 1 where the tool answers that it failed. */
export const call = toCommand(async (session, _flags: SessionFlags, ...args: string[]) => {
  const [agent = "", tool = "", ...words] = args;
  await using agents = await session.openAgents();
  const { output, request } = session;
  const input = await readToolArguments(words, {
    readFile: (path) => session.readFile(path),
    readStdin: () => session.readStdin("the tool's arguments"),
    schemaOf: () => agents.schemaOf(agent, tool, request),
  });
  const startedAt = session.io.now();
  const routed = await session.waiting(`Calling ${tool} …`, (line) => {
    const shown = session.io.stderr.isTerminal;
    return agents.call(agent, tool, input, {
      ...request,
      onProgress: shown ? (progress) => line.progress(progress) : undefined,
    });
  });
  const { result } = routed;
  if (output.isJson) {
    output.json(routed);
  } else {
    writeResult(result, output);
    const tookMs = Math.max(0, Math.round(session.io.now() - startedAt));
    const end = result.isError === true ? output.paintError("red", "The tool failed") : "Answered";
    const by = safeLine(`by "${routed.tool}" of "${routed.server}" (route: ${routed.route}) in ${tookMs} ms`);
    output.note(`${end} ${output.paintError("dim", by)}`);
  }
  return result.isError === true ? EXIT.failed : EXIT.ok;
});

function writeResult({ content = [], structuredContent }: ToolResult, output: Output): void {
  for (const block of content) output.line(describe(block));
  // A tool that answers data says the same as text, for those who do not know of data.
  if (structuredContent !== undefined && !content.some(({ type }) => type === "text")) {
    output.line(toSafeJson(structuredContent));
  }
}

function describe(block: ContentBlock): string {
  switch (block.type) {
    case "text":
      return safeText(block.text);
    case "image":
    case "audio":
      return safeLine(`[${block.type}: ${block.mimeType}, about ${sizeOf(block.data)}; --json has it]`);
    case "resource_link":
      return safeLine(`[link: ${block.uri} ${block.name}]`);
    case "resource":
      return block.resource.text === undefined
        ? safeLine(`[resource: ${block.resource.uri} ${block.resource.mimeType ?? ""}]`)
        : safeText(block.resource.text);
    default:
      return safeLine(toSafeJson(block, 0));
  }
}

function sizeOf(base64: string): string {
  const bytes = Math.floor(base64.length * 3 / 4);
  return bytes < 1_024 ? `${bytes} B` : `${Math.round(bytes / 1_024)} KiB`;
}
