/**
 * What a client of one server can be given.
 *
 * @module
 */

import type { AuthStore } from "./auth/auth_store.ts";
import type { TokenProvider } from "./auth/authorizer.ts";
import type { ConnectionKeeper } from "./connection/opener.ts";
import type { LogLevel, LogMessage } from "./context.ts";
import type { ClientEventListener } from "./events.ts";
import type { InputHandlers } from "./input.ts";
import type { SharedConnections } from "./server/server_links.ts";
import type { RequestOptions } from "./tool_client.ts";
import type { PinKeeper } from "./tools/pin_keeper.ts";

/**
 * What differs between production and tests, and between agents.
 *
 * @example
 * ```ts
 * import { SingleServerMCPClient, type SingleServerMCPClientOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const options: SingleServerMCPClientOptions = {
 *   secrets: { TOKEN: "hunter22" },
 *   onEvent: (event) => event.type === "tools_changed" && console.warn(event),
 * };
 * const headers = { authorization: "Bearer ${TOKEN}" };
 * await using client = new SingleServerMCPClient("calendar", { url: "https://cal.example.com/mcp", headers }, options);
 * assertEquals(client.server, "calendar");
 * ```
 */
export interface SingleServerMCPClientOptions {
  /** Values for `${NAME}` in the server's `url`, `headers` and `auth`. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Told of connections, failures, changed tools and calls, as they happen. What it throws is ignored. */
  readonly onEvent?: ClientEventListener | undefined;
  /** Answers what the server asks: elicitation, sampling, roots. @default {undefined, it is told that nobody does} */
  readonly input?: InputHandlers | undefined;
  /**
   * Told of the server's log messages. A stream is kept open to a legacy server, for those that belong to no request: not for the edge,
   * where `onLog` of a call does. What it throws is ignored.
   */
  readonly onLog?: ((message: LogMessage) => void) | undefined;
  /** From which level on the server is to log. @default {undefined, it is not told} */
  readonly logLevel?: LogLevel | undefined;
  /**
   * Told that the server says its tools have changed; its configuration's `watch` has a stream kept open for that.
   * @default {The tools are listed anew}
   */
  readonly onToolsStale?: (() => void) | undefined;
  /** Told that the server says its resources or prompts have changed; as `onToolsStale`. */
  readonly onContextStale?: ((what: "resources" | "prompts") => void) | undefined;
  /** Gives the tokens of the server, asked with every request. @default {undefined, those of `auth`, or none} */
  readonly tokens?: TokenProvider | undefined;
  /** For whom the client acts: the tokens of one principal are never used for another. @default {"default"} */
  readonly principal?: string | undefined;
  /** Where tokens and flows under way are kept; borrowed. @default {undefined, they are kept as long as the client} */
  readonly authStore?: AuthStore | undefined;
  /**
   * Has a person authorize: opens the URL for them, and resolves to the URL that their browser is sent back to.
   * @default {undefined, requests fail with an `AuthorizationRequiredError`, and `finishAuthorization()` ends the flow}
   */
  readonly onAuthorize?: ((url: string, signal: AbortSignal) => Promise<string | URL>) | undefined;
  /** Where connections are kept between isolates; borrowed. @default {undefined, nothing is kept} */
  readonly keeper?: ConnectionKeeper | undefined;
  /** Where pins are kept between isolates; borrowed. @default {undefined, they hold as long as the client} */
  readonly pinKeeper?: PinKeeper | undefined;
  /** Shares the connection with other clients that would send the same. @default {undefined, it is this client's own} */
  readonly connections?: SharedConnections | undefined;
  /** The `fetch` underneath. @default {globalThis.fetch} */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
  /** A number from 0 up to 1, for the jitter of retries. @default {Math.random} */
  readonly random?: (() => number) | undefined;
}

/**
 * What may be said of a list.
 *
 * @example
 * ```ts
 * import { type ListToolsOptions, SingleServerMCPClient } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const options: ListToolsOptions = { refresh: true, timeoutMs: 2_000 };
 * await using client = new SingleServerMCPClient("files", { url: "http://localhost:9/mcp" });
 * assertEquals(await client.listTools(options).catch(({ code }) => code), "unreachable");
 * ```
 */
export interface ListToolsOptions extends RequestOptions {
  /** Ask the server although a list is at hand. @default {false} */
  readonly refresh?: boolean | undefined;
}
