/** A collector of OpenTelemetry on loopback: what a process exports by OTLP over HTTP, as JSON. */

/** A span as it came, its attributes by name. */
export interface ReceivedSpan {
  readonly scope: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** 2 is a server's, 3 a client's. */
  readonly kind: number;
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** A point of a histogram. */
export interface ReceivedPoint {
  readonly name: string;
  readonly count: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

// deno-lint-ignore no-explicit-any -- What comes is looked into here alone.
type Json = any;

/** Starts a collector. */
export function startOtlpReceiver() {
  const spans: ReceivedSpan[] = [];
  const points: ReceivedPoint[] = [];
  const texts: string[] = [];
  const types = new Set<string>();
  let arrived = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    types.add(request.headers.get("content-type") ?? "");
    const text = await request.text();
    texts.push(text);
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/traces") spans.push(...readSpans(JSON.parse(text)));
    if (pathname === "/v1/metrics") points.push(...readPoints(JSON.parse(text)));
    arrived.resolve();
    arrived = Promise.withResolvers();
    return Response.json({});
  });
  return {
    spans,
    points,
    /** Everything that came, as it came. */
    texts,
    /** Has a process export here. */
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
      OTEL_METRIC_EXPORT_INTERVAL: "300",
    },
    /** Waits for what has come to be enough. */
    async until(isEnough: () => boolean): Promise<void> {
      while (!isEnough()) await arrived.promise;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

function readSpans({ resourceSpans }: Json): ReceivedSpan[] {
  const scopes: Json[] = resourceSpans.flatMap(({ scopeSpans }: Json) => scopeSpans);
  return scopes.flatMap(({ scope, spans }) =>
    spans.map((span: Json) => ({
      ...span,
      scope: scope.name,
      status: span.status.code,
      attributes: readAttributes(span.attributes),
    }))
  );
}

function readPoints({ resourceMetrics }: Json): ReceivedPoint[] {
  const metrics: Json[] = resourceMetrics
    .flatMap(({ scopeMetrics }: Json) => scopeMetrics)
    .flatMap(({ metrics }: Json) => metrics);
  return metrics.flatMap(({ name, histogram }) =>
    (histogram?.dataPoints ?? []).map(({ count, attributes }: Json) => ({
      name,
      count: Number(count),
      attributes: readAttributes(attributes),
    }))
  );
}

function readAttributes(attributes: readonly Json[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
