import type { Contender } from "./contender.ts";

/** Contenders by name, each loaded alone: a process that has one in it is not slowed down by the others. */
export const LOADERS: Readonly<Record<string, () => Promise<Contender>>> = {
  "raw fetch": async () => (await import("./raw.ts")).raw,
  "raw fetch, sent once": async () => (await import("./raw.ts")).rawOnce,
  "Portolan": async () => (await import("./portolan.ts")).createPortolan("Portolan", "legacy"),
  "Portolan, one server": async () => (await import("./portolan.ts")).createPortolanSingle("Portolan, one server"),
  "SDK 1.32": async () => (await import("./sdk1.ts")).sdk1,
  "SDK 2.4": async () => (await import("./sdk2.ts")).createSdk2("SDK 2.4", "legacy"),
};

/** The contender of a name. */
export async function loadContender(name: string | undefined): Promise<Contender> {
  const load = LOADERS[name ?? ""];
  if (load === undefined) {
    throw new Error(`Cannot measure ${name}: the contenders are ${Object.keys(LOADERS).join(", ")}`);
  }
  return await load();
}
