// What is typed and not yet stored by the server, kept in this browser by name: {text, id, unsent}.

const NAME = (name) => `botkit.desk.${name}`;

export function keep(name, draft) {
  try { localStorage.setItem(NAME(name), JSON.stringify(draft)); } catch { /* storage refused */ }
}

export function forget(name) {
  try { localStorage.removeItem(NAME(name)); } catch { /* storage refused */ }
}

export function kept(name) {
  let text = null;
  try {
    text = localStorage.getItem(NAME(name));
    const draft = JSON.parse(text);
    return draft && typeof draft === "object" ? draft : text === null ? null : { text };
  } catch {
    return text === null ? null : { text }; // as an earlier release kept it
  }
}
