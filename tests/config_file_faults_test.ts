import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { parseConfig } from "../src/config_file.ts";
import { ConfigError } from "../src/errors.ts";
import { FILE_FAULTS } from "./config/_faults.ts";

for (const [name, text, ...expected] of FILE_FAULTS) {
  Deno.test(`parseConfig() rejects ${name} with its path, without values`, () => {
    const env = { EMPTY: "", LINES: "hunter22\nhunter22", PIN: "987654321" };
    const { faults } = assertThrows(() => parseConfig(text, { env }), ConfigError);
    assertEquals(faults.map(({ path }) => path), expected.map(([path]) => path));
    for (const [index, [, start]] of expected.entries()) {
      assertEquals(faults[index]?.message.slice(0, start.length), start);
    }
    assertFalse(JSON.stringify(faults).includes("hunter22"));
    assertFalse(JSON.stringify(faults).includes(env.PIN));
  });
}
