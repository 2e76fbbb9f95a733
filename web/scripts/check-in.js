// The phone: what a QR opened, or a code that was typed, becomes "you are in". It keeps trying while there is no network.

import { pageToken, SignedOut } from "./asking.js";
import { keep, kept } from "./kept.js";
import { ask, placeOf, Refused, serverNow } from "./rest.js";
import { counted, readData, timeOf } from "./words.js";

const KEPT = "attendance claim";
const KEPT_FOR = 60 * 60 * 1000; // ms, by the device's clock alone; the server says how long a claim is good
const FIRST_PAUSE = 1000, LONGEST_PAUSE = 10000;

class CheckIn extends HTMLElement {
  connectedCallback() {
    Object.assign(this, readData("check-in-data")); // claim, refused, isSignedIn, signIn, words, places, refusals
    this.says = this.querySelector(".check-in-says");
    this.form = this.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this._typed(this.form.elements.code.value);
    });
    this.querySelector(".check-in-place").addEventListener("click", () => this._withPlace());
    history.replaceState(null, "", "/app/check-in/"); // no code stays in the address
    if (this.refused) this._refused({ message: this.refused });
    else {
      if (this.claim) keep(KEPT, { ...this.claim, since: Date.now() });
      this._goOn();
    }
  }

  _goOn() {
    let claim = this.claim ?? kept(KEPT);
    if (claim?.since < Date.now() - KEPT_FOR) claim = null;
    if (!claim) {
      this.form.hidden = !this.isSignedIn;
      if (!this.isSignedIn) location.replace(this.signIn);
      else this.form.elements.code.focus();
      return;
    }
    this.querySelector(".check-in-class").textContent = claim.className;
    if (this.isSignedIn) this._send({ claim: claim.claim });
    else this._signIn(claim);
  }

  _signIn(claim) {
    this._say(counted(this.words.signIn, timeOf(claim.expiresAt)));
    const link = this.querySelector(".check-in-sign-in");
    link.hidden = false;
    link.focus();
  }

  _typed(text) {
    const code = text.replace(/[^0-9]/g, "");
    if (code.length === 6) this._send({ code });
    else this._say(this.words.sixDigits, true);
  }

  async _withPlace() {
    this._say(this.words.finding);
    try {
      this._send({ ...this.sent, place: await placeOf() });
    } catch (error) {
      this._say(this.places[error.code], true);
    }
  }

  async _send(body) {
    this.sent = body;
    this._say(this.words.wait);
    const done = await this._until(async () => ask("POST", "/check-in", { token: (await pageToken()).token, body }));
    if (done) this._isIn(done);
  }

  /** Tries until the server has answered; null for a no. */
  async _until(attempt) {
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof SignedOut) {
          location.replace(this.signIn); // the claim is kept meanwhile
          return null;
        }
        if (error instanceof Refused && !error.passes) {
          this._refused(error);
          return null;
        }
        this._say(this.words.keepsTrying);
        await new Promise((go) => {
          const timer = setTimeout(go, pause / 2 + (Math.random() * pause) / 2);
          addEventListener("online", () => (clearTimeout(timer), go()), { once: true });
        });
      }
    }
  }

  _refused(error) {
    const needsPlace = error.code === "place_missing" || error.code === "place_vague";
    const cannotSay = needsPlace && !isSecureContext; // no use in asking for a place then
    this._say(cannotSay ? this.places.insecure : (this.refusals[error.code] ?? error.message), !needsPlace || cannotSay);
    this.querySelector(".check-in-place").hidden = !needsPlace || cannotSay;
    if (needsPlace) return;
    keep(KEPT, null);
    this.form.hidden = !this.isSignedIn;
  }

  _isIn({ status, flags }) {
    keep(KEPT, null);
    const shown = this.querySelector(`template[data-status="${status}"]`).content.cloneNode(true);
    this.querySelector(".check-in-done").replaceChildren(shown);
    this.form.hidden = true;
    this.querySelector(".check-in-place").hidden = true;
    this._say(counted(this.words.isIn, timeOf(serverNow())) + (flags?.length ? ` ${this.words.flagged}` : ""));
    this.classList.add("is-in");
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(100); // refused on a page that nobody has tapped
  }

  _say(words, isProblem = false) {
    this.says.textContent = words;
    this.says.classList.toggle("is-problem", isProblem);
  }
}

customElements.define("attendance-check-in", CheckIn);
