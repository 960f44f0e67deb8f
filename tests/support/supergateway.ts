/**
 * A server that speaks stdio behind the bridge `supergateway`, as a process with children of its own, all of which are
 * ended with it.
 *
 * @module
 */

/** A server behind the bridge. */
export interface BridgedServer extends AsyncDisposable {
  /** The endpoint. */
  readonly url: string;
  /** The ids of the bridge's process and of all that it has started and that still run. */
  processIds(): readonly number[];
  /** Ends all of them. Idempotent. */
  stop(): Promise<void>;
}

/** What is started behind the bridge. */
export interface StartBridgedOptions {
  /** The package that speaks stdio, with its version. */
  readonly package: string;
  /** What the server finds in its environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

const BRIDGE = "npm:supergateway@4.0.0";
/** The bridge needs other versions of what the project uses: a lock file of its own leaves those of the project alone. */
const LOCK = new URL("supergateway.lock", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const READY = /Listening on port/;
const PORT_TAKEN = /EADDRINUSE|in use/;
const START_TIMEOUT_MS = 120_000;
/** The bridge itself gives its children five seconds. */
const STOP_TIMEOUT_MS = 8_000;
const MAX_ATTEMPTS = 3;
const MAX_KEPT_CHARS = 65_536;
/** Places of what `/proc/<pid>/stat` tells behind the name. */
const STATE = 0;
const PARENT = 1;
const STARTED_AT = 19;

/** Starts a server behind the bridge, over Streamable HTTP with sessions; the first start on a machine downloads it. */
export async function startBridged(options: StartBridgedOptions): Promise<BridgedServer> {
  await download(options.package);
  for (let attempt = 1;; attempt++) {
    const started = await startOnce(options);
    if (typeof started !== "string") return started;
    // Between finding a free port and listening on it, another process may have taken it.
    if (attempt < MAX_ATTEMPTS && PORT_TAKEN.test(started)) continue;
    throw new Error(`Cannot start ${BRIDGE} as it gave up: ${started}`);
  }
}

/** Downloads what a session would otherwise wait for. */
async function download(name: string): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--config", CONFIG, "--frozen", name],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(START_TIMEOUT_MS),
  }).output();
  if (!success) throw new Error(`Cannot start ${name} as it could not be downloaded`);
}

/** The running server, or what it said before it gave up. */
async function startOnce({ package: name, env }: StartBridgedOptions): Promise<BridgedServer | string> {
  const port = freePort();
  const stdio = `"${Deno.execPath()}" run --config "${CONFIG}" --frozen -A ${name}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-config", "--lock", LOCK, "--frozen", "-A", BRIDGE],
      ...["--stdio", stdio, "--outputTransport", "streamableHttp", "--stateful", "--port", String(port)],
    ],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ready = Promise.withResolvers<"ready">();
  const said = { text: "" };
  const drained = Promise.all([child.stdout, child.stderr].map((stream) => drain(stream, said, ready.resolve)));
  const tree = new ProcessTree(child.pid);
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      await end(child, tree);
      await drained;
    })();
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), START_TIMEOUT_MS);
  const first = await Promise.race([ready.promise, child.status.then(() => "ended" as const), late.promise]);
  clearTimeout(timer);
  if (first === "ready") {
    const processIds = () => tree.running();
    return { url: `http://127.0.0.1:${port}/mcp`, processIds, stop, [Symbol.asyncDispose]: stop };
  }
  await stop();
  return first === "late" ? `it was not ready within ${START_TIMEOUT_MS / 1_000} seconds` : said.text;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Reads a stream to its end, so that the bridge never waits for a reader, and tells when it is ready. */
async function drain(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  said: { text: string },
  onReady: (ready: "ready") => void,
): Promise<void> {
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    if (said.text.length >= MAX_KEPT_CHARS) continue;
    said.text += chunk;
    if (READY.test(said.text)) onReady("ready");
  }
}

/** SIGTERM, which the bridge passes on, and SIGKILL for whatever of the tree does not end in time. */
async function end(child: Deno.ChildProcess, tree: ProcessTree): Promise<void> {
  tree.running();
  signalQuietly(child.pid, "SIGTERM");
  const timer = setTimeout(() => signalQuietly(child.pid, "SIGKILL"), STOP_TIMEOUT_MS);
  await child.status;
  clearTimeout(timer);
  for (const pid of tree.running()) signalQuietly(pid, "SIGKILL");
}

/** A process and all that it has started, as Linux tells. */
class ProcessTree {
  /** When each process was started: an id may come to belong to another. */
  readonly #startedAt = new Map<number, string>();

  constructor(root: number) {
    this.#add(root);
  }

  /** Those that run. Once a parent has ended nothing tells whose its children were, hence they are remembered. */
  running(): readonly number[] {
    const parents = new Map<number, number>();
    for (const { name } of Deno.readDirSync("/proc")) {
      const parent = /^\d+$/.test(name) ? statOf(Number(name))?.[PARENT] : undefined;
      if (parent !== undefined) parents.set(Number(name), Number(parent));
    }
    const known = this.#alive();
    for (const pid of known) {
      for (const [child, parent] of parents) {
        if (parent === pid && this.#add(child)) known.push(child);
      }
    }
    return this.#alive();
  }

  /** Whether the process is new. */
  #add(pid: number): boolean {
    const startedAt = statOf(pid)?.[STARTED_AT];
    if (startedAt === undefined || this.#startedAt.get(pid) === startedAt) return false;
    this.#startedAt.set(pid, startedAt);
    return true;
  }

  #alive(): number[] {
    return [...this.#startedAt].filter(([pid, startedAt]) => {
      const stat = statOf(pid);
      return stat !== undefined && stat[STATE] !== "Z" && stat[STARTED_AT] === startedAt;
    }).map(([pid]) => pid);
  }
}

/** The fields behind the name, which may itself hold blanks and brackets. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function signalQuietly(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
