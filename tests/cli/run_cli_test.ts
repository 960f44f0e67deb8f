import { digestKey } from "@portolan/mcp/gateway";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../src/version.ts";
import { toConfigSchema } from "../../src/config/config_schema.ts";
import { EXIT_MEANINGS } from "../../src/cli/exit_codes.ts";
import { type Outside, runCommand } from "./_fake_io.ts";

const COMMANDS = [
  "status",
  "tools",
  "call",
  "routes",
  "check",
  "permissions",
  "schema",
  "key new",
  "import",
  "activity",
  "audit",
  "completion",
];
const EMPTY = { files: { "portolan.yaml": "agents: {}" } };
const CANARY = "canary-key-hunter22";

Deno.test("runCli() without words tells what there is, with every exit code and examples", async () => {
  const { code, stdout, stderr } = await runCommand([]);
  assertEquals([code, stderr], [0, ""]);
  for (const name of COMMANDS) assertStringIncludes(stdout, name);
  for (const [exitCode, meaning] of EXIT_MEANINGS) assertStringIncludes(stdout, `${exitCode}  ${meaning}`);
  assertStringIncludes(stdout, "Examples\n  portolan import");
  assertEquals(stdout.includes("complete "), false);
  assertEquals((await runCommand(["--help"])).stdout, stdout);
});

for (const command of COMMANDS) {
  Deno.test(`runCli() tells the options and an example of "${command}"`, async () => {
    const { code, stdout } = await runCommand([...command.split(" "), "--help"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, `portolan ${command}`);
    assertStringIncludes(stdout, "--json");
  });
}

Deno.test("runCli() tells the version", async () => {
  assertEquals(await runCommand(["--version"]), { code: 0, stdout: `${VERSION}\n`, stderr: "", written: new Map() });
});

const FAULTS: readonly (readonly [args: readonly string[], said: string, outside?: Outside])[] = [
  [["stats"], 'Cannot run "stats" as there is no such command; did you mean "status"?'],
  [["zzzzzzzz"], 'Cannot run "zzzzzzzz" as there is no such command: see --help'],
  [
    ["status", "--cofig", "x"],
    'Cannot use option "--cofig" as there is none of that name here; did you mean "--config"?',
  ],
  [["status", "a", "b"], 'Cannot use "b" as the command takes no more than 1 words: see --help'],
  [["routes", "Kairos"], "Cannot run the command without <tool>: see --help"],
  [["call", "Kairos"], "Cannot run the command without <agent tool arguments>: see --help"],
  [["status", "--timeout", "soon"], 'Cannot use "soon" as a time: write a number and a unit, as in 500ms, 30s or 2m'],
  [["status", "--config"], 'Cannot use option "--config" without a value: see --help'],
  [["activity", "--limit", "0"], 'Cannot use "0" as a count: write a whole number above 0'],
  [["status", "--url", "http://a", "--config", "b"], "Cannot use --url beside --config: ask a gateway or read a file"],
  [["status", "--key", CANARY], "Cannot use --key without --url: a configuration file needs no key"],
  [
    ["status", "--url", `http://bob:${CANARY}@a`],
    "Cannot use the address of the gateway: write it as http://127.0.0.1:8000",
  ],
  [["status", "--url", `http://a?key=${CANARY}`], "Cannot use the address of the gateway"],
  [["status", "--url", "http://a", "--key", `${CANARY}\n`], "Cannot use the key as it is empty or holds blanks"],
  [["activity"], "Cannot ask without a running gateway: give its address by --url or PORTOLAN_URL"],
  [["audit"], "Cannot ask without a running gateway"],
  [["completion", "csh"], "Cannot complete for that shell: write bash, zsh or fish"],
  [["key", "new", "--id", "a b"], "Cannot use that --id"],
  [["key", "new", "--expires", "tomorrow"], "Cannot use that --expires: write a date such as 2027-01-31"],
  [["key", "new", "--expires", "2020-01-31"], "Cannot make a key that has ended"],
  [
    ["call", "a", "b", "-", "--url", "http://a", "--key", "-"],
    "Cannot read the tool's arguments from standard input as that holds the key",
    { stdin: "k" },
  ],
  [["call", "a", "b", "{"], "Cannot use the argument as the tool's arguments as it is not JSON", EMPTY],
];

Deno.test("runCli() says in one sentence what is wrong with a command line, sends nothing, and ends with 2", async () => {
  for (const [args, said, outside = EMPTY] of FAULTS) {
    const { code, stdout, stderr } = await runCommand(args, outside);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, said);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
    assertEquals(stderr.includes(CANARY), false);
  }
});

Deno.test("runCli() says the same as a problem where JSON is asked for", async () => {
  for (const [args, said, outside = EMPTY] of FAULTS) {
    const { code, stdout, stderr } = await runCommand([...args.slice(0, 1), ...args.slice(1), "--json"], outside);
    // An option that wants a value takes the next word, whatever it looks like.
    if (args.at(-1) === "--config") continue;
    assertEquals([code, stdout], [2, ""]);
    const problem = JSON.parse(stderr);
    assertEquals([problem.code, problem.exitCode], ["invalid_usage", 2]);
    assertStringIncludes(problem.detail, said);
  }
});

Deno.test("runCli() takes the shared options before the command as behind it", async () => {
  for (
    const args of [["--config", "b.yaml", "--json", "status"], ["--config=b.yaml", "status"], [
      "status",
      "--config=b.yaml",
    ]]
  ) {
    const { code, stdout } = await runCommand(args, { files: { "b.yaml": "agents: {}" } });
    assertEquals([code, JSON.parse(stdout)], [0, { agents: {} }]);
  }
  const { code, stdout } = await runCommand(["--no-json", "key", "new"]);
  assertEquals([code, /^ptl_\S+\n$/.test(stdout)], [0, true]);
});

Deno.test("runCli() reads the configuration that the option, else the environment, else the default name says", async () => {
  const files = { "portolan.yaml": "agents: { A: { servers: {} } }", "b.yaml": "agents: { B: { servers: {} } }" };
  const agents = async (args: readonly string[], env: Record<string, string> = {}) => {
    return Object.keys(JSON.parse((await runCommand(["status", ...args], { files, env })).stdout).agents);
  };
  assertEquals(await agents([]), ["A"]);
  assertEquals(await agents([], { PORTOLAN_CONFIG: "b.yaml" }), ["B"]);
  assertEquals(await agents(["--config", "portolan.yaml"], { PORTOLAN_CONFIG: "b.yaml" }), ["A"]);
  assertEquals(await agents([], { PORTOLAN_CONFIG_TEXT: "agents: { C: { servers: {} } }" }), ["C"]);
  assertEquals(await agents(["--config", "b.yaml"], { PORTOLAN_URL: "http://127.0.0.1:9" }), ["B"]);
});

Deno.test("runCli() ends with 3 and tells every fault where the configuration cannot be used", async () => {
  const none = await runCommand(["status"]);
  assertEquals(none.code, 3);
  assertStringIncludes(none.stderr, 'there is no file "portolan.yaml": write one, name another by --config');
  const text = `agents: { Kairos: { servers: { a: { url: "ftp://${CANARY}" }, b: { urll: x } } } }`;
  const faulty = await runCommand(["check", "--json"], { files: { "portolan.yaml": text } });
  assertEquals(faulty.code, 3);
  const { code, faults } = JSON.parse(faulty.stderr);
  assertEquals(code, "invalid_config");
  assert(faults.length >= 2);
  assertEquals(faulty.stderr.includes(CANARY), false);
});

Deno.test("runCli() colours what a person looks at, as the option and the environment say", async () => {
  const isColoured = async (options: readonly string[], outside: Outside) => {
    return (await runCommand(["key", "--help", ...options], outside)).stdout.includes("\x1b[");
  };
  assertEquals(await isColoured([], {}), false);
  assertEquals(await isColoured([], { terminal: 80 }), true);
  assertEquals(await isColoured([], { terminal: 80, env: { NO_COLOR: "1" } }), false);
  assertEquals(await isColoured([], { terminal: 80, env: { TERM: "dumb" } }), false);
  assertEquals(await isColoured([], { terminal: 80, env: { FORCE_COLOR: "0" } }), false);
  assertEquals(await isColoured([], { env: { FORCE_COLOR: "1" } }), true);
  assertEquals(await isColoured(["--color"], { env: { NO_COLOR: "1" } }), true);
  assertEquals(await isColoured(["--no-color"], { terminal: 80 }), false);
  assertEquals(await isColoured(["--no-color"], { terminal: 80, env: { FORCE_COLOR: "1" } }), false);
});

Deno.test("runCli() makes a key here with its digest, and says where that goes", async () => {
  const json = JSON.parse(
    (await runCommand(["key", "new", "--agent", "Kairos", "--id", "n", "--expires", "2027-01-31"])).stdout,
  );
  assertEquals(json.digest, await digestKey(json.key));
  assertEquals([json.agent, json.id, json.expiresAt], ["Kairos", "n", "2027-01-31"]);
  const person = await runCommand(["key", "new", "--agent", "Kairos"], { terminal: 80 });
  assertEquals(/^ptl_\S+\n$/.test(person.stdout), true);
  assertStringIncludes(person.stderr, 'agents:\n  Kairos:\n    keys: ["sha256:');
  assertEquals(person.stderr.includes(person.stdout.trim()), false);
});

Deno.test("runCli() prints the schema of a configuration, on a terminal too", async () => {
  const { code, stdout } = await runCommand(["schema"], { terminal: 80 });
  assertEquals([code, JSON.parse(stdout)], [0, toConfigSchema()]);
});

Deno.test("runCli() prints the command that starts a gateway with what its configuration needs", async () => {
  const text = "agents: { Kairos: { servers: { files: { url: 'https://files.example.com/mcp' } } } }";
  const outside = { files: { "portolan.yaml": text, "b.yaml": text }, env: { PORT: "9000" } };
  const { code, stdout } = await runCommand(["permissions", "--no-json"], outside);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "deno run --no-prompt '--allow-env=PORT,PORTOLAN_*");
  assertStringIncludes(stdout, "--allow-net=127.0.0.1:9000,files.example.com:443 ");
  const { command, permissions } = JSON.parse(
    (await runCommand(["permissions", "--config", "b.yaml"], outside)).stdout,
  );
  // The folder, as the file is watched.
  assertEquals([permissions.read, command.endsWith(" main.ts --listen")], [["."], true]);
});

Deno.test("runCli() makes no administrator's key with an end that nobody would know of", async () => {
  for (const options of [["--expires", "2027-12-31"], ["--id", "2027"]]) {
    const { code, stdout, stderr } = await runCommand(["key", "new", ...options], EMPTY);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "--url");
  }
});
