/**
 * The screens that stand alone: signing in, and what went wrong.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { Problem } from "../gateway/problem.ts";
import { ProblemBox } from "./page_parts.tsx";

/**
 * The form that asks for a key. It says nothing of what is behind it.
 *
 * @param props What was wrong with the key before, where there was one, and the path that is shown next.
 * @returns The screen.
 */
export function SignInScreen(
  { error, back }: { readonly error?: string | undefined; readonly back: string },
): JSX.Element {
  return (
    <section class="sign-in sheet" aria-labelledby="headline">
      <h1 id="headline">Sign in</h1>
      <p class="text">The page shows what your key opens: the agents, their servers, and their tools.</p>
      <form method="post" action="/ui/session">
        <input type="hidden" name="back" value={back} />
        {error !== undefined && <p id="key-error" class="box box-bad" role="alert">{error}</p>}
        <label for="key">Key or token</label>
        <input
          id="key"
          name="key"
          type="password"
          autocomplete="current-password"
          required
          spellcheck={false}
          aria-describedby={error === undefined ? "key-help" : "key-error key-help"}
          aria-invalid={error === undefined ? undefined : "true"}
        />
        <p id="key-help" class="quiet">
          The same that programs send as a bearer token. It stays in this browser, sealed, for at most twelve hours.
        </p>
        <button type="submit" class="main-button">Sign in</button>
      </form>
    </section>
  );
}

/**
 * What went wrong, on a page of its own.
 *
 * @param props The problem.
 * @returns The screen.
 */
export function ProblemScreen({ problem }: { readonly problem: Problem }): JSX.Element {
  return (
    <section class="summary" aria-labelledby="headline">
      <div>
        <h1 id="headline">This cannot be shown</h1>
        <ProblemBox problem={problem} />
        <p>
          <a href="/">Back to the status</a>
        </p>
      </div>
    </section>
  );
}
