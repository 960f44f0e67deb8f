/**
 * The API page: an OpenAPI document to read and to try.
 *
 * @module
 */

import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { toDocumentPath } from "./api.ts";
import type { ApiDocument, ApiEntry, ApiGroup } from "./api_document.ts";
import { type OperationProps, toOperationDomId } from "./docs_operation.tsx";
import { formatCount } from "./figures.ts";

/** How many operations a page has. */
const PAGE_SIZE = 40;

/** What is looked at. */
export interface DocsQuery {
  /** The document. */
  readonly document: ApiDocument;
  /** The agent that it is of; `undefined` for the gateway's own. */
  readonly agent: string | undefined;
  /** The one operation that is looked at, by its name. */
  readonly only: string | undefined;
  /** What is looked for in paths and summaries. */
  readonly wanted: string;
  /** Which part of many operations is shown, from 1. */
  readonly page: number;
}

/** What is shown. */
export interface DocsScreenProps extends DocsQuery, Pick<OperationProps, "agents" | "canTry"> {
  /** Which operations. */
  readonly picked: PickedOperations;
  /** What is folded below each of them, by its name. */
  readonly bodies: ReadonlyMap<string, Child>;
}

/** The operations that a page has. */
export interface PickedOperations {
  /** How many there are in all parts. */
  readonly found: number;
  /** The part, from 1. */
  readonly page: number;
  /** How many parts there are. */
  readonly pages: number;
  /** The operations of the part. */
  readonly shown: readonly ApiEntry[];
}

/**
 * Picks the operations that are shown.
 *
 * @param query What is looked at.
 * @returns The operations.
 */
export function pickOperations({ document, only, wanted, page: given }: DocsQuery): PickedOperations {
  const found = only === undefined
    ? findOperations(document, wanted)
    : document.operations.filter(({ id }) => id === only);
  const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
  const page = Math.min(Math.max(1, Math.floor(given)), pages);
  return { found: found.length, page, pages, shown: found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE) };
}

/**
 * The page.
 *
 * @param props What is shown.
 * @returns The content of `main`.
 */
export function DocsScreen(props: DocsScreenProps): JSX.Element {
  const { document, agent, agents, only, wanted, canTry, bodies } = props;
  const { found, page, pages, shown } = props.picked;
  const groups = document.group(shown);
  const home = toHref(agent, {});
  return (
    <>
      <section class="summary" aria-labelledby="headline">
        <div>
          <h1 id="headline">{document.title}</h1>
          <p class="facts">
            Version {document.version} · {formatCount(document.operations.length, "operation")} ·{" "}
            <a href={toDocumentPath(agent)}>OpenAPI 3.1</a>
          </p>
          {document.description !== "" && <p class="about text">{document.description.replaceAll("`", "")}</p>}
          {!canTry && (
            <p class="about">
              To try operations, and to see those of agents, <a href="/">sign in</a>.
            </p>
          )}
        </div>
      </section>
      {agents.length > 0 && <Documents agent={agent} agents={agents} />}
      <div class="api">
        <nav class="api-list" aria-label="Operations">
          {only !== undefined && (
            <p>
              <a href={home}>All operations</a>
            </p>
          )}
          {only === undefined && document.operations.length > PAGE_SIZE && (
            <Filter agent={agent} wanted={wanted} found={found} />
          )}
          {groups.map((group) => (
            <>
              <h2>{group.name}</h2>
              <ul class="plain">
                {group.operations.map((operation) => (
                  <li>
                    <a href={`#${toOperationDomId(operation)}`}>
                      <Method method={operation.method} /> <span>{operation.tool ?? operation.summary}</span>
                    </a>
                  </li>
                ))}
              </ul>
            </>
          ))}
          {pages > 1 && <Pages agent={agent} wanted={wanted} page={page} pages={pages} />}
        </nav>
        <div class="api-groups">
          {groups.length === 0 && <p class="quiet">No operation matches.</p>}
          {groups.map((group) => <Group bodies={bodies} group={group} isOpen={only !== undefined} />)}
        </div>
      </div>
    </>
  );
}

/** What is wanted, in the paths and the summaries. */
function findOperations(document: ApiDocument, wanted: string): readonly ApiEntry[] {
  const words = wanted.toLowerCase().split(/\s+/);
  return document.operations.filter(({ method, path, tool, summary, tag }) => {
    const text = `${method} ${path} ${tool ?? ""} ${summary} ${tag}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function toHref(agent: string | undefined, query: Readonly<Record<string, string>>): string {
  const all = new URLSearchParams({ ...(agent === undefined ? {} : { agent }), ...query });
  return `/docs${all.size === 0 ? "" : `?${all}`}`;
}

function Documents({ agent, agents }: Pick<DocsScreenProps, "agent" | "agents">): JSX.Element {
  return (
    <nav class="choice" aria-label="Documents">
      <a href="/docs" aria-current={agent === undefined ? "page" : undefined}>Gateway</a>
      {agents.map((name) => <a href={toHref(name, {})} aria-current={agent === name ? "page" : undefined}>{name}</a>)}
    </nav>
  );
}

function Filter(
  { agent, wanted, found }: { readonly agent: string | undefined; readonly wanted: string; readonly found: number },
): JSX.Element {
  return (
    <form method="get" action="/docs" class="api-filter" role="search">
      {agent !== undefined && <input type="hidden" name="agent" value={agent} />}
      <label for="api-wanted">Find an operation</label>
      <div class="api-filter-row">
        <input id="api-wanted" type="search" name="q" value={wanted} autocomplete="off" />
        <button type="submit">Find</button>
      </div>
      {wanted !== "" && (
        <p class="quiet">
          {formatCount(found, "operation")} found. <a href={toHref(agent, {})}>Show all</a>
        </p>
      )}
    </form>
  );
}

function Pages(
  { agent, wanted, page, pages }: Pick<DocsScreenProps, "agent" | "wanted" | "page"> & { readonly pages: number },
): JSX.Element {
  const query = wanted === "" ? {} : { q: wanted };
  return (
    <p class="api-pages">
      {page > 1 && <a href={toHref(agent, { ...query, page: String(page - 1) })}>Previous</a>} Part {page} of {pages}
      {" "}
      {page < pages && <a href={toHref(agent, { ...query, page: String(page + 1) })}>Next</a>}
    </p>
  );
}

function Method({ method }: { readonly method: string }): JSX.Element {
  return <span class={`method method-${method.toLowerCase()}`}>{method === "DELETE" ? "DEL" : method}</span>;
}

function Group(
  { group, bodies, isOpen }: Pick<DocsScreenProps, "bodies"> & { readonly group: ApiGroup; readonly isOpen: boolean },
): JSX.Element {
  const id = `group-${encodeURIComponent(group.name)}`;
  return (
    <section class="sheet" aria-labelledby={id}>
      <header class="sheet-head">
        <h2 id={id}>{group.name}</h2>
        {group.description !== "" && <p class="facts">{group.description}</p>}
      </header>
      {group.operations.map((operation) => (
        <details class="operation" open={isOpen}>
          <summary>
            <h3>
              <Method method={operation.method} /> <code>{operation.path}</code>
            </h3>
            <span class="operation-summary">{operation.summary}</span>
          </summary>
          {bodies.get(operation.id)}
        </details>
      ))}
    </section>
  );
}
