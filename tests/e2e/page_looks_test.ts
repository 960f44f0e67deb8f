/** How the status page looks to those who see it, and to those who do not: on every screen, by day and by night. */

import axe from "axe-core";
import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { ADMIN_KEY, openBrowser, openPageHouse, type PageHouse, visit } from "./_page_house.ts";

/** Where pictures go, for a person to look at; without it none are taken. */
const PICTURES = Deno.env.get("PORTOLAN_TEST_PICTURES");

const DESK = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 740 };
const LOOKS = [
  { look: "light", colorScheme: "light", viewport: DESK },
  { look: "dark", colorScheme: "dark", viewport: DESK },
  { look: "phone", colorScheme: "light", viewport: PHONE },
  { look: "phone_dark", colorScheme: "dark", viewport: PHONE },
] as const;

interface Screen {
  readonly name: string;
  readonly path: string;
  /** What is done there before it is looked at. */
  readonly act?: (page: Page, house: PageHouse) => Promise<void>;
}

const SCREENS: readonly Screen[] = [
  {
    name: "agent",
    path: "/ui/agents/Kairos",
    act: async (page, house) => {
      await house.changeTide();
      await page.getByRole("article", { name: "tide of harbour" }).waitFor();
    },
  },
  {
    name: "answer",
    path: "/ui/agents/Kairos/tools/chart",
    act: async (page) => {
      await page.getByLabel("title").fill("Genoa");
      await page.getByRole("button", { name: "Call the tool" }).click();
      await page.locator("#answer .how").waitFor();
      await page.getByText("Schema of the arguments").click();
    },
  },
  {
    name: "faults",
    path: "/ui/agents/Kairos/tools/distance",
    act: async (page) => {
      await page.getByRole("button", { name: "Call the tool" }).click();
      await page.locator(".form-faults").waitFor();
    },
  },
  {
    name: "status",
    path: "/",
    act: async (page, house) => {
      await house.sink();
      await (await house.call("distance", { from: "Genoa", to: "Venice" })).body?.cancel();
      await page.locator('[id="agent-Kairos"]').getByText("Down", { exact: true }).waitFor();
    },
  },
  {
    name: "problem",
    path: "/ui/agents/Kairos/tools/distance",
    act: async (page) => {
      await page.getByLabel("from").selectOption("Genoa");
      await page.locator("#fields select").last().selectOption("Venice");
      await page.getByRole("button", { name: "Call the tool" }).click();
      await page.locator("#answer .box-bad").waitFor();
    },
  },
  { name: "activity", path: "/ui/activity", act: (page) => page.locator("#entries li").first().waitFor() },
  { name: "nothing", path: "/ui/agents/Nobody" },
  {
    name: "sign_in",
    path: "/",
    act: async (page) => {
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Key or token").waitFor();
    },
  },
  {
    name: "refused",
    path: "/",
    act: async (page) => {
      await page.getByLabel("Key or token").fill("wrong");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
    },
  },
];

/** What axe finds, with where it is. */
async function findBarriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const text = await page.evaluate<string>(`axe.run(document).then(({ violations, passes }) => JSON.stringify([
    passes.length,
    violations.map(({ id, impact, nodes }) => [impact, id, nodes[0].html, nodes[0].failureSummary].join(" | ")),
  ]))`);
  const [kept, broken]: [number, readonly string[]] = JSON.parse(text);
  return kept < 10 ? [`axe has looked at ${kept} rules only`, ...broken] : broken;
}

Deno.test("no screen of the page has a barrier that axe knows of, or is wider than its window", async () => {
  await using house = await openPageHouse();
  await using browser = await openBrowser();
  await using visitor = await visit(browser, house.origin, { key: ADMIN_KEY, viewport: DESK, bypassCSP: true });
  const { page } = visitor;
  const found: string[] = [];
  for (const { name, path, act } of SCREENS) {
    await page.goto(house.origin + path);
    await act?.(page, house);
    for (const { look, colorScheme, viewport } of LOOKS) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize(viewport);
      for (const barrier of await findBarriers(page)) found.push(`${name} ${look}: ${barrier}`);
      const excess = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      if (excess > 0) found.push(`${name} ${look}: ${excess} pixels wider than the window`);
      if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/${name}_${look}.png`, fullPage: true });
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(DESK);
  }
  assertEquals(found, []);
});
