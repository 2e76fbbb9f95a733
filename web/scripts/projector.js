// The projector: the code, its QR and the count, to be read from the last row.

import { Connection, LIVE } from "./connection.js";
import { ask, drawn } from "./rest.js";
import { counted, readData } from "./words.js";

const HIDES_CURSOR = 3000;

class Projector extends HTMLElement {
  connectedCallback() {
    Object.assign(this, readData("projector-data")); // session, words, code, serverTime
    this.marks = new Map();
    this.connection = new Connection({ session: this.session });
    this.connection.offset = Date.parse(this.serverTime) - Date.now();
    if (this.code) this._showCode(this.code); // it is there before the connection is
    this.connection.addEventListener("message", ({ detail }) => this._hear(detail));
    this.connection.addEventListener("state", () => this._state());
    this.connection.start();
    document.addEventListener("keydown", ({ key }) => key.toLowerCase() === "f" && this._full());
    const full = this.querySelector(".projector-full");
    full.addEventListener("click", () => this._full());
    full.hidden = !document.documentElement.requestFullscreen; // Safari has it since 16.4
    document.addEventListener("visibilitychange", () => this._awake());
    document.addEventListener("mousemove", () => this._moved());
    this._moved();
    this.querySelector(".projector-sleeps").hidden = Boolean(navigator.wakeLock); // there by HTTPS alone
    this._awake();
    setInterval(() => this._tick(), 250);
  }

  _hear({ event, data }) {
    if (event === "STATE") {
      this.size = data.roster.length;
      this.marks.clear();
      this._take(data.marks);
      this._isOpen(data.checkIn);
      if (data.state !== "open") this._over();
    } else if (event === "MARKS") this._take(data.marks);
    else if (event === "CHECK_IN") {
      this.shown = ""; // its code may be another one from now on
      this._isOpen(data.checkIn);
    } else if (event === "CODE") this._code(data.code);
    else if (event === "ENDED") this._over();
  }

  _take(marks) {
    for (const { studentId, status } of marks) this.marks.set(studentId, status);
    const isIn = [...this.marks.values()].filter((status) => status === "present" || status === "late").length;
    this.querySelector(".projector-count").textContent = counted(this.words.isIn, isIn, this.size);
  }

  _isOpen(checkIn) {
    this.open = Boolean(checkIn);
    this.classList.toggle("is-open", this.open);
    if (this.open) this._code();
    else this._hide(this.words.closed);
  }

  /** Fetches the code that is good now, with its QR, unless that is shown already. `code`: what it is, where that is known. */
  async _code(code = this._isGood() && this.shown) {
    if (!this.open || this.asking || (code && code === this.shown)) return;
    this.asking = true;
    try {
      const token = await this.connection.authorization();
      this._showCode(await ask("GET", `/sessions/${this.session}/check-in/code`, { token }));
    } catch (error) {
      if (error.code) this._hide(error.message);
    } finally {
      this.asking = false;
    }
  }

  _showCode({ code, validUntil, qr }) {
    this.shown = code;
    this.until = Date.parse(validUntil); // not a number for a code that nothing ends
    this.length = Math.max(1000, this.until - this.connection.now());
    this.querySelector(".projector-code").textContent = code.replace(/(\d{3})(?=\d)/, "$1\u2009");
    this.querySelector(".projector-qr").replaceChildren(drawn(qr));
    this._say("");
    this.classList.add("has-code");
  }

  /** Whether there is a code, and it has not ended. */
  _isGood() {
    return Boolean(this.shown) && !(this.until <= this.connection.now());
  }

  _hide(words) {
    this.classList.remove("has-code");
    this.until = 0;
    this.shown = "";
    this._say(words);
  }

  _tick() {
    if (!this.until) return;
    const left = this.until - this.connection.now();
    const ring = this.querySelector(".projector-ring circle:last-child");
    ring.style.strokeDashoffset = String(100 - Math.max(0, Math.min(100, (100 * left) / this.length)));
    if (left > 0) return;
    // A code that is no longer good is not shown, whatever became of the network.
    if (this.connection.state === LIVE) this._code();
    if (left < -5000) this._hide(this.words.noConnection);
  }

  _state() {
    if (this.connection.state === LIVE) this._code();
    else if (!this._isGood()) this._say(this.words.noConnection);
  }

  _over() {
    this.open = false;
    this._hide(this.words.over);
  }

  _say(words) {
    this.querySelector(".projector-says").textContent = words;
  }

  _full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.();
  }

  _moved() {
    this.classList.remove("no-cursor");
    clearTimeout(this.still);
    this.still = setTimeout(() => this.classList.add("no-cursor"), HIDES_CURSOR);
  }

  async _awake() {
    try {
      if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
    } catch {
      // A device that saves energy may say no.
    }
  }
}

customElements.define("attendance-projector", Projector);
