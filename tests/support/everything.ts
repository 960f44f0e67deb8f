/**
 * The reference server `@modelcontextprotocol/server-everything` as a child process whose start can be cancelled.
 *
 * @module
 */

/** The transports of the reference server, as it calls them. */
export type EverythingTransport = "streamableHttp" | "sse";

/** How the reference server is started. */
export interface StartEverythingOptions {
  /** Ends a start that is under way; the child is gone when the start rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told once if the server has to be downloaded first. */
  readonly onDownload?: (() => void) | undefined;
}

/** A running reference server. */
export interface EverythingServer extends AsyncDisposable {
  /** The endpoint, `/mcp` or `/sse`. */
  readonly url: string;
  /** Ends the process. Idempotent. */
  stop(): Promise<void>;
}

const PACKAGE = "npm:@modelcontextprotocol/server-everything@2026.8.31";
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const READY = /(?:listening|running) on port/;
const DOWNLOAD = /^Download /m;
const PORT_TAKEN = /in use/;
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 3_000;
const MAX_ATTEMPTS = 3;
const MAX_KEPT_CHARS = 65_536;

/** Starts the server on a free port; the first start on a machine downloads it. */
export async function startEverything(
  transport: EverythingTransport,
  options: StartEverythingOptions = {},
): Promise<EverythingServer> {
  for (let attempt = 1;; attempt++) {
    const started = await startOnce(transport, options);
    if (typeof started !== "string") return started;
    // Between finding a free port and listening on it, another process may have taken it.
    if (attempt < MAX_ATTEMPTS && PORT_TAKEN.test(started)) continue;
    throw new Error(`Cannot start ${PACKAGE} as it gave up: ${reasonIn(started)}`);
  }
}

/** The running server, or what it said before it gave up. */
async function startOnce(
  transport: EverythingTransport,
  { signal, onDownload }: StartEverythingOptions,
): Promise<EverythingServer | string> {
  signal?.throwIfAborted();
  const port = freePort();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", CONFIG, "--frozen", "-A", PACKAGE, transport],
    env: { PORT: String(port), NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const { ready, text, drained } = watch(child.stderr, onDownload);
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      await end(child);
      await drained;
    })();
  const cut = Promise.withResolvers<"cut">();
  const giveUp = () => cut.resolve("cut");
  const timer = setTimeout(giveUp, START_TIMEOUT_MS);
  signal?.addEventListener("abort", giveUp, { once: true });
  const first = await Promise.race([ready, child.status.then(() => "ended" as const), cut.promise]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", giveUp);
  if (first === "ready") {
    const path = transport === "sse" ? "sse" : "mcp";
    return { url: `http://127.0.0.1:${port}/${path}`, stop, [Symbol.asyncDispose]: stop };
  }
  await stop();
  signal?.throwIfAborted();
  return first === "cut" ? `it was not ready within ${START_TIMEOUT_MS / 1_000} seconds` : text();
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Reads a stream to its end, and tells when the lines came that mean a download and readiness. */
function watch(stream: ReadableStream<Uint8Array<ArrayBuffer>>, onDownload: (() => void) | undefined) {
  const { promise: ready, resolve } = Promise.withResolvers<"ready">();
  let text = "";
  let downloads = false;
  const drained = (async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      if (text.length < MAX_KEPT_CHARS) text += chunk;
      if (READY.test(text)) resolve("ready");
      if (downloads || !DOWNLOAD.test(text)) continue;
      downloads = true;
      onDownload?.();
    }
  })();
  return { ready, text: () => text, drained };
}

/** The line that says why: Deno marks it, and the server says it last. */
function reasonIn(text: string): string {
  return /^error: (.+)$/m.exec(text)?.[1] ?? (text.trim().split("\n").at(-1) || "it said nothing");
}

/** SIGTERM, and SIGKILL where that does not end the child in time. */
async function end(child: Deno.ChildProcess): Promise<void> {
  signalQuietly(child, "SIGTERM");
  const timer = setTimeout(() => signalQuietly(child, "SIGKILL"), STOP_TIMEOUT_MS);
  await child.status;
  clearTimeout(timer);
}

function signalQuietly(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
}
