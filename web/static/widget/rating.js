// The question after a conversation with a person: five choices, a word if one likes. It knows nothing of the line.

import { el, say } from "./words.js";

const SCORES = ["rate_1", "rate_2", "rate_3", "rate_4", "rate_5"];

/** The card to put into the log. `send(score, comment)` says whether it was taken; the card then says thank you. */
export function rating(send) {
  const words = el("textarea", { name: "comment", rows: "2", maxlength: "1000", dir: "auto", id: "rate-comment" });
  const button = el("button", { class: "button", disabled: "" }, say("rate_send"));
  const more = el("div", { class: "more", hidden: "" }, el("label", { for: "rate-comment" }, say("rate_comment")), words, button);
  const choose = () => {
    more.hidden = false;
    button.disabled = false;
    more.scrollIntoView({ block: "nearest" });
  };
  const choices = SCORES.map((key, place) =>
    el("label", {}, el("input", { type: "radio", name: "score", value: String(place + 1), onchange: choose }), el("span", {}, say(key))));
  const form = el("form", { class: "rating card" },
    el("fieldset", {}, el("legend", {}, say("rate_question")), el("div", { class: "scores" }, ...choices)), more);
  const done = () => form.replaceChildren(el("p", {}, say("rate_thanks")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const score = Number(new FormData(form).get("score"));
    if (!score) return;
    button.disabled = true;
    if (await send(score, words.value.trim())) done();
    else button.disabled = false;
  });
  return { card: form, done };
}
