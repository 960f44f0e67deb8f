/**
 * What tests of authorization have in common: requests that go by an authorizer, a browser, and authorizers themselves.
 *
 * @module
 */

import { FaultList } from "../../src/config/config_checks.ts";
import { templateText } from "../../src/config/template.ts";
import { type AuthConfig, checkAuth, fillAuth, type ResolvedAuth } from "../../src/auth/auth_config.ts";
import { AuthStore } from "../../src/auth/auth_store.ts";
import type { AuthEvent, Authorizer } from "../../src/auth/authorizer.ts";
import { OAuthAuthorizer, type OAuthAuthorizerDeps } from "../../src/auth/oauth_authorizer.ts";
import type { RouteStore } from "../../src/route_store.ts";

/** Where a person is sent back to; nothing listens there. */
export const REDIRECT_URL = "http://127.0.0.1:9/callback";

/** The secret that all isolates share. */
export const STORE_SECRET: Uint8Array = new TextEncoder().encode("a secret of more than 16 bytes");

/** What an authorizer of a test is made with; what is left out has a default. */
export type AuthorizerOptions = Partial<Omit<OAuthAuthorizerDeps, "config" | "serverUrl">>;

/** An `auth` as the configuration resolves it; what it names may be on loopback unless it says otherwise. */
export function resolveAuth(config: AuthConfig): ResolvedAuth {
  const faults = new FaultList();
  const checked = checkAuth({ allowPrivate: true, ...config }, "auth", { env: undefined, faults });
  const filled = checked && fillAuth(
    checked,
    ({ path, template }) => ({ path, text: templateText(template), suffix: "" }),
    faults,
  );
  faults.throwIfAny();
  if (filled === undefined) throw new TypeError("The configuration is not complete");
  return filled;
}

/** An authorizer of a server that is called "calendar". */
export function createAuthorizer(
  serverUrl: URL,
  config: AuthConfig,
  options: AuthorizerOptions = {},
): { readonly authorizer: OAuthAuthorizer; readonly store: AuthStore; readonly events: readonly AuthEvent["type"][] } {
  const events: AuthEvent["type"][] = [];
  const store = options.store ?? new AuthStore();
  const authorizer = new OAuthAuthorizer({
    server: "calendar",
    serverUrl,
    principal: "Kairos",
    config: resolveAuth(config),
    fetch,
    now: Date.now,
    onEvent: ({ type }) => events.push(type),
    ...options,
    store,
  });
  return { authorizer, store, events };
}

/** An auth store over a route store, as one isolate has it. */
export function toAuthStore(store: RouteStore, now: () => number = Date.now): AuthStore {
  return new AuthStore({ store, storeSecret: STORE_SECRET, now });
}

/** Sends a JSON-RPC request with the tokens of an authorizer, as the way out does; resolves to the last status. */
export async function send(
  authorizer: Authorizer,
  url: URL,
  method = "tools/list",
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  for (let round = 0;; round++) {
    const used = await authorizer.authorize(signal);
    const response = await fetch(url, {
      method: "POST",
      headers: used === undefined ? {} : { authorization: used },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method }),
    });
    await response.body?.cancel();
    const { status, headers } = response;
    if (status !== 401 && status !== 403) return status;
    const challenge = headers.get("www-authenticate") ?? undefined;
    if (!await authorizer.refused({ status, challenge, used, round }, signal)) return status;
  }
}

/** Opens an authorization URL as a browser does, and stops where the person is sent back. */
export async function browse(authorizationUrl: string): Promise<string> {
  const cookies = new Map<string, string>();
  let url = authorizationUrl;
  for (let hops = 0; hops < 20; hops++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: cookie === "" ? {} : { cookie } });
    const text = await response.text();
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";", 1)[0]!.split("=");
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) throw new TypeError(`The browser stays at a page (HTTP ${response.status}): ${text}`);
    url = new URL(location, url).href;
    if (url.startsWith(REDIRECT_URL)) return url;
  }
  throw new TypeError("The browser goes round in circles");
}
