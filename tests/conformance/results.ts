/**
 * Reads what the conformance suite wrote, more strictly than the suite does.
 *
 * @module
 */

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

/** How the results are read. */
export interface ResultsOptions {
  /** What was tested. */
  readonly leg: "client" | "server";
  /** Finds what the suite does not look at, in the folder of a scenario. */
  readonly findFaults?: (folder: string) => Promise<readonly string[]>;
}

/** The checks as the suite writes them. */
interface Check {
  readonly id: string;
  readonly status: string;
  readonly description: string;
  readonly errorMessage?: string;
}

/** A warning about time says how busy the machine is. Being far too late, or too early, is a failure. */
const TIMING = "client-sse-retry-timing";
/** Passes wherever nothing that was said is against the schema; so it does where nothing was said. */
const SCHEMA = "wire-schema-valid";

/**
 * Reads the results of a run.
 *
 * @param folder What the suite wrote.
 * @param output What it printed.
 * @param options How they are read.
 * @returns The scenarios that ran, by name.
 */
export async function readResults(
  folder: string,
  output: string,
  options: ResultsOptions,
): Promise<readonly ScenarioResult[]> {
  const unrequired = readUnrequired(output);
  const results: ScenarioResult[] = [];
  for await (const [name, path] of scenarioFolders(folder)) {
    const scenario = options.leg === "server" ? name.replace(/^server-/, "") : name;
    results.push({ name: scenario, isRequired: !unrequired.has(scenario), ...await readResult(path, options) });
  }
  return results.sort((one, other) => one.name < other.name ? -1 : 1);
}

/** The names that the suite lists after its summary as run but not scored. */
function readUnrequired(output: string): ReadonlySet<string> {
  const [, list = ""] = output.split(/^Not scored for .*$/m);
  return new Set(Array.from(list.matchAll(/^ +\S (\S+) \(/gm), ([, name = ""]) => name));
}

/** A folder for each scenario: its name, which may hold a slash, and the time. */
async function* scenarioFolders(folder: string, prefix = ""): AsyncGenerator<readonly [name: string, path: string]> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    const [, scenario] = /^(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(entry.name) ?? [];
    if (scenario === undefined) yield* scenarioFolders(path, `${prefix}${entry.name}/`);
    else yield [prefix + scenario, path];
  }
}

async function readResult(
  path: string,
  { leg, findFaults }: ResultsOptions,
): Promise<Pick<ScenarioResult, "passed" | "faults">> {
  const text = await Deno.readTextFile(`${path}/checks.json`).catch(() => "[]");
  const checks: readonly Check[] = JSON.parse(text);
  const passed = checks.filter(({ id, status }) => status === "SUCCESS" && id !== SCHEMA).length;
  const faults = checks
    .filter(({ id, status }) => isFault(leg, status) && id !== TIMING)
    .map(({ id, status, description, errorMessage }) => `${status} ${id}: ${errorMessage ?? description}`);
  // To the suite, a client that sends nothing passes some of the scenarios.
  if (passed === 0) faults.push("No check passed");
  return { passed, faults: [...faults, ...await findFaults?.(path) ?? []] };
}

/** Of a server, the suite skips what the server says it does not offer. The fixtures offer everything. */
function isFault(leg: ResultsOptions["leg"], status: string): boolean {
  return status === "FAILURE" || status === "WARNING" || (leg === "server" && status === "SKIPPED");
}
