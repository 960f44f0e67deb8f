/**
 * What a client of many servers can be given.
 *
 * @module
 */

import type { AuthStore } from "./auth/auth_store.ts";
import type { TokenProvider } from "./auth/authorizer.ts";
import type { LogLevel, LogMessage } from "./context.ts";
import type { ClientEventListener } from "./events.ts";
import type { InputHandlers } from "./input.ts";
import type { RouteStore } from "./route_store.ts";
import type { SharedConnections } from "./server/server_links.ts";
import type { ServerStatus } from "./status.ts";
import type { RequestOptions } from "./tool_client.ts";

/**
 * What differs between production and tests, and what agents share.
 *
 * @example
 * ```ts
 * import { MemoryRouteStore, MultiServerMCPClient, type MultiServerMCPClientOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const failed: string[] = [];
 * const options: MultiServerMCPClientOptions = {
 *   store: new MemoryRouteStore(),
 *   onEvent: (event) => event.type === "failed" && failed.push(event.server),
 * };
 * const servers = { files: { url: "http://localhost:9/mcp" } };
 * await using client = new MultiServerMCPClient("Kairos", { servers }, options);
 * await client.connectToServers();
 * assertEquals(failed, ["files"]);
 * ```
 */
export interface MultiServerMCPClientOptions {
  /** Where routes are kept between isolates; borrowed. @default {undefined, nothing is kept} */
  readonly store?: RouteStore | undefined;
  /**
   * How long a list of tools, resources or prompts is used without asking again, in milliseconds, where its server does
   * not say.
   * @default {300_000}
   */
  readonly toolsTtlMs?: number | undefined;
  /**
   * A secret of at least 16 bytes, the same in all isolates: with it session ids are kept in the store, encrypted, and
   * the keys of the store say nothing of a weak credential. @default {undefined, session ids are not kept}
   */
  readonly storeSecret?: Uint8Array | undefined;
  /** Told once when the store fails, and once when it is well again. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Told of connections, failures, changed tools, breakers and calls, as they happen. What it throws is ignored. */
  readonly onEvent?: ClientEventListener | undefined;
  /** Answers what servers ask: elicitation, sampling, roots. @default {undefined, they are told that nobody does} */
  readonly input?: InputHandlers | undefined;
  /**
   * Told of the servers' log messages. A stream is kept open to legacy servers, for those that belong to no request: not for the edge,
   * where `onLog` of a call does. What it throws is ignored.
   */
  readonly onLog?: ((message: LogMessage) => void) | undefined;
  /** From which level on servers are to log. @default {undefined, they are not told} */
  readonly logLevel?: LogLevel | undefined;
  /** For whom the agent acts: what is kept for one is never used for another. @default {The agent's name} */
  readonly principal?: string | undefined;
  /** Gives the tokens of the servers, asked with every request. @default {undefined, those of `auth`, or none} */
  readonly tokens?: TokenProvider | undefined;
  /**
   * Where tokens and flows under way are kept; borrowed.
   * @default {The `store`, encrypted with `storeSecret`; without both, they are kept as long as the client}
   */
  readonly authStore?: AuthStore | undefined;
  /**
   * Has a person authorize: opens the URL for them, and resolves to the URL that their browser is sent back to.
   * @default {undefined, requests fail with an `AuthorizationRequiredError`, and `finishAuthorization()` ends the flow}
   */
  readonly onAuthorize?: ((url: string, signal: AbortSignal) => Promise<string | URL>) | undefined;
  /** Shares connections with other clients. @default {undefined, they are this client's own; those of a manager share} */
  readonly connections?: SharedConnections | undefined;
  /** The `fetch` underneath. @default {globalThis.fetch} */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** A number from 0 up to 1, for the jitter of retries. @default {Math.random} */
  readonly random?: (() => number) | undefined;
}

/**
 * How servers are connected to. `timeoutMs` is the longest that each of them may take.
 *
 * @example
 * ```ts
 * import { type ConnectToServersOptions, MultiServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const settled: string[] = [];
 * const options: ConnectToServersOptions = {
 *   timeoutMs: 2_000,
 *   concurrentConnections: 8,
 *   onServerSettled: ({ server, state }) => settled.push(`${server} ${state}`),
 * };
 * await using client = new MultiServerMCPClient("Kairos", { servers: { files: { url: "http://localhost:9/mcp" } } });
 * await client.connectToServers(options);
 * assertEquals(settled, ["files failed"]);
 * ```
 */
export interface ConnectToServersOptions extends RequestOptions {
  /** How many servers are connected to at once. @default {32} */
  readonly concurrentConnections?: number | undefined;
  /** Told as each server settles, in the order in which they do. */
  readonly onServerSettled?: ((status: ServerStatus) => void) | undefined;
}

/**
 * Which server to connect to anew.
 *
 * @example
 * ```ts
 * import { MultiServerMCPClient, type ReconnectOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const url = "http://localhost:9/mcp";
 * await using client = new MultiServerMCPClient("Kairos", { servers: { files: { url }, calendar: { url } } });
 * const options: ReconnectOptions = { server: "files", timeoutMs: 2_000 };
 * assertEquals(await client.reconnect(options), { files: false });
 * ```
 */
export interface ReconnectOptions extends ConnectToServersOptions {
  /** Only this server, connected or not. @default {undefined, all servers that are not connected} */
  readonly server?: string | undefined;
}

/**
 * Which server is told something.
 *
 * @example
 * ```ts
 * import { isMCPError, MultiServerMCPClient, type TellOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using client = new MultiServerMCPClient("Kairos", { servers: { files: { url: "http://localhost:9/mcp" } } });
 * const options: TellOptions = { server: "fiels" };
 * const code = await client.setLogLevel("debug", options).catch((error) => isMCPError(error) && error.code);
 * assertEquals(code, "server_not_found");
 * ```
 */
export interface TellOptions extends RequestOptions {
  /** Only this server. @default {undefined, all that it concerns} */
  readonly server?: string | undefined;
}
