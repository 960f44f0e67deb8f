/**
 * One faulty server beside a good one behind the same client, and what must hold after every fault.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  type CallToolOptions,
  type ClientEvent,
  MultiServerMCPClient,
  type ServerConfig,
  type ToolResult,
} from "@portolan/mcp";
import { assertNoCanary, CANARY, textOf, until } from "../support/client_support.ts";
import {
  type RawServer,
  type RawServerOptions,
  type RawServerScript,
  startRawServer,
} from "../support/fault_server.ts";
import { startMCPServer, type TestMCPServer } from "../support/mcp_server.ts";

/** A client of a faulty server and a good one. */
export interface FaultCase {
  /** The client. */
  readonly client: MultiServerMCPClient;
  /** The faulty server. Secrets ride in its query and in a header. */
  readonly faulty: RawServer;
  /** The good server. */
  readonly good: TestMCPServer;
  /** What the client has told, in order. */
  readonly events: readonly ClientEvent[];
  /** The client's clock, where the test has one of its own: it stands still until it is set. */
  readonly clock: { nowMs: number };
  /** Calls the tool `echo` of the faulty server. */
  call(text?: string, options?: CallToolOptions): Promise<ToolResult>;
}

/** What a faulty server is like, and what it is asked. */
export interface FaultTestOptions extends RawServerOptions {
  /**
   * How many sockets stay alive for the next requests: two for each that was answered at the same time, as the runtime
   * takes an answered socket back a little later.
   * @default {2}
   */
  readonly answeredAtOnce?: number;
  /** What else is configured for the faulty server. */
  readonly config?: Partial<Omit<ServerConfig, "url" | "headers">>;
  /** How many streams may be open as long as the client is: that of a client that watches. @default {0} */
  readonly liveStreams?: number;
  /** Whether the client has a clock of its own. @default {false} */
  readonly ownClock?: boolean;
}

/**
 * Registers a test of a fault row. After it there is no open exchange with the faulty server, no socket beyond the live
 * ones, nothing has happened to the good server, and no secret shows.
 */
export function faultTest(
  name: string,
  script: RawServerScript,
  run: (fault: FaultCase) => Promise<void>,
  options: FaultTestOptions = {},
): void {
  const { answeredAtOnce = 2, config = {}, liveStreams = 0, ownClock = false } = options;
  Deno.test(name, async () => {
    await using faulty = startRawServer(script, options);
    await using good = await startMCPServer({ name: "good" });
    const servers = {
      faulty: { ...config, url: `${faulty.url}?key=\${KEY}`, headers: { authorization: "Bearer ${KEY}" } },
      good: { url: good.url },
    };
    const events: ClientEvent[] = [];
    const clock = { nowMs: Date.now() };
    await using client = new MultiServerMCPClient("Kairos", { servers, secrets: { faulty: { KEY: CANARY } } }, {
      onEvent: (event) => events.push(event),
      ...(ownClock ? { now: () => clock.nowMs } : {}),
    });
    const call = (text = "hi", callOptions: CallToolOptions = {}) => {
      return client.callTool("faulty__echo", { text }, callOptions);
    };
    await run({ client, faulty, good, events, clock, call });
    const mostSockets = answeredAtOnce + liveStreams;
    await until(() => faulty.openStreams() <= liveStreams && faulty.openConnections() <= mostSockets);
    assertEquals(textOf(await client.callTool("good__whoami")), "good");
    assertEquals([good.count("initialize"), good.count("tools/list")], [1, 1]);
    assertNoCanary(good.requests.map(({ headers, path, query, body }) => [[...headers], path, query, body]));
    assertNoCanary([client.getStatus(), events]);
    await client.close();
    await until(() => faulty.openStreams() === 0);
  });
}
