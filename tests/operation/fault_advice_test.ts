import { assert, assertEquals, assertMatch } from "@std/assert";
import { MCPError, type MCPErrorCode } from "../../src/errors.ts";
import { adviseOn } from "../../src/operation/fault_advice.ts";

const SOURCE = await Deno.readTextFile(new URL("../../src/errors.ts", import.meta.url));
const CODES = [...SOURCE.matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code as MCPErrorCode);

Deno.test("adviseOn() has one sentence for every code, with and without what else is known", () => {
  assert(CODES.includes("unreachable") && CODES.includes("closed"));
  for (const code of CODES) {
    for (const httpStatus of [undefined, 400, 404, 500, 503]) {
      for (const hasCredential of [true, false]) {
        const error = new MCPError(code, "Cannot", { httpStatus });
        const advice = adviseOn(error, { hasCredential, hasAuth: hasCredential, timeoutMs: 1_000 });
        assertMatch(advice, /^[A-Z][^\n]{20,200}[^.\s]$/, code);
      }
    }
  }
});

Deno.test("adviseOn() tells what the runtime said of a server that was not reached", () => {
  const context = { hasCredential: false, hasAuth: false, timeoutMs: 1_000 };
  const advise = (cause: unknown) => adviseOn(new MCPError("unreachable", "Cannot", { cause }), context);
  const texts = [
    "error sending request: client error (Connect): dns error: failed to lookup address information",
    "error sending request: client error (Connect): invalid peer certificate: Expired",
    "error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)",
    "Requests to port 6000 are blocked",
    'Requires net access to "files.example.com:443", run again with the --allow-net flag',
    "error sending request: client error (Connect): tcp connect error: Network is unreachable (os error 101)",
    "error sending request: client error (Connect)",
    "error sending request: client error (SendRequest): connection closed before message completed",
  ];
  const advices = texts.map((text) => advise(new TypeError(text)));
  assertEquals(new Set(advices).size, texts.length);
  assertMatch(advices[4] ?? "", /--allow-net/);
  assertEquals(advise(undefined), advices.at(-1));
});

Deno.test("adviseOn() has no advice on what is no failure of a server", () => {
  const advice = adviseOn(new TypeError("canary"), { hasCredential: false, hasAuth: false, timeoutMs: 1_000 });
  assertEquals(advice, "Report this as a fault of Portolan: it has no name for it");
});
