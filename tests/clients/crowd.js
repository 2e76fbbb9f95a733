// Default clients (polling first, then the upgrade), all at once: how many connect, upgrade and stay.
// node tests/clients/crowd.js http://127.0.0.1:3000 20
import { io } from "socket.io-client";
import { LIMIT, connect, school, within } from "./driver.js";

const [url = "http://127.0.0.1:3000", count = "20"] = process.argv.slice(2);
const MARKS = 10;

const { teacher, students: [ravi, mia], start } = await school(url);
await start();
const chalk = await connect(url, { transports: ["websocket"], query: { token: teacher.token } });

class Client {
  connected = false;
  faults = [];
  heard = [];

  constructor(token) {
    this.socket = io(url, { forceNew: true, query: { token } });
    this.socket.on("connect_error", (error) => this.faults.push(`${error.message}: ${error.context?.responseText ?? ""}`));
    this.socket.on("disconnect", (reason) => this.faults.push(reason));
    this.socket.on("ATTENDANCE_MARKED", ({ studentId }) => {
      this.heard.push(studentId);
      if (this.heard.length === MARKS) this.heardAll();
    });
    this.all = new Promise((resolve) => {
      this.heardAll = resolve;
    });
  }

  // Resolves once it speaks over a WebSocket.
  async upgraded() {
    if (!this.socket.connected) await new Promise((resolve) => this.socket.once("connect", resolve));
    this.connected = true;
    const { engine } = this.socket.io;
    this.worker = engine.id.split(".")[0];
    if (engine.transport.name !== "websocket") await new Promise((resolve) => engine.once("upgrade", resolve));
  }

  // Resolves to whether it is told and asked as ever. Asked before it is told, its worker may not know of the marks yet.
  async serves(marks) {
    await this.all;
    const { status } = await this.socket.timeout(LIMIT).emitWithAck("CHECK_MY_STATUS");
    return status === "present" && JSON.stringify(this.heard) === JSON.stringify(marks);
  }
}

const clients = Array.from({ length: Number(count) }, (_, at) => new Client([ravi, mia][at % 2].token));
const settle = async (what, ask) => {
  const results = await Promise.allSettled(clients.map((client) => within(ask(client), what)));
  return results.map((result) => result.status === "fulfilled" && result.value !== false);
};
const upgraded = await settle("the upgrade", (client) => client.upgraded());
const marks = Array.from({ length: MARKS }, (_, at) => [ravi, mia][at % 2].id);
for (const studentId of marks) await chalk.call("MARK_ATTENDANCE", { studentId });
const served = await settle("a mark", (client) => client.serves(marks));

const number = (list) => list.filter(Boolean).length;
const workers = {};
for (const { worker } of clients) workers[worker] = (workers[worker] ?? 0) + 1;
console.log(
  JSON.stringify({
    connected: number(clients.map(({ connected }) => connected)),
    upgraded: number(upgraded),
    stayed: number(clients.map(({ faults }, at) => served[at] && faults.length === 0)),
    workers: Object.values(workers),
    faults: [...new Set(clients.flatMap(({ faults }) => faults))],
  }),
);
process.exit(0);
