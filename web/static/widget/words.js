// Elements and words for the widget: makes elements without ever reading text as HTML, fills in the catalogue's
// sentences, keeps numbers readable in a line of the other direction. It holds no state but the catalogue.

let catalogue = {};
let locale = "en";

export function texts(all, tag) {
  catalogue = all;
  locale = tag;
}

/** The catalogue's sentence with its {names} filled in. */
export function say(key, values = {}) {
  return (catalogue[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

const ICONS = {
  page: ["M7 3h7l4 4v14H7z", "M14 3v4h4", "M10 12h5", "M10 16h5"],
  away: ["M9 6h9v9", "M18 6 7 17"],
  tick: ["M5 13l4 4L19 7"],
  ticks: ["M2 13l4 4L16 7", "M11 16l1 1L22 7"],
  up: ["M7 11v9H4v-9z", "M7 11l4-8a2 2 0 0 1 2.6 2.2L13 9h5.4a2 2 0 0 1 2 2.4l-1.3 7a2 2 0 0 1-2 1.6H7"],
  down: ["M17 13V4h3v9z", "M17 13l-4 8a2 2 0 0 1-2.6-2.2L11 15H5.6a2 2 0 0 1-2-2.4l1.3-7a2 2 0 0 1 2-1.6H17"],
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon ${name}`);
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name]) {
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

const LINK = /https?:\/\/[^\s<>"'«»]+[^\s<>"'«».,;:!?)\]]/g;
const NUMBER = /(?:[#№+]|\b[A-Za-z]{1,5}-?)?\p{Nd}+(?:[-–/.,:٬٫ \u00a0]\p{Nd}+)*/gu;

/** Somebody's words as nodes: text, with order and phone numbers isolated, and links where `links` says so. */
export function plain(text, links = false) {
  const whole = el("div", { class: "words", dir: "auto" });
  const parts = links ? split(text, LINK) : [[text, false]];
  for (const [part, isLink] of parts) {
    if (isLink) whole.append(el("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow", dir: "ltr" }, part));
    else whole.append(isolated(part));
  }
  return whole;
}

/** Put a bot's answer, HTML from the server, into `body`; links leave the frame, numbers are isolated. */
export function answer(body, html) {
  body.innerHTML = html;
  for (const link of body.querySelectorAll("a[href]")) {
    link.target = "_blank";
    link.rel = "noopener";
  }
  for (const part of body.querySelectorAll("p, li, td, th, h2, h3, h4")) part.dir = "auto";
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode);
  for (const node of found) node.replaceWith(isolated(node.data));
}

/** A moment, as short as it can be said. */
export function when(at) {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(locale, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" }).format(date);
}

function isolated(text) {
  const whole = document.createDocumentFragment();
  for (const [part, isNumber] of split(text, NUMBER)) whole.append(isNumber && standsAlone(part) ? el("bdi", { dir: "ltr" }, part) : part);
  return whole;
}

// An order or telephone number, not an amount: amounts keep their place beside the sign of their currency.
function standsAlone(part) {
  if (/^[A-Za-z#№+]/.test(part)) return /\p{Nd}{2}/u.test(part);
  return !/[.,:٬٫]/.test(part) && part.replace(/\P{Nd}/gu, "").length >= 5;
}

function split(text, pattern) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > from) parts.push([text.slice(from, match.index), false]);
    parts.push([match[0], true]);
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push([text.slice(from), false]);
  return parts;
}
