/**
 * Tokens that a caller gives: asked for with every request, and once more where the server refuses one.
 *
 * @module
 */

import { Deadline } from "../deadline.ts";
import { isMCPError } from "../errors.ts";
import { SharedTask } from "../shared_task.ts";
import { type Authorizer, type Refusal, toBearer, type TokenProvider } from "./authorizer.ts";
import { toAuthError } from "./oauth_errors.ts";

/** For which server and whom tokens are asked. */
export interface TokenAuthorizerOptions {
  /** The configured name of the server. */
  readonly server: string;
  /** Its endpoint. */
  readonly url: URL;
  /** Whose requests they are: the agent's name. */
  readonly principal: string;
}

/** The longest that a refresh may take where everybody who waits is more patient, in milliseconds. */
const REFRESH_TIMEOUT_MS = 30_000;

/**
 * Makes an authorizer of a token provider.
 *
 * @example
 * ```ts
 * import { createTokenAuthorizer } from "./token_authorizer.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const options = { server: "files", url: new URL("https://files.example.com/mcp"), principal: "Kairos" };
 * const authorizer = createTokenAuthorizer({ getToken: () => "abc" }, options);
 * assertEquals(await authorizer.authorize(AbortSignal.timeout(1_000)), "Bearer abc");
 * ```
 *
 * @param provider Gives the tokens.
 * @param options For which server and whom.
 * @returns The authorizer. What the provider fails with is the `cause` of an `MCPError` with the code `auth_failed`.
 */
export function createTokenAuthorizer(provider: TokenProvider, options: TokenAuthorizerOptions): Authorizer {
  return new TokenAuthorizer(provider, options);
}

class TokenAuthorizer implements Authorizer {
  readonly #provider: TokenProvider;
  readonly #options: TokenAuthorizerOptions;
  readonly #flights = new Map<string | undefined, SharedTask<boolean>>();
  /** The token that was refused last, and the one that the provider gave for it. */
  #replaced: { readonly used: string | undefined; readonly header: string } | undefined;

  constructor(provider: TokenProvider, options: TokenAuthorizerOptions) {
    this.#provider = provider;
    this.#options = options;
  }

  async authorize(signal: AbortSignal): Promise<string | undefined> {
    const header = await this.#ask(false, signal);
    // A provider that gives the refused token again may keep its tokens by itself, a moment behind.
    return this.#replaced?.used === header ? this.#replaced?.header ?? header : header;
  }

  async refused({ status, used, round }: Refusal, signal: AbortSignal): Promise<boolean> {
    if (status !== 401 || round > 0) return false;
    const task = this.#flights.get(used) ?? new SharedTask((deadline) => this.#replace(used, deadline.signal));
    this.#flights.set(used, task);
    using patience = new Deadline(Infinity, { signal });
    try {
      return await task.join(patience, REFRESH_TIMEOUT_MS);
    } finally {
      if (!task.running && this.#flights.get(used) === task) this.#flights.delete(used);
    }
  }

  async #replace(used: string | undefined, signal: AbortSignal): Promise<boolean> {
    if (this.#replaced !== undefined && this.#replaced.used === used && this.#replaced.header !== used) return true;
    const header = await this.#ask(true, signal);
    if (header === undefined || header === used) return false;
    this.#replaced = { used, header };
    return true;
  }

  async #ask(refresh: boolean, signal: AbortSignal): Promise<string | undefined> {
    const { server, url, principal } = this.#options;
    signal.throwIfAborted();
    using patience = new Deadline(Infinity, { signal });
    let token: unknown;
    try {
      const request = { server, url: url.origin + url.pathname, principal, signal, refresh };
      token = await patience.race(Promise.resolve(this.#provider.getToken(request)));
    } catch (cause) {
      if (signal.aborted || isMCPError(cause)) throw cause;
      throw toAuthError(server, "its token provider failed", { cause });
    }
    if (token === undefined) return undefined;
    const header = typeof token === "string" ? toBearer(token) : undefined;
    if (header === undefined) {
      throw toAuthError(server, "its token provider gave something that cannot be sent as a token");
    }
    return header;
  }
}
