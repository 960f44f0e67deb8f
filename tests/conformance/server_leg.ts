/**
 * The server leg of the conformance suite: the suite's clients against a gateway with one agent, which has one server.
 *
 * @module
 */

import { startNorthbound } from "../support/northbound_support.ts";
import type { Fixture } from "./fixture.ts";
import type { ScenarioResult } from "./results.ts";
import { runSuite } from "./suite.ts";

/**
 * Runs the server scenarios of a revision.
 *
 * @param revision The revision of the specification.
 * @param startFixture Starts the server behind the gateway.
 * @param signal Ends the suite.
 * @returns The scenarios that ran, by name.
 */
export async function runServerLeg(
  revision: string,
  startFixture: () => Fixture,
  signal: AbortSignal,
): Promise<readonly ScenarioResult[]> {
  await using fixture = startFixture();
  await using gateway = startNorthbound({ servers: { fixture: { url: fixture.url } } });
  return await runSuite({ leg: "server", revision, args: ["--url", gateway.url], signal });
}
