/**
 * A store that can be handed on before it is open.
 *
 * @module
 */

import type { RouteStore } from "../route_store.ts";

/**
 * Makes a store of one that is still being opened: what is asked of it meanwhile waits.
 *
 * @param opening The store, once it is open. It must not reject.
 * @returns A store that asks that one.
 */
export function createLateStore(opening: Promise<RouteStore>): RouteStore {
  return {
    get: async (key) => await (await opening).get(key),
    set: async (key, value, options) => await (await opening).set(key, value, options),
    delete: async (key, options) => await (await opening).delete(key, options),
  };
}
