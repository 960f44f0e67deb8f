/**
 * One faulty server beside a good one behind the same client, and what must hold after every fault.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type CallToolOptions, MultiServerMCPClient, type ToolResult } from "@portolan/mcp";
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
  const { answeredAtOnce = 2 } = options;
  Deno.test(name, async () => {
    await using faulty = startRawServer(script, options);
    await using good = await startMCPServer({ name: "good" });
    const servers = {
      faulty: { url: `${faulty.url}?key=\${KEY}`, headers: { authorization: "Bearer ${KEY}" } },
      good: { url: good.url },
    };
    await using client = new MultiServerMCPClient("Kairos", { servers, secrets: { faulty: { KEY: CANARY } } });
    const call = (text = "hi", callOptions: CallToolOptions = {}) => {
      return client.callTool("faulty__echo", { text }, callOptions);
    };
    await run({ client, faulty, good, call });
    await until(() => faulty.openStreams() === 0 && faulty.openConnections() <= answeredAtOnce);
    assertEquals(textOf(await client.callTool("good__whoami")), "good");
    assertEquals([good.count("initialize"), good.count("tools/list")], [1, 1]);
    assertNoCanary(good.requests.map(({ headers, path, query, body }) => [[...headers], path, query, body]));
    assertNoCanary(client.getStatus());
    await client.close();
    await until(() => faulty.openStreams() === 0);
  });
}
