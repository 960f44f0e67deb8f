/**
 * Runs the official conformance suite, and reads what it wrote.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { readResults, type ScenarioResult } from "./results.ts";

/** How the suite is run. */
export interface SuiteOptions {
  /** What it tests. */
  readonly leg: "client" | "server";
  /** The revision of the specification. */
  readonly revision: string;
  /** Its other arguments. */
  readonly args: readonly string[];
  /** Variables for it, and for what it starts. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends it and all that it started. */
  readonly signal: AbortSignal;
  /** Finds what the suite does not look at, in the folder of a scenario. */
  readonly findFaults?: (folder: string) => Promise<readonly string[]>;
}

const ROOT = new URL("../../", import.meta.url);
const PROGRAM = config.imports["@modelcontextprotocol/conformance"];
const MAX_STDERR_CHARS = 2_000;

/**
 * Runs the scenarios of a revision, those that it does not require as well.
 *
 * @param options What is run.
 * @returns The scenarios that ran, by name.
 */
export async function runSuite(options: SuiteOptions): Promise<readonly ScenarioResult[]> {
  options.signal.throwIfAborted();
  const folder = await Deno.makeTempDir({ prefix: "conformance-" });
  try {
    const output = await runProgram(folder, options);
    const results = await readResults(folder, output, options);
    if (results.length === 0) throw new Error(`The suite ran no scenario: ${output}`);
    return results;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the suite's program; its exit code says less than what it writes. */
async function runProgram(folder: string, { leg, revision, args, env, signal }: SuiteOptions): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--frozen", "-A", PROGRAM, leg, ...args],
      ...["--requirements", revision, "--output-dir", folder],
    ],
    cwd: ROOT,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // A group of its own: ending it leaves none of its children behind.
    detached: true,
  }).spawn();
  const end = () => {
    try {
      Deno.kill(-child.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    const { success, stdout, stderr } = await child.output();
    signal.throwIfAborted();
    const text = new TextDecoder().decode(stdout);
    return success ? text : `${text}\n${new TextDecoder().decode(stderr).slice(-MAX_STDERR_CHARS)}`;
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}
