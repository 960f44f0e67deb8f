/** A program that serves HTTP, as a process of its own. */
export interface Program extends AsyncDisposable {
  /** Its id. */
  readonly pid: number;
  /** Where it listens, once it says so. */
  readonly origin: Promise<URL>;
}

/** How a program is started. */
export interface ProgramOptions {
  /** The command and its arguments. */
  readonly command: readonly string[];
  /** Its environment, besides that of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is started. */
  readonly cwd?: string;
}

const END_TIMEOUT_MS = 3_000;

/** Starts a program; what it says is read on until it ends. */
export function startProgram({ command: [command = "", ...args], env = {}, cwd }: ProgramOptions): Program {
  const child = new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1", PORTOLAN_LOG_FORMAT: "text", ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const origin = Promise.withResolvers<URL>();
  origin.promise.catch(() => {});
  const reading = (async () => {
    let text = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      if (text.length < 65_536) text += chunk;
      const found = /listens on (http:\/\/\S+)/.exec(text)?.[1];
      if (found !== undefined) origin.resolve(new URL(found));
    }
    origin.reject(new Error(`The program ${command} ended: ${text}`));
  })();
  return {
    pid: child.pid,
    origin: origin.promise,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), END_TIMEOUT_MS);
      await child.status;
      clearTimeout(timer);
      await reading.catch(() => {});
    },
  };
}

/** Runs a program of `deno` with the configuration of this repository. */
export function denoRun(file: URL, args: readonly string[] = []): readonly string[] {
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  return [Deno.execPath(), "run", "-A", "--no-check", "--config", config, file.pathname, ...args];
}

/** A port that is free at the moment. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

/** Tries until it works. */
export async function untilItWorks<T>(work: () => Promise<T>, timeoutMs = 30_000, pauseMs = 10): Promise<T> {
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > endsAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
