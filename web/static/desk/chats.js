// Several chats at once: which have something unread, and a sound or a notification for it. Both are off until the
// agent switches them on; nothing is asked for before that click. A notification never shows what a customer said.

import { digits } from "./format.js";

const NAME = (name) => `botkit.desk.${name}`;
const heard = new Map(); // ticket -> the newest words of its customer that this page knows of
let mentioned = 0; // the newest mention that this page knows of
let first = true;
let audio = null;

document.addEventListener("click", async ({ target }) => {
  if (target.id === "sound") {
    set("sound", !is("sound"));
    if (is("sound")) beep();
  } else if (target.id === "notify") {
    if (is("notify")) set("notify", false);
    else if ("Notification" in window && (await Notification.requestPermission()) === "granted") set("notify", true);
    else document.getElementById("status").textContent = document.querySelector("[data-refused]").dataset.refused;
  } else {
    return;
  }
  buttons();
});

/** Whether a page in the background should go on asking. */
export function alerting() {
  return is("sound") || is("notify");
}

/** Look at the list of chats as it is now: mark what is unread, and make what is new heard. */
export function look(page) {
  buttons();
  if (first) document.querySelector("[data-chat][aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  const open = page?.dataset.ticket;
  const fresh = [];
  for (const link of document.querySelectorAll("[data-chat]")) {
    const id = link.dataset.chat;
    const words = link.dataset.unanswered.split(" ").filter(Boolean).map(Number);
    const newest = Math.max(0, ...words);
    if (!first && newest > (heard.get(id) ?? 0)) fresh.push(id);
    heard.set(id, Math.max(newest, heard.get(id) ?? 0));
    if (id === open && !document.hidden) write(`seen-${id}`, String(Math.max(newest, Number(read(`seen-${id}`)) || 0)));
    const unread = words.filter((seq) => seq > (Number(read(`seen-${id}`)) || 0)).length;
    link.classList.toggle("unread", unread > 0);
    link.querySelector(".count")?.classList.toggle("hot", unread > 0);
  }
  const notes = [...document.querySelectorAll("[data-mention]")];
  const named = first ? [] : notes.filter((note) => Number(note.dataset.mention) > mentioned);
  mentioned = Math.max(mentioned, ...notes.map((note) => Number(note.dataset.mention)));
  first = false;
  if (fresh.length) tell(fresh, open, page);
  if (named.length) tellMentions(named);
}

function tellMentions(named) {
  if (is("sound")) beep();
  const news = document.getElementById("mentions").dataset.news;
  for (const { dataset } of named) {
    const text = news.replace("{name}", dataset.by).replace("{id}", digits(dataset.ticket));
    document.getElementById("status").textContent = text;
    if (is("notify") && document.hidden) notice(text, `botkit-mention-${dataset.mention}`, dataset.ticket);
  }
}

function tell(fresh, open, page) {
  if (document.hidden || fresh.some((id) => id !== open)) if (is("sound")) beep();
  if (!is("notify") || !document.hidden) return;
  for (const id of fresh) {
    notice(page.dataset.newsChat.replace("{id}", digits(id)), `botkit-${id}`, id, open);
  }
}

function notice(text, tag, ticket, open) {
  const shown = new Notification(text, { tag });
  shown.addEventListener("click", () => {
    window.focus();
    if (ticket !== open) location.assign(`/desk/tickets/${ticket}`);
    shown.close();
  });
}

function beep() {
  try {
    audio ??= new AudioContext();
    audio.resume();
    [[660, 0], [880, 0.12]].forEach(([pitch, delay]) => {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      const at = audio.currentTime + delay;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.12, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.16);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.18);
    });
  } catch { /* no sound here: the count is there all the same */ }
}

function buttons() {
  for (const name of ["sound", "notify"]) document.getElementById(name)?.setAttribute("aria-pressed", is(name));
}

function is(name) {
  return read(name) === "on" && (name !== "notify" || ("Notification" in window && Notification.permission === "granted"));
}

function set(name, on) { write(name, on ? "on" : "off"); }
function read(name) { try { return localStorage.getItem(NAME(name)); } catch { return null; } }
function write(name, value) { try { localStorage.setItem(NAME(name), value); } catch { /* storage refused */ } }
