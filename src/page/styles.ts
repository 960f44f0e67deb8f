/**
 * The styles of the status page: a chart table by day and by night.
 *
 * @module
 */

import { DOCS_STYLES } from "./docs_styles.ts";
import { SCHEMA_FORM_CSS } from "./schema_form_css.ts";

const TOKENS = `
:root {
  color-scheme: light dark;
  --ground: #f1eee5; --sheet: #fbfaf5; --well: #f4f1e8; --ink: #17212b; --soft: #46525e; --faint: #5f6872;
  --line: #dcd6c6; --rule: #b9b19c; --sea: #1d4e79; --magenta: #9a1b5c;
  --good: #1c6a50; --wary: #825200; --bad: #a82e1c; --bad-wash: #f8e9e3; --good-wash: #e3efe6; --busy: #1d4e79;
  --on-main: #ffffff; --shadow: 0 1px 0 rgb(0 0 0 / 4%);
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, P052, "URW Palladio L", Charter, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Inter, Roboto, "Helvetica Neue", "Liberation Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d131a; --sheet: #131b24; --well: #0f161e; --ink: #e9e4d6; --soft: #b3bac0; --faint: #929ca5;
    --line: #25303b; --rule: #435160; --sea: #9cc4ec; --magenta: #f19ac6;
    --good: #71c8a4; --wary: #e3b45c; --bad: #f2907a; --bad-wash: #2d1c1a; --good-wash: #15291f; --busy: #8fbdf0;
    --on-main: #0d131a; --shadow: none;
  }
}`;

const BASE = `
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 var(--sans); }
h1, h2, h3, p, ul, ol, dl, dd, figure, pre { margin: 0; }
h1, h2, .wordmark { font-family: var(--serif); font-weight: 600; letter-spacing: -0.005em; text-wrap: balance; }
h1 { font-size: 1.9rem; line-height: 1.15; }
h2 { font-size: 1.2rem; line-height: 1.3; }
h3 { font-size: 0.95rem; font-weight: 600; }
a { color: var(--sea); text-underline-offset: 0.18em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
code, pre, .code, .figures { font-variant-numeric: tabular-nums; }
code, pre, .code { font-family: var(--mono); font-size: 0.92em; }
h1.code { font-family: var(--mono); font-size: 1.55rem; font-weight: 600; letter-spacing: -0.02em; overflow-wrap: anywhere; }
ul.plain { list-style: none; padding: 0; }
abbr { text-decoration: none; }
:focus-visible { outline: 2px solid var(--magenta); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.notice { position: fixed; inset: auto 1rem 1rem; z-index: 3; padding: 0.7rem 0.9rem; border-left: 3px solid var(--bad); background: var(--bad-wash); }
.skip { position: absolute; left: 1rem; top: -4rem; z-index: 2; padding: 0.5rem 1rem; background: var(--ink); color: var(--sheet); }
.skip:focus { top: 0.5rem; }
.quiet { color: var(--faint); }
.sub { display: block; color: var(--faint); font-size: 0.82rem; line-height: 1.4; }
.figures span { white-space: nowrap; margin-right: 0.3rem; }
.sub.wary { color: var(--wary); }
.facts { color: var(--soft); font-size: 0.92rem; }
p.text { max-width: 72ch; }
.text { overflow-wrap: anywhere; white-space: pre-wrap; }
button, input, select, textarea { font: inherit; color: inherit; }
button { padding: 0.3rem 0.75rem; border: 1px solid var(--rule); border-radius: 3px; background: var(--sheet);
  color: var(--ink); cursor: pointer; white-space: nowrap; }
button:hover { border-color: var(--ink); }
[aria-busy=true] button { color: var(--faint); cursor: progress; }
.main-button { background: var(--sea); border-color: var(--sea); color: var(--on-main); font-weight: 600; }
.main-button:hover { border-color: var(--ink); }
[aria-busy=true] .main-button { color: var(--on-main); opacity: 0.75; }
.plain-button { border: 0; padding: 0; background: none; color: var(--sea); text-decoration: underline; text-underline-offset: 0.18em; }
input, select, textarea { padding: 0.35rem 0.55rem; border: 1px solid var(--faint); border-radius: 3px; background: var(--sheet); max-width: 100%; }
input[type=checkbox], input[type=radio] { accent-color: var(--sea); }
.row { display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: center; margin-top: 1rem; }
`;

const FRAME = `
.masthead { background: var(--sheet); border-bottom: 1px solid var(--rule); position: relative; }
/* The graduated border of a chart. */
.masthead::after { content: ""; display: block; height: 5px; border-top: 1px solid var(--rule);
  background: repeating-linear-gradient(90deg, var(--ink) 0 30px, var(--sheet) 30px 60px); opacity: 0.8; }
.masthead-inner, main { max-width: 96rem; margin: 0 auto; padding-inline: clamp(0.9rem, 2.5vw, 2.2rem); }
.masthead-inner { display: flex; flex-wrap: wrap; align-items: center; gap: 0.35rem 1.8rem; padding-block: 0.6rem; }
.wordmark { display: inline-flex; align-items: center; gap: 0.55rem; font-size: 1.3rem; color: var(--ink); text-decoration: none; }
.rose { flex: none; }
.rose-ring, .rose-winds { fill: none; stroke: var(--rule); stroke-width: 1; }
.rose-dark { fill: var(--ink); }
.rose-pale { fill: var(--sheet); stroke: var(--ink); stroke-width: 0.8; stroke-linejoin: round; }
.masthead nav { display: flex; gap: 1.3rem; }
.masthead nav a { color: var(--soft); text-decoration: none; padding-block: 0.25rem; border-bottom: 2px solid transparent; }
.masthead nav a:hover { color: var(--ink); border-color: var(--rule); }
.masthead nav a[aria-current] { color: var(--ink); border-color: var(--magenta); }
.who { margin-left: auto; display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; align-items: center; font-size: 0.88rem; }
.who form { display: flex; gap: 0.8rem; align-items: baseline; }
.live { color: var(--faint); }
.live::before { content: ""; display: inline-block; width: 0.5rem; height: 0.5rem; margin-right: 0.45rem; border-radius: 50%;
  border: 1.5px solid currentColor; vertical-align: 0.05em; }
.live[data-state=on] { color: var(--good); }
.live[data-state=on]::before { background: currentColor; }
.live[data-state=lost] { color: var(--bad); }
main { padding-block: 1.5rem 4rem; display: grid; gap: 1.1rem; grid-template-columns: minmax(0, 1fr); }
.stack { display: grid; gap: 1.1rem; grid-template-columns: minmax(0, 1fr); align-content: start; }
.with-aside { display: grid; gap: 1.1rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 88rem) { .with-aside { grid-template-columns: minmax(0, 1fr) 20rem; } }
.summary { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: end; gap: 0.8rem 2rem; padding-block: 0.4rem 0.3rem; }
.summary h1.tone-bad { color: var(--bad); }
.summary .facts { margin-top: 0.35rem; }
.summary .about { margin-top: 0.6rem; }
.crumbs { font-size: 0.88rem; color: var(--faint); margin-bottom: 0.3rem; }
.crumbs a { color: var(--soft); }
.sheet { background: var(--sheet); border: 1px solid var(--line); border-radius: 4px; padding: 0.9rem clamp(0.9rem, 1.6vw, 1.3rem) 1.1rem; box-shadow: var(--shadow); min-width: 0; }
.sheet-head { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0.1rem 1.2rem; margin-bottom: 0.6rem; }
.sheet-head h2 a { color: inherit; text-decoration-color: var(--rule); }
.mark { flex: none; vertical-align: -0.12em; }
.mark .fill { fill: currentColor; }
.mark .line { fill: none; stroke: currentColor; stroke-width: 1.7; }
.mark .strong { stroke-width: 2.4; stroke-linecap: round; }
.mark-good { color: var(--good); } .mark-busy { color: var(--busy); } .mark-idle { color: var(--faint); }
.mark-wary { color: var(--wary); } .mark-bad { color: var(--bad); }
.box { padding: 0.7rem 0.9rem; border-left: 3px solid var(--rule); background: var(--well); display: grid; gap: 0.35rem; overflow-wrap: anywhere; }
.box-bad { border-color: var(--bad); background: var(--bad-wash); }
.box-title { font-weight: 600; }
.advice { color: var(--ink); }
.more { margin-top: 0.4rem; font-size: 0.9rem; }
.more summary { cursor: pointer; color: var(--sea); width: fit-content; }
pre { overflow: auto; max-height: 32rem; padding: 0.7rem 0.85rem; background: var(--well); border: 1px solid var(--line); border-radius: 3px; line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; max-width: none; }
.sign-in { max-width: 30rem; margin: 8vh auto 0; padding: 1.6rem 1.8rem 1.9rem; display: grid; gap: 0.8rem; width: 100%; }
.sign-in form { display: grid; gap: 0.5rem; justify-items: start; }
.sign-in label { font-weight: 600; }
.sign-in input { width: 100%; font-family: var(--mono); }
.sign-in .quiet { font-size: 0.88rem; margin-bottom: 0.5rem; }
`;

const TABLES = `
table.servers { width: 100%; border-collapse: collapse; font-size: 0.92rem; table-layout: fixed; }
.servers thead th:nth-child(1) { width: 19%; } .servers thead th:nth-child(3) { width: 13%; }
.servers thead th:nth-child(4) { width: 15%; } .servers thead th:nth-child(5) { width: 19%; }
.servers th, .servers td { text-align: left; vertical-align: top; padding: 0.6rem 1rem 0.6rem 0; border-top: 1px solid var(--line); }
.servers thead th { border-top: 0; padding-block: 0 0.35rem; font-weight: 400; font-size: 0.82rem; color: var(--faint); }
.servers tbody th { font-weight: 600; }
.server-name { display: block; overflow-wrap: anywhere; }
.url { display: block; font: 400 0.78rem/1.45 var(--mono); color: var(--faint); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.state-line { display: flex; align-items: baseline; justify-content: space-between; gap: 0.6rem; }
.word { display: flex; flex-wrap: wrap; align-items: center; gap: 0.1rem 0.5rem; font-weight: 600; }
.word .quiet { font-weight: 400; }
tr.tone-good .word { font-weight: 400; }
tr.tone-bad .word { color: var(--bad); } tr.tone-wary .word { color: var(--wary); } tr.tone-busy .word { color: var(--busy); }
.reason, .state .advice { max-width: 62ch; margin-top: 0.15rem; overflow-wrap: anywhere; }
.reason { color: var(--soft); }
.spark { display: block; overflow: visible; }
.spark-line { fill: none; stroke: var(--sea); stroke-width: 1.3; stroke-linejoin: round; }
.spark-median { stroke: var(--rule); stroke-width: 1; stroke-dasharray: 2 3; }
.spark-last { fill: var(--magenta); }
.servers button { font-size: 0.85rem; padding: 0.18rem 0.6rem; }
.tone-good .state-line button { border-color: var(--line); color: var(--soft); }
.tone-good .state-line button:hover { border-color: var(--ink); color: var(--ink); }
.log { list-style: none; padding: 0; font-size: 0.9rem; }
.log li { display: grid; grid-template-columns: 4.1rem minmax(0, 1fr); gap: 0 0.6rem; padding: 0.4rem 0; border-top: 1px solid var(--line); }
.log-at { color: var(--faint); font-size: 0.84rem; font-variant-numeric: tabular-nums; }
.log-what { display: flex; align-items: baseline; gap: 0.45rem; min-width: 0; }
.log-what .code { overflow-wrap: anywhere; min-width: 0; }
.log-more strong { color: var(--bad); font-weight: 600; margin-right: 0.3rem; }
.log .tone-wary strong { color: var(--wary); } .log .tone-idle strong { color: var(--faint); }
.log-text { overflow-wrap: anywhere; min-width: 0; }
.log-took { margin-left: auto; color: var(--soft); font-size: 0.84rem; white-space: nowrap; }
.log-more { grid-column: 2; color: var(--faint); font-size: 0.82rem; overflow-wrap: anywhere; padding-left: 1.35rem; }
#entries .log li { grid-template-columns: 5rem minmax(0, 1fr) minmax(0, 31rem); }
#entries .log-more { grid-column: 3; }
.choice, .filter { display: flex; flex-wrap: wrap; gap: 0.4rem 0.7rem; align-items: center; font-size: 0.92rem; }
.filter { margin-bottom: 0.7rem; }
.filter input { flex: 1 1 14rem; max-width: 24rem; }
.tools { list-style: none; padding: 0; font-size: 0.92rem; }
.tools li { display: grid; grid-template-columns: minmax(0, 17rem) minmax(0, 8.5rem) minmax(0, 1fr) minmax(0, 17rem); gap: 0.1rem 1.2rem; padding: 0.5rem 0; border-top: 1px solid var(--line); }
.tool-name { overflow-wrap: anywhere; font-weight: 600; text-decoration-color: var(--rule); }
.tool-server { color: var(--soft); overflow-wrap: anywhere; }
.tool-about { overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-clamp: 2; overflow: hidden; align-self: start; }
.tags { display: flex; flex-wrap: wrap; gap: 0.2rem 0.35rem; justify-content: flex-end; align-self: start; }
.tag { padding: 0 0.4rem; border: 1px solid var(--line); border-radius: 2px; color: var(--soft); font-size: 0.8rem; overflow-wrap: anywhere; }
.tag-wary { color: var(--wary); border-color: currentColor; } .tag-bad { color: var(--bad); border-color: currentColor; font-weight: 600; }
.pin { padding-block: 0.8rem; border-top: 1px solid var(--line); display: grid; gap: 0.5rem; }
.pin .row { margin-top: 0.2rem; }
.pin h3 code { font-size: 1.05em; }
.diffs { display: grid; gap: 0.35rem; }
.diffs dt { font-size: 0.85rem; color: var(--faint); }
.diff { white-space: pre-wrap; padding-inline: 0; max-height: none; }
.diff .line { display: block; padding-inline: 0.85rem; text-decoration: none; white-space: pre-wrap; }
.diff ins { background: var(--good-wash); color: var(--good); } .diff del { background: var(--bad-wash); color: var(--bad); }
.columns { display: grid; gap: 1.1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); align-items: start; }
.block { margin-top: 0.7rem; display: grid; gap: 0.3rem; }
.block img { max-width: 100%; height: auto; border: 1px solid var(--line); background: var(--well); }
.how { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.15rem 1rem; margin-top: 0.9rem; font-size: 0.9rem; overflow-wrap: anywhere; }
.how dt { color: var(--faint); }
@media (max-width: 62rem) {
  .servers thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .servers, .servers tbody { display: block; }
  .servers tbody tr { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 0.5rem 1rem; padding-block: 0.8rem; border-top: 1px solid var(--line); }
  .servers tbody th, .servers tbody td { display: block; padding: 0; border: 0; width: auto; max-width: none; min-width: 0; }
  .servers tbody th { grid-column: 1 / -1; }
  .servers td.unknown { display: none; }
  .servers .state { grid-column: 1 / -1; }
  .servers td[data-label] { grid-column: span 2; }
  .servers td[data-label]::before { content: attr(data-label); display: block; font-size: 0.78rem; color: var(--faint); }
  #entries .log li { grid-template-columns: 5.2rem minmax(0, 1fr); }
  #entries .log-more { grid-column: 2; }
  .tools li { grid-template-columns: minmax(0, 1fr) auto; }
  .tool-about, .tags { grid-column: 1 / -1; justify-content: flex-start; }
}
@media (max-width: 34rem) {
  .servers td[data-label] { grid-column: span 3; }
  .servers td[data-label=Tools] { grid-column: 1 / -1; }
  .spark { max-width: 100%; }
  h1 { font-size: 1.55rem; } h1.code { font-size: 1.25rem; }
  .who { margin-left: 0; }
}
@media (prefers-reduced-motion: no-preference) {
  .live[data-state=on]::before { animation: beat 3s ease-in-out infinite; }
  @keyframes beat { 50% { opacity: 0.35; } }
}
@media (forced-colors: active) { .masthead::after { display: none; } .diff ins, .diff del { forced-color-adjust: none; } }
`;

/** The styles. */
export const PAGE_STYLES = [TOKENS, BASE, FRAME, TABLES, SCHEMA_FORM_CSS, DOCS_STYLES].join("");
