/**
 * The five servers of the demo, and the two agents over them.
 *
 * @module
 */

import type { PortolanConfig } from "../../mod.ts";
import { refusedUrl, startSilentServer } from "../support/fault_server.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { startEverything } from "../support/everything.ts";
import { HARBOUR_TOOLS } from "./harbour_tools.ts";

/** A server of the demo. */
export type DemoServerName = "everything" | "everything-sse" | "harbour" | "silent" | "refused";

/** What each server is, in the order in which the first agent has them. */
export const DEMO_SERVERS: Readonly<Record<DemoServerName, string>> = {
  everything: "server-everything over Streamable HTTP",
  "everything-sse": "server-everything over SSE",
  harbour: "official SDK: harbours, distance, tide",
  silent: "accepts connections and never answers",
  refused: "a port on which nobody listens",
};

/** How the servers are started. */
export interface StartDemoServersOptions {
  /** Ends the start; what was started is stopped. */
  readonly signal: AbortSignal;
  /** Told of every server that runs. */
  readonly onStarted: (name: DemoServerName, url: string) => void;
  /** Told of every server that has to be downloaded first. */
  readonly onDownload: (name: DemoServerName) => void;
}

/** The running servers; disposing stops them all. */
export interface DemoServers extends AsyncDisposable {
  /** The endpoints. */
  readonly urls: Readonly<Record<DemoServerName, string>>;
}

/** How long the clients wait for the silent server, in milliseconds. */
const SILENT_TIMEOUT_MS = 2_000;

/** Starts all servers at once; where one fails the others are stopped. */
export async function startDemoServers(options: StartDemoServersOptions): Promise<DemoServers> {
  const { signal, onStarted, onDownload } = options;
  await using starting = new AsyncDisposableStack();
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const start = async (name: DemoServerName, open: () => Promise<AsyncDisposable & { readonly url: string }>) => {
    try {
      const { url } = starting.use(await open());
      onStarted(name, url);
      return url;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  const startChild = (name: DemoServerName, transport: "streamableHttp" | "sse") =>
    start(name, () => startEverything(transport, { signal: either, onDownload: () => onDownload(name) }));

  // Settled, and not the first failure alone: a child that is still starting has to be waited for.
  const started = await Promise.allSettled([
    startChild("everything", "streamableHttp"),
    startChild("everything-sse", "sse"),
    start("harbour", () => startMCPServer({ name: "harbour", tools: HARBOUR_TOOLS })),
    start("silent", () => Promise.resolve(startSilentServer())),
  ]);
  either.throwIfAborted();
  const [everything, everythingSse, harbour, silent] = started.map((each) =>
    each.status === "fulfilled" ? each.value : ""
  ) as [string, string, string, string];
  // Last, so that none of the others gets the port that has to stay free.
  const refused = refusedUrl();
  onStarted("refused", refused);
  const running = starting.move();
  return {
    urls: { everything, "everything-sse": everythingSse, harbour, silent, refused },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Two agents: one with all servers, one with two of them. */
export function toDemoConfig({ urls }: DemoServers) {
  const harbour = { url: urls.harbour };
  const everythingSse = { url: urls["everything-sse"] };
  return {
    agents: {
      Kairos: {
        servers: {
          everything: { url: urls.everything },
          "everything-sse": everythingSse,
          harbour,
          silent: { url: urls.silent, timeoutMs: SILENT_TIMEOUT_MS },
          refused: { url: urls.refused },
        },
      },
      Mercurius: { servers: { "everything-sse": everythingSse, harbour } },
    },
  } satisfies PortolanConfig;
}
