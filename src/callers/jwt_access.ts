/**
 * What a token that was verified opens.
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";
import type { JwtConfig, JwtRule } from "../config/jwt_config.ts";
import type { Access } from "./access.ts";

/** The claims of a token whose signature, issuer and times are good. */
export type Claims = Readonly<Record<string, unknown>>;

const DEFAULT_AGENTS: JwtRule = { claim: "portolan_agents" };
const MAX_TEXTS = 1_000;
const CALLER_DIGITS = 16;

/**
 * Reads what a token opens. It has to be made out to the gateway; one that is made out to the MCP endpoint of an agent
 * opens that agent alone, whatever it says of others (RFC 8707).
 *
 * @param claims The claims.
 * @param config The issuer.
 * @param publicUrl Where callers reach the gateway, where that is known.
 * @returns Who the caller is, and what it may use; or `undefined` where the token is for somebody else.
 */
export async function toJwtAccess(
  claims: Claims,
  config: JwtConfig,
  publicUrl: string | undefined,
): Promise<Access | undefined> {
  const { issuer, audience = [], agents: rule = DEFAULT_AGENTS, admin } = config;
  const { sub } = claims;
  if (typeof sub !== "string" || sub === "") return undefined;
  const audiences = textsOf(claims.aud);
  const whole = [...audience, ...(publicUrl === undefined ? [] : [publicUrl, `${publicUrl}/`])];
  const isForAll = audiences.some((one) => whole.includes(one));
  const meant = new Set(audiences.map((one) => agentOf(one, publicUrl)).filter((name) => name !== undefined));
  if (!isForAll && meant.size === 0) return undefined;
  const isAdmin = isForAll && admin !== undefined && isTrue(claims, admin);
  const named = new Set(namesIn(claims, rule));
  return {
    // The zero byte is in no URL: two pairs never read alike.
    caller: `jwt:${(await sha256Hex(`${issuer}\0${sub}`)).slice(0, CALLER_DIGITS)}`,
    agents: isAdmin ? "*" : isForAll ? named : named.intersection(meant),
    isAdmin,
    ...(rule.scope !== undefined && { stepUp: { scopePrefix: rule.scope } }),
  };
}

/** The agent whose MCP endpoint a URL is. */
function agentOf(audience: string, publicUrl: string | undefined): string | undefined {
  if (publicUrl === undefined || !audience.startsWith(`${publicUrl}/agents/`)) return undefined;
  return /^([A-Za-z][A-Za-z0-9_-]*)\/mcp$/.exec(audience.slice(`${publicUrl}/agents/`.length))?.[1];
}

function namesIn(claims: Claims, rule: JwtRule): readonly string[] {
  const { claim, scope } = rule;
  if (scope === undefined) return claim === undefined ? [] : textsOf(ownClaim(claims, claim));
  return scopesOf(claims).filter((one) => one.startsWith(scope)).map((one) => one.slice(scope.length));
}

function isTrue(claims: Claims, rule: JwtRule): boolean {
  const { claim, value, scope } = rule;
  if (scope !== undefined) return scopesOf(claims).includes(scope);
  return claim !== undefined && value !== undefined && textsOf(ownClaim(claims, claim)).includes(value);
}

function scopesOf(claims: Claims): readonly string[] {
  return textsOf(claims.scope).flatMap((text) => text.split(" "));
}

function ownClaim(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

function textsOf(value: unknown): readonly string[] {
  const values = Array.isArray(value) ? value.slice(0, MAX_TEXTS) : [value];
  return values.filter((one) => typeof one === "string");
}
