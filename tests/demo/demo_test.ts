import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { deadline } from "@std/async";

/** How long a line or the end may take, in milliseconds; the first run on a machine downloads. */
const WAIT_MS = 120_000;
const MAIN = new URL("main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** How a demo ended. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running demo. */
class DemoProcess implements AsyncDisposable {
  /** In the environment of the demo, hence in that of its children. */
  readonly #mark = `PORTOLAN_DEMO_TEST=${crypto.randomUUID()}`;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  #stdout = "";

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    const [name = "", value = ""] = this.#mark.split("=");
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--config", CONFIG, "-A", MAIN, ...args],
      env: { PORT: "0", ...env, [name]: value },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stderr = new Response(this.#child.stderr).text();
  }

  /** Waits until the output has a text. */
  async sees(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = text.exec(this.#stdout);
      if (match !== null) return match;
      assert(await this.#more(), `In vain waited for ${text} in: ${this.#stdout}`);
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<Ended> {
    while (await this.#more());
    const [{ code }, stderr] = await deadline(Promise.all([this.#child.status, this.#stderr]), WAIT_MS);
    return { code, stdout: this.#stdout, stderr };
  }

  /** How many processes have the mark; only Linux tells. */
  countProcesses(): number {
    if (Deno.build.os !== "linux") return 0;
    const pids = [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => /^\d+$/.test(name));
    return pids.filter((pid) => environmentOf(pid).includes(this.#mark)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.ended();
  }

  async #more(): Promise<boolean> {
    const { done, value = "" } = await deadline(this.#reader.read(), WAIT_MS);
    this.#stdout += value;
    return !done;
  }
}

function environmentOf(pid: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/environ`);
  } catch {
    // It has ended, or belongs to somebody else.
    return "";
  }
}

/** Fails where a process of the demo is left, or one of its servers still listens. */
async function assertGone(demo: DemoProcess, stdout: string): Promise<void> {
  assertEquals(demo.countProcesses(), 0);
  const ports = new Set([...stdout.matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port)));
  for (const port of ports) {
    await assertRejects(
      async () => (await Deno.connect({ hostname: "127.0.0.1", port })).close(),
      Deno.errors.ConnectionRefused,
    );
  }
}

const ignore = Deno.build.os === "windows";

Deno.test("the demo with --once shows five servers, routed calls, and leaves nothing behind", async () => {
  await using demo = new DemoProcess(["--once"]);
  const { code, stdout, stderr } = await demo.ended();
  assertEquals([code, stderr.replaceAll(/^.*Download .*\n/gm, "")], [0, ""]);

  const rowOf = (server: string) => new RegExp(`^  Kairos +${server} +(connected|failed) .*$`, "m").exec(stdout)?.[0];
  assertMatch(rowOf("everything") ?? "", /connected +streamable_http +2025-11-25 +(1[3-9]|[2-9]\d) +\d+ +-$/);
  assertMatch(rowOf("everything-sse") ?? "", /connected +sse +2025-11-25 +(1[3-9]|[2-9]\d) +\d+ +-$/);
  assertMatch(rowOf("harbour") ?? "", /connected +streamable_http +2025-11-25 +3 +\d+ +-$/);
  assertMatch(rowOf("silent") ?? "", /failed +- +- +- +\d+ +deadline_exceeded$/);
  assertMatch(rowOf("refused") ?? "", /failed +- +- +- +\d+ +unreachable$/);
  assertMatch(stdout, /^ {2}Kairos: 3 of 5 servers connected after \d+ ms, \d+ tools$/m);

  assertMatch(stdout, /tools\/echo .*\n {2}server everything +tool echo +route memory .*\n {2}→ Echo: Land ho\n/);
  assertMatch(stdout, /tools\/everything-sse__echo .*\n {2}server everything-sse +tool echo .*\n {2}→ Echo: Land ho\n/);
  assertMatch(stdout, /tools\/tide .*\n {2}server harbour +tool tide +route cache .*\n {2}→ Lisbon at 3 h: 1\.37 m\n/);
  assertEquals(stdout.includes("\x1b"), false);
  assertEquals(stdout.split("\n").filter((line) => line.length > 100), []);
  await assertGone(demo, stdout);
});

Deno.test({
  name: "the demo serves what its curl lines say until SIGINT, and leaves nothing behind",
  ignore,
  async fn() {
    await using demo = new DemoProcess([]);
    await demo.sees(/^Serving on http/m);
    const [, url = "", body = ""] = await demo.sees(/curl (\S+\/tools\/tide) --json '(.*)'/);
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body });
    const { server, result } = await response.json();
    assertEquals([response.status, server, result.content[0].type], [200, "harbour", "text"]);
    demo.kill("SIGINT");
    const { code, stdout, stderr } = await demo.ended();
    assertEquals([code, stderr.replaceAll(/^.*Download .*\n/gm, "")], [0, ""]);
    await assertGone(demo, stdout);
  },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `the demo ends on ${signal} while its servers start, and leaves nothing behind`,
    ignore,
    async fn() {
      await using demo = new DemoProcess([]);
      await demo.sees(/harbour/);
      if (Deno.build.os === "linux") assert(demo.countProcesses() > 1);
      demo.kill(signal);
      const { code, stdout } = await demo.ended();
      assertEquals([code, stdout.includes("Connecting")], [0, false]);
      await assertGone(demo, stdout);
    },
  });
}

Deno.test({
  name: "the demo ends on SIGTERM while it waits for the silent server, and leaves nothing behind",
  ignore,
  async fn() {
    await using demo = new DemoProcess([]);
    await demo.sees(/Kairos +everything-sse /);
    demo.kill("SIGTERM");
    const { code, stdout } = await demo.ended();
    assertEquals([code, stdout.includes("deadline_exceeded")], [0, false]);
    await assertGone(demo, stdout);
  },
});

Deno.test("the demo says so when its port is in use, and leaves nothing behind", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using demo = new DemoProcess(["--once"], { PORT: String(port) });
  const { code, stdout, stderr } = await demo.ended();
  assertEquals(code, 1);
  assertMatch(stderr, new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port} as the port is in use`, "m"));
  await assertGone(demo, stdout);
});
