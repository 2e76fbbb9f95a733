// The one connection of a live page with the server: /ws/v2 with a short token, catching up by seq, and a queue of what is
// not answered yet. Views are told by events: "state", "message", "waiting", "refused".

import { pageToken, SignedOut } from "./asking.js";
import { keep, kept } from "./kept.js";

const FIRST_PAUSE = 500; // ms before the second attempt; each further one waits up to twice as long
const LONGEST_PAUSE = 15000;
const PING_EVERY = 15000;
const PING_LIMIT = 10000; // a link that does not answer for so long is dead, whatever the browser says
const RENEW_BEFORE = 60000;
const RESTART = 1012;
const UNAUTHORIZED = 4401;

export const LIVE = "live";
export const CATCHING_UP = "catching up";
export const OFFLINE = "offline";
export const SIGNED_OUT = "signed out";

/** A name for a mark that no other mark has. Plain HTTP has no crypto.randomUUID. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Has the browser ask whether the page may be left. */
function askFirst(event) {
  event.preventDefault();
  event.returnValue = ""; // what Chrome before 119 looks at
}

export class Connection extends EventTarget {
  /** Follows the session of this id, or all of these classes; marks and questions are of the session. */
  constructor({ session, classes = [] }) {
    super();
    this.session = session;
    this.follows = session ? [{ session }] : classes.map((id) => ({ class: id }));
    this.seq = -1; // the last mark of the session that is known here
    this.state = CATCHING_UP;
    this.isReady = false; // whether the socket has caught up, so that what is sent comes in its order
    this.since = Date.now();
    this.offset = 0; // the server's clock minus this device's, ms; the device's clock may be wrong by hours
    this.attempts = 0;
    this.number = 0;
    this.token = null;
    this.asked = new Map(); // id → what was asked on this socket
    this.kept = `attendance marks ${document.documentElement.dataset.person} ${session}`;
    this.queue = new Map((kept(this.kept) ?? []).map((mark) => [mark.key, mark])); // marks that are not answered, by key
    this._keep();
    this._listen();
  }

  start() {
    this._connect();
  }

  /** The server's time now, ms. */
  now() {
    return Date.now() + this.offset;
  }

  get waiting() {
    return [...this.queue.values()];
  }

  /** Marks a student: the mark waits here until the server has answered that it is on the disk. */
  mark(studentId, status, note) {
    const mark = { key: newKey(), studentId, status, at: this.now() };
    if (note) mark.note = note;
    this.queue.set(mark.key, mark);
    this._keep();
    this._tell("waiting");
    this._send(mark);
  }

  /** Waits for at most so many ms until all marks are answered; whether they are. */
  async settled(limit) {
    const until = Date.now() + limit;
    while (this.isReady && this.queue.size && Date.now() < until) {
      await new Promise((done) => {
        this.addEventListener("waiting", done, { once: true });
        setTimeout(done, until - Date.now());
      });
    }
    return !this.queue.size;
  }

  /** Asks for something that is not kept: it is refused at once where the server cannot be reached. */
  ask(event, data = {}) {
    if (!this.isReady) return Promise.reject(new Error(OFFLINE));
    return new Promise((done, failed) => {
      const id = ++this.number;
      this.asked.set(id, { done, failed });
      this.socket.send(JSON.stringify({ event, data: { session: this.session, ...data }, id }));
    });
  }

  /** Loads the page again, which finds the marks that wait. */
  reload() {
    removeEventListener("beforeunload", askFirst);
    location.reload();
  }

  // The socket

  async _connect() {
    if (this.connecting || this.hidden) return;
    this.connecting = true;
    clearTimeout(this.timer);
    try {
      const token = await this.authorization();
      const origin = location.origin.replace(/^http/, "ws");
      const socket = new WebSocket(`${origin}/ws/v2?token=${encodeURIComponent(token)}`);
      this.socket = socket;
      socket.onopen = () => this._follow();
      socket.onmessage = (event) => socket === this.socket && this._receive(JSON.parse(event.data));
      socket.onclose = (event) => socket === this.socket && this._closed(event.code);
    } catch (failure) {
      if (this.state !== SIGNED_OUT) this._closed(0);
    } finally {
      this.connecting = false;
    }
  }

  /** The token of this page, a new one where the old one ends soon. */
  async authorization() {
    if (this.token && this.token.until - this.now() > RENEW_BEFORE) return this.token.token;
    const made = await pageToken().catch((failure) => {
      if (failure instanceof SignedOut) this._become(SIGNED_OUT);
      throw failure;
    });
    this.offset = Date.parse(made.serverTime) - Date.now();
    this.token = { token: made.token, until: Date.parse(made.expiresAt) };
    return this.token.token;
  }

  _follow() {
    let open = this.follows.length;
    for (const one of this.follows) {
      const data = this.session && this.seq >= 0 ? { ...one, since: this.seq } : one;
      const id = ++this.number;
      const done = () => --open === 0 && this._caughtUp();
      const failed = (error) => {
        this._tell("refused", { error });
        if (!this.session) return done(); // the other classes go on
        this._drop();
        this._closed(0); // it may be another answer in a while
      };
      this.asked.set(id, { kept: true, done, failed });
      this.socket.send(JSON.stringify({ event: "FOLLOW", data, id }));
    }
    this._ping();
  }

  _caughtUp() {
    this.attempts = 0;
    this.isReady = true;
    this._become(LIVE);
    for (const mark of this.queue.values()) this._send(mark); // the keys make a mark that had arrived harmless
    clearTimeout(this.renewal);
    this.renewal = setTimeout(() => this._renew(), Math.max(0, this.token.until - this.now() - RENEW_BEFORE));
  }

  /** Goes over to a socket with a new token before the old one ends. */
  _renew() {
    this._drop();
    this._connect();
  }

  _receive({ event, id, data }) {
    this.heard = Date.now();
    if (event === "OK" || event === "ERROR") {
      const asked = this.asked.get(id);
      this.asked.delete(id);
      if (event === "OK") asked?.done(data);
      else asked?.failed(data);
      return;
    }
    if (event === "HELLO" || event === "PONG") {
      if (data?.serverTime) this.offset = Date.parse(data.serverTime) - Date.now();
      return;
    }
    if (typeof data?.seq === "number" && (event === "STATE" || event === "MARKS")) this.seq = data.seq;
    this._tell("message", { event, data });
  }

  _send(mark) {
    if (!this.isReady) return;
    const id = ++this.number;
    const { key, studentId, status, note, at } = mark;
    const sent = { key, studentId, status };
    if (note) sent.note = note;
    // A mark that had to wait says when it was made; the server's own time is better where it did not.
    if (this.now() - at > 2000) sent.at = new Date(Math.min(at, this.now())).toISOString();
    this.asked.set(id, {
      kept: true,
      done: () => this._answered(mark),
      failed: (error) => {
        if (error.code === "time_outside_lesson" && sent.at) {
          mark.at = this.now();
          this._send(mark);
          return;
        }
        this._tell("refused", { error, mark });
        this._answered(mark);
      },
    });
    this.socket.send(JSON.stringify({ event: "MARK", data: { session: this.session, marks: [sent] }, id }));
  }

  _answered(mark) {
    this.queue.delete(mark.key);
    this._keep();
    this._tell("waiting");
  }

  _closed(code) {
    clearTimeout(this.pinging);
    clearTimeout(this.renewal);
    this.socket = null;
    this.isReady = false;
    this._failWhatWasAsked();
    if (this.state === SIGNED_OUT || this.hidden) return;
    if (code === UNAUTHORIZED) this.token = null;
    if (this.state !== OFFLINE) this.since = Date.now();
    this._become(this.attempts ? OFFLINE : CATCHING_UP);
    // After a restart everybody comes back at once, so everybody waits for another while.
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.attempts++);
    const pause = code === RESTART ? 300 + Math.random() * 1700 : longest / 2 + (Math.random() * longest) / 2;
    this.timer = setTimeout(() => this._connect(), pause);
  }

  /** Nobody answers any more what was asked on a socket that is gone. Marks stay in the queue. */
  _failWhatWasAsked() {
    for (const { kept, failed } of this.asked.values()) if (!kept) failed(new Error(OFFLINE));
    this.asked.clear();
  }

  _drop() {
    const socket = this.socket;
    this.socket = null;
    this.isReady = false;
    clearTimeout(this.pinging);
    clearTimeout(this.timer);
    if (socket) {
      socket.onclose = socket.onmessage = null;
      socket.close();
    }
    this._failWhatWasAsked();
  }

  /** Asks whether the link is alive: a stalled network takes what is sent, and says nothing. */
  _ping() {
    clearTimeout(this.pinging);
    const asked = Date.now();
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ event: "PING", data: { t: asked } }));
    }
    this.pinging = setTimeout(() => {
      if (this.heard >= asked) {
        this.pinging = setTimeout(() => this._ping(), PING_EVERY - PING_LIMIT);
      } else {
        this._drop();
        this._closed(0);
      }
    }, PING_LIMIT);
  }

  /** The page is seen again after it was hidden, frozen, or in the cache: what it shows may be old. */
  _wake() {
    this.hidden = false;
    if (this.state === SIGNED_OUT) return;
    if (this.socket?.readyState === WebSocket.OPEN && this.token.until > this.now()) {
      this._follow();
    } else {
      this._drop();
      this.attempts = 0;
      this._connect();
    }
  }

  _listen() {
    addEventListener("pagehide", () => {
      this.hidden = true;
      this._drop();
    });
    addEventListener("pageshow", (event) => event.persisted && this._wake());
    addEventListener("online", () => this._wake());
    document.addEventListener("resume", () => this._wake());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this._wake());
  }

  /** The queue outlives a reload of the page, but not its tab: who closes that is asked first. */
  _keep() {
    keep(this.kept, this.queue.size ? this.waiting : null);
    if (this.queue.size) addEventListener("beforeunload", askFirst);
    else removeEventListener("beforeunload", askFirst);
  }

  _become(state) {
    if (state === this.state) return;
    this.state = state;
    if (state === SIGNED_OUT) removeEventListener("beforeunload", askFirst); // only another page signs in
    this._tell("state");
  }

  _tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
