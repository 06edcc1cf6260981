// The widget's screen, inside the frame: events in, elements out. HTTP and storage are conversation.js's work,
// the making of elements is words.js's. The one thing used as HTML is the `html` of a bot's reply, which the
// server made from editors' articles; everything that a customer or an agent typed goes in as text.

import { Conversation, kept, troubleOf } from "./conversation.js";
import { rating } from "./rating.js";
import { answer, el, icon, plain, say, texts, when } from "./words.js";

const data = JSON.parse(document.getElementById("data").textContent);
texts(data.texts, data.locale);

const [log, status, presence, composer, input, sendButton, personButton, newButton, closeButton, starters, leave] =
  ["log", "status", "presence", "composer", "input", "send", "person", "new", "close", "starters", "leave"]
    .map((id) => document.getElementById(id));
const hostOrigin = new URLSearchParams(location.search).get("host");
const embedded = window.parent !== window && Boolean(hostOrigin);

const pending = new Map(); // client id -> the element of a message that the server has not acknowledged
const replies = new Map(); // reply id -> the elements of its feedback
const spoken = { side: null, name: null, at: 0 };
let choices = []; // buttons of the newest question back; they end with the next message
let queueCard = null;
let thinking = null;
let unread = 0;
let catchingUp = true; // the first fetch repeats history: nothing of it is new to the reader
let attended = false; // somebody has taken the conversation
let agent = null; // her name, where the server tells it
let other = null; // what is known of the agent: typing, online, delivered, read
let wasOnline = false; // only who was here can be away: a colleague at another console may never say so
let typist = null;
let question = null; // how the help was
const sent = []; // the customer's messages since a person was wanted: [seq, element]
let placeTimer = 0;
const PLACE_MS = 30_000;

const conversation = new Conversation({
  lang: data.lang,
  page: data.page,
  listen: { event: show, signals, refused, trouble, caughtUp, forgotten },
});

// ---------------------------------------------------------------- what happened

function show(event) {
  const { kind, data: about } = event;
  const stick = nearEnd();
  if (kind === "message") event.actor === "customer" ? showCustomer(event) : showAgent(event);
  else if (kind === "reply") showReply(event);
  else if (kind === "feedback") showFeedback(about);
  else if (kind === "ticket.opened") attend(false);
  else if (kind === "ticket.claimed") claimed(event);
  else if (kind === "ticket.released") released(event);
  else if (kind === "ticket.transferred") transferred(event);
  else if (kind === "ticket.closed") closed(event);
  else if (kind === "ticket.reopened") reopened(event);
  else if (kind === "satisfaction") question?.done();
  showPresence();
  if (!catchingUp && kind !== "feedback" && event.actor !== "customer" && !conversation.shown) tell("unread", (unread += 1));
  if (!catchingUp && stick) toEnd();
}

function showCustomer(event) {
  const { client_id: id, text } = event.data;
  const waiting = pending.get(id);
  if (waiting) {
    pending.delete(id);
    waiting.classList.remove("waiting");
    waiting.querySelector(".state")?.remove();
    track(event, waiting);
    return;
  }
  endChoices();
  const node = bubble("customer", null, plain(text));
  put(event, node);
  track(event, node);
}

function track({ seq }, node) {
  if (!conversation.person) return;
  sent.push([seq, node]);
  showTicks();
}

function showAgent(event) {
  showTyping(false);
  attend(true, event.data.name || agent);
  put(event, bubble("agent", agent || say("colleague"), plain(event.data.text, true)));
}

function showReply(event) {
  const reply = event.data;
  // Not "auto": that looks past what has a direction of its own, as every paragraph here has, and finds nothing.
  const body = el("div", { class: "prose", dir: data.directions[reply.lang] || data.dir, lang: reply.lang });
  answer(body, reply.html);
  const parts = [body];
  if (reply.source) {
    parts.push(el("a", { class: "source", href: reply.source.url, target: "_blank", rel: "noopener" },
      icon("page"), el("span", { dir: "auto" }, reply.source.title), el("span", { class: "visually-hidden" }, ` (${say("new_tab")})`), icon("away")));
  }
  put(event, bubble("bot", reply.automatic ? say("automatic") : null, ...parts));
  if (reply.options?.length) showChoices(reply.options);
  if (reply.kind === "answer") offerFeedback(reply.id);
  if (reply.queue) showQueue(reply.queue);
}

function showChoices(options) {
  endChoices();
  const list = el("div", { class: "choices", role: "group", "aria-label": say("choices") });
  choices = options.map(({ article, title, lang }) =>
    el("button", { type: "button", class: "chip", dir: "auto", lang, onclick: () => send(title, article) }, title));
  list.append(...choices);
  log.append(list);
}

function endChoices() {
  choices[0]?.parentElement.remove();
  choices = [];
}

function offerFeedback(id) {
  const press = (helpful) => async () => {
    try {
      await conversation.feedback(id, helpful);
      showFeedback({ reply_id: id, helpful }, true);
    } catch (error) {
      announce(why(error));
    }
  };
  const yes = el("button", { type: "button", "aria-label": say("helpful_yes"), title: say("helpful_yes"), onclick: press(true) }, icon("up"));
  const no = el("button", { type: "button", "aria-label": say("helpful_no"), title: say("helpful_no"), onclick: press(false) }, icon("down"));
  const said = el("span", { class: "said" }, say("helpful"));
  log.append(el("div", { class: "feedback", role: "group", "aria-label": say("helpful") }, said, yes, no));
  replies.set(id, { yes, no, said });
}

function showFeedback({ reply_id: id, helpful }, aloud) {
  const parts = replies.get(id);
  if (!parts) return;
  parts.yes.setAttribute("aria-pressed", String(helpful));
  parts.no.setAttribute("aria-pressed", String(!helpful));
  parts.said.textContent = say(helpful ? "thanks_yes" : "thanks_no");
  if (aloud) announce(parts.said.textContent);
}

/** How else the shop can be reached, and the place in the queue, which goes on being true while one waits. */
function showQueue({ position, open_now: open, hours, email, phone }) {
  const rows = el("dl");
  const row = (word, ...value) => rows.append(el("div", {}, el("dt", {}, say(word)), el("dd", {}, ...value)));
  if (position && open) row("queue_place", el("strong", {}, el("bdi", {}, number(position))));
  if (hours) row("hours", el("span", { dir: "auto" }, hours));
  if (email) row("email", el("a", { href: `mailto:${email}` }, el("bdi", { dir: "ltr" }, email)));
  if (phone) row("phone", el("a", { href: `tel:${phone.replace(/\p{Nd}/gu, digit).replace(/[^\d+]/g, "")}` }, el("bdi", { dir: "ltr" }, phone)));
  const card = el("section", { class: "card", "aria-label": say("waiting") }, rows, el("p", { class: "small" }, say("queue_stay")));
  if (queueCard?.isConnected) queueCard.replaceWith(card);
  else log.append(card);
  queueCard = card;
  clearTimeout(placeTimer);
  if (open && position > 1) placeTimer = setTimeout(refreshPlace, PLACE_MS);
}

async function refreshPlace() {
  clearTimeout(placeTimer);
  if (!queueCard || !conversation.person) return;
  const seen = conversation.shown && !document.hidden;
  const queue = seen && await conversation.requestPerson().catch(() => null);
  if (queue && queueCard) showQueue(queue);
  else placeTimer = setTimeout(refreshPlace, PLACE_MS);
}

function claimed(event) {
  endChoices(); // nobody would answer them any more
  showThinking(false);
  attend(true, event.data.name);
  note(event, named("joined"));
}

function released(event) {
  wasOnline = false;
  note(event, named("left"), say("back_in_queue"));
  attend(false);
}

function transferred(event) {
  wasOnline = false;
  attend(true, event.data.name);
  note(event, named("transferred"));
}

function closed(event) {
  note(event, attended ? named("left") : say("ended"), say("bot_again"));
  attend(false);
  queueCard?.remove();
  queueCard = null;
  clearTicks();
  if (event.data.ask === "satisfaction") ask(event);
}

/** The customer's word went on with what was closed: whoever had it has it again, or it waits. */
function reopened(event) {
  question?.card.remove();
  question = null;
  attend(Boolean(event.data.attended), event.data.name);
  if (attended) note(event, named("joined"));
}

/** How the help was: asked once for a conversation with a person that has ended, and not again once it was answered. */
function ask({ seq }) {
  const name = `rated.${conversation.identity.id}`;
  if ((kept.get(name) || 0) >= seq) return;
  question?.card.remove();
  question = rating(async (score, comment) => {
    try {
      await conversation.rate(score, comment);
      kept.set(name, seq);
      announce(say("rate_thanks"));
      return true;
    } catch (error) {
      announce(why(error));
      return false;
    }
  });
  log.insertBefore(question.card, firstPending());
}

function attend(on, name) {
  attended = on;
  agent = (on && name) || null;
  if (!on) return;
  queueCard?.remove();
  queueCard = null;
}

// ---------------------------------------------------------------- the other side

/** What the server says of the agent; null when the line is cut and nothing is known. */
function signals(told) {
  const stick = nearEnd();
  other = told && { ...told, delivered: Math.max(told.delivered, other?.delivered || 0), read: Math.max(told.read, other?.read || 0) };
  wasOnline ||= Boolean(told?.online);
  showTyping(Boolean(told?.typing));
  showTicks();
  showPresence();
  if (stick && told?.typing) toEnd();
}

function showTyping(on) {
  if (!on || !attended) {
    typist?.remove();
    typist = null;
    return;
  }
  if (typist) return;
  typist = el("p", { class: "typing" }, el("span", { class: "thinking", "aria-hidden": "true" }, el("i"), el("i"), el("i")), named("typing"));
  log.append(typist);
}

/** Under the newest of the customer's messages that a person is to read, how far it has come. */
function showTicks() {
  if (!sent.length || !conversation.person) return;
  const [seq, node] = sent.at(-1);
  const came = other?.read >= seq ? "read" : other?.delivered >= seq ? "delivered" : "sent";
  if (node.querySelector(`.came.${came}`)) return;
  sent.forEach(([, each]) => each.querySelector(".came")?.remove());
  node.append(el("p", { class: `came ${came}`, "aria-live": "off" }, icon(came === "sent" ? "tick" : "ticks"), say(came)));
}

function clearTicks() {
  sent.splice(0).forEach(([, node]) => node.querySelector(".came")?.remove());
  other = null;
  wasOnline = false;
  showTyping(false);
}

/** The sentence with the agent's name, or the one that does without. */
function named(key) {
  return agent ? say(key, { name: agent }) : say(`${key}_team`);
}

// ---------------------------------------------------------------- putting it on the screen

function bubble(side, name, ...parts) {
  const speaker = name || say(side === "customer" ? "you" : "assistant");
  return el("div", { class: `message ${side}`, "data-name": name || "" },
    el("p", { class: name ? "name" : "visually-hidden", dir: "auto" }, speaker), el("div", { class: "bubble", dir: "auto" }, ...parts));
}

function put(event, node) {
  divide(event);
  const name = node.dataset.name;
  if (node.classList.contains("agent") && spoken.side === "agent" && spoken.name === name) {
    node.querySelector(".name")?.classList.replace("name", "visually-hidden");
  }
  spoken.side = node.classList[1];
  spoken.name = name;
  log.insertBefore(node, firstPending());
}

function note(event, ...lines) {
  divide(event);
  spoken.side = null;
  log.insertBefore(el("p", { class: "note" }, ...lines.flatMap((line, i) => (i ? [el("br"), line] : [line]))), firstPending());
}

/** A line with the time where a conversation rested for half an hour. */
function divide(event) {
  const at = Date.parse(event.at) || Date.now();
  if (spoken.at && at - spoken.at > 30 * 60_000) {
    spoken.side = null;
    log.insertBefore(el("p", { class: "time" }, el("time", { datetime: event.at }, when(at))), firstPending());
  }
  spoken.at = at;
}

function firstPending() {
  return pending.values().next().value || [thinking, typist].find((node) => node?.isConnected) || null;
}

function showPresence() {
  starters.hidden = conversation.last > 0 || pending.size > 0;
  const away = attended && wasOnline && other && !other.online;
  presence.textContent = attended ? named(away ? "away" : "with") : say(conversation.person ? "waiting" : "assistant");
  personButton.hidden = conversation.person;
  newButton.hidden = !conversation.started && !pending.size;
  document.body.dataset.with = attended ? "agent" : conversation.person ? "queue" : "bot";
  tell("person", conversation.person);
}

function showThinking(on) {
  if (!on) return thinking?.remove();
  if (attended) return null;
  thinking ??= el("div", { class: "thinking", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  return log.append(thinking);
}

function nearEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 120;
}

/** To the end, but never past the start of what the reader has not read: a long answer is read from its top. */
function toEnd() {
  const asked = [...log.querySelectorAll(".message.customer")].at(-1);
  const top = asked ? asked.offsetTop - log.offsetTop - 12 : Infinity;
  log.scrollTo({ top: Math.min(top, log.scrollHeight) });
}

function announce(text) {
  status.textContent = text || "";
}

function number(value) {
  return new Intl.NumberFormat(data.locale).format(value);
}

function digit(char) {
  for (const zero of [0x30, 0x660, 0x6f0]) {
    const value = char.codePointAt(0) - zero;
    if (value >= 0 && value <= 9) return String(value);
  }
  return char;
}

// ---------------------------------------------------------------- what the customer does

function send(text, choice) {
  endChoices();
  const message = conversation.send(text, choice);
  showWaiting(message);
  showThinking(true);
  showPresence();
  toEnd();
}

function showWaiting({ client_id: id, text }) {
  const node = bubble("customer", null, plain(text));
  node.classList.add("waiting");
  pending.set(id, node);
  spoken.side = "customer";
  log.insertBefore(node, typist?.isConnected ? typist : null);
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text) return input.focus();
  input.value = "";
  kept.drop("draft");
  grow();
  send(text);
  return input.focus();
});

input.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

input.addEventListener("input", () => {
  kept.set("draft", input.value);
  conversation.typing(Boolean(input.value.trim()));
  grow();
});

starters.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  send(button.textContent.trim(), button.dataset.article);
  input.focus();
});

personButton.addEventListener("click", async () => {
  personButton.disabled = true;
  announce(say("calling"));
  try {
    await conversation.requestPerson();
    announce("");
    conversation.wake();
    toEnd();
  } catch (error) {
    announce(why(error));
  } finally {
    personButton.disabled = false;
    input.focus();
  }
});

newButton.addEventListener("click", () => (conversation.person ? leave.showModal() : conversation.forget()));
leave.addEventListener("close", () => {
  if (leave.returnValue === "leave") conversation.forget();
  leave.returnValue = "";
  input.focus();
});

function grow() {
  input.dir = input.value ? "auto" : data.dir; // an empty field would put its hint on the wrong side
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight + 2, 140)}px`;
  sendButton.classList.toggle("idle", !input.value.trim());
}

// ---------------------------------------------------------------- what the line does

function refused(message, reason) {
  const node = pending.get(message.client_id);
  pending.delete(message.client_id);
  node?.classList.replace("waiting", "refused");
  node?.querySelector(".bubble").append(el("p", { class: "state" }, say("not_sent")));
  if (!input.value) {
    input.value = message.text;
    kept.set("draft", message.text);
    grow();
  }
  announce(reason);
  showThinking(false);
}

function trouble(name, until = 0) {
  const waits = name && say(["busy", "full"].includes(name) ? "will_send_later" : "will_send");
  for (const node of pending.values()) {
    const state = node.querySelector(".state");
    if (name && !state) node.querySelector(".bubble").append(el("p", { class: "state" }, waits));
    if (!name) state?.remove();
    else if (state) state.textContent = waits;
  }
  if (name) showThinking(false);
  else if (pending.size) showThinking(true);
  announce(name ? say(name, { time: when(until) }) : "");
}

/** What to say of a failure. */
function why(error) {
  return error.final ? error.message : say(troubleOf(error), { time: when(Date.now() + (error.retryAfter || 0)) });
}

function caughtUp() {
  if (!pending.size) showThinking(false);
  if (catchingUp) {
    catchingUp = false;
    log.setAttribute("aria-live", "polite");
    log.scrollTop = log.scrollHeight;
    refreshPlace();
  }
  showPresence();
}

function forgotten() {
  for (const node of [...log.children]) {
    if (node.id !== "welcome" && !node.classList.contains("waiting")) node.remove();
  }
  replies.clear();
  choices = [];
  queueCard = null;
  question = null;
  clearTicks();
  attend(false);
  Object.assign(spoken, { side: null, name: null, at: 0 });
  if (!conversation.outbox.length) {
    pending.forEach((node) => node.remove());
    pending.clear();
  }
  announce("");
  showPresence();
}

// ---------------------------------------------------------------- the page around the frame

function tell(word, value) {
  if (embedded) window.parent.postMessage({ botkit: word, value }, hostOrigin);
}

addEventListener("message", (event) => {
  if (!embedded || event.source !== window.parent || event.origin !== hostOrigin) return;
  const { botkit: word, focus } = event.data || {};
  if (word !== "shown" && word !== "hidden") return;
  conversation.shown = word === "shown";
  if (conversation.shown) {
    unread = 0;
    if (focus) input.focus();
    toEnd();
  }
  conversation.wake();
});

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !leave.open && !event.isComposing) tell("close");
});
closeButton.addEventListener("click", () => tell("close"));
closeButton.hidden = !embedded;

// ---------------------------------------------------------------- begin

conversation.shown = !embedded;
input.value = kept.get("draft") || "";
conversation.outbox.forEach(showWaiting);
grow();
showPresence();
tell("ready");
conversation.wake();
if (!embedded) input.focus();
