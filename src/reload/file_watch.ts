/**
 * Watches one file. Its folder is what is watched: editors write another file and give it the name.
 *
 * @module
 */

import { type Alarm, clearAlarm, setAlarm } from "../alarm.ts";

/** What happens in folders, as `Deno.watchFs` tells it. */
export interface FolderEvents extends AsyncIterable<{ readonly paths: readonly string[] }> {
  /** Ends it. */
  close(): void;
}

/** What watching works with. */
export interface FileWatchDeps {
  /** Watches folders; `Deno.watchFs`. */
  readonly watch: (folders: string[]) => FolderEvents;
  /** Where a path leads to in the end; `Deno.realPath`. */
  readonly realPath: (path: string) => Promise<string>;
  /** Told once the file has been written, moved or linked anew, and is left alone. */
  readonly onChange: () => void;
  /** Told why the file cannot be watched, or not any more. */
  readonly onFailure: (error: unknown) => void;
  /** How long nothing has to happen before the file counts as written, in milliseconds. @default {150} */
  readonly quietMs?: number | undefined;
  /** The longest that a change waits while something goes on happening, in milliseconds. @default {2_000} */
  readonly maxWaitMs?: number | undefined;
}

/** What a mounted volume gives another target, where the file is a link into it. */
const LINKED_FOLDER = "..data";

/**
 * Watches a file.
 *
 * @param path Its path; a link is followed.
 * @param deps What watching works with.
 * @returns What ends it.
 */
export async function watchFile(path: string, deps: FileWatchDeps): Promise<() => void> {
  const { quietMs = 150, maxWaitMs = 2_000 } = deps;
  const target = await deps.realPath(path).catch(() => path);
  const names = new Set([path, target].map((one) => splitPath(one).name).concat(LINKED_FOLDER));
  let events: FolderEvents;
  try {
    events = deps.watch([...new Set([path, target].map((one) => splitPath(one).folder))]);
  } catch (error) {
    deps.onFailure(error);
    return () => {};
  }
  let alarm: Alarm | undefined;
  let firstMs: number | undefined;
  let ended = false;
  const tell = () => {
    firstMs = undefined;
    if (!ended) deps.onChange();
  };
  const listen = async () => {
    for await (const { paths } of events) {
      if (ended || !paths.some((one) => names.has(splitPath(one).name))) continue;
      const nowMs = performance.now();
      firstMs ??= nowMs;
      clearAlarm(alarm);
      alarm = setAlarm(tell, Math.max(0, Math.min(quietMs, firstMs + maxWaitMs - nowMs)));
    }
  };
  listen().catch((error) => ended || deps.onFailure(error));
  return () => {
    ended = true;
    clearAlarm(alarm);
    events.close();
  };
}

function splitPath(path: string): { folder: string; name: string } {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return { folder: at === -1 ? "." : path.slice(0, at + 1), name: path.slice(at + 1) };
}
