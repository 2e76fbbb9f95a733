// The board: who is there, marked by a tap or a key. Its state is in one place, and the page is written from it.

import { Connection, LIVE, OFFLINE, SIGNED_OUT } from "./connection.js";
import { CheckInPanel } from "./check-in-panel.js";
import { counted, readData, timeOf } from "./words.js";

const NOTHING = "unmarked";
const LONG_PRESS = 500; // ms
const SETTLE_LIMIT = 3000; // ms; a network that takes longer to answer is told to the teacher
const OVER = ["no_active_session", "session_not_found", "teachers_only"]; // what a board is refused that has had its day

/** Writes only what is new: whoever hears the page is told it again otherwise, and the browser draws it again. */
function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

class Board extends HTMLElement {
  connectedCallback() {
    Object.assign(this, readData("board-data")); // session, order, keys, statuses, methods, words, refusals
    this.marks = new Map(); // student → what the server has: {status, seq, by, at, note}
    this.tiles = new Map(); // student → the parts of their tile
    this.pending = new Map(); // student → their last mark that is on its way
    this.changed = new Set(); // students whose tiles are to be painted
    this.tooLate = []; // marks that came after the lesson had ended
    this.says = this.querySelector(".board-says");
    this.stateLine = this.querySelector(".board-state");
    this.isIn = this.querySelector(".board-in");
    // Looked up once: to search a board of hundreds of tiles takes longer than to paint one of them.
    this.chips = new Map();
    this.numbers = new Map();
    for (const status of [...Object.keys(this.statuses), NOTHING]) {
      this.chips.set(status, this.querySelector(`template[data-status="${status}"]`).content.firstElementChild);
      this.numbers.set(status, this.querySelector(`.counts .status-${status} b`));
    }
    this.dialog = this.querySelector("#about-student");
    this.farewell = this.querySelector("#too-late");
    for (const element of this.querySelectorAll(".tile")) this._adopt(element);
    this.panel = new CheckInPanel(this);
    this.connection = new Connection({ session: this.session });
    this.connection.addEventListener("message", ({ detail }) => this._hear(detail));
    this.connection.addEventListener("state", () => this._showState());
    this.connection.addEventListener("waiting", () => this._waits());
    this.connection.addEventListener("refused", ({ detail }) => this._refused(detail));
    this._listen();
    this._waits();
    this._showState();
    this.classList.add("is-live");
    for (const element of this.querySelectorAll("[data-live]")) element.hidden = false;
    this.connection.start();
    setInterval(() => this._showState(), 10000);
  }

  /** Takes over a tile that the server has drawn. */
  _adopt(element) {
    const id = element.dataset.student;
    const status = element.dataset.status || null;
    if (status) this.marks.set(id, { status, seq: 0 });
    this.tiles.set(id, {
      element,
      name: element.querySelector(".tile-name bdi").textContent,
      main: element.querySelector(".tile-main"),
      chip: element.querySelector(".status"),
      how: element.querySelector(".tile-how"),
      choices: element.querySelectorAll("[data-mark]"),
      shown: status ?? NOTHING,
      told: "",
      isWaiting: false,
    });
    const { main } = this.tiles.get(id);
    this.current ??= main; // the one tile in the order of the Tab key
    main.tabIndex = main === this.current ? 0 : -1;
  }

  // What the server says

  _hear({ event, data }) {
    if (data.session && data.session !== this.session) return;
    this.panel.hear({ event, data });
    if (event === "STATE") this._take(data);
    else if (event === "MARKS") this._takeMarks(data.marks);
    else if (event === "ROSTER") this._reload();
    else if (event === "ENDED") this._over();
  }

  _take({ state, roster, marks }) {
    if (state !== "open") return this._over();
    const known = new Set(this.tiles.keys());
    if (roster.length !== known.size || roster.some(({ _id }) => !known.has(_id))) {
      this._reload();
      return;
    }
    this.marks.clear();
    this._takeMarks(marks);
    for (const id of known) this._change(id);
  }

  _takeMarks(marks) {
    for (const mark of marks) {
      const before = this.marks.get(mark.studentId);
      if (before?.seq >= mark.seq) continue;
      this.marks.set(mark.studentId, mark);
      this._change(mark.studentId);
    }
  }

  /** The list of students or the lesson's end: the server draws the page anew. Marks that wait are kept. */
  _reload() {
    if (!this.leaving) this.connection.reload();
    this.leaving = true;
  }

  /** No mark is taken any more. What the server shows instead takes the board's place, once the marks that came too late
   * are known and read. */
  _over() {
    this.isOver = true;
    if (this.connection.waiting.length || this.farewell.open) return;
    if (!this.tooLate.length) return this._reload();
    const lines = this.tooLate.map(({ studentId, status }) => {
      const line = document.createElement("li");
      line.textContent = `${this.tiles.get(studentId)?.name ?? ""}: ${this.statuses[status]}`;
      return line;
    });
    this.farewell.querySelector("ul").replaceChildren(...lines);
    this.farewell.showModal();
  }

  // What is shown

  _change(id) {
    if (!this.changed.size) requestAnimationFrame(() => this._paint());
    this.changed.add(id);
  }

  _waits() {
    const before = this.pending;
    this.pending = new Map(this.connection.waiting.map((mark) => [mark.studentId, mark]));
    for (const [id, mark] of before) if (this.pending.get(id) !== mark) this._change(id);
    for (const [id, mark] of this.pending) if (before.get(id) !== mark) this._change(id);
    this._showState();
    if (this.isOver) this._over();
  }

  _statusOf(id) {
    return this.pending.get(id)?.status ?? this.marks.get(id)?.status ?? null;
  }

  _paint() {
    for (const id of this.changed) this._paintTile(id, this.tiles.get(id));
    this.changed.clear();
    this._paintCounts();
  }

  _paintTile(id, tile) {
    if (!tile) return;
    const status = this._statusOf(id) ?? NOTHING;
    const isWaiting = this.pending.has(id);
    if (status !== tile.shown) {
      tile.element.classList.replace(`status-${tile.shown}`, `status-${status}`);
      const chip = document.importNode(this.chips.get(status), true);
      tile.chip.replaceWith(chip);
      tile.chip = chip;
      tile.shown = status;
      for (const button of tile.choices) {
        button.setAttribute("aria-pressed", button.dataset.mark === status);
      }
    }
    if (isWaiting !== tile.isWaiting) {
      tile.element.classList.toggle("is-waiting", isWaiting);
      tile.isWaiting = isWaiting;
    }
    const mark = this.marks.get(id);
    const how = isWaiting ? this.words.onItsWay : mark?.status && mark.at ? `${timeOf(mark.at)} ${this.methods[mark.method] ?? ""}` : "";
    if (tile.told !== how) tile.how.textContent = tile.told = how;
    tile.element.classList.toggle("has-note", Boolean(mark?.note));
  }

  _paintCounts() {
    const counts = Object.fromEntries([...Object.keys(this.statuses), NOTHING].map((status) => [status, 0]));
    for (const id of this.tiles.keys()) counts[this._statusOf(id) ?? NOTHING]++;
    for (const [status, place] of this.numbers) write(place, String(counts[status]));
    this.unmarked = counts[NOTHING];
    write(this.isIn, counted(this.words.isIn, counts.present + counts.late, this.tiles.size));
  }

  _showState() {
    const { state } = this.connection;
    this.stateLine.classList.toggle("live", state === LIVE);
    this.stateLine.classList.toggle("is-offline", state === OFFLINE || state === SIGNED_OUT);
    write(this.stateLine, this._wordsOf(state));
  }

  _wordsOf(state) {
    const { waiting, since } = this.connection;
    const kept = waiting.length ? counted(this.words.waiting, waiting.length) : "";
    if (state === LIVE) return kept || this.words.live;
    if (state === OFFLINE) return `${counted(this.words.offline, timeOf(since))} ${kept}`.trim();
    return state === SIGNED_OUT ? this.words.signedOut : this.words.catchingUp;
  }

  _refused({ error, mark }) {
    const name = mark ? this.tiles.get(mark.studentId)?.name : "";
    this.say(`${name ? `${name}: ` : ""}${this.refusals[error.code] ?? error.message}`);
    if (mark) this._change(mark.studentId);
    if (!OVER.includes(error.code)) return;
    if (mark) this.tooLate.push(mark);
    this._over();
  }

  /** Tells everybody, also who only hears the page. */
  say(words) {
    this.says.textContent = words;
    clearTimeout(this.silence);
    this.silence = setTimeout(() => (this.says.textContent = ""), 8000);
  }

  // What the teacher does

  mark(id, status, note) {
    this.connection.mark(id, status, note);
    this._change(id);
    this.say(`${this.tiles.get(id).name}: ${this.statuses[status]}`);
  }

  /** The status after the present one, in the class's order. */
  _next(id) {
    return this.order[(this.order.indexOf(this._statusOf(id)) + 1) % this.order.length];
  }

  _listen() {
    this.addEventListener("click", (event) => this._click(event));
    this.addEventListener("contextmenu", (event) => {
      const tile = event.target.closest(".tile");
      if (tile) {
        event.preventDefault();
        this._about(tile.dataset.student);
      }
    });
    this._listenToLongPresses();
    this.farewell.addEventListener("close", () => this._reload());
    for (const button of this.querySelectorAll("[data-close]")) {
      button.addEventListener("click", () => button.closest("dialog").close());
    }
    this.addEventListener("submit", (event) => this._submit(event));
    document.addEventListener("keydown", (event) => this._key(event));
    this.querySelector(".board-find").addEventListener("input", ({ target }) => this._find(target.value));
    this.querySelector(".board-look").addEventListener("click", ({ currentTarget }) => {
      const rows = this.classList.toggle("as-rows");
      currentTarget.setAttribute("aria-pressed", rows);
      try {
        localStorage.setItem("attendance board", rows ? "rows" : "tiles");
      } catch {
        // Without storage the look is chosen anew each time.
      }
    });
    try {
      if (localStorage.getItem("attendance board") === "rows") this.querySelector(".board-look").click();
    } catch {
      // as above
    }
  }

  /** An iPhone's long press is no click with the other button. */
  _listenToLongPresses() {
    const forget = () => clearTimeout(this.pressing);
    this.addEventListener("touchstart", ({ target, touches }) => {
      forget();
      const tile = target.closest(".tile");
      if (tile && touches.length === 1) this.pressing = setTimeout(() => this._about(tile.dataset.student), LONG_PRESS);
    }, { passive: true });
    this.addEventListener("touchend", (event) => {
      forget();
      if (this.dialog.open && event.target.closest(".tile")) event.preventDefault(); // it is no tap as well
    });
    for (const other of ["touchmove", "touchcancel"]) this.addEventListener(other, forget, { passive: true });
  }

  _click(event) {
    const button = event.target.closest("button");
    const tile = button?.closest(".tile");
    if (!tile) return;
    event.preventDefault();
    const id = tile.dataset.student;
    if (button.dataset.mark) this.mark(id, button.dataset.mark);
    else if (button.classList.contains("tile-main")) this.mark(id, this._next(id));
    this._focus(tile.querySelector(".tile-main"), false);
  }

  async _submit(event) {
    const action = event.target.dataset.action;
    if (!action) return;
    event.preventDefault();
    const status = event.submitter?.value;
    try {
      if (action === "UNDO") {
        await this.connection.ask("UNDO");
      } else if (action === "REST") {
        event.target.closest("details").open = false;
        await this.connection.ask("REST", { status });
      } else if (action === "END") {
        await this._end();
      } else if (action === "NOTE") {
        const { student } = this.dialog.dataset;
        this.dialog.close();
        this.mark(student, status, new FormData(event.target).get("note").trim());
      }
    } catch (error) {
      this.say(this.refusals[error.code] ?? (error.message === OFFLINE ? this.words.notNow : error.message));
    }
  }

  /** The marks come first: one that was made a moment ago may be on its way. */
  async _end() {
    if (this.isEnding) return;
    this.isEnding = true;
    try {
      if (!(await this.connection.settled(SETTLE_LIMIT))) {
        return this.say(counted(this.words.waiting, this.connection.waiting.length));
      }
      if (!confirm(this.unmarked ? counted(this.words.endUnmarked, this.unmarked) : this.words.end)) return;
      await this.connection.ask("END", { unmarked: "absent" });
      this._reload();
    } finally {
      this.isEnding = false;
    }
  }

  /** The menu of a student: any status, with a note. */
  _about(id) {
    clearTimeout(this.pressing);
    if (this.dialog.open) return;
    const { name } = this.tiles.get(id);
    this.dialog.dataset.student = id;
    this.dialog.querySelector("h2").textContent = name;
    this.dialog.querySelector("input").value = this.marks.get(id)?.note ?? "";
    this.dialog.showModal();
  }

  _find(text) {
    const wanted = text.trim().toLocaleLowerCase();
    for (const { element } of this.tiles.values()) {
      element.hidden = !element.querySelector(".tile-name").textContent.toLocaleLowerCase().includes(wanted);
    }
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const tile = document.activeElement?.closest?.(".tile");
    const isTyping = document.activeElement?.matches?.("input, select, textarea");
    const key = event.key.toLowerCase();
    if (isTyping) {
      if (event.key === "Escape" || event.key === "Enter") {
        event.preventDefault();
        this._focus(this._visible()[0]);
      }
      return;
    }
    const status = this.keys[key];
    if (key === "/") this.querySelector(".board-find").focus();
    else if (key === "u") this.querySelector("[data-action=UNDO] button").click();
    else if (key === "?") this.querySelector("#keys").showModal();
    else if (tile && status) {
      this.mark(tile.dataset.student, status);
      this._move(tile, 1);
    } else if (tile && key === "n") this._about(tile.dataset.student);
    else if (key.startsWith("arrow")) this._arrow(tile, key);
    else return;
    event.preventDefault();
  }

  _arrow(tile, key) {
    const forward = document.dir === "rtl" ? "arrowleft" : "arrowright";
    const visible = this._visible();
    if (!tile) return this._focus(visible[0]);
    const top = visible[0]?.closest(".tile").offsetTop;
    const columns = visible.filter((main) => main.closest(".tile").offsetTop === top).length || 1;
    if (key === "arrowup" || key === "arrowdown") this._move(tile, key === "arrowdown" ? columns : -columns);
    else this._move(tile, key === forward ? 1 : -1);
  }

  _visible() {
    return [...this.tiles.values()].filter(({ element }) => !element.hidden).map(({ main }) => main);
  }

  _move(tile, steps) {
    const visible = this._visible();
    const at = visible.indexOf(tile.querySelector(".tile-main"));
    this._focus(visible[Math.max(0, Math.min(visible.length - 1, at + steps))]);
  }

  /** One tile is in the order of the Tab key; arrows go on from there. */
  _focus(main, moves = true) {
    if (!main) return;
    this.current.tabIndex = -1;
    main.tabIndex = 0;
    this.current = main;
    if (moves) main.focus();
  }
}

customElements.define("attendance-board", Board);
