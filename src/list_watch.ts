/**
 * Lists that are watched.
 *
 * @module
 */

/**
 * What can change: the tools, the resources or their templates, the prompts.
 *
 * @example
 * ```ts
 * import type { ListKind } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toMethod = (kind: ListKind) => `notifications/${kind}/list_changed`;
 * assertEquals(toMethod("tools"), "notifications/tools/list_changed");
 * ```
 */
export type ListKind = "tools" | "resources" | "prompts";

/**
 * The lists of one server, or of all servers of an agent, that are watched.
 *
 * @example
 * ```ts
 * import { type ListWatch, MultiServerMCPClient } from "@portolan/mcp";
 *
 * async function waitForTools(client: MultiServerMCPClient): Promise<void> {
 *   const { promise, resolve } = Promise.withResolvers<void>();
 *   await using _watch: ListWatch = await client.watchLists((kind) => kind === "tools" && resolve());
 *   await promise;
 * }
 * ```
 */
export interface ListWatch extends AsyncDisposable {
  /** Ends it: nothing is told any more. Idempotent. */
  close(): Promise<void>;
}
