// A student's live classes: whether they are in, as soon as it is known; a lesson that begins brings its card.

import { Connection, LIVE, OFFLINE, SIGNED_OUT } from "./connection.js";
import { counted, readData, timeOf } from "./words.js";

class Mine extends HTMLElement {
  connectedCallback() {
    Object.assign(this, readData("mine-data")); // classes, me, words
    this.connection = new Connection({ classes: this.classes });
    this.connection.addEventListener("message", ({ detail }) => this._hear(detail));
    this.connection.addEventListener("state", () => this._showState(this.connection));
    this.connection.start();
  }

  _hear({ event, data }) {
    const card = this.querySelector(`[data-session="${data.session}"]`);
    const isOpen = event === "STARTED" || event === "REOPENED" || (event === "STATE" && data.state === "open");
    if (isOpen && !card) this._reload();
    else if (event === "ENDED" && card) this._reload();
    else if ((event === "STATE" || event === "MARKS") && card) this._take(card, data.marks);
  }

  _take(card, marks) {
    const own = marks.filter(({ studentId }) => studentId === this.me).pop();
    if (!own) return;
    const template = this.querySelector(`template[data-status="${own.status ?? "unmarked"}"]`);
    card.querySelector(".status").replaceWith(template.content.cloneNode(true).firstElementChild);
    card.querySelector(".mine-at").textContent = own.status ? timeOf(own.at) : "";
  }

  _showState({ state, since }) {
    const words = {
      [LIVE]: "",
      [OFFLINE]: counted(this.words.offline, timeOf(since)),
      [SIGNED_OUT]: this.words.signedOut,
    };
    this.querySelector(".mine-state").textContent = words[state] ?? this.words.catchingUp;
  }

  _reload() {
    if (!this.leaving) location.reload();
    this.leaving = true;
  }
}

customElements.define("attendance-mine", Mine);
