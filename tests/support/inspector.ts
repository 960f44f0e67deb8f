/**
 * The command line of `@modelcontextprotocol/inspector`, as a process.
 *
 * @module
 */

const PROGRAM = "npm:@modelcontextprotocol/inspector@2.12.0";
/** It needs other versions of what the project uses: a lock file of its own leaves those of the project alone. */
const LOCK = new URL("inspector.lock", import.meta.url).pathname;
/** For everything, a download included. */
const TIMEOUT_MS = 120_000;

/** What the inspector asks of a server. */
export interface InspectOptions {
  /** The server's endpoint. */
  readonly url: string;
  /** The bearer key that it sends. */
  readonly key: string;
  /** The method, with its options. */
  readonly args: readonly string[];
}

/** The result that the inspector prints; it rejects with what it says of a failure. */
export async function inspect({ url, key, args }: InspectOptions): Promise<unknown> {
  // It keeps what it knows of servers in the folder of its user.
  const home = await Deno.makeTempDir({ prefix: "inspector-" });
  try {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-config", "--lock", LOCK, "--frozen", "-A", PROGRAM, "--cli", url, "--transport", "http"],
        ...["--header", `Authorization: Bearer ${key}`, "--stored-auth-only", "--quiet", "--format", "json", ...args],
      ],
      env: { HOME: home, DENO_DIR: await denoDir(), NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (!success) throw new Error(`Cannot inspect a server: ${text(stderr)}`);
    return JSON.parse(text(stdout)).result;
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** Where Deno keeps packages, which another home would change. */
async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stderr: "null" }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
