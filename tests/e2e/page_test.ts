/** The status page in a real browser, over real servers. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { ADMIN_KEY, KAIROS_KEY, openBrowser, openPageHouse, visit } from "./_page_house.ts";

Deno.test("the page lets in who has a key, and tells nobody else anything", async () => {
  await using house = await openPageHouse();
  await using browser = await openBrowser();
  await using visitor = await visit(browser, house.origin);
  const { page, complaints } = visitor;
  const text = await page.locator("body").innerText();
  assertEquals(/Kairos|harbour|servers?\b/.test(text.replace("their servers", "")), false, text);

  await page.getByLabel("Key or token").fill("not-a-key");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  assertStringIncludes(await page.getByRole("alert").innerText(), "This key opens nothing here");
  assertEquals(await page.getByRole("navigation").count(), 0);
  // The browser itself says that a page was answered with 401.
  assertEquals(complaints.map((text) => /status of 401/.test(text)), [true]);

  await page.getByLabel("Key or token").fill(KAIROS_KEY);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "All 3 servers answer" }).waitFor();
  assertEquals(await page.getByText("Mercurius").count(), 0);
  const [cookie] = await visitor.context.cookies();
  assertEquals([cookie?.httpOnly, cookie?.sameSite, cookie?.value.includes(KAIROS_KEY)], [true, "Strict", false]);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Key or token").waitFor();
  assertEquals(await visitor.context.cookies(), []);
  assertEquals(complaints.length, 1);
});

Deno.test("a server that goes down, and comes back, is seen on a page that stays open", async () => {
  await using house = await openPageHouse();
  await using browser = await openBrowser();
  await using visitor = await visit(browser, house.origin, { key: ADMIN_KEY });
  const { page, complaints } = visitor;
  await page.getByText("live", { exact: true }).waitFor();
  await page.evaluate("globalThis.isSamePage = true");
  const row = page.locator('[id="agent-Kairos"] tr[data-server="harbour"]');
  await row.getByText("Connected", { exact: true }).waitFor();

  await house.sink();
  await (await house.call("tide", { harbour: "Lisbon", hour: 3 })).body?.cancel();
  await row.getByText("Down", { exact: true }).waitFor();
  await row.getByText("Check that it runs and that its URL is right, then reconnect.").waitFor();
  await page.getByRole("heading", { name: "1 of 4 servers needs attention" }).waitFor();
  await page.getByText("harbour of Kairos is down.").waitFor({ state: "attached" });

  await house.raise();
  await row.getByRole("button", { name: "Reconnect harbour of Kairos" }).click();
  await row.getByText("Connected", { exact: true }).waitFor();
  await page.getByRole("heading", { name: "All 4 servers answer" }).waitFor();
  await page.locator("#recent").getByText('Server "harbour" of "Kairos" is back').waitFor();
  assertEquals(await page.evaluate("globalThis.isSamePage"), true);
  assertEquals(complaints, []);
});

for (const storeSecret of [undefined, new Uint8Array(32)]) {
  const what = storeSecret === undefined ? "asks for the key there" : "goes on by itself";
  Deno.test(`a page that is open while its gateway is started again ${what}`, async () => {
    await using house = await openPageHouse(storeSecret === undefined ? {} : { storeSecret });
    await using browser = await openBrowser();
    await using visitor = await visit(browser, house.origin, { key: KAIROS_KEY });
    const { page, complaints } = visitor;
    const screen = `${house.origin}/ui/agents/Kairos?q=tide`;
    await page.goto(screen);
    await page.getByText("live", { exact: true }).waitFor();
    await house.restart();
    if (storeSecret === undefined) {
      await page.getByLabel("Key or token").fill(KAIROS_KEY);
      await page.getByRole("button", { name: "Sign in" }).click();
    }
    await house.changeTide();
    await page.getByText("live", { exact: true }).waitFor();
    await page.getByRole("article", { name: "tide of harbour" }).waitFor();
    assertEquals(page.url(), screen);
    // The browser itself says that nobody answered, or that nobody is let in.
    assertEquals(complaints.filter((text) => !/ERR_|status of 401/.test(text)), []);
  });
}

Deno.test("a tool is called by the form that its schema makes, and its answer is shown, of whatever kind", async () => {
  await using house = await openPageHouse();
  await using browser = await openBrowser();
  await using visitor = await visit(browser, house.origin, { key: KAIROS_KEY });
  const { page, complaints } = visitor;
  await page.getByRole("link", { name: "Kairos", exact: true }).click();
  await page.getByLabel("Find a tool").fill("draws a");
  await page.getByText("1 of 6 tools").waitFor();
  await page.getByRole("link", { name: "chart", exact: true }).click();
  await page.evaluate("globalThis.isSamePage = true");

  await page.getByLabel("title").fill("x");
  await page.getByRole("button", { name: "Call the tool" }).click();
  await page.getByText("cannot be sent").first().waitFor();
  assertEquals(await page.getByLabel("title").getAttribute("aria-invalid"), "true");

  await page.getByLabel("title").fill("Genoa <i>");
  await page.getByRole("button", { name: "Call the tool" }).click();
  const answer = page.locator("#answer");
  await answer.getByText("Chart of Genoa <i> <b>not bold</b>").waitFor();
  assertEquals(await answer.locator("img").evaluate((image) => Reflect.get(image, "naturalWidth")), 1);
  assertEquals(
    await answer.locator("a").evaluateAll((links) =>
      links.map((link) => ["href", "rel"].map((name) => Reflect.get(link, name)))
    ),
    [
      ["https://charts.example.com/1", "noreferrer noopener"],
    ],
  );
  for (const text of ['"sheets": 3', "soundings in fathoms", "by gallery", "known here", "javascript:alert(1)"]) {
    assertStringIncludes(await answer.innerText(), text);
  }
  await page.getByText(/^gallery answered after/).waitFor({ state: "attached" });
  assertEquals(await page.getByLabel("title").inputValue(), "Genoa <i>");
  assertEquals(await page.evaluate("globalThis.isSamePage"), true);

  await page.goto(`${house.origin}/ui/agents/Kairos/tools/aground`);
  await page.getByRole("button", { name: "Call the tool" }).click();
  await answer.getByText("The tool reports an error").waitFor();
  await page.getByRole("link", { name: "Activity" }).click();
  await page.locator("#entries").getByText("tool error").waitFor();
  assertEquals(complaints, []);
});

Deno.test("a tool that changed is shown with its difference, and accepted by the administrator alone", async () => {
  await using house = await openPageHouse();
  await using browser = await openBrowser();
  await using visitor = await visit(browser, house.origin, { key: ADMIN_KEY });
  const { page, complaints } = visitor;
  await page.goto(`${house.origin}/ui/agents/Kairos`);
  await page.getByText("live", { exact: true }).waitFor();
  assertEquals(await page.getByText("Tools that changed").isVisible(), false);

  await house.changeTide();
  const change = page.getByRole("article", { name: "tide of harbour" });
  await change.waitFor();
  const [added, removed] = [change.locator("ins"), change.locator("del")];
  assertStringIncludes((await added.allInnerTexts()).join(""), "and mails it to the harbour master");
  assertStringIncludes((await removed.allInnerTexts()).join(""), "at an hour of the day");
  assertStringIncludes((await added.allInnerTexts()).join(""), '"mail"');
  await page.locator("#tool-list li", { hasText: "tide" }).getByText("changed", { exact: true }).waitFor();

  await using guest = await visit(browser, house.origin, { key: KAIROS_KEY });
  await guest.page.goto(`${house.origin}/ui/agents/Kairos`);
  await guest.page.getByRole("article", { name: "tide of harbour" }).waitFor();
  assertEquals(await guest.page.getByRole("button", { name: "Accept the change" }).count(), 0);

  await change.getByRole("button", { name: "Accept the change" }).click();
  await change.waitFor({ state: "detached" });
  await page.getByText("The change is accepted.").waitFor({ state: "attached" });
  await guest.page.getByRole("article", { name: "tide of harbour" }).waitFor({ state: "detached" });
  assertEquals([...complaints, ...guest.complaints], []);
});

Deno.test("the page can be used by the keyboard alone", async () => {
  await using house = await openPageHouse();
  await using browser = await openBrowser();
  await using visitor = await visit(browser, house.origin);
  const { page, complaints } = visitor;
  const press = (key: string) => page.keyboard.press(key);
  const focused = () => page.evaluate<string>("document.activeElement.textContent.trim()");
  const tabTo = async (text: string) => {
    for (let steps = 0; steps < 60 && (await focused()) !== text; steps++) await press("Tab");
    assertEquals(await focused(), text);
  };
  await tabTo("Skip to the content");
  await press("Enter");
  await press("Tab");
  await page.keyboard.type(ADMIN_KEY);
  await press("Enter");
  await page.getByRole("navigation").waitFor();
  await tabTo("Kairos");
  const outline = await page.evaluate<string>("getComputedStyle(document.activeElement).outlineStyle");
  assertEquals(outline, "solid");
  await press("Enter");
  await page.getByRole("heading", { name: "Kairos" }).waitFor();
  await tabTo("distance");
  await press("Enter");
  await page.getByRole("heading", { name: "distance" }).waitFor();
  await page.getByLabel("from").focus();
  await page.keyboard.type("Genoa");
  await press("Tab");
  await page.keyboard.type("Venice");
  await tabTo("Call the tool");
  await press("Enter");
  await page.locator("#answer").getByText("Genoa to Venice: 158 nautical miles").waitFor();
  assertEquals(await focused(), "Call the tool");
  assertEquals(complaints, []);
});

Deno.test("the page can be used without a script", async () => {
  await using house = await openPageHouse();
  await using browser = await openBrowser();
  await using visitor = await visit(browser, house.origin, { key: ADMIN_KEY, javaScriptEnabled: false });
  const { page, complaints } = visitor;
  await page.getByRole("button", { name: "Reconnect harbour of Kairos" }).click();
  await page.getByRole("heading", { name: "All 4 servers answer" }).waitFor();
  await page.goto(`${house.origin}/ui/agents/Kairos/tools/distance`);
  await page.getByLabel("from").selectOption("Genoa");
  await page.getByLabel("to", { exact: false }).last().selectOption("Venice");
  await page.getByRole("button", { name: "Call the tool" }).click();
  await page.locator("#answer").getByText("Genoa to Venice: 158 nautical miles").waitFor();
  assertEquals(complaints, []);
});
