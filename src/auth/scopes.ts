/**
 * Which scopes to ask for.
 *
 * @module
 */

/** What a choice of scopes goes by. */
export interface ScopeChoice {
  /** What the server said that the refused request needs. */
  readonly challenged: string | undefined;
  /** What the metadata of the resource lists. */
  readonly listed: readonly string[] | undefined;
  /** What the operator wants in any case. */
  readonly configured: string | undefined;
  /** What was asked for or granted before at the same authorization server. */
  readonly before: readonly string[];
  /** What the authorization server lists; its word on `offline_access`. */
  readonly supported: readonly string[] | undefined;
  /** Whether a refresh token is wanted: with a person only. */
  readonly wantsRefresh: boolean;
}

const OFFLINE = "offline_access";
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const MAX_SCOPES = 100;
const MAX_SCOPE_LENGTH = 256;
/** All of them together, in characters: they go into a URL, and into a record of the store. */
const MAX_TOTAL_LENGTH = 8_192;

/**
 * Splits a scope into its tokens (RFC 6749, section 3.3). What is no token is left out, as is what comes after 100
 * of them or 8,192 characters.
 *
 * @param scope The scope as it was written, or `undefined`.
 * @returns Its tokens, each once.
 */
export function parseScope(scope: string | undefined): readonly string[] {
  return uniteScopes((scope ?? "").split(" "));
}

/**
 * Unites sets of scopes.
 *
 * @param lists The sets.
 * @returns Every token once, in the order of its first appearance; at most 100 of at most 8,192 characters together.
 */
export function uniteScopes(...lists: readonly (readonly string[])[]): readonly string[] {
  const known = lists.flat().filter((scope) => SCOPE_TOKEN.test(scope) && scope.length <= MAX_SCOPE_LENGTH);
  let length = 0;
  return [...new Set(known)].slice(0, MAX_SCOPES).filter((scope) => (length += scope.length + 1) <= MAX_TOTAL_LENGTH);
}

/**
 * Chooses what to ask for: what the server challenged with, else what its metadata lists, and what was had before.
 * `offline_access` is the authorization server's word, not the resource's.
 *
 * @param choice What to go by.
 * @returns The scopes; empty: the parameter is left out.
 */
export function chooseScopes(choice: ScopeChoice): readonly string[] {
  const { challenged, listed, configured, before, supported, wantsRefresh } = choice;
  const challengedScopes = parseScope(challenged);
  const needed = challengedScopes.length > 0 ? challengedScopes : listed ?? [];
  const own = parseScope(configured);
  const scopes = uniteScopes(own, before, needed).filter((scope) => scope !== OFFLINE || own.includes(OFFLINE));
  const isOffered = wantsRefresh && supported?.includes(OFFLINE) === true;
  return isOffered && scopes.length > 0 ? uniteScopes(scopes, [OFFLINE]) : scopes;
}
