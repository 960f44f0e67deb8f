/**
 * The styles of the API page.
 *
 * @module
 */

/** The styles; the colours are those of the page. */
export const DOCS_STYLES = `
.choice a[aria-current] { color: var(--ink); font-weight: 600; text-decoration-color: var(--magenta); }
.api { display: grid; gap: 1.1rem 2rem; grid-template-columns: minmax(0, 1fr); }
.api-list { font-size: 0.88rem; min-width: 0; }
.api-list h2 { font: 600 0.88rem/1.5 var(--sans); color: var(--faint); margin-top: 0.9rem; overflow-wrap: anywhere; }
.api-list li a { display: grid; grid-template-columns: 2.9rem minmax(0, 1fr); align-items: baseline; padding: 0.2rem 0;
  color: var(--soft); text-decoration: none; overflow-wrap: anywhere; }
.api-list li a:hover { color: var(--ink); text-decoration: underline; }
.api-filter { display: grid; gap: 0.25rem; margin-bottom: 0.9rem; }
.api-filter-row { display: flex; gap: 0.4rem; }
.api-filter-row input { flex: 1; min-width: 0; }
.api-pages { margin-top: 0.9rem; }
.api-groups { display: grid; gap: 1.1rem; min-width: 0; align-content: start; }
/* Where there is no room beside them, the folded operations are their own list. */
@media (max-width: 67.99rem) { .api-list > :is(h2, ul) { display: none; } }
@media (min-width: 68rem) {
  .api { grid-template-columns: 17rem minmax(0, 1fr); }
  .api-list { position: sticky; top: 1rem; align-self: start; max-height: calc(100vh - 2rem); overflow: auto; }
  .api-list > h2:first-child { margin-top: 0; }
}
.method { font: 600 0.72rem/1.4 var(--mono); letter-spacing: 0.02em; color: var(--soft); }
.method-get { color: var(--sea); } .method-post, .method-put, .method-patch { color: var(--good); }
.method-delete { color: var(--bad); }
.operation { border-top: 1px solid var(--line); min-width: 0; }
.operation > summary { cursor: pointer; padding: 0.55rem 0; display: grid; gap: 0.1rem 1.2rem; align-items: baseline;
  grid-template-columns: minmax(0, 1fr); list-style: none; }
.operation > summary::-webkit-details-marker { display: none; }
.operation > summary h3 { display: grid; grid-template-columns: 3rem minmax(0, 1fr); align-items: baseline; font-weight: 600; }
.operation > summary h3 code { overflow-wrap: anywhere; }
.operation > summary:hover h3 code { text-decoration: underline; text-underline-offset: 0.18em; }
.operation-summary { color: var(--soft); font-size: 0.92rem; overflow-wrap: anywhere; padding-left: 3rem; }
.operation-body { display: grid; gap: 1.2rem 2rem; padding: 0.5rem 0 1.4rem; scroll-margin-top: 4.5rem; min-width: 0; }
.operation-body > * { min-width: 0; display: grid; gap: 0.5rem; align-content: start; }
.operation-body h4 { margin: 0.5rem 0 0; font-size: 0.92rem; font-weight: 600; }
.operation-body > * > h4:first-child { margin-top: 0; }
.operation-body dl { margin: 0; }
@media (min-width: 82rem) { .operation-body { grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); } }
.params { display: grid; gap: 0.1rem; font-size: 0.92rem; }
.params dt { overflow-wrap: anywhere; }
.params dd { color: var(--soft); margin: 0 0 0.5rem; max-width: 66ch; overflow-wrap: anywhere; }
.answers { display: grid; grid-template-columns: 3rem minmax(0, 1fr); gap: 0.5rem 0; font-size: 0.92rem; }
.answers dd { display: grid; gap: 0.3rem; min-width: 0; }
.answers .codes { display: flex; flex-wrap: wrap; gap: 0.05rem 0.7rem; color: var(--soft); overflow-wrap: anywhere; }
.status-2 { color: var(--good); font-weight: 600; } .status-4, .status-5 { color: var(--bad); font-weight: 600; }
pre.code { font-size: 0.84rem; white-space: pre-wrap; }
.try { display: grid; gap: 0.5rem; margin-top: 0.6rem; }
.try form { display: grid; gap: 1rem; justify-items: start; }
.try form > * { width: 100%; max-width: 44rem; }
.try form > button { width: auto; }
.accept { display: flex; flex-wrap: wrap; gap: 0.3rem 0.7rem; align-items: baseline; }
.try-answer { display: grid; gap: 0.4rem; margin-top: 0.9rem; min-width: 0; }
`;
