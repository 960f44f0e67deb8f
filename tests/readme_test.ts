import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { readReadmeBlocks, readReadmeCurls, toPattern } from "./support/readme.ts";
import { startEverything } from "./support/everything.ts";
import { startGateway } from "./support/gateway_process.ts";
import { refusedUrl } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";
// @ts-types="@modelcontextprotocol/sdk/types"
import { CreateMessageResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { type TestTool, textResult } from "./support/test_tools.ts";

const CONFIG = new URL("../deno.json", import.meta.url).pathname;

Deno.test("README: each curl prints what stands below it", async () => {
  const [, twoLines = ""] = await readConfigurations();
  await using everything = await startEverything("streamableHttp");
  await using gateway = await startGateway(twoLines.replace("http://localhost:3001/mcp", everything.url));
  const curls = await readReadmeCurls(gateway.origin);
  assertGreater(curls.length, 5);
  await gateway.ready();
  for (const { request, prints } of curls) {
    const response = await fetch(request);
    assertMatch(await response.text(), toPattern(prints));
  }
});

Deno.test("README: each example in TypeScript checks, runs and prints what its comments say", async () => {
  await using fileio = await startFileServer();
  const down = refusedUrl();
  const replace = (text: string) => {
    return text.replaceAll("https://fileio.example.com/mcp", fileio.url).replaceAll(
      "https://cal.example.com/mcp",
      down,
    );
  };
  const [portolan = ""] = await readConfigurations();
  const examples = await readReadmeBlocks("ts");
  assertEquals(examples.length, 4);
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

Deno.test("README: every task that it names is one of deno.json, and every link leads to a file", async () => {
  const text = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const tasks = [...text.matchAll(/deno@2\.9\.6 task (\w+)/g)].map(([, task]) => task!);
  assertEquals(tasks.filter((task) => !(task in config.tasks)), []);
  for (const [, path] of text.matchAll(/\]\(((?!https?:)[^)]+)\)/g)) {
    await Deno.stat(new URL(`../${path}`, import.meta.url));
  }
});

/** The whole configurations; a piece of one has no agents. */
async function readConfigurations(): Promise<readonly string[]> {
  return (await readReadmeBlocks("yaml")).filter((block) => /^agents:/m.test(block));
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
