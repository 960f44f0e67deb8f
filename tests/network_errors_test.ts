import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Deadline } from "../src/deadline.ts";
import { MCPError } from "../src/errors.ts";
import { type Phase, toDeadlineError, toOutcomeUnknown, toRequestError, whyNeverSent } from "../src/network_errors.ts";
import { drop, ok, sequence, sseBreaks } from "./support/behaviours.ts";
import { assertNoCanary, CANARY } from "./support/client_support.ts";
import { refusedUrl, startRawServer } from "./support/fault_server.ts";
import { startMCPServer } from "./support/mcp_server.ts";
import { IS_DENO_2_5 } from "./support/runtime.ts";

function context(phase: Phase, deadline: Deadline) {
  return { server: "files", phase, deadline };
}

/** What the runtime really rejects with. */
async function rejectionOf(url: string, init: RequestInit = {}): Promise<Error> {
  return await assertRejects(async () => await (await fetch(url, init)).text(), Error);
}

Deno.test("whyNeverSent() knows what Deno says of a refused connection", async () => {
  assertEquals(whyNeverSent(await rejectionOf(refusedUrl())), "the connection was refused");
});

Deno.test("whyNeverSent() knows what Deno says of a name that does not resolve", async () => {
  assertEquals(whyNeverSent(await rejectionOf("http://nowhere.invalid/mcp")), "its host name does not resolve");
});

Deno.test("whyNeverSent() knows what Deno says of TLS to a port that speaks plain HTTP", async () => {
  await using server = await startMCPServer();
  const error = await rejectionOf(server.url.replace("http:", "https:"));
  assertEquals(whyNeverSent(error), "the TLS handshake failed");
});

Deno.test("whyNeverSent() knows what Deno says of a port that fetch never connects to", async () => {
  // Deno 2.5 connects to every port.
  const reason = IS_DENO_2_5 ? "the connection was refused" : "its port is one that fetch never connects to";
  assertEquals(whyNeverSent(await rejectionOf("http://127.0.0.1:1/")), reason);
});

Deno.test("whyNeverSent() is undefined where a kept connection closed, and where a body broke off", async () => {
  await using server = startRawServer({ "tools/call": sequence(ok, drop, sseBreaks) });
  const send = () => {
    const body = new Blob([JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call" })]).stream();
    return { method: "POST", body };
  };
  await (await fetch(server.url, send())).text();
  assertEquals(whyNeverSent(await rejectionOf(server.url, send())), undefined);
  assertEquals(whyNeverSent(await rejectionOf(server.url, send())), undefined);
});

/** Texts of errors, and the reason that is read from them. */
const TEXTS: readonly (readonly [string, string | undefined])[] = [
  ["client error (Connect): invalid peer certificate: UnknownIssuer", "the TLS handshake failed"],
  ["client error (Connect): tcp connect error: No route to host", "no connection could be opened"],
  ["client error (Connect): tcp connect error: Network is unreachable", "the network is unreachable"],
  ["client error (Connect): something new", "no connection could be opened"],
  ["client error (SendRequest): connection closed before message completed", undefined],
  ["client error (SendRequest): connection refused by the dns error certificate", undefined],
  ["error reading a body from connection", undefined],
  [
    'Requires net access to "x:80", run again with the --allow-net flag',
    "this process may not connect to it; allow it with --allow-net",
  ],
  ["error sending request for url (http://tls.certificate.refused/(Connect)): connection closed", undefined],
];

for (const [text, expected] of TEXTS) {
  Deno.test(`whyNeverSent() reads: ${text}`, () => {
    assertEquals(whyNeverSent(new TypeError("fetch failed", { cause: new Error(text) })), expected);
  });
}

Deno.test("whyNeverSent() reads the codes of Node, and survives what is no error or its own cause", () => {
  const refused = Object.assign(new Error("fetch failed"), { code: "ECONNREFUSED" });
  assertEquals(whyNeverSent(new TypeError("fetch failed", { cause: refused })), "the connection was refused");
  assertEquals([whyNeverSent("refused"), whyNeverSent(undefined)], [undefined, undefined]);
  const cyclic = new Error("round and round");
  cyclic.cause = cyclic;
  assertEquals(whyNeverSent(cyclic), undefined);
});

const OUTCOMES: readonly (readonly [Phase, string, string, boolean])[] = [
  ["connect", "client error (Connect): Connection refused", "unreachable", true],
  ["list", "client error (Connect): Connection refused", "unreachable", true],
  ["call", "client error (Connect): Connection refused", "unreachable", true],
  ["connect", "client error (SendRequest): connection closed", "unreachable", true],
  ["list", "error reading a body from connection", "unreachable", true],
  ["call", "client error (SendRequest): connection closed", "outcome_unknown", false],
  ["call", "error reading a body from connection", "outcome_unknown", false],
];

for (const [phase, text, code, retryable] of OUTCOMES) {
  Deno.test(`toRequestError() makes ${code} of "${text}" in phase ${phase}`, () => {
    using deadline = new Deadline(10_000);
    const error = toRequestError(new TypeError(text), context(phase, deadline)) as MCPError;
    assertEquals([error.code, error.retryable, error.server], [code, retryable, "files"]);
    assertEquals(error.cause instanceof Error, true);
  });
}

Deno.test("toRequestError() rethrows the caller's reason, whatever the work says", () => {
  const reason = new Error("the caller's own");
  using deadline = new Deadline(10_000, { signal: AbortSignal.abort(reason) });
  assertStrictEquals(toRequestError(new Error("aborted"), context("call", deadline)), reason);
});

Deno.test("toRequestError() makes deadline_exceeded of anything once the time has passed", async () => {
  using deadline = new Deadline(1);
  await assertRejects(() => deadline.race(new Promise<never>(() => {})));
  const error = toRequestError(new Error("whatever"), context("list", deadline)) as MCPError;
  assertEquals([error.code, error.message.includes("phase list")], ["deadline_exceeded", true]);
});

Deno.test("toRequestError() leaves an MCPError as it is", () => {
  using deadline = new Deadline(10_000, { signal: AbortSignal.abort("left") });
  const known = new MCPError("too_large", "Cannot read the answer");
  assertStrictEquals(toRequestError(known, context("call", deadline)), known);
});

Deno.test("toRequestError() keeps no URL of the runtime's words", async () => {
  using deadline = new Deadline(10_000);
  const error = await rejectionOf(`${refusedUrl()}/${CANARY}?key=${CANARY}`);
  assertEquals(Deno.inspect(error).includes("kqzx"), true, "the runtime shows it");
  assertNoCanary(toRequestError(error, context("connect", deadline)));
});

Deno.test("toDeadlineError() and toOutcomeUnknown() say whether a call may have run", () => {
  assertEquals([toDeadlineError("s", "connect").retryable, toDeadlineError("s", "call").retryable], [true, false]);
  assertEquals(toDeadlineError("s", "call").message.includes("may have run"), true);
  const unknown = toOutcomeUnknown("s", "the connection broke");
  assertEquals([unknown.code, unknown.retryable], ["outcome_unknown", false]);
});
