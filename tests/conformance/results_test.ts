/** How the results of the conformance suite are read: what counts as a pass decides what its runs are worth. */

import { assertEquals } from "@std/assert";
import { readResults, type ResultsOptions } from "./results.ts";

type Status = "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";

const OUTPUT = `=== SUMMARY ===
✓ ping: 1 passed, 0 failed
Not scored for 2025-11-25: 1 scenario(s) run, 0 failing. These do not affect conformance.
  ✓ extra/thing (pending)
`;

/** Reads the checks of one scenario of a leg. */
async function read(folder: string, statuses: Readonly<Record<string, Status>>, options: ResultsOptions) {
  const path = await Deno.makeTempDir({ dir: folder });
  const checks = Object.entries(statuses).map(([id, status]) => ({ id, status, description: `of ${id}` }));
  const scenario = `${path}/${options.leg === "server" ? "server-" : ""}ping-2026-11-25T21-55-25-266Z`;
  await Deno.mkdir(scenario);
  await Deno.writeTextFile(`${scenario}/checks.json`, JSON.stringify(checks));
  return await readResults(path, OUTPUT, options);
}

Deno.test("readResults() judges a scenario by its checks", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "results-" });
  const rows: readonly [Readonly<Record<string, Status>>, ResultsOptions["leg"], number, readonly string[]][] = [
    [{ one: "SUCCESS", two: "SUCCESS", three: "INFO" }, "client", 2, []],
    [{ one: "SUCCESS", two: "FAILURE" }, "server", 1, ["FAILURE two: of two"]],
    [{ one: "SUCCESS", two: "WARNING" }, "server", 1, ["WARNING two: of two"]],
    [{ "one": "SUCCESS", "client-sse-retry-timing": "WARNING" }, "client", 1, []],
    [{ one: "SUCCESS", two: "SKIPPED" }, "client", 1, []],
    [{ one: "SUCCESS", two: "SKIPPED" }, "server", 1, ["SKIPPED two: of two"]],
    [{ "one": "INFO", "wire-schema-valid": "SUCCESS" }, "server", 0, ["No check passed"]],
    [{}, "client", 0, ["No check passed"]],
  ];
  for (const [statuses, leg, passed, faults] of rows) {
    await t.step(`${leg}: ${JSON.stringify(statuses)}`, async () => {
      const results = await read(folder, statuses, { leg });
      assertEquals(results, [{ name: "ping", isRequired: true, passed, faults }]);
    });
  }

  await t.step("adds what it was given to find", async () => {
    const findFaults = () => Promise.resolve(["Ended badly"]);
    const [result] = await read(folder, { one: "SUCCESS" }, { leg: "client", findFaults });
    assertEquals(result?.faults, ["Ended badly"]);
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("readResults() tells what the revision does not require, also where a name has a slash", async () => {
  const folder = await Deno.makeTempDir({ prefix: "results-" });
  await Deno.mkdir(`${folder}/extra/thing-2026-11-25T21-55-25-266Z`, { recursive: true });
  await Deno.mkdir(`${folder}/ping-2026-11-25T21-55-25-266Z`);
  const results = await readResults(folder, OUTPUT, { leg: "client" });
  assertEquals(results.map(({ name, isRequired }) => [name, isRequired]), [["extra/thing", false], ["ping", true]]);
  await Deno.remove(folder, { recursive: true });
});
