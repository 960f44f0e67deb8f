/**
 * Who a caller is to the gateway, and what it may use.
 *
 * @module
 */

/** An authenticated caller. */
export interface Access {
  /**
   * Who the caller is: stable over requests and isolates, of at most 64 characters, and nothing that would open a door.
   * Limits, idempotency keys and states are bound to it.
   */
  readonly caller: string;
  /** The agents it may use; `"*"` is every agent. */
  readonly agents: "*" | ReadonlySet<string>;
  /** Whether it may see and change what concerns all agents. */
  readonly isAdmin: boolean;
  /** How the caller could come to use another agent: where its token names agents by scopes. */
  readonly stepUp?: StepUp | undefined;
}

/** What a token would need that opens one more agent. */
export interface StepUp {
  /** What the scope begins with; the agent's name follows. */
  readonly scopePrefix: string;
  /** Where the metadata of the resource is; known once the request is. */
  readonly metadataUrl?: string | undefined;
}

/** Tells who a caller is. */
export interface Authenticator {
  /**
   * Finds what a caller may use.
   *
   * @param authorization The value of the `Authorization` header, or nothing where there is none.
   * @returns Who it is, or `undefined` where that is not known.
   * @throws {RequestError} If it cannot be found out now: `callers_unavailable`.
   */
  authenticate(authorization: string | null | undefined): Promise<Access | undefined>;
}

/** The access of a loopback peer of a gateway that is served without keys. */
export const OPEN_ACCESS: Access = { caller: "local", agents: "*", isAdmin: true };

/**
 * Whether a caller may use an agent.
 *
 * @param access Who it is.
 * @param agent The agent's name.
 * @returns Whether it may.
 */
export function mayUse(access: Pick<Access, "agents">, agent: string): boolean {
  return access.agents === "*" || access.agents.has(agent);
}
