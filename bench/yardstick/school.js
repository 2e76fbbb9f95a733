// The school of the published attendance API: accounts, classes and one session, all in Maps. Nothing is stored.
// Both yardsticks, Node's and Bun's, answer from here.
import { randomBytes } from 'node:crypto';

/** What a client is told instead of an answer. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const ROLES = ['teacher', 'student'];
const STATUSES = ['present', 'absent'];

const users = new Map(); // id → user
const usersByEmail = new Map(); // email, in lower case → user
const classes = new Map(); // id → class
const results = new Map(); // class id → Map of student id → status, of the last session that is over
let session = null; // { classId, startedAt, marks: Map of student id → status }

const newId = () => randomBytes(12).toString('hex');

const isText = (value, least = 1) => typeof value === 'string' && value.length >= least;

function check(holds, status, message) {
  if (!holds) throw new Refusal(status, message);
}

const checkSchema = (holds) => check(holds, 400, 'Invalid request schema');

// Accounts

const withoutPassword = ({ _id, name, email, role }) => ({ _id, name, email, role });

/** `hash` makes a password's hash. */
export async function signUp({ name, email, password, role }, hash) {
  checkSchema(isText(name) && isText(email, 3) && email.includes('@') && isText(password, 6) && isText(role));
  const key = email.toLowerCase();
  checkSchema(ROLES.includes(role.toLowerCase()));
  check(!usersByEmail.has(key), 400, 'Email already exists');
  const user = { _id: newId(), name, email, role: role.toLowerCase(), passwordHash: '' };
  usersByEmail.set(key, user); // before the hash, which others do not wait for
  user.passwordHash = await hash(password);
  users.set(user._id, user);
  return withoutPassword(user);
}

/** `matches` compares a password and a hash, `sign` makes a token of its claims. */
export async function logIn({ email, password }, matches, sign) {
  checkSchema(isText(email) && isText(password));
  const user = usersByEmail.get(email.toLowerCase());
  check(user && (await matches(password, user.passwordHash)), 400, 'Invalid email or password');
  return { token: sign({ userId: user._id, role: user.role }) };
}

/** The user whose token it is; `verify` returns the token's claims, or throws. */
export function authenticate(token, verify) {
  try {
    const user = users.get(verify(token).userId);
    if (user) return user;
  } catch {
    // An invalid token is answered as an unknown user is.
  }
  throw new Refusal(401, 'Unauthorized, token missing or invalid');
}

export function checkRole(user, role) {
  check(user.role === role, 403, `Forbidden, ${role} access required`);
}

export const me = withoutPassword;

// Classes

const publicStudent = ({ _id, name, email }) => ({ _id, name, email });

function findClass(id) {
  const found = classes.get(id);
  check(found, 404, 'Class not found');
  return found;
}

function findOwnClass(teacher, id) {
  const found = findClass(id);
  check(found.teacherId === teacher._id, 403, 'Forbidden, not class teacher');
  return found;
}

export function addClass(teacher, { className }) {
  checkSchema(isText(className) && isText(className.trim()));
  const made = { _id: newId(), className: className.trim(), teacherId: teacher._id, studentIds: [] };
  classes.set(made._id, made);
  return made;
}

export function addStudent(teacher, classId, { studentId }) {
  checkSchema(isText(studentId));
  const found = findOwnClass(teacher, classId);
  check(users.get(studentId)?.role === 'student', 404, 'Student not found');
  if (!found.studentIds.includes(studentId)) found.studentIds.push(studentId);
  return found;
}

export function readClass(user, classId) {
  const { _id, className, teacherId, studentIds } = findClass(classId);
  check(teacherId === user._id || studentIds.includes(user._id), 403, 'Forbidden, not class teacher');
  return { _id, className, teacherId, students: studentIds.map((id) => publicStudent(users.get(id))) };
}

export function readStudents() {
  return [...users.values()].filter(({ role }) => role === 'student').map(publicStudent);
}

export function readMyAttendance(student, classId) {
  const found = findClass(classId);
  check(found.studentIds.includes(student._id), 403, 'Forbidden, not enrolled in class');
  return { classId, status: results.get(classId)?.get(student._id) ?? null };
}

// The session

export function startAttendance(teacher, { classId }) {
  checkSchema(isText(classId));
  findOwnClass(teacher, classId);
  if (session?.classId !== classId) {
    session = { classId, startedAt: new Date().toISOString(), marks: new Map() };
  }
  return { classId, startedAt: session.startedAt };
}

function summary() {
  let present = 0;
  for (const status of session.marks.values()) if (status === 'present') present += 1;
  const total = session.marks.size;
  return { present, absent: total - present, total };
}

function mark(_, { studentId, status }) {
  check(isText(studentId) && STATUSES.includes(status), 400, 'Invalid message format');
  check(classes.get(session.classId).studentIds.includes(studentId), 400, 'Student not enrolled in class');
  session.marks.set(studentId, status);
  return { studentId, status };
}

function finish() {
  for (const id of classes.get(session.classId).studentIds) {
    if (!session.marks.has(id)) session.marks.set(id, 'absent');
  }
  const counts = summary();
  results.set(session.classId, session.marks);
  session = null;
  return { message: 'Attendance persisted', ...counts };
}

const EVENTS = {
  ATTENDANCE_MARKED: { role: 'teacher', toAll: true, handle: mark },
  TODAY_SUMMARY: { role: 'teacher', toAll: true, handle: summary },
  MY_ATTENDANCE: {
    role: 'student',
    toAll: false,
    handle: (student) => ({ status: session.marks.get(student._id) ?? 'not yet updated' }),
  },
  DONE: { role: 'teacher', toAll: true, handle: finish },
};

function takesPart(user) {
  if (!session) return false;
  const { teacherId, studentIds } = classes.get(session.classId);
  return user.role === 'teacher' ? teacherId === user._id : studentIds.includes(user._id);
}

function parse(text) {
  let message = null;
  try {
    message = JSON.parse(text);
  } catch {
    // Refused below, like all that is no message.
  }
  const { event, data = {} } = message ?? {};
  check(isText(event) && data !== null && typeof data === 'object', 400, 'Invalid message format');
  return { event, data };
}

const asText = (event, data) => JSON.stringify({ event, data });

export const errorText = (message) => asText('ERROR', { message });

/** What a frame on a user's socket leads to: the text of a frame, and whether it is for all sockets or that one. */
export function receive(user, text) {
  try {
    const { event, data } = parse(text);
    check(Object.hasOwn(EVENTS, event), 400, 'Unknown event');
    const { role, toAll, handle } = EVENTS[event];
    check(user.role === role, 403, `Forbidden, ${role} event only`);
    check(takesPart(user), 400, 'No active attendance session');
    return { toAll, text: asText(event, handle(user, data)) };
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    return { toAll: false, text: errorText(refusal.message) };
  }
}
