/**
 * Runs the official conformance suite against `client.ts`, and reads what it wrote.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { AS_EXPECTED, TURNS } from "./contract.ts";

/** One scenario and how it went. */
export interface ScenarioResult {
  /** The scenario. */
  readonly name: string;
  /** Whether the revision requires it. */
  readonly isRequired: boolean;
  /** How many checks passed. */
  readonly passed: number;
  /** What went wrong; empty where it passed. */
  readonly faults: readonly string[];
}

/** The checks as the suite writes them. */
interface Check {
  readonly id: string;
  readonly status: string;
  readonly description: string;
  readonly errorMessage?: string;
}

const ROOT = new URL("../../", import.meta.url);
const PROGRAM = config.imports["@modelcontextprotocol/conformance"];
const CLIENT = "tests/conformance/client.ts";
/** Clients at a time: one more than processors, as most of them wait now and then. */
const TURN_COUNT = navigator.hardwareConcurrency + 1;
/** A warning about time says how busy the machine is. Being far too late, or too early, is a failure. */
const TIMING = "client-sse-retry-timing";
const MAX_STDERR_CHARS = 2_000;

/**
 * Runs the scenarios of a revision, those that it does not require as well.
 *
 * @param revision The revision of the specification.
 * @param signal Ends the suite and all its clients.
 * @returns The scenarios that ran, by name.
 */
export async function runSuite(revision: string, signal: AbortSignal): Promise<readonly ScenarioResult[]> {
  signal.throwIfAborted();
  const folder = await Deno.makeTempDir({ prefix: "conformance-" });
  try {
    for (const part of ["turns", "results"]) await Deno.mkdir(`${folder}/${part}`);
    for (let turn = 0; turn < TURN_COUNT; turn++) await Deno.writeTextFile(`${folder}/turns/${turn}`, "");
    const output = await runProgram(revision, folder, signal);
    const results = await readResults(`${folder}/results`, readUnrequired(output));
    if (results.length === 0) throw new Error(`The suite ran no scenario: ${output}`);
    return results;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the suite's program; its exit code says less than what it writes. */
async function runProgram(revision: string, folder: string, signal: AbortSignal): Promise<string> {
  // The suite splits the command at its spaces, so that no path may stand in it.
  const command = `deno run --frozen --allow-env --allow-net --allow-read --allow-write ${CLIENT}`;
  const path = `${Deno.execPath().replace(/[^/\\]+$/, "")}:${Deno.env.get("PATH") ?? ""}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--frozen", "-A", PROGRAM, "client", "--command", command, "--requirements", revision],
      // Waiting for a turn counts: `signal` is what ends a client that waits for ever.
      ...["--timeout", "3600000", "--output-dir", `${folder}/results`],
    ],
    cwd: ROOT,
    env: { PATH: path, NO_COLOR: "1", [TURNS]: `${folder}/turns` },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // A group of its own: ending it leaves none of the clients behind.
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

/** The names that the suite lists after its summary as run but not scored. */
function readUnrequired(output: string): ReadonlySet<string> {
  const [, list = ""] = output.split(/^Not scored for .*$/m);
  return new Set(Array.from(list.matchAll(/^ +\S (\S+) \(/gm), ([, name = ""]) => name));
}

/** A folder for each scenario: its name, which may hold a slash, and the time. */
async function readResults(
  folder: string,
  unrequired: ReadonlySet<string>,
  prefix = "",
): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    const [, scenario] = /^(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(entry.name) ?? [];
    if (scenario === undefined) {
      results.push(...await readResults(path, unrequired, `${prefix}${entry.name}/`));
    } else {
      const name = prefix + scenario;
      results.push({ name, isRequired: !unrequired.has(name), ...await readResult(path) });
    }
  }
  return results.sort((one, other) => one.name < other.name ? -1 : 1);
}

async function readResult(path: string): Promise<Pick<ScenarioResult, "passed" | "faults">> {
  const read = (file: string) => Deno.readTextFile(`${path}/${file}`).catch(() => "");
  const checks: readonly Check[] = JSON.parse(await read("checks.json") || "[]");
  const passed = checks.filter(({ status }) => status === "SUCCESS").length;
  const faults = checks
    .filter(({ id, status }) => status === "FAILURE" || (status === "WARNING" && id !== TIMING))
    .map(({ id, status, description, errorMessage }) => `${status} ${id}: ${errorMessage ?? description}`);
  // To the suite, a client that sends nothing passes some of the scenarios.
  if (passed === 0) faults.push("No check passed");
  if (!(await read("stdout.txt")).includes(AS_EXPECTED)) {
    faults.push(`The client ended otherwise than it should: ${(await read("stderr.txt")).slice(0, MAX_STDERR_CHARS)}`);
  }
  return { passed, faults };
}
