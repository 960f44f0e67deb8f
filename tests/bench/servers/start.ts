import { startChild } from "../child.ts";
import type { FastServerOptions } from "./answers.ts";

/** Servers in a process of their own. */
export interface ServerProcess extends AsyncDisposable {
  /** Their endpoints. */
  readonly urls: readonly string[];
  /** How many POSTs have reached them on how many connections; of fast servers only. */
  count(): Promise<{ readonly posts: number; readonly connections: number }>;
}

/** Starts a process of servers; disposing of it ends it. */
export async function startServers(options: FastServerOptions): Promise<ServerProcess> {
  const program = options.hostile === undefined ? "fast_server.ts" : "hostile_server.ts";
  const child = startChild(`servers/${program}`, [JSON.stringify(options)]);
  try {
    const urls: readonly string[] = JSON.parse(await child.next());
    return {
      urls,
      count: async () => await (await fetch(new URL("/counts", urls[0]))).json(),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}
