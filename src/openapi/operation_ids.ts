/**
 * Names for the operations of a document: such as programs can be generated from, one for each tool.
 *
 * @module
 */

import { sha256Hex } from "../cache/sha256.ts";

/** How much of a name's digest tells it from others, in characters: none if that is enough. */
const DIGEST_LENGTHS = [0, 8, 16, 64] as const;
const MAX_CHARS = 64;

/**
 * Names operations after tools. A name is the tool's own where that can be an identifier; no two are equal, also where
 * a generator writes all of them in camel case. A pure function of the set of names.
 *
 * @example
 * ```ts
 * import { toOperationIds } from "./operation_ids.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const ids = await toOperationIds(["read", "get-sum", "2fa"]);
 * assertEquals([...ids.values()], ["read", "get_sum", "tool_2fa"]);
 * ```
 *
 * @param names The tools' names, each once.
 * @returns An identifier of letters, digits and `_` for each name.
 */
export async function toOperationIds(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  let open = [...names];
  const ids = new Map<string, string>();
  for (const length of DIGEST_LENGTHS) {
    for (const name of open) ids.set(name, await toId(name, length));
    const byForm = Map.groupBy(names, (name) => toForm(ids.get(name) ?? ""));
    open = open.filter((name) => (byForm.get(toForm(ids.get(name) ?? ""))?.length ?? 0) > 1);
    if (open.length === 0) break;
  }
  return ids;
}

async function toId(name: string, digestLength: number): Promise<string> {
  const plain = name.replaceAll(/[^A-Za-z0-9]+/g, "_").replaceAll(/^_+|_+$/g, "").slice(0, MAX_CHARS);
  const id = /^[A-Za-z]/.test(plain) ? plain : `tool_${plain}`.replace(/_$/, "");
  // Nothing of it can be read: only the digest tells it from others.
  const length = plain === "" ? Math.max(digestLength, 8) : digestLength;
  return length === 0 ? id : `${id}_${(await sha256Hex(name)).slice(0, length)}`;
}

/** What generators make equal: cases, and all that is no letter or digit. */
function toForm(id: string): string {
  return id.replaceAll("_", "").toLowerCase();
}
