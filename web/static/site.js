// What the pages gain with JavaScript: suggestions in the search field (the ARIA combobox pattern), buttons that
// open the chat, and a language menu that closes by itself. Every page works without it.
(() => {
  for (const button of document.querySelectorAll("[data-chat]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.botkit?.open());
  }

  const menu = document.querySelector("details.tongues");
  if (menu) {
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }

  for (const form of document.querySelectorAll("form[data-suggest]")) complete(form);

  function complete(form) {
    const input = form.querySelector("input[name=q]");
    const list = document.createElement("ul");
    list.id = `${input.id}-list`;
    list.className = "suggestions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", form.dataset.suggest);
    list.hidden = true;
    input.after(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);

    let chosen = -1;
    let asked = 0;
    let timer = 0;

    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 120);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { if (!list.hidden) event.preventDefault(); close(); return; }
      if (event.key === "Enter" && chosen >= 0) { event.preventDefault(); go(list.children[chosen]); return; }
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      if (list.hidden) return;
      event.preventDefault();
      const count = list.children.length;
      mark(event.key === "ArrowDown" ? (chosen + 1) % count : (chosen <= 0 ? count : chosen) - 1);
    });
    input.addEventListener("blur", close);
    // Before the field loses its focus, so that the choice is still there to be clicked.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) go(item);
    });

    async function ask() {
      const text = input.value.trim();
      const turn = ++asked;
      if (text.length < 2) return close();
      try {
        const query = new URLSearchParams({ q: text.slice(0, 200), lang: form.dataset.lang });
        const response = await fetch(`/api/v1/suggest?${query}`, { signal: AbortSignal.timeout(10_000) });
        if (!response.ok || turn !== asked) return;
        const { suggestions } = await response.json();
        if (turn === asked && document.activeElement === input) show(suggestions);
      } catch { close(); }
    }

    function show(suggestions) {
      chosen = -1;
      input.removeAttribute("aria-activedescendant");
      list.replaceChildren(...suggestions.map(({ text, url }, at) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${at}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.dataset.url = url;
        item.textContent = text;
        return item;
      }));
      list.hidden = !suggestions.length;
      input.setAttribute("aria-expanded", String(!list.hidden));
    }

    function mark(at) {
      list.children[chosen]?.setAttribute("aria-selected", "false");
      chosen = at;
      const item = list.children[chosen];
      item.setAttribute("aria-selected", "true");
      item.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", item.id);
    }

    function close() {
      asked++;
      chosen = -1;
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function go(item) {
      location.assign(item.dataset.url);
    }
  }
})();
