import { createMcpHandler } from "@modelcontextprotocol/server";
import { type Fixture, serveFixture } from "./fixture.ts";
import { fixtureServers } from "./fixture_server.ts";

/** Starts the fixture as a server of 2026-07-28 alone. */
export function startModernFixture(): Fixture {
  const createServer = fixtureServers();
  const handler = createMcpHandler(() => createServer(handler.notify), { legacy: "reject", keepAliveMs: 0 });
  return serveFixture(handler);
}
