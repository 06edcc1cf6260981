// The desk's news as they happen: a stream says that something did, and desk.js brings the page up to date as it would
// at its next look. Beside that, the signals of the customer on this page, and of the agent to the customer.
//
// A browser keeps six connections to a server for all its tabs together, and an agent has many tabs: so one of them
// holds the stream, under a lock, and tells the others. When it is closed, the next one takes over.

const EVENTS = "/api/v1/desk/events";
const SILENCE_MS = 40_000; // the server says something every 15 s
const AGAIN_MS = 2_000;
const REFUSED_MS = 30_000;
const TYPING_MS = 3_000; // the server believes it for 6 s
const NEWS_MS = 120; // many at once are one look

const place = document.getElementById("other");
const ticket = Number(/\/desk\/tickets\/(\d+)/.exec(location.pathname)?.[1]) || 0;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("botkit.desk") : null;
const known = new Map(); // ticket -> what was last said of it; only the tab with the stream fills it
const delivered = new Map();
let chat = null; // what was last said of the ticket on this page
let read = { last: 0, seen: false };
let typedAt = 0;
let cursor = "";
let counts = ""; // of the queue, as last heard: a page that has just come needs no news of how things stand
let news = 0;

/** Follow the desk and call `changed` whenever there is something to fetch: all of it, or only one kind of news. */
export function follow(changed, only = null) {
  if (!place) return;
  document.getElementById("transcript")?.after(place);
  channel?.addEventListener("message", ({ data: { kind, about } }) => {
    if (kind === "ask") known.forEach((each) => channel.postMessage({ kind: "ticket", about: each }));
    else heard(kind, about, changed, only);
  });
  channel?.postMessage({ kind: "ask" });
  document.addEventListener("visibilitychange", seen);
  document.addEventListener("input", ({ target }) => target.id === "reply" && typing(Boolean(target.value.trim())));
  document.addEventListener("submit", ({ target }) => target.querySelector("#reply") && typing(false));
  const forGood = () => keepFollowing((kind, about) => {
    if (kind === "ticket") known.set(about.ticket, about);
    if (kind === "gone") known.delete(about.ticket);
    channel?.postMessage({ kind, about });
    heard(kind, about, changed, only);
    if (kind === "ticket") arrived(about);
  });
  if (navigator.locks && channel) navigator.locks.request("botkit.desk.stream", forGood).catch(() => {});
  else forGood();
}

function heard(kind, about, changed, only) {
  if (kind === "ticket" && about.ticket === ticket) {
    chat = about;
    seen();
  }
  if (kind === "gone" && about.ticket === ticket) chat = null;
  show();
  if (kind === "ticket" || (only && kind !== only)) return;
  if (kind === "mention" && Boolean(document.querySelector(`[data-mention="${about.id}"]`)) !== about.seen) return;
  if (kind === "queue") {
    const before = counts;
    counts = JSON.stringify(about);
    if (!before || before === counts) return;
  }
  clearTimeout(news);
  news = setTimeout(async () => {
    await changed();
    show();
  }, NEWS_MS);
}

// ---------------------------------------------------------------- the line

async function keepFollowing(tell) {
  for (;;) {
    const pause = await stream(tell).catch(() => AGAIN_MS);
    if (pause === null) return; // not let in any more; the page finds that out by itself
    await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
  }
}

/** One stream to its end; how long to wait before the next, null for never. */
async function stream(tell) {
  const line = new AbortController();
  let silence = setTimeout(() => line.abort(), SILENCE_MS);
  try {
    const response = await fetch(`${EVENTS}?watch=${ticket || ""}`, {
      cache: "no-store",
      headers: { Accept: "text/event-stream", ...(cursor ? { "Last-Event-ID": cursor } : {}) },
      signal: line.signal,
    });
    if ([401, 403].includes(response.status)) return null;
    if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) return REFUSED_MS;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(silence);
      silence = setTimeout(() => line.abort(), SILENCE_MS);
      const whole = (rest + part.value).split("\n\n");
      rest = whole.pop();
      whole.forEach((text) => take(text.split("\n"), tell));
    }
    return AGAIN_MS / 4;
  } finally {
    clearTimeout(silence);
    line.abort();
  }
}

function take(lines, tell) {
  const part = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  cursor = part("id") ?? cursor;
  if (part("data")) tell(part("event") ?? "message", JSON.parse(part("data")));
}

// ---------------------------------------------------------------- signals

/** The customer of this page: typing, here or not, and whether the last answer was read. */
function show() {
  const list = document.getElementById("transcript");
  const end = list && list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  place.hidden = !chat;
  if (!chat) return;
  const { typing: types, online, delivered: came, read: was } = chat.customer;
  const mine = [...document.querySelectorAll("#transcript .entry.agent")].at(-1);
  const seq = Number(mine?.id.replace("event-", "")) || Infinity;
  const tick = was >= seq ? place.dataset.read : came >= seq ? place.dataset.delivered : "";
  const text = [types ? place.dataset.typing : online ? place.dataset.here : place.dataset.away, tick].filter(Boolean).join(" · ");
  if (place.textContent !== text) place.textContent = text;
  place.classList.toggle("types", types);
  if (end) list.scrollTop = list.scrollHeight; // the line takes its room from the transcript
}

/** This page has been brought to somebody's eyes, or only here. */
function seen() {
  if (!chat || chat.last < read.last || (chat.last === read.last && (read.seen || document.hidden))) return;
  read = { last: chat.last, seen: !document.hidden };
  say("seen", ticket, { seq: chat.last, read: read.seen });
}

/** The words of the agent's other customers have arrived; this page's own are told by `seen`. */
function arrived({ ticket: id, last }) {
  if (id === ticket || (delivered.get(id) ?? 0) >= last) return;
  delivered.set(id, last);
  say("seen", id, { seq: last, read: false });
}

function typing(on) {
  if (!ticket || (on ? Date.now() - typedAt < TYPING_MS : !typedAt)) return;
  typedAt = on ? Date.now() : 0;
  say("typing", ticket, { on });
}

/** A courtesy: when it is lost, the next one says it again. */
function say(what, id, body) {
  fetch(`/api/v1/desk/tickets/${id}/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    keepalive: true,
    signal: AbortSignal.timeout(SILENCE_MS),
  }).catch(() => {});
}
