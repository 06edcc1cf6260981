// A customer's conversation with the server: the only file of the widget that speaks HTTP and the only one that
// keeps things between reloads. It knows nothing of the screen: it reports events, waiting messages and troubles.
//
// What is typed is written to localStorage before it is sent, with an id made here; it leaves that outbox when the
// server has acknowledged it. The server stores an id once, so sending again after a lost answer is always safe.

const API = "/api/v1/conversations";
const PERSON_MS = 2_000;
const CLOSED_PANEL_MS = 6_000;
const BOT_MS = 20_000;
const LONGEST_PAUSE_MS = 30_000;

// A browser may refuse a frame of another site its storage (Chromium does in private windows). What is written then
// lasts as long as the page; the conversation itself goes into a cookie that only this frame on this site can read.
const memory = new Map();
const storage = (() => { try { return localStorage; } catch { return null; } })();
const COOKIE = "Path=/widget; Max-Age=2592000; Secure; SameSite=None; Partitioned";

export const kept = {
  get(key) {
    const name = `botkit.${key}`;
    const text = storage?.getItem(name) ?? memory.get(name) ?? (storage ? null : cookie(name));
    try { return JSON.parse(text); } catch { return null; }
  },
  set(key, value) {
    const name = `botkit.${key}`;
    const text = JSON.stringify(value);
    memory.set(name, text);
    try { storage?.setItem(name, text); } catch { /* full: it lasts as long as the page */ }
    if (!storage && key.startsWith("conversation")) document.cookie = `${name}=${encodeURIComponent(text)}; ${COOKIE}`;
  },
  drop(key) {
    const name = `botkit.${key}`;
    memory.delete(name);
    storage?.removeItem(name);
    if (!storage) document.cookie = `${name}=; ${COOKIE}; Max-Age=0`;
  },
};

function cookie(name) {
  const pair = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return pair ? decodeURIComponent(pair.slice(name.length + 1)) : null;
}

export class Conversation {
  /** `listen` has event(event), refused(message, text), trouble(name|null), caughtUp() and forgotten(). */
  constructor({ lang, page, listen }) {
    this.lang = lang;
    this.page = page;
    this.listen = listen;
    this.last = 0;
    this.person = false;
    this.shown = true;
    this.failures = 0;
    this.identity = this.#resume();
    this.person = Boolean(this.identity?.person);
    addEventListener("online", () => this.wake());
    addEventListener("offline", () => this.listen.trouble("offline"));
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(this.timer) : this.wake()));
    addEventListener("storage", ({ key }) => {
      if (key !== "botkit.conversation") return;
      this.follow();
      this.wake();
    });
  }

  get started() { return Boolean(this.identity); }
  get outbox() { return kept.get("outbox") || []; }

  /** Keep a message and send it as soon as there is a line. Returns it, with its id. */
  send(text, choice) {
    const message = { client_id: uuid(), text, ...(choice ? { choice } : {}) };
    kept.set("outbox", [...this.outbox, message]);
    this.wake();
    return message;
  }

  /** The conversation to go on with. One is held in one language: a page in another has another conversation, unless
      a person is still in the first one. */
  #resume() {
    const current = kept.get("conversation");
    if (!current || current.lang === this.lang || current.person) return current;
    kept.set(`conversation.${current.lang}`, current);
    const own = kept.get(`conversation.${this.lang}`);
    if (own) kept.set("conversation", own);
    else kept.drop("conversation");
    return own;
  }

  async feedback(replyId, helpful) {
    await this.#ask("POST", "/feedback", { reply_id: replyId, helpful });
    await this.catchUp();
  }

  /** Ask for a person, or where in the queue one is by now; the server's `queue`. */
  async requestPerson() {
    await this.flush();
    await this.#begin();
    const { reply } = await this.#ask("POST", "/handoff", {});
    await this.catchUp();
    return reply?.queue ?? null;
  }

  /** Leave this conversation; the next message starts another. */
  forget() {
    kept.drop("conversation");
    kept.drop(`conversation.${this.lang}`);
    kept.drop("outbox");
    this.#reset(null);
  }

  /** Another tab began or left a conversation: go where it went. */
  follow() {
    const identity = kept.get("conversation");
    if (identity?.id !== this.identity?.id) this.#reset(identity);
  }

  /** Send what waits and fetch what is new, now; then again after a pause that fits. */
  async wake() {
    clearTimeout(this.timer);
    try {
      await this.flush();
      await this.catchUp();
      this.failures = 0;
      this.listen.trouble(null);
    } catch (error) {
      this.failures += 1;
      this.listen.trouble(error.status === 429 ? "busy" : navigator.onLine === false ? "offline" : "unreachable");
      this.pause = error.retryAfter;
    }
    this.#schedule();
  }

  /** Send the outbox in order, one at a time; a message leaves it once it is acknowledged or refused for good. */
  flush() {
    this.flushing ??= oneTab(() => this.#flush()).finally(() => { this.flushing = null; });
    return this.flushing;
  }

  async #flush() {
    this.follow();
    let moved = false;
    for (let [message] = this.outbox; message; [message] = this.outbox) {
      await this.#begin();
      try {
        await this.#ask("POST", "/messages", message);
      } catch (error) {
        if (error.gone && !moved) { // the server forgot the conversation: the same message opens a new one
          moved = true;
          continue;
        }
        if (!error.final) throw error;
        this.listen.refused(message, error.message);
      }
      kept.set("outbox", this.outbox.filter((other) => other.client_id !== message.client_id));
    }
  }

  /** Fetch the events after the last one seen and report each exactly once. */
  catchUp() {
    this.catching ??= this.#catchUp().finally(() => { this.catching = null; });
    return this.catching;
  }

  async #catchUp() {
    while (this.identity) {
      const id = this.identity.id;
      const { events, last } = await this.#ask("GET", `/events?after=${this.last}`);
      if (this.identity?.id !== id) continue;
      for (const event of events) {
        if (event.seq <= this.last) continue;
        this.last = event.seq;
        this.#fold(event);
        this.listen.event(event);
      }
      const before = this.last;
      this.last = Math.max(this.last, last ?? 0);
      if (!events.length || this.last === before) break;
    }
    this.listen.caughtUp();
  }

  #fold({ kind }) {
    if (!kind.startsWith("ticket.")) return;
    this.person = kind !== "ticket.closed";
    if (Boolean(this.identity.person) === this.person) return;
    this.identity.person = this.person;
    kept.set("conversation", this.identity);
  }

  /** One conversation, also when two senders ask for it at once. */
  #begin() {
    if (this.identity) return null;
    this.beginning ??= (async () => {
      const { id, token } = await call("POST", API, { lang: this.lang, page: this.page });
      this.identity = { id, token, lang: this.lang };
      kept.set("conversation", this.identity);
    })().finally(() => { this.beginning = null; });
    return this.beginning;
  }

  async #ask(method, path, body) {
    const { id, token } = this.identity;
    try {
      return await call(method, `${API}/${encodeURIComponent(id)}${path}`, body, token);
    } catch (error) {
      if (error.gone && this.identity?.id === id) {
        kept.drop("conversation");
        kept.drop(`conversation.${this.lang}`);
        this.#reset(null);
      }
      throw error;
    }
  }

  #reset(identity) {
    this.identity = identity;
    this.last = 0;
    this.person = false;
    this.listen.forgotten();
  }

  #schedule() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    const waiting = this.outbox.length > 0;
    if (!waiting && !this.identity) return;
    if (!waiting && !this.shown && !this.person) return;
    let pause = this.person ? (this.shown ? PERSON_MS : CLOSED_PANEL_MS) : BOT_MS;
    if (this.failures) pause = Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** this.failures * (0.75 + Math.random() / 2));
    this.timer = setTimeout(() => this.wake(), Math.max(pause, this.pause ?? 0));
    this.pause = 0;
  }
}

// Two tabs share one outbox; only one of them empties it at a time. Without locks (plain http, or a browser that
// refuses them to a frame of another site) both may send a message, and the server stores it once all the same.
async function oneTab(work) {
  let begun = false;
  const once = () => {
    begun = true;
    return work();
  };
  try {
    return await navigator.locks.request("botkit.outbox", once);
  } catch (error) {
    if (begun) throw error;
    return work();
  }
}

async function call(method, path, body, token) {
  const response = await fetch(path, {
    method,
    cache: "no-store",
    credentials: "omit",
    headers: {
      Accept: "application/json",
      ...(body ? { "Content-Type": "application/json" } : {}),
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { status } = response;
  const gone = Boolean(token) && [401, 403, 404].includes(status);
  throw Object.assign(new Error(answer.error?.message || `HTTP ${status}`), {
    status,
    gone,
    final: status >= 400 && status < 500 && ![408, 425, 429].includes(status) && !gone,
    retryAfter: 1_000 * (Number(response.headers.get("Retry-After")) || 0),
  });
}

// crypto.randomUUID exists only on https and localhost; a shop may be tried out over plain http.
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
