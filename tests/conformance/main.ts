/**
 * The official conformance suite over both eras: its client leg against the library, its server leg against a gateway in
 * front of a server of the same era. Fails if a required scenario does, or did not run; there is no list of failures
 * that are expected. What a revision does not require is shown, and what works from one era to the other.
 *
 * @module
 */

import { runClientLeg } from "./client_leg.ts";
import { startLegacyFixture } from "./fixture_legacy.ts";
import { startModernFixture } from "./fixture_modern.ts";
import { reportInformation, reportRequired } from "./report.ts";
import { runServerLeg } from "./server_leg.ts";

/** How many scenarios each revision requires of a client and of a server, and a server that speaks it. */
const REVISIONS = [
  { revision: "2025-11-25", client: 18, server: 30, startFixture: startLegacyFixture },
  { revision: "2026-07-28", client: 32, server: 37, startFixture: startModernFixture },
];
/** Why scenarios of the newer revision cannot pass in front of a server of the older one. */
const REASONS = {
  "input-required-result-basic-elicitation": "the questions of such a server have no keys, which the scenario looks at",
  "input-required-result-ignore-extra-params":
    "such a server waits for the answer to a call, which this one has not made",
  "server-stateless":
    "such a server knows what its session can, not what each call can: it answers itself that it may not ask",
};
/** For everything, a download included, in milliseconds. */
const TIMEOUT_MS = 600_000;

const abort = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => abort.abort(new Error(`Stopped by ${signal}`)));
}
setTimeout(() => abort.abort(new Error(`Not done within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);

let isConformant = true;
const [wanted] = Deno.args;
for (const { revision, client } of wanted === "server" ? [] : REVISIONS) {
  const results = await runClientLeg(revision, abort.signal);
  isConformant = reportRequired(`Client, specification ${revision}`, results, client) && isConformant;
}
for (const { revision, server } of wanted === "client" ? [] : REVISIONS) {
  for (const upstream of REVISIONS) {
    const results = await runServerLeg(revision, upstream.startFixture, abort.signal);
    const title = `Gateway, specification ${revision}, in front of a server of ${upstream.revision}`;
    if (upstream.revision !== revision) reportInformation(title, results, REASONS);
    else isConformant = reportRequired(title, results, server) && isConformant;
  }
}
Deno.exit(isConformant ? 0 : 1);
