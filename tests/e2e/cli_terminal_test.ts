import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CANARIES, type CliWorld, openCliWorld } from "./_cli_world.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const TERMINAL = `${ROOT}tests/support/terminal.py`;
const PROGRAM =
  `exec "${Deno.execPath()}" run --quiet --no-check --frozen --config "${ROOT}deno.json" -A "${ROOT}src/cli/mod.ts" "$@"`;
const CTRL_C = "\x03";
const CLEAR = "\r\x1b[K";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with the program under its name, and a configuration. */
class Folder implements AsyncDisposable {
  readonly #world: CliWorld;
  readonly path: string;

  private constructor(world: CliWorld, path: string) {
    this.#world = world;
    this.path = path;
  }

  static async open(world: CliWorld): Promise<Folder> {
    const path = await Deno.makeTempDir();
    await Deno.writeTextFile(`${path}/portolan`, `#!/bin/sh\n${PROGRAM}\n`, { mode: 0o755 });
    await Deno.writeTextFile(`${path}/portolan.yaml`, world.yaml);
    return new Folder(world, path);
  }

  /** Runs a program in the folder, which finds this one by its name. */
  async run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      cwd: this.path,
      clearEnv: true,
      env: {
        ...this.#world.env,
        PATH: `${this.path}:${Deno.env.get("PATH") ?? ""}`,
        HOME: this.path,
        DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
        TERM: "xterm-256color",
        LANG: "C.UTF-8",
        ...env,
      },
      stdin: "null",
    }).output();
    const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    for (const canary of CANARIES) assertEquals(`${out}${error}`.includes(canary), false);
    return { code, stdout: out ?? "", stderr: error ?? "" };
  }

  /** Runs a program in a terminal; types keys once a text has been shown. */
  async look(
    args: readonly string[],
    options: { columns?: number; awaited?: string; keys?: string; env?: Record<string, string> } = {},
  ) {
    const { columns = 80, awaited = "", keys = "", env } = options;
    const { code, stdout, stderr } = await this.run(
      "python3",
      [TERMINAL, String(columns), awaited, keys, ...args],
      env,
    );
    assertEquals(stderr, "");
    return { code, shown: stdout.replaceAll("\r\n", "\n") };
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.path, { recursive: true });
  }
}

Deno.test("The command line in a terminal and in a pipe", async (t) => {
  await using world = await openCliWorld();
  await using folder = await Folder.open(world);
  const gateway = { PORTOLAN_URL: world.url, PORTOLAN_KEY: world.callerKey };

  await t.step(
    "A terminal gets a coloured table that fits it, and the line that tells to wait is taken away",
    async () => {
      const { code, shown } = await folder.look(["portolan", "status"], { columns: 70 });
      assertEquals(code, 1);
      assertStringIncludes(shown, `${CLEAR}\x1b[2mAsking the servers …\x1b[22m${CLEAR}`);
      assertStringIncludes(shown, "\x1b[32mconnected\x1b[39m");
      assertStringIncludes(shown, "\x1b[31mfailed\x1b[39m");
      assertStringIncludes(shown, "Kairos\x1b[22m: 2 of 2 servers connected, 6 tools\n");
    },
  );

  await t.step("NO_COLOR takes the colours away in a terminal", async () => {
    const { code, shown } = await folder.look(["portolan", "status", "Kairos"], { env: { ...gateway, NO_COLOR: "1" } });
    assertEquals(code, 0);
    assertEquals(/\p{Cc}\[\d+m/u.test(shown), false);
  });

  await t.step("A terminal sees the progress of a call, then its answer", async () => {
    const { code, shown } = await folder.look(["portolan", "call", "Kairos", "steps"]);
    assertEquals(code, 0);
    assertStringIncludes(shown, "100 % (3 of 3) sailing");
    assertEquals(/arrived\nAnswered /.test(shown.split(CLEAR).at(-1) ?? ""), true);
  });

  for (const [way, env] of [["a file", {}], ["a gateway", gateway]] as const) {
    await t.step(`Ctrl-C cancels a call over ${way}, and ends it with 130 and without a stack`, async () => {
      const cancelled = world.nextCancel();
      const { code, shown } = await folder.look(["portolan", "call", "Kairos", "wait"], {
        awaited: "hove to",
        keys: CTRL_C,
        env: { ...env },
      });
      assertEquals(code, 130);
      assertEquals(/at .*\.ts|Error/.test(shown), false);
      await cancelled;
    });
  }

  await t.step(
    "A pipe gets one JSON document, and failures go to the standard error with their exit code",
    async () => {
      const ok = await folder.run("portolan", ["call", "Kairos", "echo", "text=ahoy"], gateway);
      assertEquals([ok.code, JSON.parse(ok.stdout).result.content[0].text, ok.stderr], [0, "ahoy", ""]);
      const missing = await folder.run("portolan", ["call", "Kairos", "nope", "--json"]);
      assertEquals([missing.code, missing.stdout, JSON.parse(missing.stderr).code], [6, "", "tool_not_found"]);
    },
  );

  await t.step(
    "A reader that stops reading, an argument on standard input, and a file that is written, in a shell",
    async () => {
      const script = `
      portolan tools Kairos | true; echo "closed \${PIPESTATUS[0]}"
      echo '{"text":"from stdin"}' | portolan call Kairos echo - --no-json
      echo '{ "mcpServers": { "files": { "url": "https://files.example.com/mcp" } } }' > mcp.json
      portolan import mcp.json --write new.yaml 2>/dev/null; echo "written $? $(stat -c %a new.yaml)"
      portolan import mcp.json --write new.yaml; echo "refused $?"
    `;
      const { stdout, stderr } = await folder.run("bash", ["-c", script]);
      assertEquals(stdout.split("\n"), ["closed 141", "from stdin", "written 0 600", "refused 2", ""]);
      assertEquals(stderr.includes("at "), false);
      assertStringIncludes(stderr, 'Cannot write "new.yaml" as there is such a file');
    },
  );

  await t.step("bash completes commands, options, agents and tools by the script", async () => {
    const script = `
      eval "$(portolan completion bash)"
      complete -p portolan
      words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _portolan; echo "\${COMPREPLY[*]}"; }
      words portolan st
      words portolan routes Kairos gua
      words portolan status --co
    `;
    const { code, stdout, stderr } = await folder.run("bash", ["-c", script], gateway);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout.split("\n"), [
      "complete -o default -F _portolan portolan",
      "status",
      "guarded__echo",
      "--config --color",
      "",
    ]);
  });

  await t.step("bash completes at the tab key", async () => {
    const rc = `PS1='ready> '\nbind 'set enable-bracketed-paste off'\neval "$(portolan completion bash)"\n`;
    await Deno.writeTextFile(`${folder.path}/rc`, rc);
    const { shown } = await folder.look(["bash", "--rcfile", "rc", "-i"], {
      awaited: "ready> ",
      keys: "portolan routes Kai\tst\t --no-color\nexit\n",
      env: gateway,
    });
    assertStringIncludes(shown, "portolan routes Kairos steps  --no-color");
    assertStringIncludes(shown, "steps goes to work\n");
  });

  await t.step("The scripts for zsh and fish are told, and differ", async () => {
    const [zsh, fish] = await Promise.all(
      ["zsh", "fish"].map((shell) => folder.run("portolan", ["completion", shell])),
    );
    assert(zsh?.stdout.startsWith("#compdef portolan\n"));
    assertStringIncludes(fish?.stdout ?? "", "complete -c portolan");
  });
});
