/** A program of this folder in a process of its own, which answers line by line. */
export interface Child extends AsyncDisposable {
  /** Sends an empty line where there is something to ask for, and waits for the next line of the answer. */
  next(ask?: "ask"): Promise<string>;
}

/** Starts a program; disposing of it closes its standard input, at which it ends. */
export function startChild(path: string, args: readonly string[]): Child {
  const file = new URL(path, import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", file, ...args],
    stdin: "piped",
    stdout: "piped",
  });
  const child = command.spawn();
  const input = child.stdin.getWriter();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let buffered = "";
  return {
    async next(ask) {
      if (ask !== undefined) await input.write(new Uint8Array([10]));
      while (!buffered.includes("\n")) {
        const { value, done } = await output.read();
        if (done) throw new Error(`The program ${path} ended`);
        buffered += value;
      }
      const [line = "", ...rest] = buffered.split("\n");
      buffered = rest.join("\n");
      return line;
    },
    async [Symbol.asyncDispose]() {
      await input.close().catch(() => {});
      const timer = setTimeout(() => child.kill("SIGKILL"), 2_000);
      await child.status;
      clearTimeout(timer);
      await output.cancel();
    },
  };
}
