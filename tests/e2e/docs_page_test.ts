import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { z } from "zod";
import { createGateway, digestKey } from "../../routes/mod.ts";
import { MCPClientManager } from "../../src/client_manager.ts";
import { findBarriers, isTooWide, unfoldAll } from "../support/page_checks.ts";
import { startMCPServer } from "../support/mcp_server.ts";
import { textResult } from "../support/test_tools.ts";
import { ADMIN_KEY, KAIROS_KEY, openBrowser, visit, type VisitOptions } from "./_page_house.ts";

const TOOLS = [
  {
    name: "tide",
    description: "Tells the height of the tide at a harbour.",
    inputSchema: {
      harbour: z.enum(["Lisbon", "Porto"]),
      hour: z.number().int().min(0).max(23),
      notes: z.array(z.string()).optional(),
      ship: z.object({ name: z.string(), draught: z.number().optional() }).optional(),
    },
    run: (args: Record<string, unknown>) => textResult(JSON.stringify(args)),
  },
  { name: "scuttle", annotations: { destructiveHint: true }, run: () => textResult("gone") },
];

/** A gateway with one agent over one real server, and a person who is signed in to it. */
async function openHouse() {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startMCPServer({ name: "harbour", tools: TOOLS }));
  const manager = stack.use(
    new MCPClientManager({ agents: { Kairos: { servers: { harbour: { url: server.url } } } } }),
  );
  const keys = { Kairos: [await digestKey(KAIROS_KEY)], "*": [await digestKey(ADMIN_KEY)] };
  const gateway = createGateway({ directory: manager }, { keys });
  const http = stack.use(Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, gateway.fetch));
  const browser = stack.use(await openBrowser());
  const origin = `http://127.0.0.1:${http.addr.port}`;
  const owned = stack.move();
  return {
    server,
    origin,
    visit: (options?: VisitOptions) => visit(browser, origin, options),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Unfolds an operation by its place in the list beside it, as a person does. */
async function unfold(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Operations" }).getByRole("link", { name }).click();
}

Deno.test("the page of the API shows the gateway to everybody, and lets who is signed in try its operations", async () => {
  await using house = await openHouse();
  await using opened = await house.visit();
  const { page, complaints } = opened;
  await page.goto(`${house.origin}/docs`);
  assertEquals(await page.getByRole("heading", { level: 1 }).textContent(), "Portolan gateway");
  assertEquals(await page.getByRole("button", { name: /^Send / }).count(), 0);
  assertEquals(await findBarriers(page), []);

  await using signedIn = await house.visit({ key: KAIROS_KEY });
  await signedIn.page.goto(`${house.origin}/docs`);
  await unfold(signedIn.page, "Shows one agent");
  const form = signedIn.page.locator("#try-getAgentStatus");
  await form.getByRole("button", { name: "Send GET" }).click();
  await form.getByText('"connectedServers"').waitFor();
  assertMatch(await form.locator(".try-answer").innerText(), /^\s*200 .*bytes/);
  assertEquals([await findBarriers(signedIn.page), complaints, signedIn.complaints], [[], [], []]);
});

Deno.test("the page of the API calls a tool of an agent by its form, in place, and shows the answer", async () => {
  await using house = await openHouse();
  await using opened = await house.visit({ key: KAIROS_KEY });
  const { page, complaints } = opened;
  await page.goto(`${house.origin}/docs?agent=Kairos`);
  await unfold(page, "tide");
  const form = page.locator("#try-tide");
  await form.getByLabel("harbour").selectOption("Porto");
  await form.getByLabel("hour").fill("x");
  await form.getByRole("button", { name: "Send POST" }).click();
  await form.getByText("Not a number: write digits").first().waitFor();
  assertEquals(await form.getByLabel("hour").getAttribute("aria-invalid"), "true");
  assertEquals([await form.getByLabel("hour").inputValue(), house.server.executions.get("tide")], ["x", undefined]);
  assertEquals(await findBarriers(page), []);

  await form.getByLabel("hour").fill("7");
  await form.getByLabel("notes").fill("one\ntwo\n");
  assertEquals(await form.getByLabel("draught").isVisible(), false);
  await form.getByLabel("Send it").check();
  await form.getByLabel("name").fill("Nau");
  await form.getByRole("button", { name: "Send POST" }).click();
  const answer = form.locator(".try-answer");
  await answer.waitFor();
  assertStringIncludes(
    await answer.locator("pre").first().innerText(),
    JSON.stringify(JSON.stringify({ harbour: "Porto", hour: 7, notes: ["one", "two"], ship: { name: "Nau" } })),
  );
  assertEquals([new URL(page.url()).pathname, house.server.executions.get("tide")], ["/docs", 1]);

  await form.getByLabel("JSON", { exact: true }).check();
  await form.getByLabel("The arguments as JSON").fill('{ "harbour": "Lisbon", "hour": 1 }');
  await form.getByLabel("Answer as").selectOption("text/event-stream");
  await form.getByRole("button", { name: "Send POST" }).click();
  await form.getByText("event: result").waitFor();
  assertEquals([house.server.executions.get("tide"), complaints], [2, []]);
});

Deno.test("the page of the API works without a script, and asks before what may not be brought back", async () => {
  await using house = await openHouse();
  await using opened = await house.visit({ key: KAIROS_KEY, javaScriptEnabled: false });
  const { page, complaints } = opened;
  await page.goto(`${house.origin}/docs?agent=Kairos`);
  await unfold(page, "scuttle");
  await page.locator("#try-scuttle").getByRole("button", { name: "Send POST" }).click();
  await page.getByRole("alert").getByText("POST /agents/Kairos/tools/scuttle").waitFor();
  assertEquals(house.server.executions.get("scuttle"), undefined);
  await page.getByRole("button", { name: "Yes, send it" }).click();
  await page.locator(".try-answer").getByText('"gone"').waitFor();
  assertEquals([house.server.executions.get("scuttle"), complaints], [1, []]);
});

Deno.test("the page of the API is read by day, by night, and on a phone", async () => {
  await using house = await openHouse();
  for (const options of [{ colorScheme: "dark" }, { viewport: { width: 360, height: 740 } }] as const) {
    await using opened = await house.visit({ key: ADMIN_KEY, ...options });
    const { page, complaints } = opened;
    for (const path of ["/docs", "/docs?agent=Kairos"]) {
      await page.goto(house.origin + path);
      await unfoldAll(page);
      assertEquals([path, await isTooWide(page), await findBarriers(page)], [path, false, []]);
    }
    assert((await page.locator("form").count()) > 0);
    assertEquals(complaints, []);
  }
});
