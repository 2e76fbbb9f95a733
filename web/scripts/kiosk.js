// The device at the door: a scanner types a roll number or a card, and Enter. It holds a key for one session, and can read nothing.

import { pageToken, post, SignedOut } from "./asking.js";
import { keep, kept } from "./kept.js";
import { ask, Refused, serverNow } from "./rest.js";
import { counted, readData, timeOf } from "./words.js";

const SHOWN = 2000;
const TONES = { present: [880], late: [660], already: [740, 740], unknown: [220, 180] };

/** What may be seen of a code: a card's secret stands behind its #. */
const shown = (code) => (code.includes("#") ? "" : code);

class Kiosk extends HTMLElement {
  connectedCallback() {
    Object.assign(this, readData("kiosk-data")); // session, words, refusals, statuses
    this.input = this.querySelector("input[name=code]");
    this.says = this.querySelector(".kiosk-says");
    this.kept = `attendance kiosk ${this.session}`;
    this.waiting = [];
    this.names = new Set(); // who has come already, as far as this page knows
    this.key = kept(this.kept);
    this.querySelector(".kiosk-begin").addEventListener("click", () => this._begin());
    this.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const code = this.input.value.trim();
      this.input.value = "";
      if (code) this._take(code);
    });
    document.addEventListener("click", () => this.key && this.input.focus());
    this._show();
  }

  /** Takes the key, and signs the teacher out of this device: from now on it can do nothing but mark. */
  async _begin() {
    try {
      const { token } = await pageToken();
      const { key } = await ask("POST", `/sessions/${this.session}/kiosk`, { token });
      const left = await post("/app/sign-out", { redirect: "manual" });
      if (left.type !== "opaqueredirect") throw new Error(`not signed out: ${left.status}`);
      keep(this.kept, key); // not before: no device is at the door with its teacher signed in
      this.key = key;
      this._show();
    } catch (error) {
      if (error instanceof SignedOut) this._answer("unknown", this.refusals.unauthorized);
      else this._answer("unknown", error instanceof Refused ? error.message : this.words.noConnection);
    }
  }

  _show() {
    this.classList.toggle("is-running", Boolean(this.key));
    this.querySelector("form").hidden = !this.key;
    this.querySelector(".kiosk-start").hidden = Boolean(this.key);
    if (this.key) this.input.focus();
  }

  /** Each code in its turn, also while the network is away for a moment. */
  async _take(code) {
    this.waiting.push(code);
    if (this.waiting.length > 1) return;
    while (this.waiting.length) {
      await this._mark(this.waiting[0]);
      this.waiting.shift();
    }
  }

  async _mark(code) {
    for (;;) {
      try {
        const { name, status } = await ask("POST", "/kiosk/marks", { token: this.key, body: { code } });
        const already = this.names.has(code);
        this.names.add(code);
        const words = already ? this.words.already : counted(this.words.isIn, this.statuses[status], timeOf(serverNow()));
        this._answer(already ? "already" : status, words, name);
        return;
      } catch (error) {
        if (error instanceof Refused && !error.passes) {
          this._answer("unknown", this.refusals[error.code] ?? error.message, shown(code));
          if (error.code === "unauthorized" || error.code === "no_active_session") this._over();
          return;
        }
        this._answer("unknown", this.words.noConnection, shown(code));
        await new Promise((go) => setTimeout(go, SHOWN));
      }
    }
  }

  _over() {
    this.key = null;
    keep(this.kept, null);
    this._show();
  }

  _answer(kind, words, name = "") {
    this.dataset.kind = kind;
    this.querySelector(".kiosk-name").textContent = name;
    this.says.textContent = words;
    this._sound(TONES[kind] ?? TONES.present);
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      delete this.dataset.kind;
      this.querySelector(".kiosk-name").textContent = "";
      this.says.textContent = this.words.next;
    }, SHOWN);
  }

  _sound(tones) {
    try {
      this.audio ??= new AudioContext();
      tones.forEach((frequency, place) => {
        const tone = this.audio.createOscillator();
        tone.frequency.value = frequency;
        tone.connect(this.audio.destination);
        tone.start(this.audio.currentTime + place * 0.16);
        tone.stop(this.audio.currentTime + place * 0.16 + 0.12);
      });
    } catch {
      // Without sound the colour and the shape tell.
    }
  }
}

customElements.define("attendance-kiosk", Kiosk);
