import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseConfig } from "@portolan/mcp/config";
import { runCommand } from "./_fake_io.ts";

const FOLDER = new URL("editors/", import.meta.url);
const HOME = { HOME: "/home/bob" };

function read(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, FOLDER));
}

async function importFile(name: string, ...options: string[]) {
  const run = await runCommand(["import", name, ...options], { files: { [name]: await read(name) } });
  return { ...run, said: run.stdout + run.stderr + [...run.written.values()].join("") };
}

interface Report {
  readonly config: { readonly servers: Record<string, { url: string; headers?: Record<string, string> }> };
  readonly servers: readonly { server: string; state: string; reason?: string; bridge?: { command: string } }[];
  readonly variables: readonly { name: string; purpose: string }[];
}

async function importReport(name: string, ...options: string[]): Promise<Report> {
  const { code, stdout } = await importFile(name, "--json", ...options);
  assertEquals(code, 0);
  return JSON.parse(stdout);
}

for (
  const name of [
    "claude_desktop_config.json",
    "claude_code.mcp.json",
    "claude.json",
    "cursor_mcp.json",
    "vscode_mcp.json",
  ]
) {
  Deno.test(`import of ${name} prints a configuration that is good once its variables are set`, async () => {
    const { code, stdout } = await importFile(name);
    assertEquals(code, 0);
    const { variables, config } = await importReport(name);
    const env = Object.fromEntries(variables.map(({ name }) => [name, "value"]));
    const parsed = parseConfig(stdout, { env: { ...env, API_BASE_URL: "https://api.example.com" } });
    assertEquals(Object.keys(parsed.agents.default?.servers ?? {}), Object.keys(config.servers));
  });

  Deno.test(`import of ${name} says no secret of it in any form`, async () => {
    const text = await read(name);
    assert(/canary/i.test(text) || name === "vscode_mcp.json");
    for (const options of [[], ["--json"], ["--bridges"], ["--write", "a.yaml"], ["--write", "a.json"]]) {
      const { said } = await importFile(name, ...options);
      assertEquals(said.match(/canary\w*/gi), null);
    }
  });
}

Deno.test("import of Claude Desktop tells the bridge of each process, and unwraps what wraps a remote server", async () => {
  const { config, servers, variables } = await importReport("claude_desktop_config.json");
  assertEquals(
    config.servers,
    {
      parallax: {
        url: "https://mcp.parallax.example/api/mcp",
        transport: "sse",
        headers: { authorization: "Bearer ${env:PARALLAX_API_KEY}" },
      },
    } as Report["config"]["servers"],
  );
  const start = "npx -y supergateway --stdio ";
  const end = (port: number) => ` --outputTransport streamableHttp --stateful --port ${port}`;
  assertEquals(servers.map(({ bridge }) => bridge?.command), [
    `${start}'npx -y @modelcontextprotocol/server-filesystem /Users/bob/Desktop '\\''/Users/bob/My Documents'\\'''${
      end(8001)
    }`,
    `${start}'docker run -i --rm -e GITHUB_PERSONAL_ACCESS_TOKEN ghcr.io/github/github-mcp-server'${end(8002)}`,
    undefined,
    `${start}'npx -y figma-developer-mcp "--figma-api-key=\${WINDOWS_FILES_FIGMA_API_KEY}" --stdio'${end(8003)}`,
  ]);
  assertEquals(variables.map(({ name }) => name), [
    "GITHUB_PERSONAL_ACCESS_TOKEN",
    "PARALLAX_API_KEY",
    "WINDOWS_FILES_FIGMA_API_KEY",
  ]);
});

Deno.test("import of Claude Code keeps its references and their defaults, and refuses a socket", async () => {
  const { config, servers } = await importReport("claude_code.mcp.json");
  assertEquals(
    config.servers,
    {
      "api-server": {
        url: "${env:API_BASE_URL:-https://api.example.com}/mcp",
        headers: { authorization: "Bearer ${env:API_KEY}" },
      },
      sentry: { url: "https://mcp.sentry.dev/mcp" },
      old: {
        url: "https://old.example.com/sse",
        transport: "sse",
        headers: { "x-api-key": "${env:OLD_API_KEY}" },
      },
    } as Report["config"]["servers"],
  );
  assertEquals(servers.map(({ state }) => state), ["imported", "imported", "imported", "needs_bridge", "left_out"]);
});

Deno.test("import of Cursor hides what is secret in addresses and headers, and says why it leaves servers out", async () => {
  const { config, servers } = await importReport("cursor_mcp.json");
  assertEquals(
    config.servers,
    {
      context7: { url: "https://mcp.context7.com/mcp", headers: { context7_api_key: "${env:CONTEXT7_API_KEY}" } },
      zapier: { url: "https://mcp.zapier.com/api/mcp/s/${ZAPIER_PATH}/mcp?token=${env:ZAPIER_TOKEN}&lang=en" },
      "user-pass": { url: "https://mcp.example.com/mcp", headers: { authorization: "${env:USER_PASS_AUTHORIZATION}" } },
      "from-env": { url: "https://mcp.example.org/mcp", headers: { authorization: "Bearer ${env:MY_TOKEN}" } },
      "beside-env": {
        url: "https://mcp.example.net/mcp",
        headers: { "x-two": "${env:BESIDE_ENV_TWO} ${env:HALF}" },
      },
      lan: { url: "http://192.168.1.7:8080/mcp", allowPrivate: true },
      "my-server": { url: "https://named.example.com/mcp" },
    } as Report["config"]["servers"],
  );
  const reasons = servers.filter(({ state }) => state === "left_out").map(({ server, reason }) => [server, reason]);
  assertEquals(reasons, [
    ["server", 'url: Cannot use as a URL: write one that starts with "https://" or "http://"'],
    ["project", 'it refers to "workspaceFolder", which an editor alone knows'],
    ["off", "it is disabled there"],
    ["nothing", 'it has neither a "url" nor a "command"'],
  ]);
});

Deno.test("import of VS Code reads comments, asks for its inputs as variables, and quotes the words of a process", async () => {
  const { config, servers, variables } = await importReport("vscode_mcp.json");
  assertEquals(
    config.servers,
    {
      github: {
        url: "https://api.githubcopilot.com/mcp/",
        headers: { authorization: "Bearer ${env:GITHUB_MCP_PAT}" },
      },
      regional: { url: "https://${env:REGION}.example.com/sse", transport: "sse" },
    } as Report["config"]["servers"],
  );
  assertEquals(variables[0], { name: "GITHUB_MCP_PAT", purpose: "GitHub Personal Access Token" });
  const command = servers.find(({ server }) => server === "Dev-Box-MCP")?.bridge?.command ?? "";
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", command.replace("npx -y supergateway --stdio", "printf %s")],
  })
    .output();
  const words = new TextDecoder().decode(stdout).replace(/--outputTransport.*/s, "");
  const inner = await new Deno.Command("bash", { args: ["-c", words.replace("npx", "printf '%s|'")] }).output();
  assertStringIncludes(new TextDecoder().decode(inner.stdout), "|${workspaceFolder}|it's|");
});

Deno.test("import --bridges gives the processes the addresses of their bridges", async () => {
  const { config } = await importReport("claude_desktop_config.json", "--bridges");
  assertEquals(Object.values(config.servers).map(({ url }) => url), [
    "http://localhost:8001/mcp",
    "http://localhost:8002/mcp",
    "https://mcp.parallax.example/api/mcp",
    "http://localhost:8003/mcp",
  ]);
});

Deno.test("import --from finds the files of each editor, the project's first", async () => {
  const files = {
    "/home/bob/project/.mcp.json": await read("claude_code.mcp.json"),
    "/home/bob/.claude.json": await read("claude.json"),
    "/home/bob/.config/Claude/claude_desktop_config.json": await read("claude_desktop_config.json"),
    "/home/bob/.cursor/mcp.json": await read("cursor_mcp.json"),
    "/home/bob/.config/Code/User/mcp.json": await read("vscode_mcp.json"),
    "/home/bob/.config/Code/User/settings.json": '{ "editor.fontSize": 12 }',
  };
  const serversOf = async (editor: string) => {
    const { stdout } = await runCommand(["import", "--from", editor, "--json"], { files, env: HOME });
    const report: Report = JSON.parse(stdout);
    return report.servers.map(({ server }) => server);
  };
  assertEquals(await serversOf("claude"), [
    ...["api-server", "sentry", "old", "local-tools", "socket", "notes", "linear"],
    ...["filesystem", "github", "parallax", "windows-files"],
  ]);
  assertEquals((await serversOf("cursor")).length, 12);
  assertEquals(await serversOf("vscode"), ["github", "regional", "Dev-Box-MCP"]);
});

Deno.test("import --write writes a new file alone, in the form that its name says", async () => {
  const files = { "mcp.json": await read("claude.json"), "portolan.yaml": "agents: {}" };
  const yaml = await runCommand(["import", "mcp.json", "--agent", "Kairos", "--write", "new.yaml"], { files });
  assertEquals([yaml.code, yaml.stdout], [0, ""]);
  assertStringIncludes(yaml.written.get("new.yaml") ?? "", "  Kairos:\n    servers:\n      - notes\n      - linear\n");
  const json = await runCommand(["import", "mcp.json", "--write", "new.json"], { files });
  assertEquals(Object.keys(JSON.parse(json.written.get("new.json") ?? "")), ["servers", "agents"]);
  const refused = await runCommand(["import", "mcp.json", "--write", "portolan.yaml"], { files });
  assertEquals([refused.code, refused.written.size], [2, 0]);
  assertStringIncludes(refused.stderr, 'Cannot write "portolan.yaml" as there is such a file');
});

Deno.test("import says what is wrong with a file, and quotes nothing of it", async () => {
  const cases: readonly (readonly [text: string, code: number, said: string])[] = [
    ['{ "mcpServers": { "a": { "url": "canary', 3, 'Cannot import from "f.json" as it is no JSON: line 1:'],
    ["[]", 3, "as it is no JSON object"],
    ['{ "canary": 1 }', 3, 'as it has neither "mcpServers" nor "servers"'],
    ['{ "mcpServers": {} }', 3, "none of the servers can be used"],
    ['{ "mcpServers": { "a": { "command": "canary-program" } } }', 3, "none of the servers can be used"],
  ];
  for (const [text, code, said] of cases) {
    const run = await runCommand(["import", "f.json"], { files: { "f.json": text } });
    assertEquals(run.code, code);
    assertStringIncludes(run.stderr, said);
    if (!text.includes("program")) assertEquals(run.stderr.includes("canary"), false);
  }
  assertEquals((await runCommand(["import", "f.json"])).code, 6);
  assertEquals((await runCommand(["import"])).code, 2);
  assertEquals((await runCommand(["import", "--from", "cursor"], { env: HOME })).code, 6);
  assertEquals((await runCommand(["import", "--from", "emacs"], { env: HOME })).code, 2);
});

Deno.test("import reads standard input, and takes names that are no names", async () => {
  const names = ["__proto__", "constructor", "a b", "a-b", "ünï", "1", "x".repeat(99)];
  const servers = names.map((name) => `${JSON.stringify(name)}: { "url": "https://mcp.example.com/mcp" }`).join(",");
  const run = await runCommand(["import", "-"], { stdin: `{ "servers": { ${servers} } }` });
  assertEquals(run.code, 0);
  assertEquals(Object.keys(parseConfig(run.stdout).agents.default?.servers ?? {}).length, names.length);
});

Deno.test("import says no secret that stands where nobody would look for one", async () => {
  const secret = (at: number) => `canary${String(at).padStart(2, "0")}`;
  const process = (...args: string[]) => ({ command: "npx", args });
  const servers = {
    json: process("--config", `{"exaApiKey":"${secret(1)}"}`),
    dsn: process(`--dsn=postgres://me:${secret(2)}@db`),
    environment: process("-e", `DATABASE_URL=postgres://me:${secret(3)}@db/x`),
    query: process(`postgresql://db/x?user=me&password=${secret(4)}`),
    string: process(`Server=db;Password=${secret(5)};`),
    shell: { command: "bash", args: ["-c", `export API_KEY=${secret(6)}; run`] },
    line: { command: `env BRAVE_API_KEY=${secret(7)} npx -y srv` },
    user: process("-u", `admin:${secret(8)}`),
    address: process(`--url=https://h.example/x?token=${secret(9)}&u=\${env:USER}`),
    folder: process(`--api-key=${secret(10)}\${workspaceFolder}`),
    fallback: { url: "https://a.example/mcp", headers: { authorization: `Bearer \${API_TOKEN:-${secret(11)}-pw}` } },
    bare: { url: `https://b.example/mcp?${secret(12)}0a1b2c3d4e5f60718293` },
    mixed: { url: "https://c.example/mcp", headers: { "x-api-key": `${secret(13)}-\${env:STAGE}` } },
  };
  const text = JSON.stringify({ mcpServers: servers });
  for (const options of [[], ["--json"], ["--bridges"]]) {
    const { stdout, stderr } = await runCommand(["import", "mcp.json", ...options], { files: { "mcp.json": text } });
    assertEquals(`${stdout}${stderr}`.match(/canary\d\d/g), null);
  }
});

Deno.test("import gives different secrets different variables, whichever comes first", async () => {
  const literal = {
    url: "https://github.example/mcp",
    headers: { authorization: "Bearer ghp_0123456789abcdef0123456789abcdef0123" },
  };
  const referring = { url: "https://other.example/mcp", headers: { authorization: "Bearer ${GITHUB_AUTHORIZATION}" } };
  for (const mcpServers of [{ github: literal, other: referring }, { other: referring, github: literal }]) {
    const files = { "mcp.json": JSON.stringify({ mcpServers }) };
    const { stdout } = await runCommand(["import", "mcp.json", "--json"], { files });
    const { config } = JSON.parse(stdout) as Report;
    const { github, other } = config.servers;
    assertEquals(other?.headers?.authorization, "Bearer ${env:GITHUB_AUTHORIZATION}");
    assertEquals(github?.headers?.authorization === other?.headers?.authorization, false);
  }
});

Deno.test("import writes no file where none of the servers can be used", async () => {
  for (const name of ["a.json", "a.yaml"]) {
    const files = { "mcp.json": JSON.stringify({ mcpServers: { s: { url: "ws://h.example" } } }) };
    const { code, written } = await runCommand(["import", "mcp.json", "--json", "--write", name], { files });
    assertEquals([code, written.size], [3, 0]);
  }
});
