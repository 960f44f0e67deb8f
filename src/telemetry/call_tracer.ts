/**
 * Calls as spans of OpenTelemetry, by its conventions for MCP. It is loaded where the runtime exports them.
 *
 * @module
 */

import {
  type Attributes,
  type Context,
  context,
  type Histogram,
  metrics,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import type { CallTracer } from "../gateway/call_journal.ts";
import type { BegunCall, CallRecord } from "../gateway/call_record.ts";
import type { RoutedResult, ServerStatus } from "../status.ts";
import type { TraceContext } from "../tool_client.ts";
import { VERSION } from "../version.ts";

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** The names that tools have by the specification: what else a caller writes names no span. */
const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const MAX_TEXT_CHARS = 128;
/** The boundaries that the conventions give for durations, in seconds. */
const BOUNDARIES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** What a tracer works with. */
export interface OpenTelemetryTracerOptions {
  /** Tells how a server of an agent stands, where there is one. */
  readonly findServer: (agent: string, server: string) => ServerStatus | undefined;
}

/**
 * Makes each call two spans: one for what came in, and below it one for what goes to the server, which is the parent of
 * whatever the server traces. Neither holds arguments, results, or a caller's key.
 */
export class OpenTelemetryTracer implements CallTracer {
  readonly #findServer: (agent: string, server: string) => ServerStatus | undefined;
  readonly #tracer: Tracer;
  readonly #served: Histogram;
  readonly #asked: Histogram;

  /**
   * Creates a tracer by what the runtime has registered.
   *
   * @param options What it works with.
   */
  constructor({ findServer }: OpenTelemetryTracerOptions) {
    this.#findServer = findServer;
    this.#tracer = trace.getTracer("portolan", VERSION);
    const meter = metrics.getMeter("portolan", VERSION);
    const options = { unit: "s", advice: { explicitBucketBoundaries: BOUNDARIES } };
    this.#served = meter.createHistogram("mcp.server.operation.duration", {
      ...options,
      description: "The duration of MCP requests as observed on the receiver.",
    });
    this.#asked = meter.createHistogram("mcp.client.operation.duration", {
      ...options,
      description: "The duration of MCP requests as observed on the sender.",
    });
  }

  /**
   * Makes a call within its spans.
   *
   * @param call The call.
   * @param work Makes it; given the trace that the server is to be told of.
   * @returns What it resolves to.
   */
  trace(
    call: BegunCall,
    work: (trace: TraceContext | undefined, onEnd: (record: CallRecord) => void) => Promise<RoutedResult>,
  ): Promise<RoutedResult> {
    const name = TOOL_NAME.test(call.tool) ? `tools/call ${call.tool}` : "tools/call";
    const common: Attributes = {
      "mcp.method.name": "tools/call",
      "gen_ai.operation.name": "execute_tool",
      "network.transport": "tcp",
      "network.protocol.name": "http",
      "portolan.agent": call.agent,
      ...(TOOL_NAME.test(call.tool) ? { "gen_ai.tool.name": call.tool } : {}),
    };
    const { parent, links } = findParent(call);
    const served = this.#tracer.startSpan(name, {
      kind: SpanKind.SERVER,
      attributes: { ...common, ...toRpcAttributes(call), "portolan.door": call.door },
      links,
    }, parent);
    const inServed = trace.setSpan(parent, served);
    const asked = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes: common }, inServed);
    return context.with(trace.setSpan(inServed, asked), () => {
      return work(toTrace(asked, call), (record) => this.#end(call, record, served, asked));
    });
  }

  #end(call: BegunCall, record: CallRecord, served: Span, asked: Span): void {
    const { agent, server, toolName, route, outcome, durationMs } = record;
    const failure: Attributes = outcome === "ok" ? {} : { "error.type": outcome };
    const shared: Attributes = { "mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool", ...failure };
    // A tool that answered exists: names that callers write would have metrics without end.
    const tool: Attributes = toolName === undefined ? {} : { "gen_ai.tool.name": toolName.slice(0, MAX_TEXT_CHARS) };
    const seconds = durationMs / 1_000;
    if (call.rpc !== undefined) {
      const version = { "mcp.protocol.version": call.rpc.protocolVersion };
      this.#served.record(seconds, { ...shared, ...tool, ...version, "network.transport": "tcp" });
    }
    if (server !== undefined) {
      const status = this.#tryFind(agent, server);
      const peer = status === undefined ? {} : toPeerAttributes(status);
      asked.setAttributes({ "portolan.server": server, ...tool, ...peer });
      this.#asked.record(seconds, { ...shared, ...tool, ...peer, "network.transport": "tcp" });
    }
    if (route !== undefined) served.setAttribute("portolan.route", route);
    for (const span of [asked, served]) {
      span.setAttributes(failure);
      if (outcome !== "ok") span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    }
  }

  #tryFind(agent: string, server: string): ServerStatus | undefined {
    try {
      return this.#findServer(agent, server);
    } catch {
      // The agent has gone meanwhile: that fails no call.
      return undefined;
    }
  }
}

/**
 * A message that names its trace belongs there, and is linked with the HTTP request that carried it. Else it belongs to
 * the HTTP request, which the runtime has put into the trace that the headers name; where it has not, to that trace.
 */
function findParent({ trace: own, rpc }: BegunCall): { parent: Context; links: { context: SpanContext }[] } {
  const active = context.active();
  const ambient = trace.getSpanContext(active);
  const remote = own === undefined ? undefined : parseTraceparent(own.traceparent);
  if (remote === undefined || (rpc?.isTraced !== true && ambient?.traceId === remote.traceId)) {
    return { parent: active, links: [] };
  }
  return {
    parent: trace.setSpanContext(active, remote),
    links: ambient === undefined ? [] : [{ context: ambient }],
  };
}

function parseTraceparent(text: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId) || text.startsWith("ff")) return undefined;
  return { traceId, spanId, traceFlags: parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

/** What the caller's tracing system adds is passed on with the trace that it is about. */
function toTrace(span: Span, { trace: own }: BegunCall): TraceContext | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  // Where metrics are exported alone, no span is one.
  if (/^0*$/.test(traceId)) return own;
  const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  const isSame = own !== undefined && parseTraceparent(own.traceparent)?.traceId === traceId;
  return { traceparent, tracestate: isSame ? own.tracestate : undefined };
}

function toRpcAttributes({ rpc }: BegunCall): Attributes {
  if (rpc === undefined) return {};
  return {
    "jsonrpc.request.id": rpc.id.slice(0, MAX_TEXT_CHARS),
    "mcp.protocol.version": rpc.protocolVersion,
  };
}

function toPeerAttributes({ url, protocolVersion }: ServerStatus): Attributes {
  const version: Attributes = protocolVersion === undefined ? {} : { "mcp.protocol.version": protocolVersion };
  // A host that a secret is filled into is no URL before.
  if (!URL.canParse(url)) return version;
  const { hostname, port, protocol } = new URL(url);
  const fallback = protocol === "https:" ? 443 : 80;
  return { ...version, "server.address": hostname, "server.port": port === "" ? fallback : Number(port) };
}
