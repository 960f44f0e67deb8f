/**
 * What is counted while the gateway runs. It is told of each call and each event, and has to be quick.
 *
 * @module
 */

import type { ClientEvent } from "../events.ts";
import type { CallRecord } from "../gateway/call_record.ts";
import type { Histogram } from "./prometheus_text.ts";
import { OTHER, type Series, SeriesTable } from "./series_table.ts";

/** The upper bounds of the durations of calls, in seconds. */
export const DURATION_BOUNDS: readonly number[] = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 30];

/** The methods that have a label of their own: callers may send any word. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);

/** How much is kept apart. */
export interface GatewayMetricsOptions {
  /** How many series each family may have, besides one for each agent. @default {4_000} */
  readonly maxSeries?: number | undefined;
  /** How many tools of each server of an agent have series of their own. @default {200} */
  readonly maxTools?: number | undefined;
}

/** A number that is changed where it stands. */
interface Count {
  /** The number. */
  count: number;
}

/** Counts requests, and by agent calls, routes and what happens to connections. One for each gateway. */
export class GatewayMetrics {
  readonly #maxTools: number;
  readonly #requests: SeriesTable<Count>;
  readonly #calls: SeriesTable<Count>;
  readonly #durations: SeriesTable<Histogram>;
  readonly #routes: SeriesTable<Count>;
  readonly #connections: SeriesTable<Count>;
  /** The tools that answered, as their servers call them, by agent and the name that they were called by. */
  readonly #tools = new Map<string, Map<string, { readonly server: string; readonly toolName: string }>>();
  readonly #toolsOf = new Map<string, Set<string>>();

  /**
   * Creates metrics that count from zero.
   *
   * @param options How much is kept apart.
   */
  constructor({ maxSeries = 4_000, maxTools = 200 }: GatewayMetricsOptions = {}) {
    const zero = () => ({ count: 0 });
    this.#maxTools = maxTools;
    this.#requests = new SeriesTable(maxSeries, zero);
    this.#calls = new SeriesTable(maxSeries, zero);
    this.#routes = new SeriesTable(maxSeries, zero);
    this.#connections = new SeriesTable(maxSeries, zero);
    this.#durations = new SeriesTable(maxSeries, () => ({ counts: DURATION_BOUNDS.map(() => 0).concat(0), sum: 0 }));
  }

  /**
   * Counts a request, also one that was refused.
   *
   * @param request Its route, with parameters as names, its method, and how it was answered.
   */
  countRequest(
    { route, method, status }: { readonly route: string; readonly method: string; readonly status: number },
  ): void {
    this.#requests.at([route, METHODS.has(method) ? method : OTHER, String(status)]).count++;
  }

  /**
   * Counts a call.
   *
   * @param record How it ended.
   */
  countCall(record: CallRecord): void {
    const { agent, server = "", outcome, door, route, durationMs } = record;
    this.#calls.at([agent, server, this.#toToolLabel(record), outcome, door]).count++;
    const histogram = this.#durations.at([agent, server]);
    const seconds = durationMs / 1_000;
    const index = DURATION_BOUNDS.findIndex((bound) => seconds <= bound);
    const bucket = index < 0 ? DURATION_BOUNDS.length : index;
    histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
    histogram.sum += seconds;
    if (route !== undefined) this.#routes.at([agent, route]).count++;
  }

  /**
   * Counts what happens to a connection; events of other kinds are passed over.
   *
   * @param event What happened.
   */
  countEvent(event: ClientEvent): void {
    const { type, agent = "", server } = event;
    if (type !== "connected" && type !== "recovered" && type !== "failed") return;
    this.#connections.at([agent, server, type]).count++;
  }

  /** How many requests were answered, by `route`, `method`, `status`. */
  get requests(): readonly Series<number>[] {
    return toNumbers(this.#requests);
  }

  /** How many calls ended, by `agent`, `server`, `tool`, `outcome`, `door`. */
  get calls(): readonly Series<number>[] {
    return toNumbers(this.#calls);
  }

  /** How long they took, by `agent`, `server`. */
  get durations(): readonly Series<Histogram>[] {
    return this.#durations.list();
  }

  /** How the owners of tools were found, by `agent`, `route`. */
  get routes(): readonly Series<number>[] {
    return toNumbers(this.#routes);
  }

  /** What happened to connections, by `agent`, `server`, `event`. */
  get connections(): readonly Series<number>[] {
    return toNumbers(this.#connections);
  }

  /**
   * A tool has a label once its server has answered for it: what callers write is none. So later failures of the tool
   * have it, too.
   */
  #toToolLabel({ agent, server, tool, toolName }: CallRecord): string {
    if (server === undefined) return "";
    if (toolName === undefined) {
      const known = this.#tools.get(agent)?.get(tool);
      return known?.server === server ? known.toolName : "";
    }
    const key = `${agent.length}:${agent}${server}`;
    let names = this.#toolsOf.get(key);
    if (names === undefined) this.#toolsOf.set(key, names = new Set());
    if (names.has(toolName)) {
      if (this.#tools.get(agent)?.get(tool)?.server === server) return toolName;
    } else if (names.size >= this.#maxTools) {
      return OTHER;
    }
    names.add(toolName);
    this.#learn(agent, tool, { server, toolName });
    return toolName;
  }

  #learn(agent: string, tool: string, owner: { readonly server: string; readonly toolName: string }): void {
    let tools = this.#tools.get(agent);
    if (tools === undefined) this.#tools.set(agent, tools = new Map());
    // A tool has two names at most, so that this is above what can be learned of sixteen full servers.
    if (tools.size < 32 * this.#maxTools || tools.has(tool)) tools.set(tool, owner);
  }
}

function toNumbers(table: SeriesTable<Count>): readonly Series<number>[] {
  return table.list().map(({ labels, value }) => ({ labels, value: value.count }));
}
