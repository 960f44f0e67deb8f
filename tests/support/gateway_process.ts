import { delay } from "@std/async";

/** The gateway as a process of its own. */
export interface GatewayProcess extends AsyncDisposable {
  /** Where it listens. */
  readonly origin: string;
  /** Resolves when it has tried its first connections. */
  ready(): Promise<void>;
  /** Sends it a signal. */
  kill(signal: Deno.Signal): void;
  /** Resolves to its exit code when it has ended. */
  readonly ended: Promise<number>;
}

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
/** The longest that first connections may take, in milliseconds. */
const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 20;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const START = ["run", "--config", CONFIG, "--frozen", "-A", MAIN, "--listen"];

/** How the process is started. */
export interface GatewayProcessOptions {
  /** Variables besides the port and the configuration. @default {A route cache in memory} */
  readonly env?: Readonly<Record<string, string>>;
  /** What `deno` is started with, and where. @default {main.ts, as `deno task start` does} */
  readonly program?: { readonly args: readonly string[]; readonly cwd: string };
}

/**
 * Starts the gateway on any free port.
 *
 * @param portolanYaml The configuration.
 * @param options How it is started.
 * @returns The running gateway; disposing of it interrupts it and waits for its end.
 */
export async function startGateway(
  portolanYaml: string,
  options: GatewayProcessOptions = {},
): Promise<GatewayProcess> {
  const { env, program: { args, cwd } = { args: START, cwd: Deno.cwd() } } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: {
      PORT: "0",
      PORTOLAN_CONFIG_TEXT: portolanYaml,
      PORTOLAN_KV: ":memory:",
      PORTOLAN_LOG_FORMAT: "text",
      NO_COLOR: "1",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { origin, rest } = await readOrigin(child.stdout);
  let ended = false;
  return {
    origin,
    async ready() {
      const isReady = async () => {
        const response = await fetch(`${origin}/readyz`);
        await response.body?.cancel();
        return response.ok;
      };
      const endsAt = performance.now() + READY_TIMEOUT_MS;
      while (!(await isReady())) {
        if (performance.now() > endsAt) throw new Error("The gateway did not become ready");
        await delay(POLL_MS);
      }
    },
    kill: (signal) => child.kill(signal),
    ended: child.status.then(({ code }) => {
      ended = true;
      return code;
    }),
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGINT");
      await Promise.all([rest.cancel(), child.status]);
    },
  };
}

async function readOrigin(stdout: ReadableStream<Uint8Array>) {
  const reader = stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The gateway ended before it listened: ${text}`);
    text += value;
    const origin = /listens on (http:\/\/\S+)/.exec(text)?.[1];
    if (origin !== undefined) return { origin, rest: reader };
  }
}
