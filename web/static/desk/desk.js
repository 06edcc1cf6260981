// The desk without reloading. The server renders everything; this only fetches the same page again when it has
// changed and puts the new parts in place, sends the forms without leaving the page, and keeps what is being typed.
//   data-live="mark"   replaced when the mark differs      data-append   gets the entries it does not have yet
//   form[data-quiet]   sent from here                      data-again    sent again by itself when the line is back
//   data-draft         its textarea is kept under this name, with the id that the message will have
// `changed()` is the one way in which news arrive: the stream calls it, and a timer.

import { blank, select } from "./assist.js";
import { alerting, look } from "./chats.js";
import { forget, keep, kept } from "./drafts.js";
import { digits, when } from "./format.js";
import { hint } from "./keys.js";
import { follow } from "./live.js";

const root = document.documentElement;
root.classList.add("js");
const page = document.querySelector("[data-poll]");
const status = document.getElementById("status");
const title = document.title;
const PATIENCE_MS = 15_000; // a line that says nothing for so long is no line
const HIDDEN_MS = 10_000; // how often a page that nobody looks at asks, where it is to make itself heard
let etag = null;
let failures = 0;
let timer = 0;
let busy = false;
let sending = null; // the form on its way, and its text
let next = null; // a form sent meanwhile

document.querySelectorAll("[data-submit]").forEach((field) => field.addEventListener("change", () => field.form.requestSubmit()));
localTimes(document);
prepare(document);
if (!location.hash.startsWith("#event-")) toEnd(); // a link to one entry leads there
count();
remembered();
look(page);
if (page) {
  schedule();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) return void schedule();
    document.title = title;
    count();
    look(page);
    changed();
  });
  addEventListener("online", changed);
  follow(changed);
} else if (document.getElementById("mentions")) {
  follow(mentioned, "mention");
}

// ---------------------------------------------------------------- what is new

/** Something may have changed: bring the page up to date. May be called at any time and as often as one likes. */
export async function changed() {
  clearTimeout(timer);
  if (!busy) {
    try {
      const seen = document.hidden ? { "X-Page-Hidden": "1" } : {}; // what nobody looks at has not been seen
      const headers = { ...(etag ? { "If-None-Match": etag } : {}), ...seen };
      const response = await fetch(location.href, { cache: "no-store", headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      if (response.redirected) return location.reload(); // signed out
      if (response.status !== 304 && !response.ok) throw new Error(response.status);
      if (response.status === 200 && !busy) {
        etag = response.headers.get("ETag");
        take(await response.text());
      }
      if (failures) say("");
      failures = 0;
      sendAgain();
    } catch {
      failures += 1;
      say(page.dataset.offline);
    }
  }
  return schedule();
}

/** A page of which nothing else changes: only what stands in its header. */
async function mentioned() {
  const response = await fetch("/desk/mentions", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const now = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("mentions");
  const before = document.getElementById("mentions");
  if (!now || now.dataset.live === before.dataset.live) return;
  localTimes(now);
  carry(before, now);
  before.replaceWith(document.adoptNode(now));
  look(null);
}

function schedule() {
  clearTimeout(timer);
  if (document.hidden && !alerting()) return;
  const usual = Number(page.dataset.poll) * Math.min(8, 2 ** failures);
  timer = setTimeout(changed, document.hidden ? Math.max(usual, HIDDEN_MS) : usual);
}

/** Put the parts of a newly rendered page in place; `own` when the reader has just caused the change. */
function take(html, own = false) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const [before, had] = [waiting(), mine()];
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.dataset.live === part.dataset.live) continue;
    if (part.id === "flashes" && !own) continue; // shown once; the next page has forgotten it
    const focused = part.contains(document.activeElement) ? document.activeElement.id : null;
    localTimes(next);
    const placed = document.adoptNode(next);
    if (!own) carry(part, placed);
    part.replaceWith(placed);
    prepare(placed);
    if (focused !== null) (document.getElementById(focused) || document.getElementById("reply") || document.getElementById("main")).focus({ preventScroll: true });
  }
  let news = false;
  for (const list of document.querySelectorAll("[data-append]")) {
    const end = list.scrollHeight - list.scrollTop - list.clientHeight < 160;
    for (const entry of [...(fresh.getElementById(list.id)?.children ?? [])]) { // a copy: what is taken leaves the live list
      if (document.getElementById(entry.id)) continue;
      localTimes(entry);
      news ||= entry.dataset.side === "customer";
      list.append(document.adoptNode(entry));
    }
    if (end || own) toEnd();
  }
  const more = waiting() > before;
  count();
  look(page);
  const given = mine() > had;
  if ((news || more || given) && !own) {
    say(given && page.dataset.newsMine ? page.dataset.newsMine : page.dataset.news);
    if (document.hidden || news) document.title = document.hidden ? `● ${title}` : document.title;
  }
}

/** What has been filled in and opened in a part that is about to be replaced. */
function carry(from, to) {
  for (const field of from.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    const same = [...to.querySelectorAll(field.tagName)].find((other) =>
      other.name === field.name && (field.type !== "radio" || other.value === field.value));
    if (!same) continue;
    if (field.type === "radio" || field.type === "checkbox") same.checked = field.checked;
    else same.value = field.value;
  }
  for (const open of from.querySelectorAll("details[open][id]")) {
    const same = to.querySelector(`#${CSS.escape(open.id)}`);
    const heading = (details) => details.querySelector("summary").textContent;
    if (same && heading(same) === heading(open)) same.open = true;
  }
}

function waiting() {
  return Number(document.getElementById("tabs")?.dataset.count) || 0;
}

function mine() {
  return Number(document.getElementById("tabs")?.dataset.mine) || 0;
}

function count() {
  if (!document.getElementById("tabs")) return;
  document.title = (waiting() ? `(${digits(waiting())}) ` : "") + title;
}

// ---------------------------------------------------------------- what the agent does

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-quiet]")) return;
  event.preventDefault();
  if (busy) { // it goes next, unless it is the same once more
    if (form !== sending.form || form.querySelector("textarea")?.value !== sending.text) next = form;
    return;
  }
  const missing = form.id === "answer" && blank(form.elements.text.value);
  if (missing) {
    flash(page.dataset.fill.replace("{what}", missing));
    select(form.elements.text);
    return;
  }
  const area = form.querySelector("textarea");
  const sent = area?.value;
  busy = true;
  sending = { form, text: sent };
  form.classList.add("busy");
  if ("again" in form.dataset) form.classList.add("unsent"); // until the server says that it has it
  if (form.dataset.draft) note(form);
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.status >= 500) throw new TypeError(response.status);
    const html = await response.text();
    const refused = new DOMParser().parseFromString(html, "text/html").querySelector("#flashes .notice");
    if (new URL(response.url).pathname !== location.pathname) {
      next = null;
      if (refused) remember(refused.textContent); // this answer had it, and the page asked for next has forgotten it
      return location.assign(response.url);
    }
    if (!response.ok) throw new Error(response.status);
    form.classList.remove("unsent");
    if (refused) { if (form.dataset.draft) note(form); } else done(form, sent);
    etag = null;
    take(html, true);
    const at = document.activeElement; // who has gone on to another field stays there
    if (!at || at === document.body || form.contains(at)) {
      (document.getElementById("reply") || document.getElementById("main")).focus({ preventScroll: true });
    }
  } catch (error) {
    const lost = error instanceof TypeError || error.name === "TimeoutError"; // it may have arrived all the same
    const again = "again" in form.dataset && lost && area.value === sent;
    form.classList.toggle("unsent", again);
    if (form.dataset.draft) note(form);
    flash((again ? page.dataset.willSend : page.dataset.notSent) || page.dataset.offline);
  } finally {
    busy = false;
    form.classList.remove("busy");
  }
  const after = next;
  next = null;
  if (after?.isConnected) return after.requestSubmit();
  return schedule();
});

/** What could not be sent goes out under the id it had: if it did arrive, it is not stored twice. */
function sendAgain() {
  const form = document.querySelector("form.unsent");
  if (!form || busy) return;
  document.querySelector("#flashes .notice")?.remove();
  form.requestSubmit();
}

/** It has arrived: the text is not needed any more, and the next message is another one. What was typed meanwhile
    stays. */
function done(form, sent) {
  const area = form.querySelector("textarea");
  if (area) {
    area.value = area.value.startsWith(sent) ? area.value.slice(sent.length).trimStart() : area.value;
    lean(area);
  }
  renew(form);
  if (form.dataset.draft) note(form);
}

function renew(form) {
  const id = form.elements.client_id;
  if (id) id.value = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const form = event.target.closest?.("form[data-quiet]");
  if (!form || event.target.tagName !== "TEXTAREA") return;
  event.preventDefault();
  form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches?.("a[role=button]")) {
    event.preventDefault();
    event.target.click();
  }
});

document.addEventListener("change", ({ target }) => {
  const radio = document.getElementById(target.dataset?.checks);
  if (radio) radio.checked = true;
});

document.addEventListener("input", ({ target }) => {
  if (target.tagName === "TEXTAREA") lean(target);
  const form = target.form;
  if (!form?.dataset.draft || target.tagName !== "TEXTAREA") return;
  if (form.classList.contains("unsent")) { // the first wording may have arrived, so this is another message
    form.classList.remove("unsent");
    renew(form);
  }
  note(form);
});

/** Keep what is typed, and as which message. */
function note(form) {
  const text = form.querySelector("textarea").value;
  if (text) keep(form.dataset.draft, { text, id: form.elements.client_id?.value, unsent: form.classList.contains("unsent") });
  else forget(form.dataset.draft);
}

/** Give a form that has just come onto the page what was typed into it before. */
function prepare(part) {
  for (const form of part.querySelectorAll("form[data-draft]")) {
    const area = form.querySelector("textarea");
    const draft = kept(form.dataset.draft);
    if (area.value || !draft) continue;
    area.value = draft.text;
    if (draft.id && form.elements.client_id) form.elements.client_id.value = draft.id;
    form.classList.toggle("unsent", Boolean(draft.unsent));
  }
  part.querySelectorAll("textarea").forEach(lean);
  hint(part);
}

/** By what is written; a field without a letter by the page, or its hint would stand on the wrong side. */
function lean(area) {
  area.dir = /\p{L}/u.test(area.value) ? "auto" : root.dir;
}

// ---------------------------------------------------------------- how it looks

function toEnd() {
  const list = document.getElementById("transcript");
  if (list) list.scrollTop = list.scrollHeight;
}

function say(text) {
  if (status.textContent !== text) status.textContent = text || "";
}

function flash(text) {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.textContent = text;
  const flashes = document.getElementById("flashes");
  flashes.dataset.live = text;
  flashes.replaceChildren(notice);
}

/** A notice to be shown by the page that comes next. */
function remember(text) {
  try { sessionStorage.setItem("botkit.desk.notice", text); } catch { /* storage refused */ }
}

function remembered() {
  try {
    const text = sessionStorage.getItem("botkit.desk.notice");
    sessionStorage.removeItem("botkit.desk.notice");
    if (text) flash(text);
  } catch { /* storage refused */ }
}

function localTimes(part) {
  for (const time of part.querySelectorAll("time[datetime]")) time.textContent = when(time.dateTime);
}
