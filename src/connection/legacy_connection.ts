/**
 * Opens connections of the legacy era (2024-11-05 … 2025-11-25) with SDK 1.x: Streamable HTTP, then SSE
 * (specification 2025-11-25, Transports, Backwards Compatibility).
 *
 * @module
 */

import type { ServerInfo } from "../context.ts";
import { type Deadline, MAX_TIMER_MS } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { GuardedFetch } from "../guarded_fetch.ts";
import { type HttpFailure, toHttpError } from "../http_failure.ts";
import { toRequestError } from "../network_errors.ts";
import type { JsonObject } from "../protocol.ts";
import type { Client } from "../sdk.ts";
import type { TransportChoice } from "../server_config.ts";
import { VERSION } from "../version.ts";
import { type Connection, type ConnectionDesk, namesOfCapabilities } from "./connection.ts";
import { LIST_CAPS, MAX_HANDSHAKE_BYTES, MAX_INSTRUCTIONS_CHARS } from "./limits.ts";
import { createSdkFetch, type SdkFetch } from "./sdk_fetch.ts";
import { SseConnection, toRpcCode } from "./sse_connection.ts";
import { StreamableConnection } from "./streamable_connection.ts";

/** What a connection is opened to. */
export interface ConnectOptions {
  /** The server's name. */
  readonly server: string;
  /** Its endpoint. */
  readonly url: URL;
  /** Which transport to speak. */
  readonly transport: TransportChoice;
  /** The way out to it. */
  readonly send: GuardedFetch;
  /** Where the connection turns with what belongs to none of its requests; what it can answer is declared. */
  readonly desk: ConnectionDesk;
  /** The end of the whole handshake, the second transport included. */
  readonly deadline: Deadline;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** How long an answer that has ended may take to be acted on, in milliseconds. */
const ENDED_GRACE_MS = 50;
/** Statuses that say "I do not know Streamable HTTP"; 401, 403, 5xx and time-outs do not. */
const NOT_STREAMABLE = new Set([400, 404, 405]);
/** How this client names itself; servers must not act on it. */
const CLIENT = { name: "portolan", version: VERSION };

/**
 * Opens a connection.
 *
 * @param options What to open it to.
 * @returns A connection whose handshake is done.
 * @throws {MCPError} If there is none to be had by the deadline.
 */
export async function connectLegacy(options: ConnectOptions): Promise<Connection> {
  const { transport } = options;
  if (transport === "sse") return await connectSse(options);
  try {
    return await connectStreamable(options);
  } catch (error) {
    // The status of an authorization server says nothing of the transport.
    if (transport !== "auto" || !isMCPError(error) || error.code !== "upstream_error") throw error;
    if (!NOT_STREAMABLE.has(error.httpStatus ?? 0)) throw error;
    return await connectSse(options).catch((sseError) => {
      throw explainBoth(options.server, error, sseError);
    });
  }
}

async function connectStreamable(options: ConnectOptions): Promise<Connection> {
  const { server, url, send, now, desk } = options;
  const { Client, StreamableHTTPClientTransport } = await import("../sdk.ts");
  const { capabilities } = desk;
  return await handshake(options, false, async (sdkFetch, run) => {
    const transport = new StreamableHTTPClientTransport(url, { fetch: sdkFetch });
    const client = new Client(CLIENT, { capabilities });
    try {
      await run(client.connect(transport, { signal: options.deadline.signal, timeout: sdkTimeoutMs(options) }));
      const { sessionId, protocolVersion } = transport;
      if (protocolVersion === undefined) throw new Error("No protocol version was agreed on");
      return new StreamableConnection({ server, send, era: "legacy", sessionId, protocolVersion, now }, {
        resumed: false,
        desk,
        info: toInfo(client),
        declared: namesOfCapabilities(capabilities),
      });
    } finally {
      // From here on every request is an exchange of our own; the session itself stays open at the server.
      await client.close().catch(() => {});
    }
  });
}

async function connectSse(options: ConnectOptions): Promise<Connection> {
  const { server, url, desk } = options;
  const { Client, SSEClientTransport, ResultSchema: resultSchema } = await import("../sdk.ts");
  const { capabilities } = desk;
  return await handshake(options, true, async (sdkFetch, run, controller) => {
    const transport = new SSEClientTransport(url, { fetch: sdkFetch });
    const client = new Client(CLIENT, { capabilities });
    let protocolVersion = "2024-11-05";
    // The SDK tells the version to the transport alone, which keeps it to itself.
    const setProtocolVersion = transport.setProtocolVersion.bind(transport);
    transport.setProtocolVersion = (version) => {
      protocolVersion = version;
      setProtocolVersion(version);
    };
    try {
      await run(client.connect(transport, { signal: options.deadline.signal, timeout: sdkTimeoutMs(options) }));
      const closeOnEnd = () => void client.close().catch(() => {});
      controller.signal.addEventListener("abort", closeOnEnd, { once: true });
      const declared = namesOfCapabilities(capabilities);
      const info = toInfo(client);
      return new SseConnection({ server, client, resultSchema, protocolVersion, info, declared, desk, controller });
    } catch (error) {
      // A transport that fails to start is not closed by the SDK and would reconnect for ever.
      await transport.close().catch(() => {});
      controller.abort();
      throw error;
    }
  });
}

/** What the server said of itself in the handshake. */
function toInfo(client: Client): ServerInfo {
  return {
    implementation: client.getServerVersion() as JsonObject | undefined,
    capabilities: { ...client.getServerCapabilities() } as JsonObject,
    instructions: client.getInstructions()?.slice(0, MAX_INSTRUCTIONS_CHARS),
  };
}

/** Waits for a step of the handshake: no longer than the deadline, and no longer than the server's answer lasts. */
type Run = (step: Promise<void>) => Promise<void>;

async function handshake(
  options: ConnectOptions,
  allowGet: boolean,
  open: (fetch: SdkFetch, run: Run, controller: AbortController) => Promise<Connection>,
): Promise<Connection> {
  const { server, send, deadline, now } = options;
  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  let failure: HttpFailure | undefined;
  let refusal: MCPError | undefined;
  let grace: ReturnType<typeof setTimeout> | undefined;
  let requests = 0;
  let settled = false;
  const sdkFetch = createSdkFetch({
    server,
    // The SDK's event source turns what is thrown here into an error of its own.
    send: (request) =>
      send(request).catch((error) => {
        if (isMCPError(error)) refusal = error;
        throw error;
      }),
    now,
    allowGet,
    signal: controller.signal,
    maxBytes: allowGet ? LIST_CAPS.maxEventChars : MAX_HANDSHAKE_BYTES,
    onFailure: (found) => {
      failure = found;
      return settled ? toHttpError(found, { server, phase: "call" }) : undefined;
    },
    // An answer that ends without the message leaves the SDK waiting for ever. Where the message was in it, the SDK
    // goes on to its next request, at the latest within the grace.
    onRequest: () => {
      const request = ++requests;
      if (!allowGet) clearTimeout(grace);
      return () => {
        if (settled) return controller.abort();
        if (!allowGet && request !== requests) return;
        grace = setTimeout(() => ended.reject(new Error("The answer ended without the message")), ENDED_GRACE_MS);
      };
    },
  });
  const run: Run = (step) => deadline.race(Promise.race([step, ended.promise]));
  try {
    const connection = await open(sdkFetch, run, controller);
    settled = true;
    return connection;
  } catch (error) {
    controller.abort();
    throw explain(refusal ?? error, options, failure);
  } finally {
    clearTimeout(grace);
  }
}

/** The SDK's own clock must not run out before our deadline does. */
function sdkTimeoutMs(options: ConnectOptions): number {
  return Math.min(options.deadline.remainingMs + 60_000, MAX_TIMER_MS);
}

/** The typed error of a handshake that failed. */
function explain(error: unknown, options: ConnectOptions, failure: HttpFailure | undefined): unknown {
  const { server, deadline } = options;
  if (deadline.signal.aborted || error instanceof MCPError) {
    return toRequestError(error, { server, phase: "connect", deadline });
  }
  if (failure !== undefined) return toHttpError(failure, { server, phase: "connect" });
  const rpcCode = toRpcCode(error);
  if (rpcCode !== undefined) {
    return new MCPError(
      "upstream_error",
      `Cannot connect to server "${server}" as it answered initialize with the JSON-RPC error ${rpcCode}`,
      { server, rpcCode },
    );
  }
  if (error instanceof TypeError) return toRequestError(error, { server, phase: "connect", deadline });
  if (error instanceof Error && error.message.startsWith("Server's protocol version is not supported")) {
    return new MCPError(
      "unsupported_protocol",
      `Cannot connect to server "${server}" as it speaks none of our protocol versions`,
      { server },
    );
  }
  return new MCPError("bad_response", `Cannot connect to server "${server}" as its answer to initialize is not MCP`, {
    server,
  });
}

/** Neither transport worked: the first answer is the one that tells, with both in the cause. */
function explainBoth(server: string, streamable: MCPError, sse: unknown): unknown {
  if (!isMCPError(sse) || sse.code === "deadline_exceeded") return sse;
  return new MCPError(
    "unsupported_protocol",
    `Cannot connect to server "${server}" as its URL speaks neither Streamable HTTP (HTTP ${streamable.httpStatus}) ` +
      `nor SSE (${sse.httpStatus === undefined ? sse.code : `HTTP ${sse.httpStatus}`}): check the path of its URL`,
    { server, httpStatus: streamable.httpStatus, cause: new AggregateError([streamable, sse]) },
  );
}
