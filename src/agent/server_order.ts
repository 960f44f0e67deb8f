/**
 * The order of an agent's servers, which decides who owns a bare name.
 *
 * @module
 */

/**
 * Puts the entries of a map in another order.
 *
 * @param map The map; entries that are not named keep their order and come last.
 * @param names The keys, in order.
 */
export function arrange<T>(map: Map<string, T>, names: readonly string[]): void {
  const others = [...map.keys()].filter((name) => !names.includes(name));
  for (const name of [...names, ...others]) {
    const entry = map.get(name);
    if (entry === undefined) continue;
    map.delete(name);
    map.set(name, entry);
  }
}
