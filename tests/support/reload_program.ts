/**
 * The gateway as a process of its own on a configuration file, what it says, and calls that go on at it meanwhile.
 *
 * @module
 */

import { delay } from "@std/async";
import { until } from "./client_support.ts";
import { hearProgram } from "./heard_program.ts";
import { askModern, beginSession } from "./northbound_support.ts";

const ROOT = new URL("../../", import.meta.url);
const ARGS = ["run", "-A", "--no-check", "--config", new URL("deno.json", ROOT).pathname];

/** How much longer than it is allowed something may take where the machine has other things to do, in milliseconds. */
const SLACK_MS = 10_000;

/** The key that every configuration of these tests has. */
export const ADMIN_KEY = "admin-key";

/** A running gateway. */
export interface ReloadProgram extends AsyncDisposable {
  /** Where it listens. */
  readonly origin: string;
  /** Everything that it has said, of both outputs. */
  readonly said: () => string;
  /** Replaces the configuration as editors do: another file gets the name. */
  replace(text: string): Promise<void>;
  /** Writes the configuration in its place. */
  overwrite(text: string): Promise<void>;
  /** Sends it a signal. */
  kill(signal: Deno.Signal): void;
  /** Waits until it has said something this often. */
  hears(text: string, times?: number, withinMs?: number): Promise<void>;
  /** Asks it as an administrator. */
  ask(path: string, init?: RequestInit): Promise<Response>;
}

/** Waits until a condition holds for which there is a time; fails some time after that. */
export async function untilWithin(ms: number, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + ms + SLACK_MS;
  while (!(await condition())) {
    if (performance.now() > endsAt) throw new Error(`In vain waited for: ${condition.toString()}`);
    await delay(20);
  }
}

/** Starts it; without a text there is no file. */
export async function startOnFile(
  text: string | undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<ReloadProgram> {
  const cwd = await Deno.makeTempDir({ prefix: "portolan-reload-" });
  const path = `${cwd}/portolan.yaml`;
  if (text !== undefined) await Deno.writeTextFile(path, text);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...ARGS, new URL("main.ts", ROOT).pathname, "--listen"],
    cwd,
    env: { PORT: "0", PORTOLAN_KV: ":memory:", PORTOLAN_LOG_FORMAT: "text", NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const heard = hearProgram(child);
  const origin = await heard.origin;
  const said = () => heard.said.stdout + heard.said.stderr;
  const countOf = (text: string) => said().split(text).length - 1;
  return {
    origin,
    said,
    async replace(text) {
      await Deno.writeTextFile(`${path}.new`, text);
      await Deno.rename(`${path}.new`, path);
    },
    overwrite: (text) => Deno.writeTextFile(path, text),
    kill: (signal) => child.kill(signal),
    hears: (text, times = 1, withinMs = 5_000) => untilWithin(withinMs, () => countOf(text) >= times),
    ask(path, init = {}) {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${ADMIN_KEY}`);
      return fetch(origin + path, { ...init, headers });
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT");
      await Promise.all([child.status, heard.over]);
      await Deno.remove(cwd, { recursive: true });
    },
  };
}

/** Calls that went on. */
export interface Load {
  /** Waits until this many more have been answered through every door. */
  more(calls: number): Promise<void>;
  /** Ends it; what failed, and how many were answered. */
  end(): Promise<{ readonly failed: readonly string[]; readonly answered: number }>;
}

/** Calls `whoami` of Kairos again and again: by REST, by MCP without a session, and in a session. */
export async function startLoad({ origin }: { readonly origin: string }): Promise<Load> {
  const url = `${origin}/agents/Kairos/mcp`;
  const key = { authorization: `Bearer ${ADMIN_KEY}` };
  const session = await beginSession(url, { elicitation: {} }, key);
  const doors: readonly (() => Promise<unknown>)[] = [
    async () => {
      const response = await fetch(`${origin}/agents/Kairos/tools/whoami`, { method: "POST", headers: key });
      const json = await response.json();
      return response.status === 200 ? json.result : json;
    },
    async () => {
      const { last } = await askModern(url, "tools/call", { name: "whoami", arguments: {} }, { headers: key });
      return last.result ?? last;
    },
    async () => {
      const { last } = await session.call("tools/call", { name: "whoami", arguments: {} });
      return last.result ?? last;
    },
  ];
  const answered = doors.map(() => 0);
  const failed: string[] = [];
  let isOver = false;
  const callers = [0, 1, 2, 0, 1, 0].map(async (door) => {
    while (!isOver) {
      try {
        const result = JSON.stringify(await doors[door]?.());
        if (result.includes('"content"') && !result.includes('"isError":true')) {
          answered[door] = (answered[door] ?? 0) + 1;
        } else failed.push(result);
      } catch (error) {
        failed.push(String(error));
      }
    }
  });
  return {
    async more(calls) {
      const before = [...answered];
      await until(() => failed.length > 0 || answered.every((count, door) => count - (before[door] ?? 0) >= calls));
    },
    async end() {
      isOver = true;
      await Promise.all(callers);
      return { failed, answered: answered.reduce((sum, count) => sum + count, 0) };
    },
  };
}
