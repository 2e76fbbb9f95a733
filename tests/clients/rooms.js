// The rooms dialect with the real socket.io-client, the events dialect and /ws beside it, in one session:
// node tests/clients/rooms.js http://127.0.0.1:3000
import { connect, equal, main, refusal, school, within, ws } from "./driver.js";

await main(async (url, transports) => {
  const { teacher, students: [ravi, mia], classId, start } = await school(url);
  await start();
  const enter = ({ token }) => connect(url, { transports, auth: { token } });
  const [chalk, phone] = [await enter(teacher), await enter(ravi)];
  const listener = await connect(url, { transports, query: { token: mia.token } });
  const page = await ws(url, teacher.token);
  const session_id = `Physics ${classId}`;

  const started = await chalk.call("startAttendanceSession", { session_id, class_id: classId });
  equal(await chalk.hear("attendanceSessionStarted"), started, "the start");
  equal([started.totalStudents, started.session.class_id, started.session.status], [2, classId, "active"], "the session");

  const joined = await phone.call("joinAttendanceSession", { session_id: classId });
  equal(await phone.hear("attendanceSessionJoined"), joined, "joining");
  const { student_id, student_name } = await chalk.hear("studentJoinedAttendance");
  equal([student_id, student_name], [ravi.id, ravi.name], "who joined");

  // On a connection of its own: there the next ones may come whenever a second has passed.
  const board = await enter(teacher);
  const first = await board.call("subscribeStatistics", { session_id });
  equal(await board.hear("attendanceStatistics"), first, "the first statistics");

  // Each hears the session under the id that it used, and the others in the words of their protocols.
  const confirmed = await chalk.call("markStudentPresent", { session_id, student_id: ravi.id });
  const record = confirmed.attendanceRecord;
  equal((await chalk.hear("attendanceUpdated")).attendanceRecord, record, "the teacher's update");
  equal(await chalk.hear("studentMarkedPresent"), confirmed, "the confirmation");
  const update = await phone.hear("attendanceUpdated");
  equal(update.attendanceRecord, { ...record, session_id: classId }, "the student's update");
  equal(update.updated_by, teacher.name, "who marked");
  const marked = { studentId: ravi.id, status: "present" };
  equal(await listener.hear("ATTENDANCE_MARKED"), marked, "the events dialect");
  equal(await page.hear("ATTENDANCE_MARKED"), marked, "/ws");

  // And theirs come here.
  page.say("ATTENDANCE_MARKED", { studentId: mia.id, status: "absent" });
  equal((await phone.hear("attendanceUpdated")).attendanceRecord.student_name, mia.name, "a mark of /ws");

  const attendanceUpdates = [ravi, mia].map(({ id }) => ({ student_id: id, status: "present" }));
  const bulk = await chalk.call("bulkUpdateAttendance", { session_id, attendanceUpdates });
  equal(bulk.totalUpdated, 2, "the bulk update");
  equal((await phone.hear("attendanceBulkUpdated")).updatedRecords.length, 2, "the room's bulk update");

  // Errors.
  equal(await phone.call("endAttendanceSession", { session_id }), { message: "Teacher profile not found" }, "a student");
  await phone.hear("attendanceError");
  const answer = await phone.call("joinAttendanceSession", { session_id: "nothing" });
  equal(answer, { message: "Attendance session not active" }, "no session");
  await phone.hear("attendanceError");
  equal(await refusal(url, { transports, auth: { token: "bad" } }), "Invalid token", "a bad token");
  equal(await refusal(url, { transports, auth: {} }), "No token provided", "no token");

  // A connection that breaks comes back by itself; the client joins again.
  const back = within(new Promise((resolve) => phone.once("connect", resolve)), "the reconnection");
  phone.io.engine.close();
  await back;
  await phone.call("joinAttendanceSession", { session_id });
  await phone.hear("attendanceSessionJoined");

  const ended = await chalk.call("endAttendanceSession", { session_id });
  equal(ended.finalData.statistics.attendanceRate, 1, "the rate");
  equal((await phone.hear("attendanceSessionEnded")).finalData, ended.finalData, "the end");
  const data = await chalk.call("getAttendanceSessionData", { session_id });
  equal(data.attendanceRecords, ended.finalData.attendanceRecords, "the data of an ended session");
  for (const socket of [chalk, phone, board, listener, page]) socket.close();
});
