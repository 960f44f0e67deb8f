/**
 * What end-to-end tests of authorization have in common: MCP servers of every kind behind a guard that demands the
 * tokens of a real authorization server.
 *
 * @module
 */

import type { ServerConfig } from "@portolan/mcp";
import { type AuthServerOptions, startAuthServer, type TestAuthServer } from "./auth_server.ts";
import { REDIRECT_URL } from "./auth_support.ts";
import { startMCPServer } from "./mcp_server.ts";
import { startModernServer } from "./modern_server.ts";
import { startTokenGuard, type TokenGuard, type TokenGuardOptions } from "./token_guard.ts";

/** The kinds of servers: what stands behind the guard. */
export const KINDS = ["legacy", "modern", "sse"] as const;

/** One of them. */
export type ServerKind = typeof KINDS[number];

/** The client of the tests that acts for itself. */
export const MACHINE = { clientId: "m2m", clientSecret: "a canary: with + and % and more than 32 bytes" } as const;

/** The same client, as its authorization server knows it. */
export const KNOWN_MACHINE: Readonly<Record<string, unknown>> = {
  client_id: MACHINE.clientId,
  client_secret: MACHINE.clientSecret,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
};

/** The `auth` of a client that acts for a person; it registers itself. */
export const PERSON = { redirectUrl: REDIRECT_URL, allowPrivate: true } as const;

/** The tools of every server here: one that tells who answers, one that needs more than others. */
const TOOLS = ["whoami", "list_events", "delete_event", "burn_calendar"];

/** How a server behind a guard is to be. */
export interface AuthorizedOptions extends Partial<Omit<TokenGuardOptions, "issuers">> {
  /** The kind of server. @default {"legacy"} */
  readonly kind?: ServerKind;
  /** What its authorization server is to be like. @default {it knows {@linkcode MACHINE}} */
  readonly login?: AuthServerOptions;
}

/** A server behind a guard, and who gives the tokens. */
export interface Authorized extends AsyncDisposable {
  /** The endpoint. */
  readonly url: string;
  /** The authorization server. */
  readonly login: TestAuthServer;
  /** The guard. */
  readonly guard: TokenGuard;
  /** How often each tool was executed. */
  readonly executions: ReadonlyMap<string, number>;
  /** The sessions that are alive; none of a modern server. */
  readonly sessions: readonly string[];
  /** The configuration of the server, with an `auth`. */
  config(auth: ServerConfig["auth"]): ServerConfig;
}

/** Starts all three of them; every request needs the scope `read`, unless a test says otherwise. */
export async function startAuthorized(options: AuthorizedOptions = {}): Promise<Authorized> {
  const { kind = "legacy", login: loginOptions = { clients: [KNOWN_MACHINE] }, ...rest } = options;
  const stack = new AsyncDisposableStack();
  const login = stack.use(await startAuthServer(loginOptions));
  const modern = kind === "modern"
    ? stack.use(startModernServer({ tools: TOOLS.map((name) => ({ name })) }))
    : undefined;
  const transport = kind === "sse" ? "sse" : "streamable_http";
  const legacy = modern ?? stack.use(await startMCPServer({ transport, tools: TOOLS.map((name) => ({ name })) }));
  const guard = stack.use(startTokenGuard(legacy.url, {
    find: login.find,
    needs: () => ["read"],
    ...rest,
    issuers: () => [login.issuer],
  }));
  return {
    url: guard.url,
    login,
    guard,
    executions: legacy.executions,
    get sessions() {
      return "sessions" in legacy ? legacy.sessions as readonly string[] : [];
    },
    config: (auth) => ({ url: guard.url, auth, ...(kind === "sse" ? { transport } : {}) }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
