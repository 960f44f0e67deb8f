/**
 * What makes a raw server one of the modern era, and errors as servers of that era give them.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { answer, type Behaviour } from "./behaviours.ts";
import type { RawServerScript } from "./fault_server.ts";

/** The answer to `server/discover`, and what a test adds to it. */
export function modernScript(more: RawServerScript = {}): RawServerScript {
  const discover = answer({ resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
  return { "server/discover": discover, ...more };
}

/** A JSON-RPC error with an HTTP status. */
export function refusal(httpStatus: number, code: number, data?: JsonValue): Behaviour {
  return ({ rpc }) => {
    const error: JsonObject = { code, message: "words of the server", ...(data === undefined ? {} : { data }) };
    return Response.json({ jsonrpc: "2.0", id: rpc.id ?? null, error }, { status: httpStatus });
  };
}
