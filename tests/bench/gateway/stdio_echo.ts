/**
 * A fast server over stdio, for gateways that can front no other: one message a line.
 *
 * @module
 */

import { type RpcRequest, toLegacyResult, toTools } from "../servers/answers.ts";

const ENCODER = new TextEncoder();
const tools = toTools(0, 1);
let rest = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop() ?? "";
  let answers = "";
  for (const line of lines) {
    const rpc: RpcRequest = JSON.parse(line);
    if (rpc.id === undefined) continue;
    answers += `${JSON.stringify({ jsonrpc: "2.0", id: rpc.id, result: toLegacyResult(rpc, tools) })}\n`;
  }
  for (let bytes = ENCODER.encode(answers); bytes.length > 0;) bytes = bytes.subarray(await Deno.stdout.write(bytes));
}
