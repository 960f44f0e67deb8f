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
  const path = new URL(program, import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", path, JSON.stringify(options)],
    stdin: "piped",
    stdout: "piped",
  });
  const child = command.spawn();
  const stop = async () => {
    await child.stdin.close().catch(() => {});
    const timer = setTimeout(() => child.kill("SIGKILL"), 2_000);
    await child.status;
    clearTimeout(timer);
  };
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let line = "";
  while (!line.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) {
      await stop();
      throw new Error("The servers did not start");
    }
    line += value;
  }
  const urls: readonly string[] = JSON.parse(line);
  return {
    urls,
    count: async () => await (await fetch(new URL("/counts", urls[0]))).json(),
    [Symbol.asyncDispose]: async () => {
      await stop();
      await reader.cancel();
    },
  };
}
