import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { dirname, join } from "node:path/posix";
import config from "../deno.json" with { type: "json" };
import { SETTING_NAMES } from "../src/gateway/settings.ts";
import { readBlocks, readCurls, readDocuments, toPattern } from "./support/readme.ts";
import { startEverything } from "./support/everything.ts";
import { startGateway } from "./support/gateway_process.ts";
import { refusedUrl } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";
// @ts-types="@modelcontextprotocol/sdk/types"
import { CreateMessageResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { type TestTool, textResult } from "./support/test_tools.ts";

const CONFIG = new URL("../deno.json", import.meta.url).pathname;

Deno.test("Documents: each curl prints what stands below it", async () => {
  const twoLines = await findConfiguration("localhost:3001");
  await using everything = await startEverything("streamableHttp");
  await using gateway = await startGateway(twoLines.replace("http://localhost:3001/mcp", everything.url));
  const curls = await readCurls(gateway.origin);
  assertGreater(curls.length, 5);
  await gateway.ready();
  for (const { request, prints } of curls) {
    const response = await fetch(request);
    assertMatch(await response.text(), toPattern(prints));
  }
});

Deno.test("Documents: each example in TypeScript checks, runs and prints what its comments say", async () => {
  await using fileio = await startFileServer();
  const down = refusedUrl();
  const replace = (text: string) => {
    return text.replaceAll("https://fileio.example.com/mcp", fileio.url).replaceAll(
      "https://cal.example.com/mcp",
      down,
    );
  };
  const portolan = await findConfiguration("KAIROS_CALENDAR_TOKEN");
  const examples = await readBlocks("ts");
  assertEquals(examples.length, 5);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/portolan.yaml`, replace(portolan));
    for (const [index, code] of examples.entries()) {
      const file = `${folder}/example_${index}.ts`;
      await Deno.writeTextFile(file, replace(code));
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--check", "--config", CONFIG, "--frozen", "-A", file],
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      const promised = [...code.matchAll(/^ *\/\/ (.*)$/gm)].map(([, text]) => text);
      assertEquals(new TextDecoder().decode(stdout).trimEnd().split("\n"), promised);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Documents: every task that they name is one of deno.json, and every link leads somewhere", async () => {
  const documents = await readDocuments();
  const anchors = new Map(documents.map(({ path, text }) => [path, toAnchors(text)] as const));
  const unknown: string[] = [];
  for (const { path, text } of documents) {
    for (const [, task = ""] of text.matchAll(/deno(?:@2\.9\.6)? task ([\w:]+)/g)) {
      if (!(task in config.tasks)) unknown.push(`${path}: task ${task}`);
    }
    for (const [, link = ""] of text.matchAll(/\]\(((?!https?:)[^)]+)\)/g)) {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      if (!await exists(target)) unknown.push(`${path}: ${link}`);
      else if (anchor !== undefined && anchors.get(target)?.has(anchor) !== true) unknown.push(`${path}: ${link}`);
    }
  }
  assertEquals(unknown, []);
});

Deno.test("Documents: every variable that they name is one of the settings, and the table has them all", async () => {
  const documents = await readDocuments();
  const named = new Set(documents.flatMap(({ text }) => text.match(/\bPORTOLAN_[A-Z_]*[A-Z]\b/g) ?? []));
  const known: readonly string[] = SETTING_NAMES;
  const ofCli = ["PORTOLAN_KEY", "PORTOLAN_URL"];
  assertEquals([...named].filter((name) => !known.includes(name) && !ofCli.includes(name)), []);
  const rows = documents.flatMap(({ text }) => [...text.matchAll(/^\| `([A-Z_]+)` /gm)].map(([, name]) => name));
  assertEquals(["PORT", ...known].filter((name) => !rows.includes(name)), []);
});

/** The names of headings, as the places that host repositories make them. */
function toAnchors(text: string): ReadonlySet<string> {
  const headings = [...text.replaceAll(/^```.*?^```/gms, "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
  );
  return new Set(headings.map((heading) => heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(new URL(`../${path}`, import.meta.url)).then(() => true, () => false);
}

/** The whole configuration that says a text; a piece of one has no agents. */
async function findConfiguration(text: string): Promise<string> {
  const whole = (await readBlocks("yaml")).filter((block) => /^agents:/m.test(block) && block.includes(text));
  assertEquals(whole.length, 1);
  return whole[0]!;
}

/** The server of the examples: a tool that reads, one that has a model speak, a resource and a prompt. */
async function startFileServer() {
  const read: TestTool = {
    name: "read_file",
    description: "Reads a file.",
    inputSchema: { filename: z.string().optional() },
    run: () => textResult("The harbour is open."),
  };
  const ask: TestTool = {
    name: "ask_model",
    run: async (_args, extra) => {
      const messages = [{ role: "user", content: { type: "text", text: "Greet me" } }] as const;
      const params = { messages: [...messages], maxTokens: 10 };
      const answer = await extra.sendRequest({ method: "sampling/createMessage", params }, CreateMessageResultSchema);
      return { content: [answer.content].flat().filter((block) => block.type === "text") };
    },
  };
  return await startMCPServer({
    name: "fileio",
    tools: [read, ask],
    configure: (mcp) => {
      mcp.registerResource("chart", "file:///harbour/chart.txt", {}, (uri) => {
        return { contents: [{ uri: uri.href, text: "Here be rocks" }] };
      });
      mcp.registerPrompt("greet", { argsSchema: { name: z.string() } }, ({ name }) => {
        return { messages: [{ role: "user", content: { type: "text", text: `Greet ${name}` } }] };
      });
    },
  });
}
