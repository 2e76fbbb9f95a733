// The board's part for self check-in: the teacher opens and closes it, and decides about what looks wrong.

import { ask, placeOf, Refused } from "./rest.js";

export class CheckInPanel {
  constructor(board) {
    this.board = board;
    this.dialog = board.querySelector("#check-in");
    this.form = this.dialog.querySelector("form");
    this.list = board.querySelector(".flags");
    this.flags = new Map();
    board.querySelector(".check-in-open").addEventListener("click", () => this.dialog.showModal());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this._set(event.submitter?.value);
    });
    this.list.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this._decide(button.closest("li").dataset.flag, button.value === "confirm");
    });
  }

  hear({ event, data }) {
    if (event === "STATE") {
      this.flags = new Map();
      for (const flag of data.flags ?? []) this._take(flag);
      this._show(data.checkIn);
    } else if (event === "CHECK_IN") this._show(data.checkIn);
    else if (event === "FLAG") {
      this._take(data.flag);
      this._list();
    }
  }

  /** A flag that nobody has decided about waits on the board. */
  _take(flag) {
    if (flag.state === "open") this.flags.set(flag._id, flag);
    else this.flags.delete(flag._id);
  }

  _show(checkIn) {
    this.board.classList.toggle("has-check-in", Boolean(checkIn));
    for (const element of this.board.querySelectorAll("[data-open]")) element.hidden = !checkIn;
    for (const element of this.board.querySelectorAll("[data-closed]")) element.hidden = Boolean(checkIn);
    if (checkIn) this._fill(checkIn);
    this._list();
  }

  /** The dialog shows the check-in that is open, so that a change of one thing changes no other. */
  _fill(checkIn) {
    const { range, networks } = this.form.elements;
    for (const name of ["mode", "outside", "sameDevice"]) this.form.elements[name].value = checkIn[name];
    if (networks) networks.checked = checkIn.networks;
    const now = range.querySelector("[value=now]");
    now.hidden = now.disabled = !checkIn.place;
    range.value = checkIn.place ? "now" : "";
    this.now = { place: checkIn.place, range: checkIn.range };
  }

  _list() {
    this.list.hidden = !this.flags.size;
    this.list.replaceChildren(...[...this.flags.values()].map((flag) => this._line(flag)));
  }

  _line(flag) {
    const line = this.board.querySelector("#flag").content.cloneNode(true).firstElementChild;
    line.dataset.flag = flag._id;
    line.querySelector("bdi").textContent = this.board.tiles.get(flag.studentId)?.name ?? "";
    line.querySelector(".flag-why").textContent = this.board.flagWords[flag.kind] ?? "";
    return line;
  }

  async _set(action) {
    const path = `/sessions/${this.board.session}/check-in`;
    try {
      if (action === "close") await this._ask("DELETE", path);
      else await this._ask("PUT", path, await this._settings());
      this.dialog.close();
    } catch (error) {
      this.dialog.querySelector(".problem").textContent = this._said(error);
    }
  }

  async _settings() {
    const fields = new FormData(this.form);
    const settings = Object.fromEntries(["mode", "outside", "sameDevice"].map((name) => [name, fields.get(name)]));
    if (this.form.elements.networks) settings.networks = fields.has("networks");
    const range = fields.get("range");
    if (range === "usual") return settings; // as the class's settings say
    if (range === "now") return { ...settings, ...this.now };
    return { ...settings, range: Number(range) || null, place: range ? await placeOf() : null };
  }

  async _decide(id, confirm) {
    try {
      await this._ask("POST", `/sessions/${this.board.session}/flags/${id}`, { confirm });
      this.flags.delete(id);
      this._list();
    } catch (error) {
      this.board.say(this._said(error));
    }
  }

  async _ask(method, path, body) {
    return ask(method, path, { token: await this.board.connection.authorization(), body });
  }

  _said(error) {
    if (error instanceof Refused) return this.board.refusals[error.code] ?? error.message;
    return this.board.places[error.code] ?? this.board.words.notNow;
  }
}
