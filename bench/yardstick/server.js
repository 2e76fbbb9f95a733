// The published attendance API as it is usually written for Node: express for the routes, ws for the sockets.
//
//   npm ci && PORT=3000 node server.js
import { createServer } from 'node:http';
import bcrypt from 'bcrypt';
import express from 'express';
import jwt from 'jsonwebtoken';
import { WebSocket, WebSocketServer } from 'ws';
import * as school from './school.js';

const PORT = Number(process.env.PORT ?? 3000);
const SECRET = process.env.JWT_SECRET ?? 'a secret for benchmarks, and for nothing else';
const ROUNDS = Number(process.env.ROUNDS ?? 10); // of bcrypt

const verify = (token) => jwt.verify(token, SECRET, { algorithms: ['HS256'] });
const sign = (claims) => jwt.sign(claims, SECRET, { expiresIn: '24h' });

// Routes

const app = express();
app.disable('etag');
app.disable('x-powered-by');
app.use(express.json());

/** A route's handler: answers with what `work` returns. With a role, or `null` for any, it asks for a token. */
const answer =
  (work, { role, status = 200 } = {}) =>
  async (request, response) => {
    if (role !== undefined) {
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      request.user = school.authenticate(token, verify);
      if (role !== null) school.checkRole(request.user, role);
    }
    response.status(status).json({ success: true, data: await work(request) });
  };

const body = (request) => request.body ?? {};
const teacher = { role: 'teacher' };
const student = { role: 'student' };
const anyone = { role: null };

const hash = (password) => bcrypt.hash(password, ROUNDS);
app.post('/auth/signup', answer((request) => school.signUp(body(request), hash), { status: 201 }));
app.post('/auth/login', answer((request) => school.logIn(body(request), bcrypt.compare, sign)));
app.get('/auth/me', answer(({ user }) => school.me(user), anyone));
app.post('/class', answer((request) => school.addClass(request.user, body(request)), { ...teacher, status: 201 }));
app.post(
  '/class/:id/add-student',
  answer((request) => school.addStudent(request.user, request.params.id, body(request)), teacher),
);
app.get('/class/:id', answer(({ user, params }) => school.readClass(user, params.id), anyone));
app.get('/students', answer(() => school.readStudents(), teacher));
app.get('/class/:id/my-attendance', answer(({ user, params }) => school.readMyAttendance(user, params.id), student));
app.post('/attendance/start', answer((request) => school.startAttendance(request.user, body(request)), teacher));
app.use(() => {
  throw new school.Refusal(404, 'Not found');
});

// express knows a handler of errors by its four parameters.
app.use((error, request, response, next) => {
  if (error instanceof school.Refusal) return response.status(error.status).json({ success: false, error: error.message });
  if (error.type) return response.status(400).json({ success: false, error: 'Invalid request schema' });
  return next(error);
});

// Sockets

const server = createServer(app);
const sockets = new WebSocketServer({ server, path: '/ws' });

function broadcast(text) {
  for (const socket of sockets.clients) {
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
  }
}

sockets.on('connection', (socket, request) => {
  const token = new URL(request.url, 'ws://localhost').searchParams.get('token') ?? '';
  let user;
  try {
    user = school.authenticate(token, verify);
  } catch {
    socket.send(school.errorText('Unauthorized or invalid token'));
    socket.close(4401);
    return;
  }
  socket.on('error', () => socket.terminate());
  socket.on('message', (message) => {
    const { toAll, text } = school.receive(user, message.toString());
    if (toAll) broadcast(text);
    else socket.send(text);
  });
});

server.listen(PORT, '127.0.0.1', () => console.log(`Listening on http://127.0.0.1:${PORT}`));
