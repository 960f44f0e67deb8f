/**
 * The smallest parts of the status page: marks, moments, sparklines, long texts.
 *
 * @module
 */

import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Problem } from "../gateway/problem.ts";
import { formatCount, formatMoment, formatSpan } from "./figures.ts";
import { sizeUp } from "../schema/json_size.ts";
import type { Tone } from "./words.ts";

/** How many characters of a text of a server are shown at once, and at all. */
const SHORT_CHARS = 320;
const MAX_CHARS = 40_000;

/**
 * A mark for how something stands: a shape and a colour; the word stands beside it.
 *
 * @param props How it stands.
 * @returns The mark.
 */
export function Mark({ tone }: { readonly tone: Tone }): JSX.Element {
  return (
    <svg class={`mark mark-${tone}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
      {tone === "good" && <circle class="fill" cx="8" cy="8" r="5.5" />}
      {tone === "busy" && (
        <>
          <circle class="line" cx="8" cy="8" r="5.2" />
          <path class="fill" d="M8 2.5a5.5 5.5 0 0 1 0 11z" />
        </>
      )}
      {tone === "idle" && <circle class="line" cx="8" cy="8" r="5.2" />}
      {tone === "wary" && (
        <>
          <path class="line" d="M8 2.2 14 13H2z" />
          <path class="line" d="M8 6.4v3.2M8 11v.6" />
        </>
      )}
      {tone === "bad" && <path class="line strong" d="M3 3l10 10M13 3L3 13" />}
    </svg>
  );
}

/**
 * A moment. The text is absolute, so that a page is the same as long as nothing happens; the script makes it relative.
 *
 * @param props When it was, in milliseconds since the epoch.
 * @returns The moment.
 */
export function Moment({ atMs }: { readonly atMs: number }): JSX.Element {
  const text = formatMoment(atMs);
  return <time dateTime={new Date(atMs).toISOString()} title={text} data-moment="">{text}</time>;
}

/** A part of a screen with a title of its own. */
export interface SheetProps {
  /** Its id. */
  readonly id: string;
  /** The title. */
  readonly title: Child;
  /** What stands beside the title. */
  readonly facts?: Child;
  /** Whether it is not shown. */
  readonly isHidden?: boolean | undefined;
  /** What is in it. */
  readonly children: Child;
}

/**
 * A part of a screen with a title of its own.
 *
 * @param props What is in it.
 * @returns The section.
 */
export function Sheet({ id, title, facts, isHidden = false, children }: SheetProps): JSX.Element {
  return (
    <section id={id} class="sheet" aria-labelledby={`${id}-title`} hidden={isHidden}>
      <header class="sheet-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {facts !== undefined && <p class="facts">{facts}</p>}
      </header>
      {children}
    </section>
  );
}

/** How large a sparkline is drawn. */
const WIDTH = 104;
const HEIGHT = 22;

/**
 * How long the last requests took, drawn small.
 *
 * @param props The spans, oldest first, and their percentiles, in milliseconds.
 * @returns The drawing, with the same in words.
 */
export function Sparkline(
  { samples, p50Ms, p99Ms }: { readonly samples: readonly number[]; readonly p50Ms: number; readonly p99Ms: number },
): JSX.Element {
  const top = Math.max(...samples, p50Ms * 2, 1);
  const step = samples.length > 1 ? (WIDTH - 6) / (samples.length - 1) : 0;
  const points = samples.map((ms, index) => {
    const x = samples.length > 1 ? 3 + index * step : WIDTH / 2;
    return [x.toFixed(1), (HEIGHT - 3 - (ms / top) * (HEIGHT - 7)).toFixed(1)] as const;
  });
  const [lastX, lastY] = points.at(-1) ?? ["0", "0"];
  const words = `The last ${formatCount(samples.length, "request")}: ` +
    `half took at most ${formatSpan(p50Ms)}, 99 of 100 at most ${formatSpan(p99Ms)}`;
  const median = (HEIGHT - 3 - (p50Ms / top) * (HEIGHT - 7)).toFixed(1);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={words}>
      <path class="spark-median" d={`M0 ${median}H${WIDTH}`} />
      {points.length > 1 && (
        <path
          class="spark-line"
          d={`M${points.map((point) => point.join(" ")).join("L")}`}
        />
      )}
      <circle class="spark-last" cx={lastX} cy={lastY} r="2" />
    </svg>
  );
}

/**
 * A text that a server wrote, of any length: the beginning, and the rest for who asks for it.
 *
 * @param props The text, and how much of it is shown at once.
 * @returns The text.
 */
export function LongText(
  { text, chars = SHORT_CHARS, pre = false }: {
    readonly text: string;
    readonly chars?: number | undefined;
    readonly pre?: boolean | undefined;
  },
): JSX.Element {
  const Box = ({ children }: { readonly children: string }) =>
    pre ? <pre tabindex={0} class="text">{children}</pre> : <p class="text">{children}</p>;
  if (text.length <= chars) return <Box>{text}</Box>;
  const shown = text.slice(0, MAX_CHARS);
  const cut = text.length - shown.length;
  return (
    <>
      <Box>{`${text.slice(0, chars)} …`}</Box>
      <details class="more">
        <summary>Show all {formatCount(text.length, "character")}</summary>
        <Box>{shown}</Box>
        {cut > 0 && <p class="quiet">{formatCount(cut, "more character")} not shown here.</p>}
      </details>
    </>
  );
}

/**
 * A value as JSON, to read.
 *
 * @param props The value, and what it is.
 * @returns The text.
 */
export function JsonText({ value }: { readonly value: unknown }): JSX.Element {
  return <LongText text={toJsonText(value)} chars={6_000} pre />;
}

/** Of what is written with indentation: it grows with the square of the depth. */
const INDENTED = { maxChars: 1_048_576, maxNodes: 50_000, maxDepth: 64 } as const;

/**
 * Writes a value as JSON: with a line for each member, but for what is too large or too deep for that.
 *
 * @param value The value.
 * @returns The text.
 */
export function toJsonText(value: unknown): string {
  const isSmall = sizeUp(value, INDENTED) === "plain";
  return JSON.stringify(value, undefined, isSmall ? 2 : undefined) ?? "null";
}

/**
 * What went wrong on the way, in words.
 *
 * @param props The problem.
 * @returns A box.
 */
export function ProblemBox({ problem }: { readonly problem: Problem }): JSX.Element {
  const { title, detail, code, server, retryAfterMs, suggestions = [], faults = [], requestId } = problem;
  return (
    <div class="box box-bad">
      <p class="box-title">
        <Mark tone="bad" /> {title}
      </p>
      <p class="text">{detail}.</p>
      {faults.length > 0 && (
        <ul class="plain">
          {faults.map(({ path, message }) => (
            <li>
              <code>{path === "" ? "(all)" : path}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {suggestions.length > 0 && <p>Perhaps you mean {suggestions.join(", ")}.</p>}
      <p class="quiet">
        <code>{code}</code>
        {server !== undefined && <>· server {server}</>}
        {retryAfterMs !== undefined && <>· try again in {formatSpan(retryAfterMs)}</>}
        {requestId !== "" && <>· request {requestId}</>}
      </p>
    </div>
  );
}
