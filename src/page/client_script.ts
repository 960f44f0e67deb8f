/**
 * The script of the status page, which does without it: it keeps moments relative, draws parts anew, and sends forms
 * without leaving the page.
 *
 * @module
 */

/** The script. */
export const CLIENT_SCRIPT = String.raw`(() => {
"use strict";
const byId = (id) => document.getElementById(id);
const say = (text, isBad = false) => {
  const box = byId("say");
  if (!box || !text) return;
  box.textContent = text;
  box.classList.toggle("unseen", !isBad);
  box.classList.toggle("notice", isBad);
};
const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });

function tellMoments(root) {
  for (const time of root.querySelectorAll("time[data-moment]")) {
    const seconds = Math.round((Date.parse(time.dateTime) - Date.now()) / 1000);
    const [size, unit] = UNITS.find(([size]) => Math.abs(seconds) >= size) || UNITS[3];
    const text = Math.abs(seconds) < 5 ? "now" : words.format(Math.trunc(seconds / size), unit);
    if (time.textContent !== text) time.textContent = text;
  }
}

// Changes what stands there into what is to stand there, and leaves alone what is the same: focus, selection and what
// was opened stay.
function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || (from.id || "") !== (to.id || "")) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== 1) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.hasAttribute("data-keep")) return;
  if (from.hasAttribute("data-moment") && from.dateTime === to.dateTime) return;
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    const isOfReader = name === "open" || name === "aria-busy";
    if (!to.hasAttribute(name) && !isOfReader) from.removeAttribute(name);
  }
  if (from.hasAttribute("aria-busy")) return;
  const wanted = [...to.childNodes];
  const known = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let next = from.firstChild;
  for (const child of wanted) {
    const same = child.id && known.get(child.id);
    if (same && same !== next) from.insertBefore(same, next);
    if (same) next = same;
    if (next === null || (!same && next.id && !child.id)) { from.insertBefore(child, next); continue; }
    const after = next.nextSibling;
    morph(next, child);
    next = after;
  }
  while (next) { const after = next.nextSibling; next.remove(); next = after; }
}

function draw(html) {
  const box = document.createElement("template");
  box.innerHTML = html;
  for (const fresh of [...box.content.children]) {
    tellMoments(fresh);
    const old = byId(fresh.id);
    if (old) morph(old, fresh);
  }
  for (const input of document.querySelectorAll("input[data-filter]")) filter(input);
}

function filter(input) {
  const wanted = input.value.toLowerCase();
  const rows = [...(byId(input.dataset.filter)?.children || [])];
  let shown = 0;
  for (const row of rows) {
    row.hidden = !row.dataset.text.includes(wanted);
    if (!row.hidden) shown++;
  }
  const count = byId("filter-count");
  const text = (shown === rows.length ? "" : shown + " of ") + rows.length + (rows.length === 1 ? " tool" : " tools");
  if (count && count.textContent !== text) count.textContent = text;
}

async function send(form, button) {
  if (form.getAttribute("aria-busy") === "true") return;
  const body = new URLSearchParams(new FormData(form, button));
  const label = button.textContent;
  const began = performance.now();
  const tell = () => {
    const seconds = Math.floor((performance.now() - began) / 1000);
    button.textContent = form.dataset.quiet + (seconds > 0 ? " " + seconds + " s" : " …");
  };
  form.setAttribute("aria-busy", "true");
  tell();
  const timer = setInterval(tell, 500);
  try {
    const response = await window.fetch(form.action, { method: "POST", body, headers: { "x-portolan-parts": "1" } });
    if (response.status === 401) return location.reload();
    const { parts, text } = await response.json();
    form.removeAttribute("aria-busy");
    button.textContent = label;
    const hadFocus = form.contains(document.activeElement);
    for (const part of parts) draw(part);
    // What was pressed may be gone: the next thing to press is near.
    if (hadFocus && !document.activeElement?.closest("form")) form.querySelector("button[type=submit]")?.focus();
    say(text, !response.ok);
  } catch {
    say("The gateway cannot be reached.", true);
  } finally {
    clearInterval(timer);
    form.removeAttribute("aria-busy");
    button.textContent = label;
  }
}

let source;
function listen() {
  const { live } = document.body.dataset;
  if (!live || source) return;
  const light = byId("live");
  const show = (state, text) => {
    if (!light || light.dataset.state === state) return;
    light.dataset.state = state;
    light.textContent = text;
  };
  source = new window["EventSource"](live);
  source.onopen = () => show("on", "live");
  source.onerror = () => {
    show("lost", "connection lost, trying again");
    // An answer that is no stream ends it for good: the page itself is asked then, which also leads to the form.
    if (source?.readyState === 2) { rest(); setTimeout(retry, 5000); }
  };
  source.addEventListener("part", ({ data }) => draw(JSON.parse(data)));
  source.addEventListener("say", ({ data }) => say(JSON.parse(data)));
  source.addEventListener("again", () => location.reload());
}
async function retry() {
  if (document.hidden || source) return;
  const answer = await window.fetch(location.href, { method: "HEAD", headers: { accept: "text/html" } }).catch(() => {});
  if (answer?.ok) location.reload();
  else setTimeout(retry, 5000);
}
function rest() {
  source?.close();
  source = undefined;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-quiet")) return;
  event.preventDefault();
  send(form, event.submitter || form.querySelector("button[type=submit]"));
});
document.addEventListener("input", (event) => {
  if (event.target.dataset.filter) filter(event.target);
});
document.addEventListener("visibilitychange", () => document.hidden ? rest() : listen());
addEventListener("pagehide", rest);
addEventListener("pageshow", () => { if (!document.hidden) listen(); });
tellMoments(document);
setInterval(() => tellMoments(document), 5000);
})();
`;
