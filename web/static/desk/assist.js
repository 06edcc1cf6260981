// What helps to answer: passages and canned replies into the reply by a click or a key, a search while typing, and
// the list of canned replies that a `/` opens. All texts come from the server as text and stay text.

import { counted } from "./format.js";
import { used } from "./keys.js";

const BLANK = /\{(?:customer|agent|order|shop|hours|email|phone|address)\}/;
const PAUSE_MS = 200;
const PATIENCE_MS = 15_000;
const MOST = 8;

const root = document.documentElement;
const page = document.querySelector("[data-ticket]");

// ---------------------------------------------------------------- putting a text into the reply

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-insert]");
  const reply = document.getElementById("reply");
  if (!button || !reply) return;
  event.preventDefault();
  const gap = reply.value && !reply.value.endsWith("\n") && reply.selectionStart === reply.value.length ? "\n\n" : "";
  put(reply, gap + button.dataset.insert, reply.selectionStart, reply.selectionEnd);
});

document.addEventListener("keydown", (event) => {
  const number = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
  if (!number || !event.altKey || event.ctrlKey || event.metaKey || !used()) return;
  const button = document.querySelector(`[data-key="${number}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
});

function put(area, text, start, end) {
  area.setRangeText(text, start, end, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
  select(area, start);
}

/** The first thing in a text that must still be filled in, or undefined. */
export function blank(text) {
  return BLANK.exec(text)?.[0];
}

/** Select what must be filled in next, so that typing replaces it. */
export function select(area, from = 0) {
  const found = BLANK.exec(area.value.slice(from));
  if (!found) return;
  area.focus();
  area.setSelectionRange(from + found.index, from + found.index + found[0].length);
}

// ---------------------------------------------------------------- the search

const search = document.querySelector("form[data-search]");
let pause = 0;
let asking = null;

search?.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
search?.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(find, PAUSE_MS);
});

async function find() {
  clearTimeout(pause);
  asking?.abort();
  const mine = new AbortController();
  const limit = setTimeout(() => mine.abort(), PATIENCE_MS);
  asking = mine;
  const query = search.elements.q.value.trim();
  const place = document.getElementById("found");
  if (!query) return void place.replaceChildren();
  try {
    const address = `${location.pathname}?${new URLSearchParams({ q: query })}`;
    const response = await fetch(address, { signal: mine.signal });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("found");
    if (fresh) place.replaceWith(document.adoptNode(fresh));
  } catch { /* replaced by a newer search, or no line: what is there stays */ } finally {
    clearTimeout(limit);
  }
}

// ---------------------------------------------------------------- canned replies after a `/`

let ready = null; // all of them, fetched when the reply is entered: the order may have been named since
let shown = []; // those in the list
let active = 0;
let from = -1; // where the `/` stands

const area = () => document.getElementById("reply");
const list = () => document.getElementById("canned-list");

document.addEventListener("input", ({ target }) => { if (target === area()) suggest(); });
document.addEventListener("click", ({ target }) => {
  const option = target.closest?.("#canned-list [role=option]");
  if (option) choose(Number(option.dataset.number));
  else if (target !== area()) shut();
});
document.addEventListener("mousedown", (event) => { // or the reply would lose the focus, and the list close
  if (event.target.closest?.("#canned-list")) event.preventDefault();
});
document.addEventListener("focusin", ({ target }) => {
  if (target === area()) load();
  else shut();
});
document.addEventListener("keydown", (event) => {
  if (event.target !== area() || !open() || event.isComposing) return;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) activate((active + steps[event.key] + shown.length) % shown.length);
  else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.shiftKey) choose(active);
  else if (event.key === "Tab" && !event.shiftKey) choose(active);
  else if (event.key === "Escape") shut();
  else return;
  event.preventDefault();
}, true);

function open() {
  return Boolean(list() && !list().hidden);
}

function load() {
  ready = fetch(area().dataset.canned, { signal: AbortSignal.timeout(PATIENCE_MS) }).then((response) => (response.ok ? response.json() : Promise.reject(response.status)));
  ready.catch(() => { ready = null; }); // asked again at the next key
}

async function suggest() {
  const typed = /(?:^|\s)(\/\S{0,24})$/u.exec(area().value.slice(0, area().selectionStart));
  if (!typed) return shut();
  if (!ready) load();
  let replies;
  try {
    ({ replies } = await ready);
  } catch {
    return shut();
  }
  const again = area() && /(?:^|\s)(\/\S{0,24})$/u.exec(area().value.slice(0, area().selectionStart));
  if (!again) return shut();
  from = area().selectionStart - again[1].length;
  shown = fitting(replies, again[1].slice(1)).slice(0, MOST);
  return shown.length ? show() : shut();
}

/** Those whose shortcut begins as typed, then those that have a word which does. */
function fitting(replies, typed) {
  const fold = (text) => text.toLocaleLowerCase(root.lang);
  const start = fold(typed);
  const first = replies.filter((each) => fold(each.shortcut.slice(1)).startsWith(start));
  const words = (each) => [each.id, ...each.title.split(/\s+/u), ...each.tags].map(fold);
  return [...first, ...replies.filter((each) => !first.includes(each) && words(each).some((word) => word.startsWith(start)))];
}

function show() {
  const options = shown.map((each, number) => {
    const option = document.createElement("li");
    option.id = `canned-option-${number}`;
    option.setAttribute("role", "option");
    option.dataset.number = number;
    const head = document.createElement("span");
    head.className = "option-head";
    head.append(part("bdi", "option-title", each.title), " ", part("code", "shortcut", each.shortcut));
    option.append(head, part("span", "option-text", each.text));
    option.lang = each.lang;
    return option;
  });
  list().replaceChildren(...options);
  list().hidden = false;
  const status = document.getElementById("status");
  const said = counted(JSON.parse(page.dataset.matches), shown.length);
  if (status.textContent !== said) status.textContent = said;
  activate(0);
}

function part(tag, name, text) {
  const element = document.createElement(tag);
  element.className = name;
  element.dir = "auto";
  element.textContent = text;
  return element;
}

function activate(number) {
  active = number;
  for (const option of list().children) {
    const now = Number(option.dataset.number) === number;
    option.setAttribute("aria-selected", now);
    if (now) option.scrollIntoView({ block: "nearest" });
  }
  area().setAttribute("aria-activedescendant", `canned-option-${number}`);
}

function choose(number) {
  const text = shown[number].text;
  const start = from;
  const end = area().selectionStart;
  shut();
  put(area(), text, start, end);
}

function shut() {
  if (!open()) return;
  list().hidden = true;
  list().replaceChildren();
  area()?.removeAttribute("aria-activedescendant");
}
