// The events dialect with the real socket.io-client, /ws beside it: node tests/clients/events.js http://127.0.0.1:3000
import { connect, equal, main, refusal, school, within, ws } from "./driver.js";

await main(async (url, transports) => {
  const { teacher, students: [ravi, mia], classId, start } = await school(url);
  await start();
  const enter = ({ token }) => connect(url, { transports, query: { token } });
  const [chalk, phone, page] = [await enter(teacher), await enter(ravi), await ws(url, mia.token)];

  // A mark is told to all, and its callback gets it too.
  const marked = { studentId: ravi.id, status: "present" };
  equal(await chalk.call("MARK_ATTENDANCE", { studentId: ravi.id }), marked, "the callback of a mark");
  for (const socket of [chalk, phone, page]) equal(await socket.hear("ATTENDANCE_MARKED"), marked, "a mark");

  // Summaries and statuses are the sender's.
  chalk.emit("GET_TODAY_SUMMARY");
  equal(await chalk.hear("TODAY_SUMMARY"), { presentCount: 1, presentStudentIds: [ravi.id] }, "the summary");
  phone.emit("CHECK_MY_STATUS", null);
  equal(await phone.hear("MY_STATUS"), { status: "present" }, "my status");

  // Errors.
  phone.emit("DONE", {});
  equal(await phone.hear("ERROR"), { message: "Forbidden, teacher event only" }, "a student's DONE");
  equal(await chalk.call("NOTHING"), { message: "Unknown event" }, "an unknown event");
  await chalk.hear("ERROR");
  chalk.emit("MARK_ATTENDANCE", { studentId: Buffer.from("binary") });
  equal(await chalk.hear("ERROR"), { message: "Invalid message format" }, "a binary payload");
  equal(await refusal(url, { transports, query: { token: "bad" } }), "Unauthorized or invalid token", "a bad token");
  equal(await refusal(url, { transports }), "Unauthorized or invalid token", "no token");

  // A connection that breaks comes back by itself, and the session is where it was.
  const back = within(new Promise((resolve) => phone.once("connect", resolve)), "the reconnection");
  phone.io.engine.close();
  await back;
  equal(await phone.call("CHECK_MY_STATUS"), { status: "present" }, "my status after a reconnection");
  await phone.hear("MY_STATUS");

  // A burst keeps its order.
  const burst = Array.from({ length: 40 }, (_, at) => [ravi, mia][at % 2].id);
  for (const studentId of burst) chalk.emit("MARK_ATTENDANCE", { studentId });
  for (const studentId of burst) equal((await phone.hear("ATTENDANCE_MARKED")).studentId, studentId, "the burst");
  for (const studentId of burst) equal((await chalk.hear("ATTENDANCE_MARKED")).studentId, studentId, "the burst");

  // The end.
  const attendance = [ravi, mia].map(({ id }) => ({ studentId: id, status: "present" }));
  const ended = { classId, totalStudents: 2, presentCount: 2, attendance };
  equal(await chalk.call("DONE"), ended, "the callback of DONE");
  for (const socket of [chalk, phone]) equal(await socket.hear("SESSION_ENDED"), ended, "the end");
  for (const socket of [chalk, phone, page]) socket.close();
});
