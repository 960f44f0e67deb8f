import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConfigError, MCPError } from "../../src/errors.ts";
import { loadConfig } from "../../src/gateway/load_config.ts";

const TEXT = `servers: { files: { url: "https://files.example.com/mcp?\${env:NAME}" } }
agents: { Kairos: { servers: [files] } }`;

function failing(name: string): (path: string) => Promise<string> {
  return () => Promise.reject(Object.assign(new Error("os error"), { name }));
}

Deno.test("loadConfig() reads a file or a text, with the environment", async () => {
  const paths: string[] = [];
  const readTextFile = (path: string) => (paths.push(path), Promise.resolve(TEXT));
  const env = { NAME: "value" };
  for (const source of [{ path: "a.yaml" }, { text: TEXT }]) {
    const config = await loadConfig(source, { env, readTextFile });
    assertEquals(config.agents.Kairos?.servers.files?.url, "https://files.example.com/mcp?value");
  }
  assertEquals(paths, ["a.yaml"]);
});

Deno.test("loadConfig() says what to write where there is no file, and the example is a valid configuration", async () => {
  const load = loadConfig({ path: "a.yaml" }, { env: {}, readTextFile: failing("NotFound") });
  const { message, code } = await assertRejects(() => load, MCPError);
  assertEquals(code, "invalid_config");
  assertStringIncludes(message, 'there is no file "a.yaml"');
  const example = message.slice(message.indexOf("\n\n") + 2);
  const config = await loadConfig({ text: example }, { env: {}, readTextFile: failing("NotFound") });
  assertEquals(Object.keys(config.agents), ["Kairos"]);
});

Deno.test("loadConfig() says why a file cannot be read", async () => {
  const reason = async (name: string) => {
    const load = loadConfig({ path: "a.yaml" }, { env: {}, readTextFile: failing(name) });
    return (await assertRejects(() => load, MCPError)).message;
  };
  assertStringIncludes(await reason("NotCapable"), "allow it with --allow-read");
  assertStringIncludes(await reason("IsADirectory"), "it failed (IsADirectory)");
});

Deno.test("loadConfig() rejects with every fault of the text", async () => {
  const load = loadConfig({ text: "servers: 1\nagents: 2" }, { env: {}, readTextFile: failing("NotFound") });
  assertEquals((await assertRejects(() => load, ConfigError)).faults.length, 2);
});

Deno.test("loadConfig() reads what the text refers to, where not all of the environment may be read", async () => {
  const asked: string[] = [];
  const readVariable = (name: string) => (asked.push(name), "value");
  const config = await loadConfig({ text: TEXT }, { env: {}, readVariable, readTextFile: failing("NotFound") });
  assertEquals([config.agents.Kairos?.servers.files?.url, asked], ["https://files.example.com/mcp?value", ["NAME"]]);
  const refuse = () => {
    throw Object.assign(new Error("Requires env access"), { name: "NotCapable" });
  };
  const load = loadConfig({ text: TEXT }, { env: {}, readVariable: refuse, readTextFile: failing("NotFound") });
  const { code, message } = await assertRejects(() => load, MCPError);
  assertEquals([code, message], [
    "invalid_config",
    'Cannot read environment variable "NAME" as this program may not: allow it with --allow-env=NAME',
  ]);
});
