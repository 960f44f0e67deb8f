/**
 * The API page as an answer, whole or in part.
 *
 * @module
 */

import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import type { Access } from "../callers/access.ts";
import { OperationBody, type OperationProps } from "./docs_operation.tsx";
import { type DocsQuery, DocsScreen, pickOperations } from "./docs_screen.tsx";
import { answerHtml } from "./html_answer.ts";
import { PageFrame } from "./page_frame.tsx";
import type { DrawnParts } from "./pages.tsx";
import { describeTried, type Tried, TryPanel, type TryPanelProps } from "./try_panel.tsx";

/** How long operations are drawn at a stretch, in milliseconds. */
const STRETCH_MS = 8;

/** What is shown, and to whom. */
export interface DocsPageProps extends DocsQuery, Omit<OperationProps, "operation"> {
  /** What who looks may use; `undefined` where nobody is known. */
  readonly access: Access | undefined;
  /** Whether the gateway is served without keys. */
  readonly open: boolean;
}

/**
 * Answers with the page. The event loop goes on meanwhile, whatever the servers list.
 *
 * @param props What is shown, and to whom.
 * @returns The page.
 */
export async function answerDocs({ access, open, ...props }: DocsPageProps): Promise<Response> {
  const title = props.agent === undefined ? "API" : `API of ${props.agent}`;
  const picked = pickOperations(props);
  const bodies = new Map<string, Child>();
  let stretchEndsAt = performance.now() + STRETCH_MS;
  for (const entry of picked.shown) {
    if (performance.now() > stretchEndsAt) {
      await pause();
      stretchEndsAt = performance.now() + STRETCH_MS;
    }
    const body = <OperationBody {...props} operation={props.document.open(entry)} />;
    bodies.set(entry.id, raw(String(await body)));
  }
  return await answerHtml((nonce) => (
    <PageFrame title={title} access={access} open={open} here="docs" nonce={nonce}>
      <DocsScreen {...props} picked={picked} bodies={bodies} />
    </PageFrame>
  ));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * Draws what came of a try, to be put in place of the form that was sent.
 *
 * @param props What is shown.
 * @returns The part of the page, and a sentence.
 */
export async function drawTried(props: TryPanelProps & { readonly tried: Tried }): Promise<DrawnParts> {
  return { parts: [String(await <TryPanel {...props} />)], text: describeTried(props.tried) };
}
