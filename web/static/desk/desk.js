// The desk without reloading. The server renders everything; this only fetches the same page again when it has
// changed and puts the new parts in place, sends the forms without leaving the page, and keeps what is being typed.
//   data-live="mark"   replaced when the mark differs      data-append   gets the entries it does not have yet
//   form[data-quiet]   sent from here                      data-draft    its textarea is kept under this name

import { follow } from "./live.js";

const root = document.documentElement;
root.classList.add("js");
const page = document.querySelector("[data-poll]");
const status = document.getElementById("status");
const title = document.title;
let etag = null;
let failures = 0;
let timer = 0;
let busy = false;

document.querySelectorAll("[data-submit]").forEach((select) => select.addEventListener("change", () => select.form.requestSubmit()));
localTimes(document);
prepare(document);
toEnd();
count();
if (page) {
  schedule();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) return;
    document.title = title;
    count();
    poll();
  });
  addEventListener("online", poll);
  follow(page, poll);
}

// ---------------------------------------------------------------- what is new

async function poll() {
  clearTimeout(timer);
  if (!busy) {
    try {
      const response = await fetch(location.href, { cache: "no-store", headers: etag ? { "If-None-Match": etag } : {} });
      if (response.redirected) return location.reload(); // signed out
      if (response.status !== 304 && !response.ok) throw new Error(response.status);
      if (response.status === 200 && !busy) {
        etag = response.headers.get("ETag");
        take(await response.text());
      }
      if (failures) say("");
      failures = 0;
    } catch {
      failures += 1;
      say(page.dataset.offline);
    }
  }
  return schedule();
}

function schedule() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(poll, Number(page.dataset.poll) * Math.min(8, 2 ** failures));
}

/** Put the parts of a newly rendered page in place; `own` when the reader has just caused the change. */
function take(html, own = false) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const before = waiting();
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.dataset.live === part.dataset.live) continue;
    if (part.id === "flashes" && !own) continue; // shown once; the next page has forgotten it
    const focused = part.contains(document.activeElement) ? document.activeElement.id : null;
    localTimes(next);
    const placed = document.adoptNode(next);
    part.replaceWith(placed);
    prepare(placed);
    if (focused !== null) (document.getElementById(focused) || document.getElementById("reply") || document.getElementById("main")).focus({ preventScroll: true });
  }
  let news = false;
  for (const list of document.querySelectorAll("[data-append]")) {
    const end = list.scrollHeight - list.scrollTop - list.clientHeight < 160;
    for (const entry of fresh.getElementById(list.id)?.children ?? []) {
      if (document.getElementById(entry.id)) continue;
      localTimes(entry);
      news ||= entry.dataset.side === "customer";
      list.append(document.adoptNode(entry));
    }
    if (end || own) toEnd();
  }
  const more = waiting() > before;
  count();
  if ((news || more) && !own) {
    say(page.dataset.news);
    if (document.hidden || news) document.title = document.hidden ? `● ${title}` : document.title;
  }
}

function waiting() {
  return Number(document.getElementById("tabs")?.dataset.count) || 0;
}

function count() {
  if (!document.getElementById("tabs")) return;
  document.title = (waiting() ? `(${waiting()}) ` : "") + title;
}

// ---------------------------------------------------------------- what the agent does

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-quiet]")) return;
  event.preventDefault();
  if (busy) return;
  busy = true;
  form.classList.add("busy");
  try {
    const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (new URL(response.url).pathname !== location.pathname) return location.assign(response.url);
    if (!response.ok) throw new Error(response.status);
    const html = await response.text();
    const refused = new DOMParser().parseFromString(html, "text/html").querySelector("#flashes .notice");
    if (!refused) done(form);
    etag = null;
    take(html, true);
    (document.getElementById("reply") || document.getElementById("main")).focus({ preventScroll: true });
  } catch {
    flash(page.dataset.notSent || page.dataset.offline);
  } finally {
    busy = false;
    form.classList.remove("busy");
  }
  return schedule();
});

/** It has arrived: the text is not needed any more, and the next message is another one. */
function done(form) {
  if (form.dataset.draft) forget(form.dataset.draft);
  form.querySelectorAll("textarea").forEach((area) => { area.value = ""; lean(area); });
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

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  const reply = document.getElementById("reply");
  if (!button || !reply) return;
  event.preventDefault();
  const gap = reply.value && !reply.value.endsWith("\n") && reply.selectionStart === reply.value.length ? "\n\n" : "";
  reply.setRangeText(gap + button.dataset.insert, reply.selectionStart, reply.selectionEnd, "end");
  reply.dispatchEvent(new Event("input", { bubbles: true }));
  reply.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches?.("a[role=button]")) {
    event.preventDefault();
    event.target.click();
  }
});

document.addEventListener("input", ({ target }) => {
  if (target.tagName === "TEXTAREA") lean(target);
  const name = target.form?.dataset.draft;
  if (!name || target.tagName !== "TEXTAREA") return;
  if (target.value) keep(name, target.value);
  else forget(name);
});

/** Give a form that has just come onto the page what was typed into it before. */
function prepare(part) {
  for (const form of part.querySelectorAll("form[data-draft]")) {
    const area = form.querySelector("textarea");
    if (!area.value) area.value = kept(form.dataset.draft);
  }
  part.querySelectorAll("textarea").forEach(lean);
}

/** By what is written; an empty field by the page, or its hint would stand on the wrong side. */
function lean(area) {
  area.dir = area.value ? "auto" : root.dir;
}

function keep(name, text) { try { localStorage.setItem(`botkit.desk.${name}`, text); } catch { /* storage refused */ } }
function forget(name) { try { localStorage.removeItem(`botkit.desk.${name}`); } catch { /* storage refused */ } }
function kept(name) { try { return localStorage.getItem(`botkit.desk.${name}`) || ""; } catch { return ""; } }

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

function localTimes(part) {
  for (const time of part.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    const how = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
    time.textContent = new Intl.DateTimeFormat(root.lang, how).format(at);
  }
}
