/**
 * What a tool answered. All of it comes from a server: it is text, pictures of known types, or a link that is followed
 * only by who wants to.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { ContentBlock, ResourceContents } from "../protocol.ts";
import type { RoutedResult } from "../status.ts";
import type { Answer } from "./api.ts";
import { formatBytes, formatCount, formatSpan } from "./figures.ts";
import { JsonText, LongText, Mark, ProblemBox } from "./page_parts.tsx";
import { ROUTE_WORDS } from "./words.ts";

/** The pictures that are shown. SVG is a document, and is not among them. */
const IMAGE_TYPES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);
const AUDIO_TYPES: ReadonlySet<string> = new Set([
  ...["audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "audio/x-wav", "audio/flac", "audio/aac"],
]);
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** The most that is shown of an answer, in blocks. */
const MAX_BLOCKS = 100;

/** What is shown of a call. */
export interface AnswerProps {
  /** How it ended; `undefined` before it was made. */
  readonly answer: Answer<RoutedResult> | undefined;
}

/**
 * The place of an answer.
 *
 * @param props How the call ended.
 * @returns The section, with the id `answer`.
 */
export function AnswerSection({ answer }: AnswerProps): JSX.Element {
  return (
    <section id="answer" class="sheet" aria-labelledby="answer-title">
      <header class="sheet-head">
        <h2 id="answer-title">Answer</h2>
        {answer !== undefined && <p class="facts figures">{formatSpan(answer.tookMs)}</p>}
      </header>
      {answer === undefined
        ? <p class="quiet">Nothing has been called yet.</p>
        : answer.ok
        ? <Result routed={answer.value} requestId={answer.requestId} />
        : <ProblemBox problem={answer.problem} />}
    </section>
  );
}

/**
 * How a call ended, in a sentence.
 *
 * @param answer How it ended.
 * @returns The sentence.
 */
export function describeAnswer(answer: Answer<RoutedResult>): string {
  const after = `after ${formatSpan(answer.tookMs)}`;
  if (!answer.ok) return `The call failed ${after}: ${answer.problem.title}`;
  const { server, result } = answer.value;
  return result.isError === true ? `The tool reported an error ${after}` : `${server} answered ${after}`;
}

function Result({ routed, requestId }: { readonly routed: RoutedResult; readonly requestId: string }): JSX.Element {
  const { server, tool, route, result } = routed;
  const { content, structuredContent, isError = false } = result;
  return (
    <>
      <p class="word">
        <Mark tone={isError ? "wary" : "good"} /> {isError ? "The tool reports an error" : "Answered"}
        <span class="quiet">by {server}</span>
      </p>
      {content.length === 0 && structuredContent === undefined && <p class="quiet">The answer is empty.</p>}
      {content.slice(0, MAX_BLOCKS).map((block, index) => <div key={index} class="block">{drawBlock(block)}</div>)}
      {content.length > MAX_BLOCKS && (
        <p class="quiet">{formatCount(content.length - MAX_BLOCKS, "more block")} not shown here.</p>
      )}
      {structuredContent !== undefined && (
        <div class="block">
          <h3>Structured content</h3>
          <JsonText value={structuredContent} />
        </div>
      )}
      <dl class="how">
        <dt>Owner</dt>
        <dd>
          {server}, which calls it <code>{tool}</code>
        </dd>
        <dt>Routed</dt>
        <dd>{ROUTE_WORDS[route]}</dd>
        <dt>Request</dt>
        <dd>
          <code>{requestId}</code>
        </dd>
      </dl>
    </>
  );
}

function drawBlock(block: ContentBlock): JSX.Element {
  switch (block.type) {
    case "text":
      return <LongText text={String(block.text)} chars={6_000} pre />;
    case "image":
    case "audio":
      return <Media data={String(block.data)} mimeType={String(block.mimeType)} />;
    case "resource_link":
      return <ResourceLink uri={String(block.uri)} name={String(block.name)} />;
    case "resource":
      return <Resource resource={block.resource} />;
    default:
      return <JsonText value={block} />;
  }
}

function Media({ data, mimeType }: { readonly data: string; readonly mimeType: string }): JSX.Element {
  const type = mimeType.toLowerCase();
  const size = formatBytes(Math.floor(data.length * 3 / 4));
  const isKnown = (IMAGE_TYPES.has(type) || AUDIO_TYPES.has(type)) && BASE64.test(data);
  if (!isKnown) {
    return <p class="quiet">A block of the type {mimeType.slice(0, 80)}, {size}, which is not shown here.</p>;
  }
  const url = `data:${type};base64,${data}`;
  return (
    <figure>
      {IMAGE_TYPES.has(type)
        ? <img src={url} alt={`Picture of the answer, ${type}, ${size}`} />
        : <audio controls src={url}></audio>}
      <figcaption class="quiet">{type}, {size}</figcaption>
    </figure>
  );
}

function ResourceLink({ uri, name }: { readonly uri: string; readonly name: string }): JSX.Element {
  const shown = uri.length > 200 ? `${uri.slice(0, 200)}…` : uri;
  const isWeb = URL.canParse(uri) && /^https?:$/.test(new URL(uri).protocol);
  return (
    <p>
      Resource {name.slice(0, 200)}:{" "}
      {isWeb ? <a href={uri} rel="noreferrer noopener" target="_blank">{shown}</a> : <code>{shown}</code>}
    </p>
  );
}

function Resource({ resource }: { readonly resource: ResourceContents }): JSX.Element {
  const { uri, mimeType = "application/octet-stream", text, blob } = resource;
  return (
    <>
      <p class="quiet">
        Resource <code>{String(uri).slice(0, 200)}</code>
      </p>
      {text !== undefined
        ? <LongText text={String(text)} chars={6_000} pre />
        : <Media data={String(blob ?? "")} mimeType={String(mimeType)} />}
    </>
  );
}
