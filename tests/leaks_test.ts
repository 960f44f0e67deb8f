import { assertEquals, assertStringIncludes } from "@std/assert";

const LEAKS: Readonly<Record<string, string>> = {
  "a timer": "setTimeout(() => {}, 60_000)",
  "a file": "Deno.openSync(new URL(import.meta.url), { read: true })",
};

for (const [what, leak] of Object.entries(LEAKS)) {
  Deno.test(`A test that leaves ${what} behind fails, as the tests are run now: deno task test`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "portolan-leaks-" });
    await Deno.writeTextFile(`${folder}/leak_test.ts`, `Deno.test("leak", () => void ${leak});`);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-config", "--no-check", "--allow-read", `${folder}/leak_test.ts`],
      env: { NO_COLOR: "1" },
      stderr: "null",
    }).output();
    await Deno.remove(folder, { recursive: true });
    assertEquals(code, 1);
    assertStringIncludes(new TextDecoder().decode(stdout), "Leaks detected");
  });
}
