// What the scripts here share: people over REST, and clients whose events are awaited one after the other.
import { io } from "socket.io-client";
import WebSocket from "ws";

// Milliseconds for anything that is to come; far more than it needs, so that a busy machine fails nothing.
export const LIMIT = 30_000;

export function fail(message) {
  throw new Error(message);
}

export function equal(actual, expected, what = "") {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) fail(`${what}\n  is        ${left}\n  should be ${right}`);
}

export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come`)), LIMIT);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// The REST side: a teacher, two students, and their class.
export async function school(url) {
  const rest = async (method, path, token, body) => {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: token }) };
    const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
    const { success, data, error } = await answer.json();
    return success ? data : fail(`${method} ${path}: ${error}`);
  };
  const person = async (role, name) => {
    const email = `${name}.${process.pid}.${Date.now()}.${Math.random()}@example.com`.toLowerCase();
    const account = { name, email, password: "correct horse", role };
    const { _id } = await rest("POST", "/auth/signup", null, account);
    const { token } = await rest("POST", "/auth/login", null, account);
    return { id: _id, name, token };
  };
  const teacher = await person("teacher", "Asha");
  const students = [await person("student", "Ravi"), await person("student", "Mia")];
  const { _id: classId } = await rest("POST", "/class", teacher.token, { className: "Physics" });
  for (const { id } of students) {
    await rest("POST", `/class/${classId}/add-student`, teacher.token, { studentId: id });
  }
  const start = () => rest("POST", "/attendance/start", teacher.token, { classId });
  return { teacher, students, classId, start };
}

// Awaits events in the order in which they come.
class Inbox {
  waiting = [];
  heard = [];

  put(event, data) {
    const next = this.waiting.shift();
    if (next) next([event, data]);
    else this.heard.push([event, data]);
  }

  next(what) {
    if (this.heard.length) return Promise.resolve(this.heard.shift());
    return within(new Promise((resolve) => this.waiting.push(resolve)), what);
  }

  async hear(event) {
    const [came, data] = await this.next(event);
    if (came !== event) fail(`${came} ${JSON.stringify(data)} came instead of ${event}`);
    return data;
  }
}

// A connected socket.io-client with `hear(event)` and `call(event, …payload)`, which is emitting with a callback.
export async function connect(url, options) {
  const socket = io(url, { forceNew: true, reconnectionDelay: 50, ...options });
  const inbox = new Inbox();
  socket.onAny((event, data) => inbox.put(event, data));
  socket.hear = (event) => inbox.hear(event);
  socket.call = (event, ...payload) =>
    within(new Promise((resolve) => socket.emit(event, ...payload, resolve)), `the answer to ${event}`);
  await within(
    new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", (error) => {
        socket.close();
        reject(error);
      });
    }),
    "the connection",
  );
  return socket;
}

// Why the server refuses the connection.
export async function refusal(url, options) {
  try {
    (await connect(url, options)).close();
  } catch (error) {
    return error.message;
  }
  return fail("the connection was not refused");
}

// A /ws client with `hear(event)` and `say(event, data)`.
export async function ws(url, token) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws?token=${token}`);
  const inbox = new Inbox();
  socket.on("message", (text) => {
    const { event, data } = JSON.parse(text);
    inbox.put(event, data);
  });
  socket.hear = (event) => inbox.hear(event);
  socket.say = (event, data) => socket.send(JSON.stringify({ event, data }));
  await within(new Promise((resolve) => socket.once("open", resolve)), "the WebSocket");
  return socket;
}

export const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };

// Runs `scenario(url, transports)` over each transport, or the one named on the command line.
export async function main(scenario) {
  const [url = "http://127.0.0.1:3000", only] = process.argv.slice(2);
  for (const [name, transports] of Object.entries(TRANSPORTS)) {
    if (only && only !== name) continue;
    await scenario(url.replace(/\/$/, ""), transports);
    console.log(`ok: ${name}`);
  }
  process.exit(0);
}
