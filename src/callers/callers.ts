/**
 * Everything that a gateway knows of its callers: keys, tokens, and who may change what.
 *
 * @module
 */

import { FaultList } from "../config/config_checks.ts";
import { type JwtConfig, readJwt } from "../config/jwt_config.ts";
import { parsePublicUrl } from "../config/public_url.ts";
import type { RouteStore } from "../route_store.ts";
import type { Authenticator } from "./access.ts";
import type { VerifyJwt } from "./jwt_verifier.ts";
import { KeyAdmin } from "./key_admin.ts";
import { KeyBook } from "./key_book.ts";
import { createKeyRing, type GatewayKey, readBearer, toConfiguredKeys } from "./keys.ts";
import type { ProtectedResource } from "./protected_resource.ts";

/** Whom a gateway knows. */
export interface CallersOptions {
  /** The keys by agent. */
  readonly keys: Readonly<Record<string, readonly (string | GatewayKey)[]>>;
  /** Whose tokens are taken. */
  readonly jwt: readonly JwtConfig[];
  /** Where callers reach the gateway. */
  readonly publicUrl: string | undefined;
}

/** What knowing callers works with. */
export interface CallersDeps {
  /** Where keys are that were created, and which were revoked. */
  readonly store: RouteStore;
  /** The `fetch` with which issuers are asked for their keys. */
  readonly fetch: typeof fetch;
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** The callers of a gateway. */
export interface Callers {
  /** Knows them. */
  readonly authenticator: Authenticator;
  /** Changes their keys. */
  readonly keys: KeyAdmin;
  /** Where callers reach the gateway, checked; `undefined` where nobody says. */
  readonly publicUrl: string | undefined;
  /** What those with tokens have to know; `undefined` where none are taken. */
  readonly resource: ProtectedResource | undefined;
  /**
   * Prepares to know others. What was created and revoked at run time stays known, and so do the keys of issuers that
   * are the same.
   *
   * @param options Whom to know.
   * @returns What takes it, at once.
   * @throws {TypeError | ConfigError} As {@linkcode createCallers}; then nothing has changed.
   */
  prepare(options: CallersOptions): () => void;
}

/** Whom a gateway knows by one configuration. */
interface Known extends Omit<Callers, "prepare"> {
  /** Who issues tokens, and where to, as text. */
  readonly tokens: string;
  readonly verify: VerifyJwt;
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Makes all that a gateway knows of its callers. Nothing is read and nothing is asked before a request comes.
 *
 * @param options Whom it knows.
 * @param deps What that works with.
 * @returns The callers.
 * @throws {TypeError} If a key is malformed, or an agent has more than two that are good.
 * @throws {ConfigError} If what is said of tokens has faults, or names no audience (`invalid_config`).
 */
export function createCallers(options: CallersOptions, deps: CallersDeps): Callers {
  const book = new KeyBook(deps.store, { now: deps.now });
  let known = toKnown(options, deps, book);
  return {
    authenticator: { authenticate: (authorization) => known.authenticator.authenticate(authorization) },
    get keys() {
      return known.keys;
    },
    get publicUrl() {
      return known.publicUrl;
    },
    get resource() {
      return known.resource;
    },
    prepare(options) {
      const next = toKnown(options, deps, book, known);
      return () => known = next;
    },
  };
}

function toKnown(options: CallersOptions, deps: CallersDeps, book: KeyBook, before?: Known): Known {
  const { now } = deps;
  const configured = toConfiguredKeys(options.keys, now());
  const { issuers, publicUrl } = checkTokens(options);
  const tokens = JSON.stringify([issuers, publicUrl]);
  const ring = createKeyRing({ configured, book, now });
  const verify = before?.tokens === tokens ? before.verify : toVerify(issuers, publicUrl, deps);
  const authenticator: Authenticator = {
    async authenticate(authorization) {
      const access = await ring.authenticate(authorization);
      if (access !== undefined || issuers.length === 0) return access;
      const token = readBearer(authorization);
      return token === undefined || !JWT.test(token) ? undefined : await verify(token);
    },
  };
  const scopePrefix = issuers.find(({ agents }) => agents?.scope !== undefined)?.agents?.scope;
  return {
    tokens,
    verify,
    authenticator,
    keys: new KeyAdmin({ configured, book }),
    publicUrl,
    resource: issuers.length === 0
      ? undefined
      : { issuers: issuers.map(({ issuer }) => issuer), publicUrl, scopePrefix },
  };
}

/** What checks tokens is loaded with the first of them. */
function toVerify(issuers: readonly JwtConfig[], publicUrl: string | undefined, deps: CallersDeps): VerifyJwt {
  const { fetch, now } = deps;
  let loaded: Promise<VerifyJwt> | undefined;
  const load = async () => {
    const { createJwtVerifier } = await import("./jwt_verifier.ts");
    return createJwtVerifier({ issuers, publicUrl, fetch, now });
  };
  return async (token) => await (await (loaded ??= load()))(token);
}

function checkTokens(options: CallersOptions): { issuers: readonly JwtConfig[]; publicUrl: string | undefined } {
  const faults = new FaultList();
  const issuers = readJwt(options.jwt, "jwt", { env: undefined, faults }) ?? [];
  const publicUrl = options.publicUrl === undefined ? undefined : parsePublicUrl(options.publicUrl);
  if (typeof publicUrl === "object") faults.add("publicUrl", publicUrl.fault);
  // The host that a caller names is no audience: whoever has a token for another name could bring it with that.
  if (publicUrl === undefined && issuers.some(({ audience }) => audience === undefined)) {
    faults.add("publicUrl", 'Missing: write where callers reach the gateway, or an "audience" for every issuer');
  }
  faults.throwIfAny();
  return { issuers, publicUrl: typeof publicUrl === "object" ? undefined : publicUrl };
}
