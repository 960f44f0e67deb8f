/**
 * A form to try an operation, and what was answered.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { Fault } from "../errors.ts";
import type { ApiOperation } from "./api_document.ts";
import { formatBytes, formatSpan } from "./figures.ts";
import type { FormEntries } from "./form_entries.ts";
import { LongText, Mark, toJsonText } from "./page_parts.tsx";
import { SchemaForm } from "./schema_form.tsx";
import type { TryAnswer } from "./try_answer.ts";
import { ACCEPTED, toParameterSchema } from "./try_request.ts";

/** What a person has sent, and what came of it. */
export interface Tried {
  /** The operation, by its name. */
  readonly operation: string;
  /** What was sent. */
  readonly sent: FormEntries;
  /** What is wrong with the parameters. */
  readonly parameterFaults?: readonly Fault[] | undefined;
  /** What is wrong with the body. */
  readonly bodyFaults?: readonly Fault[] | undefined;
  /** The line of the request that a person has to be asked about first. */
  readonly toConfirm?: string | undefined;
  /** The request as a command. */
  readonly command?: string | undefined;
  /** The answer. */
  readonly answer?: TryAnswer | undefined;
}

/** What is shown. */
export interface TryPanelProps {
  /** The operation. */
  readonly operation: ApiOperation;
  /** The agent of its document. */
  readonly agent: string | undefined;
  /** The agents that there are to choose from. */
  readonly agents: readonly string[];
  /** What was tried. */
  readonly tried: Tried | undefined;
}

const PLACES = { path: "Path", query: "Query", header: "Headers" } as const;

/**
 * The beginning of the names of an operation's forms.
 *
 * @param operation The operation.
 * @param part Which of its forms.
 * @returns The prefix.
 */
export function toFormPrefix({ id }: ApiOperation, part: "parameters" | "body"): string {
  return `${encodeURIComponent(id)}-${part}`;
}

/**
 * The form and the answer, with an id of their own, so that a script can put them in place of those before.
 *
 * @param props What is shown.
 * @returns The panel.
 */
export function TryPanel({ operation, agent, agents, tried }: TryPanelProps): JSX.Element {
  const { id, method, parameters, body, canStream } = operation;
  const accept = tried?.sent.getAll("accept")[0];
  const acceptId = `${encodeURIComponent(id)}-accept`;
  const hasRequired = parameters.some(({ isRequired }) => isRequired);
  const places = new Set(parameters.map(({ place }) => PLACES[place]));
  const parameterForm = parameters.length > 0 && (
    <SchemaForm
      schema={toParameterSchema(operation, agents)}
      prefix={toFormPrefix(operation, "parameters")}
      hasJson={false}
      sent={tried?.sent}
      faults={tried?.parameterFaults}
    />
  );
  return (
    <div id={`try-${encodeURIComponent(id)}`} class="try">
      <h4>Try it</h4>
      <form method="post" action="/ui/try" data-quiet="Sending">
        {agent !== undefined && <input type="hidden" name="agent" value={agent} />}
        <input type="hidden" name="operation" value={id} />
        {hasRequired && parameterForm}
        {body !== undefined && (
          <SchemaForm
            schema={body.schema}
            prefix={toFormPrefix(operation, "body")}
            noun={agent === undefined ? "body" : "arguments"}
            sent={tried?.sent}
            faults={tried?.bodyFaults}
          />
        )}
        {!hasRequired && parameters.length > 0 && (
          <details class="more" open={(tried?.parameterFaults?.length ?? 0) > 0}>
            <summary>{[...places].join(" and ")}</summary>
            {parameterForm}
          </details>
        )}
        {canStream && (
          <p class="accept">
            <label for={acceptId}>Answer as</label>
            <select id={acceptId} name="accept">
              {ACCEPTED.map((type) => <option value={type} selected={type === accept}>{type}</option>)}
            </select>
          </p>
        )}
        {tried?.toConfirm === undefined
          ? <button type="submit" class="main-button">Send {method}</button>
          : <Confirm line={tried.toConfirm} />}
      </form>
      {tried?.answer !== undefined && <Answer answer={tried.answer} command={tried.command} />}
    </div>
  );
}

/** What cannot be taken back is asked about again, word for word. */
function Confirm({ line }: { readonly line: string }): JSX.Element {
  return (
    <div class="box box-bad" role="alert">
      <p class="box-title">This changes something that the gateway or a server may not bring back:</p>
      <p>
        <code>{line}</code>
      </p>
      <input type="hidden" name="confirm" value={line} />
      <div class="row">
        <button type="submit" class="main-button">Yes, send it</button>
      </div>
    </div>
  );
}

function Answer(
  { answer, command }: { readonly answer: TryAnswer; readonly command: string | undefined },
): JSX.Element {
  const { status, headers, text, bytes, cut, tookMs } = answer;
  return (
    <section class="try-answer" aria-label="Answer">
      <p class="box-title">
        <Mark tone={status < 400 ? "good" : "bad"} /> {status}{" "}
        <span class="quiet figures">{formatSpan(tookMs)}, {formatBytes(bytes)}</span>
      </p>
      {cut === "time" && <p class="quiet">The stream goes on; what came until here is shown.</p>}
      {cut === "size" && <p class="quiet">There is more of it; the beginning is shown.</p>}
      {bytes === 0
        ? <p class="quiet">The answer has no body.</p>
        : text === undefined
        ? <p class="quiet">The body is no text, and is not shown.</p>
        : <LongText text={toReadable(text)} chars={6_000} pre />}
      <details class="more">
        <summary>Headers of the answer</summary>
        <dl class="how">
          {headers.map(([name, value]) => (
            <>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </>
          ))}
        </dl>
      </details>
      {command !== undefined && (
        <details class="more">
          <summary>The same as a command</summary>
          <pre class="code" tabindex={0}>{command}</pre>
        </details>
      )}
    </section>
  );
}

/** JSON with a line for each member; everything else as it is. */
function toReadable(text: string): string {
  try {
    return toJsonText(JSON.parse(text));
  } catch {
    return text;
  }
}

/**
 * What was answered, in a sentence.
 *
 * @param tried What was tried.
 * @returns The sentence, for who does not see the page.
 */
export function describeTried({ answer, toConfirm }: Tried): string {
  if (answer !== undefined) return `Status ${answer.status} after ${formatSpan(answer.tookMs)}.`;
  return toConfirm === undefined ? "Some values cannot be sent." : "Confirm the request first.";
}
