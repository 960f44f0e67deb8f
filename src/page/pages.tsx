/**
 * Screens as whole pages.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { Access } from "../callers/access.ts";
import type { Problem } from "../gateway/problem.ts";
import type { OwnedTool } from "../status.ts";
import { AnswerSection, describeAnswer } from "./answer_view.tsx";
import type { FormEntries } from "./form_entries.ts";
import { answerHtml } from "./html_answer.ts";
import type { SentForm } from "./page_calls.ts";
import { PageFrame } from "./page_frame.tsx";
import { MAX_KEY_CHARS } from "./page_session.ts";
import { ProblemScreen, SignInScreen } from "./small_screens.tsx";
import { ToolFields, ToolScreen, type ToolScreenProps } from "./tool_screen.tsx";
import { isProblem, type View, type ViewPart } from "./view.ts";

/** To whom a page is shown. */
export interface ShownTo {
  /** What who looks may use; `undefined` where nobody is known. */
  readonly access?: Access | undefined;
  /** Whether the gateway is served without keys. */
  readonly open?: boolean | undefined;
}

/** What is said of a screen that follows what happens. */
export interface ViewOptions extends ShownTo {
  /** Which part of the page it belongs to. */
  readonly here?: "status" | "activity" | undefined;
  /** What the stream of its changes is asked with. */
  readonly live?: Readonly<Record<string, string>> | undefined;
}

/**
 * Answers with a screen that follows what happens.
 *
 * @param view The screen, or why it cannot be drawn.
 * @param options To whom, and which part of the page it is.
 * @returns The page.
 */
export function answerView(view: View | Problem, options: ViewOptions): Promise<Response> {
  if (isProblem(view)) return answerProblem(view, options);
  const { access, open, here, live = {} } = options;
  const frame = { title: view.title, access, open, here };
  return answerHtml((nonce) => (
    <PageFrame {...frame} nonce={nonce} live={`/ui/events?${new URLSearchParams(live)}`}>
      <Layout parts={view.parts} />
    </PageFrame>
  ));
}

/** The first part above all, and beside the others what stands aside. */
function Layout({ parts: [first, ...others] }: { readonly parts: readonly ViewPart[] }): JSX.Element {
  const aside = others.filter((part) => part.aside === true);
  const rest = others.filter((part) => part.aside !== true);
  return (
    <>
      {first?.node}
      <div class={aside.length > 0 ? "with-aside" : undefined}>
        <div class="stack">{rest.map(({ node }) => node)}</div>
        {aside.length > 0 && <div class="stack">{aside.map(({ node }) => node)}</div>}
      </div>
    </>
  );
}

/**
 * Answers with the screen of a tool.
 *
 * @param props What is shown of it.
 * @param shownTo To whom.
 * @returns The page.
 */
export function answerTool(props: ToolScreenProps, { access, open }: ShownTo): Promise<Response> {
  return answerHtml((nonce) => (
    <PageFrame title={`${props.tool.name} of ${props.agent}`} access={access} open={open} nonce={nonce}>
      <ToolScreen {...props} />
    </PageFrame>
  ));
}

/** What the script puts in place once a form was sent. */
export interface DrawnParts {
  /** The parts, as HTML. */
  readonly parts: readonly string[];
  /** What happened, in a sentence. */
  readonly text: string;
}

/**
 * Draws the parts of a tool's screen that a call changes.
 *
 * @param tool The tool.
 * @param form What was sent.
 * @param sent What became of it.
 * @returns The parts.
 */
export async function drawAnswer({ tool }: OwnedTool, form: FormEntries, sent: SentForm): Promise<DrawnParts> {
  const fields = String(await <ToolFields schema={tool.inputSchema} sent={form} faults={sent.faults} />);
  if (sent.faults !== undefined) return { parts: [fields], text: "" };
  const answer = String(await <AnswerSection answer={sent.answer} />);
  return { parts: [fields, answer], text: describeAnswer(sent.answer) };
}

/**
 * Answers with the form that asks for a key.
 *
 * @param options Whether a key was refused, and the path that is shown next.
 * @returns The page: the same, whatever was wrong with the key.
 */
export function answerSignIn(
  { isRefused, back }: { readonly isRefused: boolean; readonly back: string },
): Promise<Response> {
  const error = "This key opens nothing here: it is not known, has ended, or was revoked. " +
    `A token of more than ${MAX_KEY_CHARS.toLocaleString("en")} characters is too long for this page.`;
  return answerHtml((nonce) => (
    <PageFrame title="Sign in" nonce={nonce}>
      <SignInScreen error={isRefused ? error : undefined} back={back} />
    </PageFrame>
  ), isRefused ? 401 : 200);
}

/**
 * Answers with a problem in words.
 *
 * @param problem The problem.
 * @param shownTo To whom.
 * @returns The page, with the status of the problem.
 */
export function answerProblem(problem: Problem, { access, open }: ShownTo): Promise<Response> {
  return answerHtml((nonce) => (
    <PageFrame title={problem.title} access={access} open={open} nonce={nonce}>
      <ProblemScreen problem={problem} />
    </PageFrame>
  ), problem.status);
}
