import { toolName } from "../servers/answers.ts";
import type { ServerProcess } from "../servers/start.ts";
import { type Door, hubDoor, legacyDoor, modernDoor, restDoor } from "./doors.ts";
import { nameOf, type NpmFolder } from "./npm_gateways.ts";
import { denoRun, freePort, startProgram, untilItWorks } from "./program.ts";

/** A way to a tool. */
export interface Contender {
  /** Its name in the tables. */
  readonly name: string;
  /** The process between, whose time and memory are measured; `undefined` where there is none. */
  readonly pid?: number | undefined;
  /** Where connections go. */
  readonly url: URL;
  /** What they send. */
  readonly door: Door;
  /** Whether what it sends on can be counted: what speaks stdio only is put before a server of its own. */
  readonly counts: boolean;
}

const TOOL = toolName(0, 0);
/** The gateway's program. */
export const MAIN = new URL("../../../main.ts", import.meta.url);
const PASS_THROUGH = new URL("pass_through.ts", import.meta.url);
const STDIO_ECHO = new URL("stdio_echo.ts", import.meta.url);

/** Starts everything that is measured; the first is the server itself, the second the plain proxy. */
export async function startContenders(
  stack: AsyncDisposableStack,
  fast: ServerProcess,
  npm: NpmFolder | undefined,
): Promise<readonly Contender[]> {
  const upstream = new URL(fast.urls[0] ?? "");
  const proxy = stack.use(startProgram({ command: denoRun(PASS_THROUGH, [upstream.origin]) }));
  const proxied = new URL("/mcp", await proxy.origin);
  const config = JSON.stringify({ agents: { bench: { servers: { fast: { url: upstream.href } } } } });
  const own = stack.use(startProgram({
    command: denoRun(MAIN, ["--listen"]),
    env: { PORT: "0", PORTOLAN_CONFIG_TEXT: config, PORTOLAN_KV: ":memory:" },
  }));
  const origin = await own.origin;
  const mcp = new URL("/agents/bench/mcp", origin);
  const counts = true;
  return [
    { name: "the server itself", url: upstream, door: await legacyDoor(upstream, TOOL), counts },
    { name: "pass-through proxy", pid: proxy.pid, url: proxied, door: await legacyDoor(proxied, TOOL), counts },
    { name: "Portolan, REST", pid: own.pid, url: origin, door: restDoor(origin, "bench", TOOL), counts },
    { name: "Portolan, MCP 2026-07-28", pid: own.pid, url: mcp, door: modernDoor(mcp, TOOL), counts },
    { name: "Portolan, MCP 2025-11-25", pid: own.pid, url: mcp, door: await legacyDoor(mcp, TOOL), counts },
    ...(npm === undefined ? [] : [
      await startHub(stack, npm, [upstream.href]),
      await startStdioGateway(stack, npm, "mcp-proxy"),
      await startStdioGateway(stack, npm, "supergateway"),
    ]),
  ];
}

/** Starts mcp-hub before servers over HTTP. */
export async function startHub(
  stack: AsyncDisposableStack,
  npm: NpmFolder,
  urls: readonly string[],
): Promise<Contender> {
  const servers = Object.fromEntries(urls.map((url, index) => [`server${index}`, { url }]));
  await Deno.writeTextFile(`${npm.path}/hub.json`, JSON.stringify({ mcpServers: servers }));
  const port = freePort();
  const command = [...npm.command("mcp-hub"), "--port", String(port), "--config", `${npm.path}/hub.json`];
  const { pid } = stack.use(startProgram({ command, env: { HOME: npm.path } }));
  const url = new URL(`http://127.0.0.1:${port}`);
  const last = urls.length - 1;
  const door = hubDoor(url, `server${last}`, toolName(last, 0));
  return { name: nameOf("mcp-hub"), pid, url, door, counts: true };
}

/** Starts a gateway that fronts a server over stdio alone, with sessions, as it then keeps one such server. */
async function startStdioGateway(
  stack: AsyncDisposableStack,
  npm: NpmFolder,
  name: "mcp-proxy" | "supergateway",
): Promise<Contender> {
  const port = freePort();
  const echo = denoRun(STDIO_ECHO);
  const args = name === "mcp-proxy"
    ? ["--port", String(port), "--host", "127.0.0.1", "--server", "stream", "--", ...echo]
    : ["--port", String(port), "--logLevel", "none", "--outputTransport", "streamableHttp", "--stateful"].concat(
      "--stdio",
      echo.join(" "),
    );
  const { pid } = stack.use(startProgram({ command: [...npm.command(name), ...args] }));
  const url = new URL(`http://127.0.0.1:${port}/mcp`);
  const door = await untilItWorks(() => legacyDoor(url, TOOL));
  return { name: `${nameOf(name)} (stdio)`, pid, url, door, counts: false };
}
