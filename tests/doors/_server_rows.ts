/**
 * The table of what servers do wrong, and what comes of a call: the same through every door.
 *
 * @module
 */

import type { MCPErrorCode, ServerConfig } from "@portolan/mcp";
import type { JsonObject } from "../../src/protocol.ts";
import {
  acceptedOnly,
  answer,
  answerSse,
  answerTwice,
  type Behaviour,
  drop,
  endlessSse,
  endlessSseLine,
  event,
  gzipBomb,
  hang,
  hangAfterHead,
  htmlPage,
  invalidJson,
  ok,
  oversizeError,
  oversizeJson,
  rateLimited,
  redirectTo,
  sequence,
  sessionGone,
  slowDrip,
  sse,
  sseBreaks,
  sseEnds,
  status,
  swapped,
  wrongId,
} from "../support/behaviours.ts";
import type { RawServerOptions, RawServerScript } from "../support/fault_server.ts";

/** What the calls of a row come to: their results, or the code of their failures. */
type Expected = "ok" | MCPErrorCode;

/** One way of a server to be wrong. */
export interface ServerRow {
  /** The row of the table of faults, and what the server does. */
  readonly name: string;
  /** What it does; made anew for each door, as behaviours count. Without one, nothing listens. */
  readonly script?: () => RawServerScript;
  /** What its correct answers are like. */
  readonly options?: RawServerOptions;
  /** What else is configured for it. */
  readonly config?: Partial<Omit<ServerConfig, "url" | "headers">>;
  /** Calls to make one after the other, each with what comes of it; a number of equal ones runs at once. */
  readonly calls: readonly (readonly [expected: Expected, atOnce?: number])[];
  /** How often the server has run the tool, where that is certain. */
  readonly sent?: number;
  /** How long to wait before the next try, where the server says so, in milliseconds. */
  readonly retryAfterMs?: number;
}

const MIB = 1024 * 1024;
/** The longest a call may take where it is to be too long, in milliseconds. */
const TIMEOUT_MS = 700;
const SHORT = { config: { timeoutMs: TIMEOUT_MS } } as const;
const WATCHED = { config: { watch: true } } as const;

const text = (value: string): JsonObject => ({ content: [{ type: "text", text: value }] });
const tool = (name: string, more: JsonObject = {}): JsonObject => ({ name, inputSchema: { type: "object" }, ...more });
const calling = (...behaviours: [Behaviour, ...Behaviour[]]) => () => ({ "tools/call": sequence(...behaviours) });
const listing = (behaviour: Behaviour) => () => ({ "tools/list": behaviour });
const listed = (tools: readonly unknown[]) => listing(answer({ tools: tools as JsonObject[] }));
const CHANGED = event({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
const PING = event({ jsonrpc: "2.0", id: 1, method: "ping" });
const REDOS: JsonObject = { type: "object", properties: { text: { type: "string", pattern: "^((a+)+)+$" } } };
const HUGE: JsonObject = {
  type: "object",
  properties: Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`p${at}`, {}])),
};
const ASKS: JsonObject = {
  resultType: "input_required",
  requestState: "opaque",
  inputRequests: { name: { method: "elicitation/create", params: { message: "Who?", requestedSchema: {} } } },
};
const many = (count: number, more: JsonObject = {}) =>
  Array.from({ length: count }, (_, at) => tool(`tool_${at}`, more));
const many503 = (count: number) => new Array<Behaviour>(count).fill(status(503));
/** Where redirects lead to: nothing listens there, and nobody may ask. */
const ELSEWHERE = "http://127.0.0.1:9/mcp";

const CONNECTING: readonly ServerRow[] = [
  { name: "F1 refuses the connection", calls: [["unreachable"]] },
  { name: "F2 hangs on initialize", script: () => ({ initialize: hang }), ...SHORT, calls: [["deadline_exceeded"]] },
  {
    name: "F3 hangs on notifications/initialized",
    script: () => ({ "notifications/initialized": hang }),
    ...SHORT,
    calls: [["deadline_exceeded"]],
  },
  { name: "F3 hangs on tools/list", script: listing(hang), ...SHORT, calls: [["deadline_exceeded"]] },
  { name: "F11 401 to initialize", script: () => ({ initialize: status(401) }), calls: [["unauthorized"]] },
  { name: "F11 403 to initialize", script: () => ({ initialize: status(403) }), calls: [["forbidden"]] },
  { name: "F12 502 to initialize", script: () => ({ initialize: status(502) }), calls: [["upstream_error"]] },
  { name: "F14 an HTML page to tools/list", script: listing(htmlPage), calls: [["bad_response"]] },
  {
    name: "F15 redirects initialize elsewhere",
    script: () => ({ initialize: redirectTo(ELSEWHERE) }),
    calls: [["redirect_refused"]],
  },
  { name: "F17 64 MiB of tools", script: listing(oversizeJson(64 * MIB)), calls: [["too_large"]] },
  { name: "F21 a slow drip of tools", script: listing(slowDrip(20)), ...SHORT, calls: [["deadline_exceeded"]] },
];

const CALLING: readonly ServerRow[] = [
  { name: "F4 20 calls hang", script: calling(hang), ...SHORT, calls: [["deadline_exceeded", 20]], sent: 20 },
  {
    name: "F4 20 calls hang after the head",
    script: calling(hangAfterHead),
    ...SHORT,
    calls: [["deadline_exceeded", 20]],
    sent: 20,
  },
  { name: "F5 SSE ends", script: calling(sseEnds(), ok), calls: [["outcome_unknown"], ["ok"]], sent: 2 },
  { name: "F5 202 to a request", script: calling(acceptedOnly, ok), calls: [["bad_response"], ["ok"]], sent: 2 },
  { name: "F6 SSE breaks", script: calling(sseBreaks, ok), calls: [["outcome_unknown"], ["ok"]], sent: 2 },
  { name: "F6 the connection drops", script: calling(drop, ok), calls: [["outcome_unknown"], ["ok"]], sent: 2 },
  { name: "F7 500 two hundred times", script: calling(status(500)), calls: [["upstream_error", 200]], sent: 200 },
  {
    name: "F9 session gone with 404",
    script: calling(sessionGone(404), sessionGone(404), ok),
    options: { sessionId: "s-1" },
    calls: [["ok", 2]],
    sent: 4,
  },
  {
    name: "F9 session gone with 400",
    script: calling(sessionGone(400), sessionGone(400), ok),
    options: { sessionId: "s-1" },
    calls: [["ok", 2]],
    sent: 4,
  },
  {
    name: "F9 session gone for ever",
    script: calling(sessionGone()),
    options: { sessionId: "s-1" },
    calls: [["session_lost"]],
    sent: 2,
  },
  {
    name: "F10 429 with Retry-After",
    script: calling(rateLimited(60)),
    calls: [["rate_limited"]],
    sent: 1,
    retryAfterMs: 60_000,
  },
  {
    name: "F10 503 with Retry-After",
    script: calling(rateLimited(60, 503)),
    calls: [["rate_limited"]],
    sent: 1,
    retryAfterMs: 60_000,
  },
  { name: "F11 401", script: calling(status(401)), calls: [["unauthorized"]], sent: 1 },
  { name: "F11 403", script: calling(status(403)), calls: [["forbidden"]], sent: 1 },
  { name: "F12 502", script: calling(status(502), ok), calls: [["upstream_error"], ["ok"]], sent: 2 },
  { name: "F12 503", script: calling(status(503), ok), calls: [["upstream_error"], ["ok"]], sent: 2 },
  { name: "F12 504", script: calling(status(504), ok), calls: [["upstream_error"], ["ok"]], sent: 2 },
  {
    name: "F12 F45 503 three times, then the breaker",
    script: calling(...many503(3) as [Behaviour], ok),
    calls: [["upstream_error"], ["upstream_error"], ["upstream_error"], ["circuit_open", 20]],
    sent: 3,
  },
  { name: "F13 invalid JSON", script: calling(invalidJson), calls: [["bad_response"]], sent: 1 },
  { name: "F14 an HTML page", script: calling(htmlPage), calls: [["bad_response"]], sent: 1 },
  { name: "F15 redirects elsewhere", script: calling(redirectTo(ELSEWHERE)), calls: [["redirect_refused"]], sent: 1 },
  { name: "F40 our close", script: () => ({}), options: { sessionId: "s-1" }, calls: [["ok"]], sent: 1 },
  {
    name: "F41 restarts mid-call",
    script: calling(drop, sessionGone(), ok),
    options: { sessionId: "s-1" },
    calls: [["outcome_unknown"], ["ok"]],
    sent: 3,
  },
];

const ANSWERING: readonly ServerRow[] = [
  { name: "F17 64 MiB of JSON", script: calling(oversizeJson(64 * MIB)), calls: [["too_large"]], sent: 1 },
  { name: "F18 an error of 32 MiB", script: calling(oversizeError(32 * MIB)), calls: [["upstream_error"]], sent: 1 },
  { name: "F19 an SSE line that never ends", script: calling(endlessSseLine), calls: [["too_large"]], sent: 1 },
  {
    name: "F19 SSE events that never end",
    script: calling(endlessSse(event({ method: "x", text: "x".repeat(10_000) }))),
    calls: [["too_large"]],
    sent: 1,
  },
  { name: "F20 a gzip bomb", script: calling(gzipBomb(64 * MIB)), calls: [["too_large"]], sent: 1 },
  { name: "F21 a slow drip", script: calling(slowDrip(20)), ...SHORT, calls: [["deadline_exceeded"]], sent: 1 },
  { name: "F22 an unknown id", script: calling(wrongId(), ok), calls: [["bad_response"], ["ok"]], sent: 2 },
  {
    name: "F22 an unknown id by SSE",
    script: calling(() => sse(event({ jsonrpc: "2.0", id: "another", result: text("foreign") })), ok),
    calls: [["outcome_unknown"], ["ok"]],
    sent: 2,
  },
  {
    name: "F23 the answers of two calls swapped",
    script: () => ({ "tools/call": swapped() }),
    calls: [["bad_response", 2]],
    sent: 2,
  },
  {
    name: "F24 a second answer",
    script: calling((context) => {
      const { text: own } = context.rpc.params.arguments as { text: string };
      return answerTwice(text(own), text("second"))(context);
    }, ok),
    calls: [["ok"], ["ok"]],
    sent: 2,
  },
  {
    name: "F36 retry: 0 in an answer that ends",
    script: calling(() => sse("id: 2\nretry: 0\n\n"), ok),
    calls: [["outcome_unknown"], ["ok"]],
    sent: 2,
  },
  {
    name: "F37 3,000 pings before the answer",
    script: calling((context) => {
      const { text: own } = context.rpc.params.arguments as { text: string };
      return answerSse(text(own), PING.repeat(3_000))(context);
    }),
    calls: [["ok"]],
    sent: 1,
  },
  {
    name: "F38 a batch of 200,000 messages",
    script: calling(() => Response.json(new Array(200_000).fill(0))),
    calls: [["too_large"]],
    sent: 1,
  },
  {
    name: "F39 progress for ever",
    script: calling(endlessSse(({ id = null }) => {
      return event({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: id, progress: 1 } });
    }, 5)),
    ...SHORT,
    calls: [["deadline_exceeded"]],
    sent: 1,
  },
  { name: "F42 input_required of a legacy server", script: calling(answer(ASKS)), calls: [["bad_response"]], sent: 1 },
];

const LISTING: readonly ServerRow[] = [
  {
    name: "F25 a cursor that repeats",
    script: listing(answer({ tools: [tool("echo")], nextCursor: "again" })),
    calls: [["ok"]],
    sent: 1,
  },
  {
    name: "F26 F27 F32 malformed tools",
    script: listed([
      null,
      tool(""),
      tool("__proto__"),
      tool("a\u202Eb"),
      tool("\u001b[31m"),
      { name: "no_schema" },
      tool("bad_output", { outputSchema: "text" }),
      tool("echo"),
    ]),
    calls: [["ok"]],
    sent: 1,
  },
  {
    name: "F28 a pattern that takes for ever",
    script: listed([{ name: "echo", inputSchema: REDOS }]),
    calls: [["invalid_arguments"]],
    sent: 0,
  },
  {
    name: "F29 2,000 tools with schemas",
    script: listed([tool("echo"), ...many(1_999, { outputSchema: REDOS })]),
    calls: [["ok"]],
    sent: 1,
  },
  {
    name: "F30 a schema of 20,000 properties",
    script: listed([{ name: "huge", inputSchema: HUGE }, tool("echo")]),
    calls: [["ok"]],
    sent: 1,
  },
  { name: "F31 10,000 tools", script: listed([tool("echo"), ...many(9_999)]), calls: [["ok"]], sent: 1 },
  {
    name: "F34 list_changed 500 times",
    script: () => ({ GET: () => sse(CHANGED.repeat(500)) }),
    ...WATCHED,
    calls: [["ok"], ["ok"]],
    sent: 2,
  },
  {
    name: "F35 list_changed every 100 ms",
    script: () => ({ GET: endlessSse(CHANGED, 100) }),
    ...WATCHED,
    calls: [["ok"], ["ok"]],
    sent: 2,
  },
  {
    name: "F36 retry: 0 in a stream that ends",
    script: () => ({ GET: () => sse("retry: 0\n\n") }),
    ...WATCHED,
    calls: [["ok"], ["ok"]],
    sent: 2,
  },
];

/** All rows. */
export const SERVER_ROWS: readonly ServerRow[] = [...CONNECTING, ...CALLING, ...ANSWERING, ...LISTING];
