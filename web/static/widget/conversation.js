// A customer's conversation with the server: the only file of the widget that speaks HTTP and the only one that
// keeps things between reloads. It knows nothing of the screen: it reports events, waiting messages and troubles.
//
// What is typed is written to localStorage before it is sent, with an id made here; it leaves that outbox when the
// server has acknowledged it. The server stores an id once, so sending again after a lost answer is always safe.
//
// While a person is wanted or in charge, a stream brings what happens as it happens; before it, and whenever it breaks
// or is refused, the same events are fetched after the last number seen. A hidden page has no stream: a browser keeps
// six connections to a server for all its tabs together, and a row of forgotten tabs would use them up.

const API = "/api/v1/conversations";
const PERSON_MS = 2_000;
const CLOSED_PANEL_MS = 6_000;
const BOT_MS = 20_000;
const LONGEST_PAUSE_MS = 30_000;
const SILENCE_MS = 40_000; // the server says something every 15 s
const TYPING_MS = 3_000; // the server believes it for 6 s
const SEEN_MS = 400;

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

/** A random key of this browser, by which the team sees that somebody comes again: it opens nothing. Where nothing may
    be kept there is none. */
function visitor() {
  try {
    if (!/^[\w-]{22,64}$/.test(kept.get("visitor"))) {
      const bytes = crypto.getRandomValues(new Uint8Array(18));
      kept.set("visitor", btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_"));
    }
    return storage.getItem("botkit.visitor") ? kept.get("visitor") : undefined;
  } catch {
    return undefined;
  }
}

function cookie(name) {
  const pair = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return pair ? decodeURIComponent(pair.slice(name.length + 1)) : null;
}

export class Conversation {
  /** `listen` has event(event), signals(signals), refused(message, text), trouble(name|null, until when), caughtUp(),
      forgotten(). */
  constructor({ lang, page, listen }) {
    this.lang = lang;
    this.page = page;
    this.listen = listen;
    this.last = 0;
    this.person = false;
    this.shown = true;
    this.failures = 0;
    this.live = null; // what ends the stream that is asked for or open
    this.following = false; // whether anything came over it: until then, and behind what holds it back, polling goes on
    this.streamless = 0; // until when not to ask for one
    this.held = null; // why nothing may be sent for a while, and until when
    this.arrived = { seq: 0, told: 0, read: 0 };
    this.typedAt = 0;
    this.identity = this.#resume();
    this.person = Boolean(this.identity?.person);
    addEventListener("online", () => this.wake());
    addEventListener("offline", () => {
      this.#hangUp();
      this.listen.trouble("offline");
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) return this.wake();
      this.#hangUp();
      return this.#schedule();
    });
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
    this.typedAt = 0; // a message ends it
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

  /** The customer is writing, or has stopped; told only while somebody might see it, and not for every key. */
  typing(on) {
    if (!this.person || !this.identity || (on ? Date.now() - this.typedAt < TYPING_MS : !this.typedAt)) return;
    this.typedAt = on ? Date.now() : 0;
    this.#ask("POST", "/typing", { on }).catch(() => {}); // the next key says it again
  }

  /** How a person's help was: a score of 1 to 5, and words if there are any. */
  async rate(score, comment) {
    const { id, token } = this.identity;
    await call("POST", `${API}/${encodeURIComponent(id)}/satisfaction`, { score, ...(comment ? { comment } : {}) }, token);
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
      const held = await this.flush().then(() => null, (error) => { // what is heard is heard all the same
        if (error.status !== 429) throw error;
        return error;
      });
      if (!this.following) await this.catchUp();
      this.failures = 0;
      this.listen.trouble(held && troubleOf(held), this.held?.until);
      this.#sawIt();
    } catch (error) {
      this.failures += 1;
      this.listen.trouble(troubleOf(error));
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
    if (this.held && Date.now() < this.held.until && this.outbox.length) throw this.held.error;
    this.held = null;
    let moved = false;
    for (let [message] = this.outbox; message; [message] = this.outbox) {
      try {
        await this.#begin();
        await this.#ask("POST", "/messages", message);
      } catch (error) {
        if (error.gone && !moved) { // the server forgot the conversation: the same message opens a new one
          moved = true;
          continue;
        }
        if (error.status === 429) this.held = { error, until: Date.now() + (error.retryAfter || LONGEST_PAUSE_MS) };
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
      const { events, last, signals, more } = await this.#ask("GET", `/events?after=${this.last}`);
      if (this.identity?.id !== id) continue;
      events.forEach((event) => this.#take(event));
      if (signals) this.listen.signals(signals);
      const before = this.last;
      this.last = Math.max(this.last, last ?? 0);
      if (!more || this.last === before) break;
    }
    this.listen.caughtUp();
  }

  // A stream and a fetch may bring the same: each is whole from its cursor on, so what has a higher number is next.
  #take(event) {
    if (event.seq <= this.last) return;
    this.last = event.seq;
    this.#fold(event);
    if (event.actor === "agent" && event.kind === "message") this.arrived.seq = event.seq;
    this.listen.event(event);
  }

  /** Follow the conversation until the line breaks, the server ends it or the page is hidden; then catch up. */
  async #stream() {
    const { id, token } = this.identity;
    const line = new AbortController();
    this.live = line;
    let silence = 0;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => line.abort(), SILENCE_MS);
    };
    heard();
    try {
      const response = await fetch(`${API}/${encodeURIComponent(id)}/events?after=${this.last}`, {
        cache: "no-store",
        credentials: "omit",
        headers: { Accept: "text/event-stream", Authorization: `Bearer ${token}` },
        signal: line.signal,
      });
      if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
        this.streamless = Date.now() + (1_000 * Number(response.headers.get("Retry-After")) || LONGEST_PAUSE_MS);
        line.abort();
        return;
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (let part = await reader.read(); !part.done && this.live === line; part = await reader.read()) {
        heard();
        this.following = true;
        const whole = (rest + part.value).split("\n\n");
        rest = whole.pop();
        whole.forEach((text) => this.#heard(text));
        this.listen.caughtUp();
        this.#sawIt();
        if (!this.person) break;
      }
    } catch { /* the line broke: what was missed is fetched */ } finally {
      clearTimeout(silence);
      line.abort();
      if (this.live === line) {
        this.live = null;
        this.following = false;
        this.listen.signals(null);
        // Not at once, and not all together, when a server that restarts has ended the streams of everybody.
        clearTimeout(this.timer);
        if (!document.hidden) this.timer = setTimeout(() => this.wake(), 200 + Math.random() * 800);
      }
    }
  }

  #heard(text) {
    const lines = text.split("\n");
    const data = lines.find((line) => line.startsWith("data: "));
    if (!data) return;
    const told = JSON.parse(data.slice(6));
    if (lines.includes("event: signals")) this.listen.signals(told);
    else this.#take(told);
  }

  #hangUp() {
    const line = this.live;
    this.live = null;
    this.following = false;
    line?.abort();
    if (line) this.listen.signals(null);
  }

  /** Tell, a moment later and once for many, how far a colleague's words have come: here, or before somebody's eyes. */
  #sawIt() {
    const read = this.shown && !document.hidden;
    const { seq, told, read: before } = this.arrived;
    if (!this.person || seq <= (read ? before : told)) return;
    clearTimeout(this.telling);
    this.telling = setTimeout(async () => {
      try {
        await this.#ask("POST", "/seen", { seq, read });
        this.arrived.told = seq;
        if (read) this.arrived.read = seq;
      } catch { /* the next event or wake says it again */ }
    }, SEEN_MS);
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
      const { id, token } = await call("POST", API, { lang: this.lang, page: this.page, visitor: visitor() });
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
    this.#hangUp();
    this.held = null;
    clearTimeout(this.telling);
    this.arrived = { seq: 0, told: 0, read: 0 };
    this.identity = identity;
    this.last = 0;
    this.person = false;
    this.listen.forgotten();
  }

  #schedule() {
    clearTimeout(this.timer);
    const waiting = this.outbox.length > 0;
    if (document.hidden && !this.person) return;
    if (!waiting && !this.identity) return;
    if (!waiting && !this.shown && !this.person) return;
    const follows = this.person && this.identity && !document.hidden && !this.failures && Date.now() >= this.streamless;
    if (follows && !this.live) this.#stream();
    let pause = this.person && !this.following && !document.hidden ? (this.shown ? PERSON_MS : CLOSED_PANEL_MS) : BOT_MS;
    if (this.failures) pause = Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** this.failures * (0.75 + Math.random() / 2));
    if (this.held && waiting) pause = Math.min(pause, Math.max(0, this.held.until - Date.now()) + 250);
    this.timer = setTimeout(() => this.wake(), Math.max(pause, this.pause ?? 0));
    this.pause = 0;
  }
}

/** What a failure is called in the catalogue. */
export function troubleOf({ status, code }) {
  if (status === 429) return code === "too_much" ? "full" : "busy";
  return navigator.onLine === false ? "offline" : "unreachable";
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
    code: answer.error?.code,
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
