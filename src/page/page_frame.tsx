/**
 * What stands around every screen of the status page.
 *
 * @module
 */

import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Access } from "../callers/access.ts";

/** What a screen is shown in. */
export interface FrameProps {
  /** What it shows, for the title. */
  readonly title: string;
  /** Who looks; without one, nothing leads anywhere. */
  readonly access?: Access | undefined;
  /** Whether no key is asked for. */
  readonly open?: boolean | undefined;
  /** Which part of the page it belongs to. */
  readonly here?: "status" | "activity" | "docs" | undefined;
  /** Where what changes on it is told from. */
  readonly live?: string | undefined;
  /** What allows the styles and the script. */
  readonly nonce: string;
  /** The screen. */
  readonly children: Child;
}

/**
 * A whole page.
 *
 * @param props What it shows.
 * @returns The document, from `html` on.
 */
export function PageFrame({ title, access, open, here, live, nonce, children }: FrameProps): JSX.Element {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{title} · Portolan</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href="/ui/app.css" nonce={nonce} />
        <script src="/ui/app.js" nonce={nonce} defer></script>
      </head>
      <body data-live={live}>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="masthead">
          <div class="masthead-inner">
            <a class="wordmark" href="/">
              <Rose /> Portolan
            </a>
            {access !== undefined && (
              <>
                <nav aria-label="Page">
                  <a href="/" aria-current={here === "status" ? "page" : undefined}>Status</a>
                  <a href="/ui/activity" aria-current={here === "activity" ? "page" : undefined}>Activity</a>
                  <a href="/docs" aria-current={here === "docs" ? "page" : undefined}>API</a>
                </nav>
                <div class="who">
                  {live !== undefined && <span id="live" class="live" data-state="off">as loaded</span>}
                  {open === true
                    ? <span class="quiet">this machine, without keys</span>
                    : (
                      <form method="post" action="/ui/session/end">
                        <span class="quiet">{access.isAdmin ? "administrator" : "agent key"}</span>
                        <button type="submit" class="plain-button">Sign out</button>
                      </form>
                    )}
                </div>
              </>
            )}
          </div>
        </header>
        <main id="main" tabindex={-1}>{children}</main>
        <p id="say" class="unseen" role="status" aria-live="polite"></p>
      </body>
    </html>
  );
}

/** The sixteen winds. */
function Rose(): JSX.Element {
  return (
    <svg class="rose" viewBox="-20 -20 40 40" width="26" height="26" aria-hidden="true" focusable="false">
      <circle class="rose-ring" r="18.6" />
      <path
        class="rose-winds"
        d="M-13-13 13 13M-13 13 13-13M-17.2-7.1 17.2 7.1M-17.2 7.1 17.2-7.1M-7.1-17.2 7.1 17.2M-7.1 17.2 7.1-17.2"
      />
      <path class="rose-dark" d="M0-18 3.6-3.6 0 0ZM18 0 3.6 3.6 0 0ZM0 18-3.6 3.6 0 0ZM-18 0-3.6-3.6 0 0Z" />
      <path class="rose-pale" d="M0-18-3.6-3.6 0 0ZM18 0 3.6-3.6 0 0ZM0 18 3.6 3.6 0 0ZM-18 0-3.6 3.6 0 0Z" />
    </svg>
  );
}

const ICON = "data:image/svg+xml," + encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-20 -20 40 40"><circle r="20" fill="#1d3557"/>' +
    '<path d="M0-17 4-4 17 0 4 4 0 17-4 4-17 0-4-4Z" fill="#f6f1e3"/></svg>',
);
