import { assertEquals } from "@std/assert";
import * as sdk from "../src/sdk.ts";

// Type-checked: where the types of a part are lost it is silently `any`, and the line below a directive is no error.
Deno.test("sdk.ts exports nothing that is silently any", () => {
  const client = new sdk.Client({ name: "test", version: "1.0.0" });
  const transport = new sdk.StreamableHTTPClientTransport(new URL("http://localhost:9/mcp"));
  const sse = new sdk.SSEClientTransport(new URL("http://localhost:9/sse"));
  // @ts-expect-error Closing gives no number.
  const close: () => Promise<number> = client.close;
  // @ts-expect-error A session id is no number.
  const sessionId: number | undefined = transport.sessionId;
  // @ts-expect-error A protocol version is no number.
  const setVersion: (version: number) => void = sse.setProtocolVersion;
  // @ts-expect-error A parsed result is no number.
  const parse: (data: unknown) => number = sdk.ResultSchema.parse;
  // @ts-expect-error A parsed notice is no number.
  const parseNotice: (data: unknown) => number = sdk.ToolListChangedNotificationSchema.parse;
  assertEquals([typeof close, sessionId, typeof setVersion, typeof parse, typeof parseNotice], [
    "function",
    undefined,
    "function",
    "function",
    "function",
  ]);
});

Deno.test("sdk.ts exports nothing else than what is checked above", () => {
  assertEquals(Object.keys(sdk).sort(), [
    "Client",
    "ResultSchema",
    "SSEClientTransport",
    "StreamableHTTPClientTransport",
    "ToolListChangedNotificationSchema",
  ]);
});
