/**
 * The screen of one tool: what it is, a form to call it, and the answer.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { Fault } from "../errors.ts";
import type { JsonObject } from "../protocol.ts";
import type { OwnedTool, RoutedResult, ToolRoute } from "../status.ts";
import { AnswerSection } from "./answer_view.tsx";
import { type Answer, toSegment } from "./api.ts";
import { formatSpan } from "./figures.ts";
import { JsonText, LongText, ProblemBox } from "./page_parts.tsx";
import type { FormEntries } from "./form_entries.ts";
import { FORM_PREFIX } from "./page_calls.ts";
import { SchemaForm } from "./schema_form.tsx";
import { ROUTE_WORDS } from "./words.ts";

/** What is shown of a tool. */
export interface ToolScreenProps {
  /** Whose tool it is. */
  readonly agent: string;
  /** The tool. */
  readonly tool: OwnedTool;
  /** Why it is routed where it is. */
  readonly route: Answer<ToolRoute>;
  /** What was sent before. */
  readonly sent?: FormEntries | undefined;
  /** What is wrong with that. */
  readonly faults?: readonly Fault[] | undefined;
  /** How the call ended, where one was made. */
  readonly answer?: Answer<RoutedResult> | undefined;
}

/**
 * The screen.
 *
 * @param props What is shown.
 * @returns The screen.
 */
export function ToolScreen({ agent, tool, route, sent, faults, answer }: ToolScreenProps): JSX.Element {
  const { name, server, tool: { title, description = "", inputSchema, outputSchema } } = tool;
  const path = `/ui/agents/${toSegment(agent)}`;
  return (
    <>
      <section class="summary" aria-labelledby="headline">
        <div>
          <p class="crumbs">
            <a href="/">Status</a> / <a href={path}>{agent}</a> / tool
          </p>
          <h1 id="headline" class="code">{name}</h1>
          {title !== undefined && title !== name && <p class="facts">{title}</p>}
          <div class="about">
            {description === ""
              ? <p class="quiet">The server does not describe it.</p>
              : <LongText text={description} />}
          </div>
        </div>
      </section>
      <div class="columns">
        <section class="sheet" aria-labelledby="call-title">
          <header class="sheet-head">
            <h2 id="call-title">Call</h2>
            <p class="facts">of {server}</p>
          </header>
          <form id="call" method="post" action={`${path}/tools/${toSegment(name)}`} data-quiet="Calling">
            <ToolFields schema={inputSchema} sent={sent} faults={faults} />
            <div class="row">
              <button type="submit" class="main-button">Call the tool</button>
            </div>
          </form>
        </section>
        <AnswerSection answer={answer} />
      </div>
      <section class="sheet" aria-labelledby="route-title">
        <header class="sheet-head">
          <h2 id="route-title">Route and schemas</h2>
        </header>
        {route.ok ? <Route route={route.value} /> : <ProblemBox problem={route.problem} />}
        <details class="more">
          <summary>Schema of the arguments</summary>
          <JsonText value={inputSchema} />
        </details>
        {outputSchema !== undefined && (
          <details class="more">
            <summary>Schema of the answer</summary>
            <JsonText value={outputSchema} />
          </details>
        )}
      </section>
    </>
  );
}

/**
 * The fields of a tool's form.
 *
 * @param props What they are made of.
 * @returns The fields, with the id `fields`.
 */
export function ToolFields({ schema, sent, faults }: ToolFieldsProps): JSX.Element {
  return (
    <div id="fields">
      <SchemaForm schema={schema} prefix={FORM_PREFIX} sent={sent} faults={faults} />
    </div>
  );
}

/** What the fields of a tool's form are made of. */
export interface ToolFieldsProps {
  /** The schema of the arguments. */
  readonly schema: JsonObject;
  /** What was sent before. */
  readonly sent?: FormEntries | undefined;
  /** What is wrong with that. */
  readonly faults?: readonly Fault[] | undefined;
}

function Route({ route }: { readonly route: ToolRoute }): JSX.Element {
  return (
    <dl class="how">
      <dt>Owner</dt>
      <dd>
        {route.server}, which calls it <code>{route.tool}</code>
      </dd>
      <dt>Why</dt>
      <dd>{route.reason}</dd>
      <dt>Known</dt>
      <dd>
        {ROUTE_WORDS[route.route]}, from a list {formatSpan(route.ageMs)} old{route.fresh ? "" : ", which is stale"}
      </dd>
      {route.shadowedServers.length > 0 && (
        <>
          <dt>Shadowed</dt>
          <dd>{route.shadowedServers.join(", ")} list the same name</dd>
        </>
      )}
    </dl>
  );
}
