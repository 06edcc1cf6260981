// The keys of a ticket's page; `?` shows them, and they can be switched off: somebody who speaks to the computer, or
// whose hand slips, would set them off unawares. Letters go with Alt and by their place on the keyboard, so that they
// work in every script and never get in the way of typing.

import { forget, keep, kept } from "./drafts.js";

const OFF = "keys-off";

const dialog = document.getElementById("keys");
const choice = document.getElementById("keys-use");
let off = Boolean(kept(OFF));

const places = {
  KeyR: () => document.getElementById("reply") ?? document.getElementById("claim"),
  KeyN: () => document.getElementById("note"),
  KeyS: () => document.getElementById("q"),
  KeyC: () => document.querySelector("#close input"),
};

document.getElementById("keys-open")?.addEventListener("click", () => dialog.showModal());

if (choice) {
  choice.checked = !off;
  choice.addEventListener("change", () => {
    off = !choice.checked;
    if (off) keep(OFF, { text: OFF });
    else forget(OFF);
    hint(document);
  });
}

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.isComposing || dialog.open || !used()) return;
    if (event.key === "?" && !event.altKey && !typing(event.target)) {
      event.preventDefault();
      dialog.showModal();
    } else if (event.altKey && !event.shiftKey) {
      const place = places[event.code]?.();
      if (place) {
        event.preventDefault();
        place.focus();
      } else if (event.code === "KeyQ") {
        event.preventDefault();
        location.assign("/desk");
      } else if (event.code === "KeyJ") {
        event.preventDefault();
        next();
      }
    }
  });
}

/** Whether the keys do anything in this browser. */
export function used() {
  return !off;
}

/** Tell of a button's key only where it works: those who see the page, and those who hear it. */
export function hint(part) {
  document.documentElement.classList.toggle(OFF, off);
  for (const button of part.querySelectorAll("[data-key]")) {
    if (!off) button.setAttribute("aria-keyshortcuts", `Alt+${button.dataset.key}`);
    else button.removeAttribute("aria-keyshortcuts");
  }
}

function typing(target) {
  return target.matches?.("textarea, select, input:not([type=radio], [type=checkbox])");
}

/** The next chat after this one: one with something unanswered, if there is any. */
function next() {
  const chats = [...document.querySelectorAll("[data-chat]")];
  const here = chats.findIndex((chat) => chat.getAttribute("aria-current"));
  const others = [...chats.slice(here + 1), ...chats.slice(0, Math.max(here, 0))];
  const chosen = others.find((chat) => chat.dataset.unanswered) ?? others[0];
  if (chosen) location.assign(chosen.href);
}
