/**
 * Uses of what an agent offers, relayed to the server that owns it.
 *
 * @module
 */

import { readParamHeaders, toParamHeaders } from "../connection/param_headers.ts";
import type { CompletionReference } from "../context.ts";
import { isMCPError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { Exchange } from "./exchange.ts";
import { fromHeaderValue } from "./header_values.ts";
import { checkOffered } from "./offer.ts";
import { checkOwner, relay, type RelayOptions } from "./relay.ts";
import { type Freshness, toEraResult } from "./results.ts";
import { HEADER_MISMATCH, invalidParams, RpcError } from "./rpc.ts";

/**
 * Answers `tools/call`.
 *
 * @param exchange The request.
 * @returns What the tool answered, or what is wrong with its arguments.
 */
export async function callTool(exchange: Exchange): Promise<JsonObject> {
  const { access, agent, client, frame, request, requestId, services } = exchange;
  const { name, arguments: args = {} } = request.params;
  if (typeof name !== "string") throw invalidParams('Cannot call a tool as "params" has no name');
  if (!isJsonObject(args)) throw invalidParams('Cannot call the tool as "arguments" is no JSON object');
  if (frame.era === "modern") await checkParamHeaders(exchange, name, args);
  try {
    return await relay(exchange, {
      name,
      args,
      async send({ server, ...options }) {
        if (server !== undefined) checkOwner(server, (await client.routeTool(name, options)).server);
        const call = {
          requestId,
          caller: access.caller,
          agent,
          door: "mcp",
          tool: name,
          args,
          trace: frame.trace,
          rpc: { id: String(request.id), protocolVersion: frame.version, isTraced: frame.isTraced },
        } as const;
        const { result } = await services.journal.run(call, (trace) => {
          return client.callToolRouted(name, args, { ...options, trace });
        });
        return toEraResult(exchange, result as unknown as JsonObject);
      },
    });
  } catch (error) {
    // A model that reads what is wrong with its arguments can mend them (specification: Tools, Error Handling).
    if (!isMCPError(error) || error.code !== "invalid_arguments" || error.faults.length === 0) throw error;
    return toEraResult(exchange, { content: [{ type: "text", text: error.message }], isError: true });
  }
}

/**
 * Answers `resources/read`.
 *
 * @param exchange The request.
 * @returns What the resource holds.
 */
export async function readResource(exchange: Exchange): Promise<JsonObject> {
  const { uri } = exchange.request.params;
  if (typeof uri !== "string") throw invalidParams('Cannot read a resource as "params" has no uri');
  return await relay(exchange, {
    name: uri,
    args: {},
    async send(options) {
      const result = await exchange.client.readResource(uri, toReadOptions(options));
      return toEraResult(exchange, result as unknown as JsonObject, toFreshness(result));
    },
  });
}

/**
 * Answers `prompts/get`.
 *
 * @param exchange The request.
 * @returns The messages.
 */
export async function getPrompt(exchange: Exchange): Promise<JsonObject> {
  const { name, arguments: args = {} } = exchange.request.params;
  if (typeof name !== "string") throw invalidParams('Cannot get a prompt as "params" has no name');
  if (!isTexts(args)) throw invalidParams('Cannot get the prompt as "arguments" is no object of texts');
  return await relay(exchange, {
    name,
    args,
    async send(options) {
      const result = await exchange.client.getPrompt(name, args, toReadOptions(options));
      return toEraResult(exchange, result as unknown as JsonObject);
    },
  });
}

/**
 * Answers `completion/complete`.
 *
 * @param exchange The request.
 * @returns The values.
 */
export async function complete(exchange: Exchange): Promise<JsonObject> {
  checkOffered(exchange, "completions");
  const { ref, argument, context } = exchange.request.params;
  const reference = toReference(ref);
  const { name, value } = isJsonObject(argument) ? argument : {};
  if (typeof name !== "string" || typeof value !== "string") {
    throw invalidParams('Cannot complete as "argument" has no name and value');
  }
  const known = isJsonObject(context) ? context.arguments : undefined;
  if (known !== undefined && !isTexts(known)) {
    throw invalidParams('Cannot complete as "context" has arguments that are no texts');
  }
  const asked = { name, value, ...(known === undefined ? {} : { context: known }) };
  const { values, total, hasMore } = await exchange.client.complete(reference, asked, { signal: exchange.signal });
  const completion = {
    values: [...values],
    ...(total === undefined ? {} : { total }),
    ...(hasMore === undefined ? {} : { hasMore }),
  };
  return toEraResult(exchange, { completion });
}

/**
 * Headers that repeat arguments say what the arguments say (specification 2026-07-28, Streamable HTTP, Server Behavior
 * for Custom Headers).
 */
async function checkParamHeaders(exchange: Exchange, name: string, args: JsonObject): Promise<void> {
  const { client, headers, services, signal } = exchange;
  // In a new instance the owner's list comes from the cache, as the call itself needs it anyway.
  let tool = client.findTool(name);
  if (tool === undefined) {
    await client.routeTool(name, { signal });
    tool = client.findTool(name);
  }
  if (tool === undefined) return;
  const params = services.paramHeaders.get(tool.inputSchema) ?? readParamHeaders(tool.inputSchema) ?? [];
  services.paramHeaders.set(tool.inputSchema, params);
  if (params.length === 0) return;
  const wanted = new Map(toParamHeaders(params, args));
  for (const { header } of params) {
    const sent = headers.get(header);
    const expected = wanted.get(header);
    const isRight = expected === undefined
      ? sent === null
      : sent !== null && isSame(fromHeaderValue(sent), fromHeaderValue(expected));
    if (isRight) continue;
    throw new RpcError(HEADER_MISMATCH, `Cannot call the tool as its ${header} header is not what its argument is`, {
      status: 400,
    });
  }
}

/** Numbers are the same however they are written. */
function isSame(sent: string | undefined, expected: string | undefined): boolean {
  if (sent === expected) return sent !== undefined;
  const numbers = [sent, expected].map((text) =>
    text !== undefined && /^-?\d+(\.0*)?$/.test(text) ? Number(text) : NaN
  );
  return numbers[0] === numbers[1];
}

function toReadOptions({ signal, input, inputTimeoutMs, round, server }: RelayOptions) {
  return { signal, input, inputTimeoutMs, round, server };
}

function toFreshness({ ttlMs, cacheScope }: { readonly [field: string]: unknown }): Freshness {
  const isTime = typeof ttlMs === "number" && ttlMs >= 0 && Number.isFinite(ttlMs);
  return { ttlMs: isTime ? ttlMs : 0, cacheScope: cacheScope === "public" && isTime ? "public" : "private" };
}

function toReference(ref: unknown): CompletionReference {
  const { type, name, uri } = isJsonObject(ref) ? ref : {};
  if (type === "ref/prompt" && typeof name === "string") return { type, name };
  if (type === "ref/resource" && typeof uri === "string") return { type, uri };
  throw invalidParams('Cannot complete as "ref" is neither a prompt nor a resource');
}

function isTexts(value: unknown): value is Record<string, string> {
  return isJsonObject(value) && Object.values(value).every((text) => typeof text === "string");
}
