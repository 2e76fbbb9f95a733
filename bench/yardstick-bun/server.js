// The published attendance API on Bun: its routes, sockets and topics are native code.
//
//   npm ci && PORT=3000 node_modules/.bin/bun server.js
import jwt from 'jsonwebtoken';
import * as school from '../yardstick/school.js';

const PORT = Number(process.env.PORT ?? 3000);
const SECRET = process.env.JWT_SECRET ?? 'a secret for benchmarks, and for nothing else';
const ROUNDS = Number(process.env.ROUNDS ?? 10); // of bcrypt
const EVERYBODY = 'everybody'; // the topic of all sockets

const verify = (token) => jwt.verify(token, SECRET, { algorithms: ['HS256'] });
const sign = (claims) => jwt.sign(claims, SECRET, { expiresIn: '24h' });
const hash = (password) => Bun.password.hash(password, { algorithm: 'bcrypt', cost: ROUNDS });
const matches = (password, hashed) => Bun.password.verify(password, hashed);

const refused = (status, error) => Response.json({ success: false, error }, { status });

async function bodyOf(request) {
  try {
    const body = await request.json();
    if (body !== null && typeof body === 'object') return body;
  } catch {
    // Refused below, like all that is no object.
  }
  throw new school.Refusal(400, 'Invalid request schema');
}

/** A route's handler: answers with what `work` returns. With a role, or `null` for any, it asks for a token. */
const answer =
  (work, { role, status = 200 } = {}) =>
  async (request) => {
    try {
      let user;
      if (role !== undefined) {
        user = school.authenticate((request.headers.get('authorization') ?? '').replace(/^Bearer /, ''), verify);
        if (role !== null) school.checkRole(user, role);
      }
      const body = request.method === 'POST' ? await bodyOf(request) : undefined;
      return Response.json({ success: true, data: await work({ user, body, params: request.params }) }, { status });
    } catch (refusal) {
      if (refusal instanceof school.Refusal) return refused(refusal.status, refusal.message);
      throw refusal;
    }
  };

const teacher = { role: 'teacher' };
const student = { role: 'student' };
const anyone = { role: null };

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: PORT,
  routes: {
    '/auth/signup': { POST: answer(({ body }) => school.signUp(body, hash), { status: 201 }) },
    '/auth/login': { POST: answer(({ body }) => school.logIn(body, matches, sign)) },
    '/auth/me': { GET: answer(({ user }) => school.me(user), anyone) },
    '/class': { POST: answer(({ user, body }) => school.addClass(user, body), { ...teacher, status: 201 }) },
    '/class/:id/add-student': {
      POST: answer(({ user, body, params }) => school.addStudent(user, params.id, body), teacher),
    },
    '/class/:id': { GET: answer(({ user, params }) => school.readClass(user, params.id), anyone) },
    '/students': { GET: answer(() => school.readStudents(), teacher) },
    '/class/:id/my-attendance': {
      GET: answer(({ user, params }) => school.readMyAttendance(user, params.id), student),
    },
    '/attendance/start': { POST: answer(({ user, body }) => school.startAttendance(user, body), teacher) },
  },
  fetch(request, server) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== '/ws') return refused(404, 'Not found');
    let user = null;
    try {
      user = school.authenticate(searchParams.get('token') ?? '', verify);
    } catch {
      // The socket is opened all the same, to say so.
    }
    return server.upgrade(request, { data: { user } }) ? undefined : refused(400, 'Invalid request schema');
  },
  websocket: {
    open(socket) {
      if (socket.data.user) {
        socket.subscribe(EVERYBODY);
      } else {
        socket.send(school.errorText('Unauthorized or invalid token'));
        socket.close(4401);
      }
    },
    message(socket, message) {
      const { toAll, text } = school.receive(socket.data.user, String(message));
      if (toAll) server.publish(EVERYBODY, text);
      else socket.send(text);
    },
  },
});

console.log(`Listening on ${server.url.origin}`);
