/**
 * What tests ask of a page in a real browser.
 *
 * @module
 */

import axe from "axe-core";
import type { Page } from "playwright-core";

/**
 * What axe finds in a page that keeps people out: the serious and the critical.
 *
 * @param page The page; the policy of its content does not hold for what a test brings along.
 * @returns Each finding with the elements concerned.
 */
export async function findBarriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: AxeFinding[] }> } };
    return await axe.run();
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).slice(0, 5).join(", ")}`);
}

interface AxeFinding {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}

/** Whether a page is wider than its window, so that it has to be moved to be read. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { document } = globalThis as unknown as {
      document: { documentElement: { scrollWidth: number; clientWidth: number } };
    };
    return document.documentElement.scrollWidth > document.documentElement.clientWidth;
  });
}

/** Unfolds all that is folded. */
export function unfoldAll(page: Page): Promise<void> {
  return page.evaluate(() => {
    const { document } = globalThis as unknown as {
      document: { querySelectorAll(name: string): Iterable<{ open: boolean }> };
    };
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
}
