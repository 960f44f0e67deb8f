import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { InterruptedError } from "../../src/cli/cli_error.ts";
import { type Outside, type Run, runCommand } from "../cli/_fake_io.ts";
import { CANARIES, type CliWorld, HOSTILE, openCliWorld } from "./_cli_world.ts";

/** The two ways to the same agents. */
const WAYS = ["file", "gateway"] as const;
type Way = (typeof WAYS)[number];

async function run(world: CliWorld, way: Way, args: readonly string[], outside: Outside = {}): Promise<Run> {
  const ended = await runCommand(args, {
    ...outside,
    files: { "portolan.yaml": world.yaml, ...outside.files },
    env: {
      ...world.env,
      ...(way === "gateway" && { PORTOLAN_URL: world.url, PORTOLAN_KEY: world.callerKey }),
      ...outside.env,
    },
    io: { fetch, now: Date.now, ...outside.io },
  });
  for (const canary of CANARIES) assertEquals((ended.stdout + ended.stderr).includes(canary), false);
  assertEquals(/(?![\n\r\t])[\p{Cc}\u202e](?!\[(?:K|\d+m))/u.test(ended.stdout + ended.stderr), false);
  return ended;
}

const TERMINAL: Outside = { terminal: 80 };

Deno.test("The command line does the same over a file and over a running gateway", async (t) => {
  await using world = await openCliWorld();

  for (const way of WAYS) {
    await t.step(`${way}: status tells each server, as JSON and as text`, async () => {
      const json = await run(world, way, ["status", "Kairos"]);
      const status = JSON.parse(json.stdout);
      assertEquals([json.code, status.agent, status.connectedServers, status.totalTools], [0, "Kairos", 2, 6]);
      const text = await run(world, way, ["status", "Kairos"], TERMINAL);
      assertStringIncludes(text.stdout, "Kairos\x1b[22m: 2 of 2 servers connected, 6 tools");
      assert(/ {2}guarded +\S*connected\S* +legacy +streamable_http +1 +\d+ ms/.test(text.stdout), text.stdout);
      assertStringIncludes(text.stdout, '"echo" is that of "work"; call that of "guarded" as "guarded__echo"');
    });

    await t.step(`${way}: tools lists and finds`, async () => {
      const all = JSON.parse((await run(world, way, ["tools", "Kairos"])).stdout);
      assertEquals(all.tools.map(({ name }: { name: string }) => name).sort(), [
        ...["echo", "fail", "guarded__echo", "hostile", "steps", "wait"],
      ]);
      const every = JSON.parse((await run(world, way, ["tools"])).stdout);
      assertEquals(
        every.agents.map(({ agent }: { agent: string }) => agent),
        way === "file" ? ["Kairos", "Mercurius"] : ["Kairos"],
      );
      const found = JSON.parse((await run(world, way, ["tools", "Kairos", "--search", "answers text"])).stdout);
      assertEquals(found.tools[0].name, "echo");
      const text = await run(world, way, ["tools", "Kairos"], TERMINAL);
      assertStringIncludes(text.stdout, "safe\\u{1b}[31m");
      assertEquals(text.stdout.split("\n").every((line) => line.replaceAll(/\p{Cc}\[\d+m/gu, "").length <= 80), true);
    });

    await t.step(`${way}: call answers, with arguments of every form`, async () => {
      const forms: readonly (readonly [string[], Outside?])[] = [
        [["text=ahoy"]],
        [['{"text":"ahoy"}']],
        [["@in.json"], { files: { "in.json": '{"text":"ahoy"}' } }],
        [["-"], { stdin: '{"text":"ahoy"}' }],
      ];
      for (const [words, outside] of forms) {
        const { code, stdout } = await run(world, way, ["call", "Kairos", "echo", ...words], outside);
        const { server, tool, result } = JSON.parse(stdout);
        assertEquals([code, server, tool, result.content], [0, "work", "echo", [{ type: "text", text: "ahoy" }]]);
      }
      // A number, were it not for the schema.
      assertStringIncludes((await run(world, way, ["call", "Kairos", "echo", "text=007"])).stdout, '"007"');
      const shown = await run(world, way, ["call", "Kairos", "hostile"], TERMINAL);
      assertEquals([shown.code, shown.stdout], [0, "safe\\u{1b}[31m\\u{1b}]0;owned\\u{7}\\u{202e}\\u{9b}2Jend\n"]);
      const json = await run(world, way, ["call", "Kairos", "hostile"]);
      assertEquals(JSON.parse(json.stdout).result.content[0].text, HOSTILE);
    });

    await t.step(`${way}: call shows progress to a person alone, and takes it away`, async () => {
      const { code, stdout, stderr } = await run(world, way, ["call", "Kairos", "steps"], TERMINAL);
      assertEquals([code, stdout], [0, "arrived\n"]);
      assertStringIncludes(stderr, "100 % (3 of 3) sailing");
      assertEquals(stderr.split("\r\x1b[K").at(-1)?.startsWith("Answered"), true);
      assertEquals((await run(world, way, ["call", "Kairos", "steps"])).stderr, "");
    });

    await t.step(`${way}: routes explains`, async () => {
      const route = JSON.parse((await run(world, way, ["routes", "Kairos", "echo"])).stdout);
      assertEquals([route.server, route.shadowedServers], ["work", ["guarded"]]);
      const text = await run(world, way, ["routes", "Kairos", "echo"], TERMINAL);
      assertStringIncludes(text.stdout, "also in");
    });

    await t.step(`${way}: every end has its exit code`, async () => {
      const ends: readonly (readonly [number, string[], Outside?])[] = [
        [1, ["call", "Kairos", "fail"]],
        [2, ["call", "Kairos", "echo", "text:=5"]],
        [6, ["call", "Kairos", "nope"]],
        [6, ["status", "Nobody"]],
        [6, ["routes", "Kairos", "nope"]],
        [6, ["call", "Kairos", "echo", "@none.json"]],
        [7, ["call", "Kairos", "wait", "--timeout", "300ms"]],
      ];
      for (const [code, args, outside] of ends) {
        const ended = await run(world, way, args, outside);
        assertEquals(ended.code, code, args.join(" ") + ended.stderr);
        const asJson = await run(world, way, [...args, "--json"], outside);
        assertEquals(asJson.code, code);
        if (code !== 1) assertEquals([asJson.stdout, JSON.parse(asJson.stderr).exitCode], ["", code]);
      }
    });

    await t.step(`${way}: an interruption cancels the call at the server, and ends with 130`, async () => {
      const [begun, cancelled] = [world.nextWait(), world.nextCancel()];
      const interrupted = new AbortController();
      const ending = run(world, way, ["call", "Kairos", "wait"], { io: { fetch, signal: interrupted.signal } });
      await begun;
      interrupted.abort(new InterruptedError());
      const { code, stdout, stderr } = await ending;
      assertEquals([code, stdout, stderr], [130, "", ""]);
      await cancelled;
    });
  }

  await t.step("file: what is down ends with 1, and is told with its reason", async () => {
    const { code, stdout } = await run(world, "file", ["status", "Mercurius"], TERMINAL);
    assertEquals(code, 1);
    assertStringIncludes(stdout, 'down: unreachable: Cannot reach server "down" as the connection was refused');
    assertEquals((await run(world, "file", ["call", "Mercurius", "down__x"])).code, 4);
    assertEquals((await run(world, "file", ["call", "Mercurius", "locked__echo"])).code, 5);
  });

  await t.step("file: check tells what to do about each fault, and ends with 1", async () => {
    const { code, stdout } = await run(world, "file", ["check", "--timeout", "5s"]);
    const report = JSON.parse(stdout);
    assertEquals([code, report.ok], [1, false]);
    const found = report.servers.map((
      { agent, server, ok, code }: Record<string, unknown>,
    ) => [agent, server, ok, code]);
    assertEquals(found, [
      ["Kairos", "work", true, undefined],
      ["Kairos", "guarded", true, undefined],
      ["Mercurius", "work", true, undefined],
      ["Mercurius", "down", false, "unreachable"],
      ["Mercurius", "locked", false, "unauthorized"],
    ]);
    const text = await run(world, "file", ["check", "--timeout", "5s"], TERMINAL);
    assertStringIncludes(text.stdout, "to do: Start the server");
    assertStringIncludes(text.stdout, "2 of 5 servers do not answer");
    const good = world.yaml.replace(/ {2}Mercurius.*\n/, "");
    const all = await run(world, "file", ["check"], { files: { "portolan.yaml": good }, ...TERMINAL });
    assertEquals(all.code, 0);
    assertStringIncludes(all.stdout, "All 2 servers answer");
  });

  await t.step("file: a configuration with faults ends with 3", async () => {
    const faulty = world.yaml.replace("agents:", "agentz:");
    assertEquals((await run(world, "file", ["status"], { files: { "portolan.yaml": faulty } })).code, 3);
    assertEquals((await run(world, "file", ["status"], { env: { GUARDED_TOKEN: "" } })).code, 3);
  });

  await t.step("gateway: who has no key, or none for it, is refused with 5 or finds nothing", async () => {
    const none = await run(world, "gateway", ["status"], { env: { PORTOLAN_KEY: "" } });
    assertEquals(none.code, 5);
    assertStringIncludes(none.stderr, "set PORTOLAN_KEY, or pass the key on standard input with --key -");
    assertEquals((await run(world, "gateway", ["status", "--key", "wrong"])).code, 5);
    assertEquals((await run(world, "gateway", ["status", "Mercurius"])).code, 6);
    assertEquals((await run(world, "gateway", ["key", "new", "--agent", "Kairos"])).code, 6);
    assertEquals((await run(world, "gateway", ["audit"])).code, 6);
  });

  await t.step("gateway: a key on standard input opens as one of the environment", async () => {
    const keyed: Outside = { env: { PORTOLAN_KEY: "" }, stdin: `${world.callerKey}\n` };
    assertEquals((await run(world, "gateway", ["status", "--key", "-"], keyed)).code, 0);
  });

  await t.step("gateway: a key that is made there opens at once", async () => {
    const admin: Outside = { env: { PORTOLAN_KEY: world.adminKey } };
    const made = await run(world, "gateway", ["key", "new", "--agent", "Kairos", "--id", "laptop"], {
      ...admin,
      ...TERMINAL,
    });
    assertEquals(made.code, 0);
    assertStringIncludes(made.stderr, 'The gateway knows the key as "laptop"');
    const key = made.stdout.trim();
    assertEquals((await run(world, "gateway", ["status"], { env: { PORTOLAN_KEY: key } })).code, 0);
    const again = await run(world, "gateway", ["key", "new", "--agent", "Kairos", "--id", "laptop"], admin);
    assertEquals(again.code, 5);
  });

  await t.step("gateway: nobody there, and somebody else there, end with 4", async () => {
    const refused = await run(world, "gateway", ["status"], { env: { PORTOLAN_URL: "http://127.0.0.1:1" } });
    assertEquals(refused.code, 4);
    assertStringIncludes(refused.stderr, "Cannot reach the gateway at http://127.0.0.1:1 as");
    await using other = serve(() => new Response("<h1>Hello</h1>", { headers: { "content-type": "text/html" } }));
    assertEquals((await run(world, "gateway", ["status"], { env: { PORTOLAN_URL: other.url } })).code, 4);
    await using teapot = serve(() => new Response("short and stout", { status: 418 }));
    assertEquals((await run(world, "gateway", ["tools"], { env: { PORTOLAN_URL: teapot.url } })).code, 4);
  });

  await t.step("gateway: a redirection is not followed, so that the key goes nowhere else", async () => {
    let asked = 0;
    await using elsewhere = serve(() => {
      asked++;
      return Response.json({ agents: {} });
    });
    await using redirecting = serve(() => Response.redirect(elsewhere.url, 307));
    assertEquals((await run(world, "gateway", ["status"], { env: { PORTOLAN_URL: redirecting.url } })).code, 4);
    assertEquals(asked, 0);
  });

  await t.step("gateway: a connection that breaks during a call ends with 7, and nothing is sent again", async () => {
    let calls = 0;
    await using breaking = serve(() => {
      calls++;
      return new Response(new ReadableStream({ start: (stream) => stream.error(new Error("broken")) }));
    });
    const env = { PORTOLAN_URL: breaking.url };
    const { code, stderr } = await run(world, "gateway", ["call", "Kairos", "echo", "text=x"], { env });
    assertEquals([code, calls], [7, 1]);
    assertStringIncludes(stderr, "look whether it has run before you call it again");
  });

  await t.step("gateway: activity tells the last calls, and audit tells all of them to an administrator", async () => {
    const calls = JSON.parse(
      `[${(await run(world, "gateway", ["activity", "Kairos", "--limit", "5"])).stdout.trim().replaceAll("\n", ",")}]`,
    );
    assertEquals(calls.length, 5);
    assertEquals(calls.every(({ agent }: { agent: string }) => agent === "Kairos"), true);
    const text = await run(world, "gateway", ["activity", "Kairos"], TERMINAL);
    assert(/ {2}\S*2\d{3}-\S+Z +Kairos +work +steps +\d+ ms +ok/.test(text.stdout), text.stdout);
    const admin: Outside = { env: { PORTOLAN_KEY: world.adminKey } };
    const audit = await run(world, "gateway", ["audit", "--agent", "Kairos"], admin);
    const tools = audit.stdout.trim().split("\n").map((line) => JSON.parse(line).tool);
    assertEquals([audit.code, tools.includes("echo"), tools.includes("steps")], [0, true, true]);
  });

  await t.step("gateway: audit follows every page, and no link to anywhere else", async () => {
    const paths: string[] = [];
    await using told = serve((request) => {
      const { pathname, search } = new URL(request.url);
      paths.push(pathname + search);
      const page = paths.length;
      const next = page === 1 ? "/admin/audit?agent=Kairos&after=2" : "https://elsewhere.example.com/admin/audit?x";
      return new Response(`${JSON.stringify({ page })}\n`, { headers: { link: `<${next}>; rel="next"` } });
    });
    const audit = await run(world, "gateway", ["audit", "--agent", "Kairos"], { env: { PORTOLAN_URL: told.url } });
    assertEquals([audit.code, audit.stdout], [0, '{"page":1}\n{"page":2}\n']);
    assertEquals(paths, ["/admin/audit?agent=Kairos", "/admin/audit?agent=Kairos&after=2"]);
  });

  await t.step("A reader that goes away ends it with 141 and without a word", async () => {
    const stdout = {
      isTerminal: false,
      columns: undefined,
      write: () => {
        throw new Deno.errors.BrokenPipe("gone");
      },
    };
    const { code, stderr } = await run(world, "file", ["tools", "Kairos"], { io: { fetch, stdout } });
    assertEquals([code, stderr], [141, ""]);
  });

  await t.step("The names of agents and tools complete, and nothing else is said where they are not had", async () => {
    const propose = async (way: Way, words: readonly string[], outside: Outside = {}) => {
      const { code, stdout, stderr } = await run(world, way, ["complete", "--", ...words], outside);
      assertEquals([code, stderr], [0, ""]);
      return stdout.split("\n").filter((line) => line !== "").map((line) => line.split("\t")[0]);
    };
    for (const way of WAYS) {
      assertEquals(await propose(way, ["status", "K"]), ["Kairos"]);
      assertEquals(await propose(way, ["routes", "Kairos", "st"]), ["steps"]);
      assertEquals(await propose(way, ["call", "Kairos", "gu"]), ["guarded__echo"]);
      assertEquals(await propose(way, ["call", "Kairos", "echo", "x"]), []);
    }
    assertEquals(await propose("file", ["st"]), ["status"]);
    assertEquals(await propose("file", ["key", ""]), ["new"]);
    assertEquals((await propose("file", ["status", "--"])).includes("--config"), true);
    assertEquals(await propose("file", ["import", "--from", "v"]), ["vscode"]);
    assertEquals(await propose("file", ["completion", "f"]), ["fish"]);
    assertEquals(await propose("gateway", ["status", "K"], { env: { PORTOLAN_URL: "http://127.0.0.1:1" } }), []);
    assertEquals(await propose("file", ["status", "--config", "none.yaml", "K"]), []);
  });
});

function serve(handler: (request: Request) => Response): AsyncDisposable & { readonly url: string } {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: () => new Response(null, { status: 500 }),
  }, handler);
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}
