/**
 * What tests of the task runner have in common: a connection without a server, a runner whose waits end at once.
 *
 * @module
 */

import type { Connection, ConnectionRequest } from "../../src/connection/connection.ts";
import { Deadline } from "../../src/deadline.ts";
import { MCPError } from "../../src/errors.ts";
import type { JsonObject, Tool } from "../../src/protocol.ts";
import { TaskRunner, type TaskRunnerDeps } from "../../src/tasks/task_runner.ts";

/** A tool that runs as a task only. */
export const REQUIRED: Tool = { name: "slow", inputSchema: { type: "object" }, execution: { taskSupport: "required" } };
/** A result. */
export const DONE: JsonObject = { content: [{ type: "text", text: "done" }] };

type Answer = JsonObject | Error;

/** A connection that answers each method with the given answers, the last for ever. */
export function createFakeConnection(
  answers: Readonly<Record<string, readonly Answer[]>>,
  more: { readonly era?: "legacy" | "modern"; readonly capabilities?: JsonObject; readonly version?: string } = {},
) {
  const { era = "legacy", capabilities, version = "2025-11-25" } = more;
  const sent: ConnectionRequest[] = [];
  const at = new Map<string, number>();
  const connection: Pick<Connection, "era" | "info" | "protocolVersion" | "request"> = {
    era,
    protocolVersion: version,
    info: capabilities && { implementation: undefined, capabilities, instructions: undefined },
    request(request) {
      sent.push(request);
      const count = at.get(request.method) ?? 0;
      at.set(request.method, count + 1);
      const list = answers[request.method] ?? [{}];
      const answer = list[Math.min(count, list.length - 1)]!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  const count = (method: string) => sent.filter((request) => request.method === method).length;
  return { connection: connection as Connection, sent, count };
}

/** A runner whose waits are recorded and end at once; the deadline's own time passes only where a test lets it. */
export function createRunner(fake: ReturnType<typeof createFakeConnection>, more: Partial<TaskRunnerDeps> = {}) {
  const waitsMs: number[] = [];
  const tasks: Promise<void>[] = [];
  const deadline = more.deadline ?? new Deadline(600_000);
  const runner = new TaskRunner({
    server: "files",
    requests: { run: ({ send }) => send(fake.connection) },
    deadline,
    connectTimeoutMs: 1_000,
    responder: undefined,
    onNotice: () => {},
    onTask: (over) => tasks.push(over),
    wait: (waitMs, signal) => {
      waitsMs.push(waitMs);
      signal.throwIfAborted();
      return Promise.resolve();
    },
    ...more,
  });
  return { runner, waitsMs, tasks, deadline };
}

/** Runs what follows the answer to a call. */
export async function finish(
  fake: ReturnType<typeof createFakeConnection>,
  options: { readonly seed?: JsonObject; readonly tool?: Tool; readonly more?: Partial<TaskRunnerDeps> } = {},
) {
  const { runner, waitsMs, tasks, deadline } = createRunner(fake, options.more);
  using _ = deadline;
  const setting = runner.settingOf(options.tool ?? REQUIRED, fake.connection);
  const seed = { taskId: "t1", status: "working", ...options.seed };
  const answer: JsonObject = fake.connection.era === "modern" ? { resultType: "task", ...seed } : { task: seed };
  const outcome = await runner.finish(answer, setting).then(
    (result) => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  );
  await Promise.all(tasks);
  return { ...outcome, waitsMs };
}

/** What a server says of a task. */
export function state(status: string, more: JsonObject = {}): JsonObject {
  return { taskId: "t1", status, ...more };
}

/** The failure of a question whose answer was lost. */
export function lost(more: { readonly retryAfterMs?: number } = {}): MCPError {
  return new MCPError("unreachable", "Cannot reach it", { server: "files", retryable: true, ...more });
}

/** A JSON-RPC error. */
export function refused(rpcCode: number): MCPError {
  return new MCPError("upstream_error", "Cannot use it", { server: "files", rpcCode });
}
