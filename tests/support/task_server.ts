/**
 * A real legacy server whose tools run as tasks: the official SDK with its experimental task store, on loopback.
 *
 * @module
 */

import { z } from "zod";
// @ts-types="@modelcontextprotocol/sdk/experimental/tasks"
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from "@modelcontextprotocol/sdk/experimental/tasks";
// @ts-types="@modelcontextprotocol/sdk/types"
import { ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { type RecordedRequest, Recorder } from "./recorder.ts";
import { type CallToolResult, McpServer, WebStandardStreamableHTTPServerTransport } from "./sdk_server.ts";

/** What a running task can do. */
export interface RunningTask {
  /** Its id. */
  readonly taskId: string;
  /** Says what is being done. */
  say(message: string): Promise<void>;
  /** Asks the client for a name and waits for it. */
  ask(message: string): Promise<string>;
  /** Ends as cancelled. */
  cancel(): Promise<void>;
  /** Ends as failed, with a result or without one. */
  fail(result?: CallToolResult): Promise<void>;
}

/** A tool that runs as a task. */
export interface TaskTool {
  /** Its name. */
  readonly name: string;
  /** Whether it has to run as a task. @default {"required"} */
  readonly taskSupport?: "required" | "optional";
  /** What the server wishes between two questions, in milliseconds. @default {1} */
  readonly pollIntervalMs?: number;
  /** Runs it; what it returns completes the task, `undefined` leaves it as it is. */
  readonly run: (task: RunningTask) => Promise<CallToolResult | undefined>;
}

/** A running server. */
export interface TaskServer extends AsyncDisposable {
  /** The endpoint. */
  readonly url: string;
  /** Every request, in the order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How often each tool was executed. */
  readonly executions: ReadonlyMap<string, number>;
  /** How many requests had this JSON-RPC method. */
  count(rpcMethod: string): number;
  /** How many exchanges are open. */
  openStreams(): number;
  /** The status of every task there is. */
  statuses(): readonly string[];
  /** Forgets every task. */
  forgetTasks(): void;
}

/** Starts a server on a free port of loopback. */
export function startTaskServer(tools: readonly TaskTool[]): TaskServer {
  const recorder = new Recorder();
  const store = new InMemoryTaskStore();
  const executions = new Map<string, number>();
  const sessions = new Map<string, { mcp: McpServer; http: WebStandardStreamableHTTPServerTransport }>();

  async function open(): Promise<WebStandardStreamableHTTPServerTransport> {
    const mcp = new McpServer({ name: "tasks", version: "1.0.0" }, {
      capabilities: { tools: {}, tasks: { cancel: {}, requests: { tools: { call: {} } } } },
      taskStore: store,
      taskMessageQueue: new InMemoryTaskMessageQueue(),
    });
    for (const tool of tools) {
      register(mcp, tool, () => executions.set(tool.name, (executions.get(tool.name) ?? 0) + 1));
    }
    const http = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, { mcp, http }),
      onsessionclosed: (id) => void sessions.delete(id),
      keepAliveMs: 0,
    });
    await mcp.connect(http);
    return http;
  }

  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const recorded = await recorder.record(request);
    return await recorder.track(async () => {
      const id = recorded.headers.get("mcp-session-id");
      const session = id === null ? undefined : sessions.get(id);
      if (id !== null && session === undefined) return new Response(null, { status: 404 });
      return await (session?.http ?? await open()).handleRequest(request, { parsedBody: recorded.body });
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/mcp`,
    requests: recorder.requests,
    executions,
    count: (rpcMethod) => recorder.count(rpcMethod),
    openStreams: () => recorder.openStreams(),
    statuses: () => store.getAllTasks().map(({ status }) => status),
    forgetTasks: () => store.cleanup(),
    async [Symbol.asyncDispose]() {
      await Promise.all([...sessions.values()].map(({ mcp }) => mcp.close()));
      store.cleanup();
      await server.shutdown();
    },
  };
}

function register(mcp: McpServer, tool: TaskTool, onExecute: () => void): void {
  const { name, taskSupport = "required", pollIntervalMs = 1, run } = tool;
  mcp.experimental.tasks.registerToolTask(
    name,
    { inputSchema: z.looseObject({}), execution: { taskSupport } },
    {
      async createTask(_args, { taskStore, taskRequestedTtl, sendRequest }) {
        const task = await taskStore.createTask({ ttl: taskRequestedTtl ?? null, pollInterval: pollIntervalMs });
        const { taskId } = task;
        onExecute();
        const running: RunningTask = {
          taskId,
          say: (message) => taskStore.updateTaskStatus(taskId, "working", message),
          async ask(message) {
            const requestedSchema = { type: "object" as const, properties: { name: { type: "string" as const } } };
            const params = { mode: "form" as const, message, requestedSchema };
            const request = { method: "elicitation/create" as const, params };
            // The types of the SDK leave out what its own servers use to ask on the stream of the result.
            const options: object = { relatedTask: { taskId } };
            const answer = await sendRequest(request, ElicitResultSchema, options);
            await taskStore.updateTaskStatus(taskId, "working");
            return String(answer.content?.name);
          },
          cancel: () => taskStore.updateTaskStatus(taskId, "cancelled"),
          fail: (result) =>
            result === undefined
              ? taskStore.updateTaskStatus(taskId, "failed")
              : taskStore.storeTaskResult(taskId, "failed", result),
        };
        // A task that was cancelled meanwhile takes no result.
        void run(running)
          .then((result) => result && taskStore.storeTaskResult(taskId, "completed", result))
          .catch(() => {});
        return { task };
      },
      getTask: (_args, { taskStore, taskId }) => taskStore.getTask(taskId),
      getTaskResult: async (_args, { taskStore, taskId }) => await taskStore.getTaskResult(taskId) as CallToolResult,
    },
  );
}
