// The one script a shop puts on its pages:
//   <script src="https://help.shop.example/static/widget/loader.js" data-lang="en" defer></script>
// It draws the launcher in a shadow root and opens the conversation in a frame of the help server's origin.
// It never sees a conversation's token, and takes only four words from the frame, from that origin alone.
// Options: data-lang (else the page's own language), data-side="start" to stand at the other edge.
(() => {
  const script = document.currentScript;
  if (!script || window.botkit) return;

  // The launcher must have its name before the frame exists; a test keeps these equal to the catalogues.
  const WORDS = {
    en: ["ltr", "Chat", "Open chat", "Close chat"],
    ar: ["rtl", "المحادثة", "افتح المحادثة", "أغلق المحادثة"],
    tr: ["ltr", "Sohbet", "Sohbeti aç", "Sohbeti kapat"],
    fa: ["rtl", "گفتگو", "باز کردن گفتگو", "بستن گفتگو"],
    bg: ["ltr", "Чат", "Отваряне на чата", "Затваряне на чата"],
  };
  const CSS = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    button {
      position: fixed; z-index: 2147483000; inset-block-end: max(20px, env(safe-area-inset-bottom));
      inset-inline-end: 20px; inline-size: 60px; block-size: 60px; padding: 0; border: 0; border-radius: 50%;
      background: #9a3412; color: #fff; cursor: pointer;
      box-shadow: 0 1px 2px rgb(0 0 0 / .2), 0 8px 24px rgb(67 20 7 / .28);
      transition: transform .18s ease, background-color .18s ease;
    }
    button:hover { background: #7c2d12; transform: translateY(-2px); }
    button:focus-visible { outline: 3px solid #fff; outline-offset: -6px; box-shadow: 0 0 0 3px #9a3412; }
    svg { inline-size: 28px; block-size: 28px; display: block; margin: auto; fill: none; stroke: currentColor;
      stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    b { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-inline-size: 22px;
      block-size: 22px; padding-inline: 6px; border-radius: 11px; background: #fff; color: #9a3412;
      font: 700 13px/22px system-ui, sans-serif; box-shadow: 0 1px 4px rgb(0 0 0 / .35); }
    b:empty { display: none; }
    iframe {
      position: fixed; z-index: 2147483001; inset-block-end: 92px; inset-inline-end: 20px;
      inline-size: 400px; block-size: min(660px, calc(100dvh - 112px)); max-inline-size: calc(100vw - 40px);
      border: 0; border-radius: 18px; background: Canvas; color-scheme: light dark;
      box-shadow: 0 0 0 1px rgb(0 0 0 / .06), 0 18px 50px rgb(0 0 0 / .24);
    }
    iframe[hidden] { display: none; }
    .start button, .start iframe { inset-inline: 20px auto; }
    @media (prefers-reduced-motion: no-preference) { iframe { animation: rise .2s ease-out; } }
    @keyframes rise { from { opacity: 0; transform: translateY(12px); } }
    @media (max-width: 520px), (max-height: 480px) {
      iframe, .start iframe { inset: 0; inline-size: 100vw; max-inline-size: none; block-size: 100dvh; border-radius: 0; }
      .open button { visibility: hidden; }
    }
    @media print { :host { display: none; } }
  `;
  const OPEN_ICON = ["M21 11.5a8.4 8.4 0 0 1-12.2 7.5L3 21l2-5.8A8.4 8.4 0 1 1 21 11.5Z", "M8.5 10h7", "M8.5 13.5h4.5"];
  const CLOSE_ICON = ["M6 6l12 12", "M18 6 6 18"];

  const origin = new URL(script.src).origin;
  const asked = (script.dataset.lang || document.documentElement.lang || "en").toLowerCase().split("-")[0];
  const lang = WORDS[asked] ? asked : "en";
  const [direction, chatWord, openWord, closeWord] = WORDS[lang];

  const host = document.createElement("botkit-widget");
  host.lang = lang;
  host.dir = direction;
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];
  const box = make("div");
  if (script.dataset.side === "start") box.classList.add("start");
  const button = make("button", { type: "button", "aria-expanded": "false", "aria-label": openWord });
  const badge = make("b", { "aria-hidden": "true" });
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  draw(OPEN_ICON);
  button.append(icon, badge);
  box.append(button);
  root.append(box);

  let frame = null;
  let ready = false;
  let isOpen = false;

  button.addEventListener("click", () => (isOpen ? close() : open()));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOpen && !event.defaultPrevented) close();
  });
  addEventListener("message", (event) => {
    if (!frame || event.origin !== origin || event.source !== frame.contentWindow) return;
    const { botkit: word, value } = event.data || {};
    if (word === "ready") { ready = true; tell(); }
    if (word === "close") close();
    if (word === "unread") name(Number(value) || 0);
    if (word === "person") remember("person", value ? "1" : "");
  });

  function open(focus = true) {
    isOpen = true;
    load();
    frame.hidden = false;
    box.classList.add("open");
    button.setAttribute("aria-expanded", "true");
    draw(CLOSE_ICON);
    name(0);
    remember("open", "1");
    if (focus) frame.focus();
    tell(focus);
  }

  function close() {
    if (!isOpen) return;
    isOpen = false;
    frame.hidden = true;
    box.classList.remove("open");
    button.setAttribute("aria-expanded", "false");
    draw(OPEN_ICON);
    name(0);
    remember("open", "");
    tell();
    button.focus();
  }

  function load() {
    if (frame) return;
    const query = new URLSearchParams({ lang, page: location.pathname, host: location.origin });
    frame = make("iframe", { title: chatWord, src: `${origin}/widget?${query}`, hidden: "" });
    box.append(frame);
  }

  let focusWanted = false;
  function tell(focus = focusWanted) {
    focusWanted = focus && isOpen;
    if (!ready) return;
    frame.contentWindow.postMessage({ botkit: isOpen ? "shown" : "hidden", focus: focusWanted }, origin);
    focusWanted = false;
  }

  function name(unread) {
    badge.textContent = unread || "";
    button.setAttribute("aria-label", (isOpen ? closeWord : openWord) + (unread ? ` (${unread})` : ""));
  }

  function make(tag, attributes = {}) {
    const node = document.createElement(tag);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return node;
  }

  function draw(paths) {
    icon.replaceChildren(...paths.map((d) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", d);
      return path;
    }));
  }

  // The open chat stays open from page to page of the shop; blocked storage only loses that comfort.
  function remember(key, value) {
    try { sessionStorage.setItem(`botkit.${key}`, value); } catch { /* storage blocked */ }
  }
  function remembered(key) {
    try { return sessionStorage.getItem(`botkit.${key}`) === "1"; } catch { return false; }
  }

  window.botkit = { open, close };
  if (document.body) start();
  else addEventListener("DOMContentLoaded", start);

  function start() {
    document.body.append(host);
    if (remembered("open") && innerWidth > 520) open(false);
    else if (remembered("person")) load();
  }
})();
