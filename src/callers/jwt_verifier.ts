/**
 * Checks the tokens of callers. Loaded with the first token: a gateway without tokens loads nothing of it.
 *
 * @module
 */

import {
  createLocalJWKSet,
  decodeJwt,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  jwtVerify,
} from "jose";
import type { JwtConfig } from "../config/jwt_config.ts";
import { RequestError } from "../gateway/request_error.ts";
import type { Access } from "./access.ts";
import { loadIssuerKeys } from "./issuer_fetch.ts";
import { IssuerKeys } from "./issuer_keys.ts";
import { toJwtAccess } from "./jwt_access.ts";

/** What checking tokens works with. */
export interface JwtVerifierDeps {
  /** Whose tokens are taken. */
  readonly issuers: readonly JwtConfig[];
  /** Where callers reach the gateway, where that is known. */
  readonly publicUrl: string | undefined;
  /** The `fetch` with which keys are fetched. */
  readonly fetch: typeof fetch;
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Tells whose a token is, and what it opens; `undefined` where it opens nothing. */
export type VerifyJwt = (token: string) => Promise<Access | undefined>;

type FindKey = (header: JWSHeaderParameters, token: FlattenedJWSInput) => ReturnType<LocalKeys>;
type LocalKeys = ReturnType<typeof createLocalJWKSet>;

const DEFAULT_ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"];
const DEFAULT_TOLERANCE_MS = 5_000;

/**
 * Makes the check of tokens.
 *
 * @param deps Whose tokens are taken, and what the check works with.
 * @returns The check. It rejects with a `RequestError` with the code `callers_unavailable` where the issuer's keys
 * cannot be had, and with nothing else.
 */
export function createJwtVerifier(deps: JwtVerifierDeps): VerifyJwt {
  const issuers = new Map(deps.issuers.map((config) => [config.issuer, { config, find: findKeys(config, deps) }]));
  return async (token) => {
    try {
      // Only to choose by: it is proved below.
      const issuer = issuers.get(decodeJwt(token).iss ?? "");
      if (issuer === undefined) return undefined;
      const { config: { algorithms = DEFAULT_ALGORITHMS, clockToleranceMs = DEFAULT_TOLERANCE_MS, typ }, find } =
        issuer;
      const { payload } = await jwtVerify(token, find, {
        issuer: issuer.config.issuer,
        algorithms: [...algorithms],
        requiredClaims: ["exp", "aud", "sub"],
        clockTolerance: clockToleranceMs / 1_000,
        currentDate: new Date(deps.now()),
        ...(typ !== undefined && { typ }),
      });
      return await toJwtAccess(payload, issuer.config, deps.publicUrl);
    } catch (error) {
      if (error instanceof RequestError) throw error;
      // Whatever else is wrong with it, it opens nothing, and its sender is told no more.
      return undefined;
    }
  };
}

function findKeys(config: JwtConfig, deps: JwtVerifierDeps): FindKey {
  // Copies, as the library's types want to be able to change them.
  const toFinder = (jwks: NonNullable<JwtConfig["jwks"]>): LocalKeys =>
    createLocalJWKSet({ keys: jwks.keys.map((key) => ({ ...key, kty: String(key.kty) })) });
  if (config.jwks !== undefined) return toFinder(config.jwks);
  const keys = new IssuerKeys<LocalKeys>({
    load: async () => toFinder(await loadIssuerKeys(config, { fetch: deps.fetch })),
    now: deps.now,
  });
  return async (header, token) => {
    const find = await keys.current();
    try {
      return await find(header, token);
    } catch (error) {
      const newer = error instanceof errors.JWKSNoMatchingKey ? await keys.newer() : undefined;
      if (newer === undefined) throw error;
      return await newer(header, token);
    }
  };
}
