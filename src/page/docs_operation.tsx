/**
 * One operation of the API page: what it takes and answers, a command, and a form to try it.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { ApiEntry, ApiOperation, ApiParameter } from "./api_document.ts";
import { toSkeleton } from "./form_entries.ts";
import { planForm } from "./plan_form.ts";
import { toCurl, toParameterSchema, toTryRequest, type TryRequest } from "./try_request.ts";
import { type Tried, TryPanel } from "./try_panel.tsx";
import { toTypeLines } from "./type_lines.ts";

/** What is shown of an operation. */
export interface OperationProps {
  /** The operation. */
  readonly operation: ApiOperation;
  /** The agent of the document. */
  readonly agent: string | undefined;
  /** The agents that who looks may use. */
  readonly agents: readonly string[];
  /** Whether it may be tried. */
  readonly canTry: boolean;
  /** Where the gateway is reached. */
  readonly origin: string;
  /** What was tried, and of which operation. */
  readonly tried: Tried | undefined;
}

/**
 * The id of an operation in the page. It stands within what is folded, so that a link to it unfolds that.
 *
 * @param operation The operation.
 * @returns The id.
 */
export function toOperationDomId({ id }: ApiEntry): string {
  return `operation-${encodeURIComponent(id)}`;
}

/**
 * What is folded below the line of an operation.
 *
 * @param props What is shown.
 * @returns The body.
 */
export function OperationBody(props: OperationProps): JSX.Element {
  const { operation, agent, agents, canTry, origin, tried } = props;
  const { parameters, body, responses, description } = operation;
  return (
    <div class="operation-body" id={toOperationDomId(operation)}>
      <div class="operation-read">
        {description !== "" && <p class="text">{description}</p>}
        {parameters.length > 0 && (
          <>
            <h4>Parameters</h4>
            <dl class="params">{parameters.map((parameter) => <Parameter parameter={parameter} />)}</dl>
          </>
        )}
        {body !== undefined && (
          <>
            <h4>Body</h4>
            <p class="quiet">{withoutTicks(body.description)} {body.isRequired ? "Required." : "May be left out."}</p>
            <Type schema={body.schema} />
          </>
        )}
        <h4>Answers</h4>
        <Answers responses={responses} />
      </div>
      <div class="operation-try">
        <h4>As a command</h4>
        <pre class="code" tabindex={0}>{toCurl(toExample(operation, agents), origin, !operation.isKeyless)}</pre>
        {canTry && (
          <TryPanel
            operation={operation}
            agent={agent}
            agents={agents}
            tried={tried?.operation === operation.id ? tried : undefined}
          />
        )}
      </div>
    </div>
  );
}

/** The request with names in place of values. */
function toExample(operation: ApiOperation, agents: readonly string[]): TryRequest {
  const { method, path, body } = operation;
  const root = planForm(toParameterSchema(operation, agents)).root;
  const given = (root?.members ?? []).filter(({ isRequired }) => isRequired).map((field) => {
    const [choice] = field.kind === "choice" ? field.options : [];
    return [field.key, choice?.value ?? field.label.toUpperCase()] as const;
  });
  const fields = body === undefined ? undefined : planForm(body.schema).root;
  const skeleton = fields === undefined ? {} : toSkeleton(fields);
  const hasBody = body !== undefined && isJsonObject(skeleton) &&
    (body.isRequired || Object.keys(skeleton).length > 0);
  const request = toTryRequest(operation, Object.fromEntries(given), hasBody ? skeleton : undefined);
  return "faults" in request ? { method, target: path, headers: {}, body: undefined } : request;
}

function Parameter(
  { parameter: { name, place, isRequired, description, schema } }: { readonly parameter: ApiParameter },
) {
  const [line] = toTypeLines(schema);
  return (
    <>
      <dt>
        <code>{name}</code> <span class="quiet">{line?.code ?? "any"} in {place}{isRequired ? ", required" : ""}</span>
      </dt>
      <dd>{withoutTicks(description)}</dd>
    </>
  );
}

/** Many kinds of problems are folded: what is answered where all is well matters first. */
function Answers({ responses }: Pick<ApiOperation, "responses">): JSX.Element {
  const problems = responses.filter(({ codes }) => codes.length > 0);
  const others = responses.filter(({ codes }) => codes.length === 0);
  const isLong = problems.length > 4;
  const list = (shown: ApiOperation["responses"]) => (
    <dl class="answers">{shown.map((response) => <Response response={response} />)}</dl>
  );
  if (!isLong) return list(responses);
  return (
    <>
      {list(others)}
      <details class="more">
        <summary>Problems: {problems.map(({ status }) => status).join(", ")}</summary>
        {list(problems)}
      </details>
    </>
  );
}

function Response({ response }: { readonly response: ApiOperation["responses"][number] }): JSX.Element {
  const { status, description, codes, types, schema } = response;
  return (
    <>
      <dt>
        <code class={`status status-${status.slice(0, 1)}`}>{status}</code>
      </dt>
      <dd>
        {description !== "" && <p>{withoutTicks(description)}</p>}
        {codes.length > 0 && (
          <p class="codes">
            {codes.map((code) => (
              <>
                <code>{code}</code>
                {" "}
              </>
            ))}
          </p>
        )}
        {status.startsWith("2") && types.length > 0 && <p class="quiet">{types.join(", ")}</p>}
        {status.startsWith("2") && schema !== undefined && <Type schema={schema} />}
      </dd>
    </>
  );
}

/** The gateway's own texts mark code in Markdown. */
function withoutTicks(text: string): string {
  return text.replaceAll("`", "");
}

/** A schema as a type. */
function Type({ schema }: { readonly schema: JsonObject }): JSX.Element {
  const lines = toTypeLines(schema);
  const text = (
    <pre class="code type" tabindex={0}>
      {lines.map(({ depth, code, note }) => (
        <>
          {`${"  ".repeat(depth)}${code}`}
          {note !== "" && <span class="quiet">{`  // ${note}`}</span>}
          {"\n"}
        </>
      ))}
    </pre>
  );
  if (lines.length <= 14) return text;
  return (
    <details class="more">
      <summary>Its type, {lines.length} lines</summary>
      {text}
    </details>
  );
}
