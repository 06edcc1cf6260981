// The keys of a ticket's page; `?` shows them. Letters go with Alt and by their place on the keyboard, so that they
// work in every script and never get in the way of typing.

const dialog = document.getElementById("keys");

const places = {
  KeyR: () => document.getElementById("reply") ?? document.getElementById("claim"),
  KeyN: () => document.getElementById("note"),
  KeyS: () => document.getElementById("q"),
  KeyC: () => document.querySelector("#close input"),
};

document.getElementById("keys-open")?.addEventListener("click", () => dialog.showModal());

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.isComposing || dialog.open) return;
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
