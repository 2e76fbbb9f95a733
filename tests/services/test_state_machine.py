"""Whatever is marked, cut, lost, restarted and changed in whatever order: every client ends with the journal.

Two processes over one database, and a channel layer that loses, repeats and reorders hints. The machine lets
them drift apart, brings them together (`converge`) and compares what each client heard with the journal.
How quickly threads answer is one of the machine's choices (`tests.services.paced`), and so is what time it is.
`make fuzz` searches for some minutes instead of some seconds.
"""

import asyncio
import json
import logging
import os
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts import tokens
from accounts.models import AccountsVersion, User
from attendance.enums import SessionState
from attendance.models import Attendance, Focus, Mark, Session
from classes.models import Class, Enrolment
from classes.services import class_add_student
from core import errors
from core.database.unit_of_work import unit_of_work
from core.identity import Role
from core.times import to_iso
from notices.models import Due
from tests.services.conftest import (
    Complaints,
    Connection,
    Process,
    Rig,
    Room,
    enrol,
    make_room,
    make_users,
)
from tests.services.paced import Paced, paced

__all__ = ["paced"]  # a fixture

pytestmark = pytest.mark.long

hypothesis_settings.register_profile(
    "short",
    deadline=None,
    max_examples=25 if connection.vendor == "mongodb" else 40,  # the stand-in server is slow
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
hypothesis_settings.register_profile(
    "long", hypothesis_settings.get_profile("short"), max_examples=1500, stateful_step_count=60
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "short")

CLASSES = 2
PEOPLE = 3  # students of each class: enrolled at first are the first two
PROCESSES = 2

classes = st.integers(0, CLASSES - 1)
people = st.integers(0, PEOPLE - 1)
processes = st.integers(0, PROCESSES - 1)
#: The process that runs a service and so hears of it at once; None: a command, or a process that just died.
places = st.one_of(st.none(), processes)
statuses = st.sampled_from(["present", "absent"])
indices = st.integers(0, 1000)
#: How many turns of the event loop the steps of the database's threads take longer, over and over.
paces = st.lists(st.integers(0, 5), max_size=12)


@dataclass(eq=False)
class Client(Connection):
    """A connection, and what the machine knows of it."""

    #: -1: the class's teacher, else the number of the student.
    role: int = -1
    room: int = 0
    #: The frames up to here were compared with the journal.
    compared: int = 0
    #: If it connected since the last convergence: each session's last seq then. None: it was here before.
    joined: dict[str, int] | None = None
    joined_ended: set[str] = field(default_factory=set)
    #: The session that it follows since its SYNC, by startedAt, and its marks.
    following: tuple[str, str] | None = None
    view: list[tuple[str, str]] = field(default_factory=list)
    #: The view may lack something: the focus was elsewhere since the last SYNC.
    suspect: bool = False
    #: The frames up to here are in the view.
    followed: int = 0


@dataclass
class Row:
    """A row of the journal, as one client is to hear it."""

    seq: int
    student_id: str
    status: str
    must: bool


def matches(heard: list[tuple[int | None, str, str]], rows: list[Row]) -> bool:
    """Whether `heard` is `rows` in order, without any but those that need not be heard."""
    possible = {0}  # how many of `heard` the rows so far account for
    for row in rows:
        following = set() if row.must else set(possible)
        for count in possible:
            if count < len(heard):
                seq, student_id, status = heard[count]
                if (student_id, status) == (row.student_id, row.status) and seq in (None, row.seq):
                    following.add(count + 1)
        possible = following
    return len(heard) in possible


def is_mark(frame: dict[str, Any], students: set[str]) -> bool:
    return frame["event"] == "ATTENDANCE_MARKED" and frame["data"]["studentId"] in students


def fold(rows: list[Mark]) -> dict[str, str]:
    return {row.student_id: row.status for row in rows}


def count(marks: dict[str, str]) -> tuple[int, int]:
    present = sum(status == "present" for status in marks.values())
    return present, len(marks) - present


class LiveSessions(RuleBasedStateMachine):
    """See the module's docstring. `rig` and `paced` are set by the test."""

    rig: Rig
    paced: Paced

    def __init__(self) -> None:
        super().__init__()
        self.loop = self.paced.new_loop()
        self.complaints = Complaints()
        self.loop.set_exception_handler(lambda loop, context: self.complaints.texts.append(str(context)))
        logging.getLogger("attendance").addHandler(self.complaints)
        self.processes: list[Process] = []
        self.clients: list[Client] = []
        self.rooms: list[Room] = []
        self.rosters_at_end: dict[str, set[str]] = {}

    def teardown(self) -> None:
        try:
            if self.processes:
                self.converge()
        finally:
            self.clean_up()

    def clean_up(self) -> None:
        for process in self.processes:
            self.run(process.crash())
        self.loop.close()
        logging.getLogger("attendance").removeHandler(self.complaints)
        for kept in (self.rig.layer.channels, self.rig.layer.groups, self.rig.layer.held):
            kept.clear()
        _empty_the_database()

    def run(self, work: Any) -> Any:
        """Runs `work` and what it sets off, in this and the other processes."""

        async def settled() -> Any:
            answer = await work
            await self.rig.settle(*self.processes)
            return answer

        return self.loop.run_until_complete(settled())

    def serve(self, place: int | None, work: Callable[[], object]) -> None:
        """Runs a service in the process at `place`, which takes notice of it."""
        self.rig.notices.target = None if place is None else self.processes[place]
        work()
        self.run(asyncio.sleep(0))
        self.rig.notices.target = None

    # The beginning

    @initialize(
        roles=st.lists(st.tuples(classes, st.integers(-1, 1), processes, st.booleans()), max_size=4), pace=paces
    )
    def begin(self, roles: list[tuple[int, int, int, bool]], pace: list[int]) -> None:
        self.paced.keep(pace)
        for _ in range(CLASSES):
            made = make_room(students=2)
            made.students += make_users(Role.STUDENT, PEOPLE - 2)
            self.rooms.append(made)
        self.processes = [self.run(self.rig.process()) for _ in range(PROCESSES)]
        self.remember()
        for room in range(CLASSES):
            for process in range(PROCESSES):
                self.connect(room, -1, process)
        for room, role, process, synced in roles:
            client = self.connect(room, role, process)
            if synced:
                self.sync(client)

    # What people do

    @rule(room=classes, role=st.integers(-1, PEOPLE - 1), process=processes)
    def arrive(self, room: int, role: int, process: int) -> None:
        self.connect(room, role, process)

    def connect(self, room: int, role: int, process: int) -> Client | None:
        user = self.rooms[room].teacher if role < 0 else self.rooms[room].students[role]
        if len(self.clients) >= 12 or not User.objects.get(pk=user.id).is_active:
            return None
        client = Client(self.processes[process], user, role=role, room=room, joined=_last_seqs(), joined_ended=_ended())
        self.run(client.open())
        self.clients.append(client)
        return client

    @rule(room=classes, place=places)
    def start(self, room: int, place: int | None) -> None:
        if not User.objects.get(pk=self.rooms[room].teacher.id).is_active:
            return
        before = _focus()

        def begin() -> None:
            with suppress(errors.TooManyRequests):  # a teacher may take the live session only so often from another
                self.rooms[room].start()

        self.serve(place, begin)
        after = _focus()
        if before != after:
            self.moves.append((before, after, _last_seqs(), _ended()))

    @rule(which=indices, student=people, status=statuses)
    def mark(self, which: int, student: int, status: str) -> None:
        client = self.pick_teacher(which)
        if client is not None:
            self.run(client.mark(self.rooms[client.room].students[student], status))

    @rule(
        marks=st.lists(st.tuples(indices, people, statuses), min_size=2, max_size=12),
        done_after=st.one_of(st.none(), st.integers(0, 11)),
        pace=paces,
    )
    def burst(self, marks: list[tuple[int, int, str]], done_after: int | None, pace: list[int]) -> None:
        """Many at once, from several sockets to several processes; perhaps with a DONE among them."""
        self.paced.keep(pace)
        self.before_an_end()

        async def all_of_it() -> None:
            sending = []
            for number, (which, student, status) in enumerate(marks):
                client = self.pick_teacher(which)
                if client is None:
                    return
                sending.append(asyncio.ensure_future(client.mark(self.rooms[client.room].students[student], status)))
                if number == done_after:
                    sending.append(asyncio.ensure_future(client.send("DONE")))
            await asyncio.gather(*sending)

        self.run(all_of_it())

    @rule(which=indices)
    def summary(self, which: int) -> None:
        client = self.pick_teacher(which)
        if client is not None:
            self.run(client.send("TODAY_SUMMARY"))

    @rule(which=indices, place=places)
    def done(self, which: int, place: int | None) -> None:
        self.before_an_end()
        client = self.pick_teacher(which)
        if client is not None:
            self.rig.notices.target = None if place is None else self.processes[place]
            self.run(client.send("DONE"))
            self.rig.notices.target = None

    @rule(which=indices)
    def my_attendance(self, which: int) -> None:
        students = [client for client in self.here() if client.role >= 0]
        if students:
            client = students[which % len(students)]
            self.run(client.send("MY_ATTENDANCE"))
            answer = client.heard[-1]
            if client.is_open and answer["event"] == "MY_ATTENDANCE":
                told = Mark.objects.filter(student=client.user).values_list("status", flat=True)
                assert answer["data"]["status"] in {"not yet updated", *told}

    @rule(which=indices)
    def ask_for_sync(self, which: int) -> None:
        here = self.here()
        if here:
            self.sync(here[which % len(here)])

    @rule(which=indices, process=processes, away=st.booleans())
    def cut(self, which: int, process: int, away: bool) -> None:
        """A connection breaks. Unless it stays away the client comes back, perhaps to another process."""
        here = self.here()
        if not here:
            return
        client = here[which % len(here)]
        client.cut()
        self.compare(client, whole=False)
        self.clients.remove(client)
        if not away:
            again = self.connect(client.room, client.role, process)
            if again is not None and client.following is not None:
                again.following, again.view, again.suspect = client.following, client.view, client.suspect
                self.sync(again)

    @rule(room=classes, student=people, place=places)
    def enrol_one(self, room: int, student: int, place: int | None) -> None:
        found = self.rooms[room]
        self.roster_changes.add(found.class_id)
        self.serve(
            place,
            lambda: class_add_student(
                actor=found.actor, class_id=found.class_id, student_id=found.students[student].id
            ),
        )

    @rule(room=classes, student=people, place=places)
    def remove_one(self, room: int, student: int, place: int | None) -> None:
        found = self.rooms[room]
        self.roster_changes.add(found.class_id)
        gone = Enrolment.objects.filter(class_ref_id=found.class_id, student=found.students[student])
        self.serve(place, gone.delete)

    @rule(room=classes, chosen=st.sets(people), place=places)
    def replace_roster(self, room: int, chosen: set[int], place: int | None) -> None:
        """With bulk writes, which send no signals of their own."""
        found = self.rooms[room]
        self.roster_changes.add(found.class_id)

        @unit_of_work
        def replace() -> None:
            enrolled = Enrolment.objects.filter(class_ref_id=found.class_id)
            enrolled._raw_delete(enrolled.db)
            enrol(found.class_id, *(found.students[number] for number in chosen))

        self.serve(place, replace)

    @rule(room=classes, role=st.integers(-1, PEOPLE - 1), place=places)
    def disable_or_enable(self, room: int, role: int, place: int | None) -> None:
        user = User.objects.get(pk=(self.rooms[room].teacher if role < 0 else self.rooms[room].students[role]).id)
        user.is_active = not user.is_active
        self.revoked.add(user.id)
        self.serve(place, user.save)

    # What goes wrong

    @precondition(lambda self: self.rig.layer.held)
    @rule(order=st.lists(indices, min_size=1, max_size=10), lose=st.booleans())
    def deliver(self, order: list[int], lose: bool) -> None:
        """Hints arrive: some twice, in any order, some never."""
        held = self.rig.layer.held
        for number in order:
            self.run(self.rig.layer.deliver(held[number % len(held)]))
        if lose:
            held.clear()

    @precondition(lambda self: self.rig.layer.held)
    @rule()
    def deliver_all(self) -> None:
        self.loop.run_until_complete(self.rig.deliver_all(*self.processes))

    @rule(process=processes)
    def look(self, process: int) -> None:
        self.run(self.processes[process].look())

    @rule(seconds=st.sampled_from([0.5, 1.0, 5.0]))
    def time_passes(self, seconds: float) -> None:
        """A client that was refused may have the database looked at again, and may send more."""
        self.loop.skip(seconds)

    @rule(
        number=processes,
        on_the_way=st.lists(st.tuples(people, statuses), max_size=5),
        ticks=st.integers(0, 20),
        pace=paces,
    )
    def crash(self, number: int, on_the_way: list[tuple[int, str]], ticks: int, pace: list[int]) -> None:
        """A process dies, perhaps in the middle of a commit, and another takes its place."""
        self.paced.keep(pace)
        process = self.processes[number]
        gone = [client for client in self.clients if client.process is process]
        teacher = next((client for client in gone if client.role < 0 and client.is_open), None)

        async def die() -> None:
            sending = [
                asyncio.ensure_future(teacher.mark(self.rooms[teacher.room].students[student], status))
                for student, status in on_the_way
                if teacher is not None
            ]
            for _ in range(ticks):
                await asyncio.sleep(0)
            await process.crash()
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

        self.loop.run_until_complete(die())
        for client in gone:
            self.compare(client, whole=False)
            self.clients.remove(client)
        self.processes[number] = self.run(self.rig.process())
        for room in range(CLASSES):
            self.connect(room, -1, number)

    # The comparison

    @rule()
    def converge(self) -> None:
        """Each process looks once; nothing may be missing after that."""
        self.run(self.rig.look(*self.processes))
        assert self.complaints.texts == []
        for process in self.processes:
            self.compare_replica(process)
        self.compare_records()
        bad = tokens.revoked({claims for client in self.clients if (claims := client.socket.claims) is not None})
        for client in list(self.clients):
            assert client.is_open == (client.socket.claims not in bad)
            self.compare(client, whole=True)
            if not client.is_open:
                assert client.outlet.close_code == 4401
                assert client.heard[-1]["data"]["message"] == "Unauthorized or invalid token"
                self.clients.remove(client)
        self.remember()

    def remember(self) -> None:
        """Everybody knows everything: what follows is compared from here on."""
        self.focus = _focus()
        self.known = _last_seqs()
        self.ended = _ended()
        #: Moves of the focus: from, to, every session's last seq and the ended ones at that moment.
        self.moves: list[tuple[str | None, str | None, dict[str, int], set[str]]] = []
        self.roster_changes: set[str] = set()
        self.rosters = {room.class_id: _roster(room.class_id) for room in self.rooms}
        self.revoked: set[str] = set()

    def before_an_end(self) -> None:
        """The rosters by which a session that ends now must be recorded."""
        for session in Session.objects.filter(state=SessionState.OPEN):
            self.rosters_at_end[session.id] = _roster(session.class_ref_id)

    def compare_replica(self, process: Process) -> None:
        open_now = {session.id: session for session in Session.objects.filter(state=SessionState.OPEN)}
        assert len({session.class_ref_id for session in open_now.values()}) == len(open_now)
        assert set(process.sessions) == set(open_now)
        assert process.focus_id == _focus()
        assert process.connections.accounts_version == AccountsVersion.current()
        for session_id, session in process.sessions.items():
            rows = _journal(session_id)
            assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
            assert open_now[session_id].last_seq == len(rows) == session.seq
            assert [(m.seq, m.student_id, m.status, m.at) for m in session.marks] == [
                (row.seq, row.student_id, row.status, row.at) for row in rows
            ]
            assert session.statuses == fold(rows)
            assert (session.counts.present, session.counts.absent) == count(fold(rows))
            assert session.roster == _roster(session.class_id)

    def compare_records(self) -> None:
        for session in Session.objects.filter(state=SessionState.ENDED):
            if session.id in self.ended:
                continue
            marks = fold(_journal(session.id))
            expected = {**dict.fromkeys(self.rosters_at_end[session.id], "absent"), **marks}
            rows = Attendance.objects.filter(session=session).values_list("student_id", "status")
            assert sorted(rows) == sorted(expected.items())
            assert (session.present_count, session.absent_count) == count(expected)

    def compare(self, client: Client, *, whole: bool) -> None:
        """What a client heard since the last time is what the journal says; `whole`: all of it."""
        frames = client.heard[client.compared :]
        client.compared += len(frames)
        whole = whole and client.is_open
        sessions = list(Session.objects.order_by("started_at", "id"))
        for room in self.rooms:
            ids = self.students_of(room.class_id)
            heard = [
                (frame.get("seq"), frame["data"]["studentId"], frame["data"]["status"])
                for frame in frames
                if is_mark(frame, ids)
            ]
            rows = [
                Row(row.seq, row.student_id, row.status, whole and self.must_hear(client, session, row.seq))
                for session in sessions
                if session.class_ref_id == room.class_id
                for row in _journal(session.id)
                if row.seq > self.known.get(session.id, 0) and self.may_hear(client, session)
            ]
            assert matches(heard, rows), f"heard {heard}, journal {rows}"
        self.compare_ends(client, frames, sessions, whole)
        self.compare_summaries(frames, sessions)
        for frame in frames:
            if frame["event"] == "ERROR":
                assert frame["data"]["message"] != "Internal server error"
        self.catch_up(client, len(client.heard))
        if whole:
            self.compare_view(client)
            client.joined = None

    def compare_ends(self, client: Client, frames: list[dict[str, Any]], sessions: list[Session], whole: bool) -> None:
        ended = [s for s in sessions if s.state == SessionState.ENDED and s.id not in self.ended]
        may = [session for session in ended if self.may_hear(client, session)]
        must = [session for session in may if whole and self.must_hear(client, session, None)]
        done = [at for at, frame in enumerate(frames) if frame["event"] == "DONE"]
        assert len(must) <= len(done) <= len(may), f"{len(done)} DONE, {must} to be heard of {may}"
        for at in done:
            data, seq = frames[at]["data"], frames[at].get("seq")
            assert data["message"] == "Attendance persisted"
            assert data["total"] == data["present"] + data["absent"]
            counts = (data["present"], data["absent"])
            assert any((s.present_count, s.absent_count) == counts and seq in (None, s.last_seq) for s in may)
        if (
            len(may) == 1
            and done
            and not any(s.class_ref_id == may[0].class_ref_id for s in sessions if s.started_at > may[0].started_at)
        ):
            of_class = self.students_of(may[0].class_ref_id)
            assert not [frame for frame in frames[done[0] :] if is_mark(frame, of_class)], "a mark after DONE"

    def compare_summaries(self, frames: list[dict[str, Any]], sessions: list[Session]) -> None:
        summaries = [frame for frame in frames if frame["event"] == "TODAY_SUMMARY"]
        if not summaries:
            return
        counts = defaultdict(set)
        for session in sessions:
            rows = _journal(session.id)
            for seq in range(len(rows) + 1):
                counts[seq].add(count(fold(rows[:seq])))
        for frame in summaries:
            data = frame["data"]
            assert data["total"] == data["present"] + data["absent"]
            possible = counts[frame["seq"]] if "seq" in frame else set.union(*counts.values())
            assert (data["present"], data["absent"]) in possible

    def may_hear(self, client: Client, session: Session) -> bool:
        if django_settings.LIVE_SESSIONS == "single":
            return True
        if client.user.id == self.rooms[client.room].teacher.id or session.class_ref_id in self.roster_changes:
            return session.class_ref_id == self.rooms[client.room].class_id
        return client.user.id in self.rosters[session.class_ref_id]

    def must_hear(self, client: Client, session: Session, seq: int | None) -> bool:
        """Whether nothing excuses it if a client did not hear mark `seq`, or (None) the end, of a session."""
        if client.joined is not None:
            if seq is not None and seq <= client.joined.get(session.id, 0):
                return False
            if seq is None and session.id in client.joined_ended:
                return False
        if django_settings.LIVE_SESSIONS == "per-class":
            if client.role >= 0 and session.class_ref_id in self.roster_changes:
                return False
            return self.may_hear(client, session)
        # While it had the focus, however often the focus moved; what was on its way when it moved need not be heard.
        current, since = self.focus, 0
        for _, entered, last_seqs, ended in self.moves:
            if current == session.id:
                heard_here = session.id in ended if seq is None else since < seq <= last_seqs.get(session.id, 0)
                if heard_here:
                    return True
            current = entered
            if entered == session.id:
                since = last_seqs.get(session.id, 0)
        return session.id == current and (seq is None or seq > since)

    # SYNC

    def sync(self, client: Client | None) -> None:
        """Asks for what is missing, as a client does: for everything if it turns out to be another session."""
        if client is None or not client.is_open:
            return
        since = 0 if client.following is None or client.suspect else len(client.view)
        before = len(client.heard)
        self.run(client.send("SYNC", {"since": since}))
        frames = client.heard
        at = next((at for at in range(before, len(frames)) if frames[at]["event"] == "SYNC"), None)
        if at is None:
            client.following, client.view = None, []
            return
        self.catch_up(client, at)
        answer = frames[at]["data"]
        self.check_answer(answer, since)
        which = (answer["classId"], answer["startedAt"])
        if since and client.following != which:
            client.following = None
            self.sync(client)
            return
        client.following, client.suspect, client.followed = which, False, at + 1
        client.view = client.view[:since] + [(mark["studentId"], mark["status"]) for mark in answer["marks"]]

    def catch_up(self, client: Client, end: int) -> None:
        """Takes what was broadcast into the client's view, as a client does. It never has to guess."""
        if client.following is not None and (self.moves or client.following[0] in self.roster_changes):
            client.suspect = True  # it may not have been addressed all the time
        frames = client.heard[client.followed : end]
        client.followed = max(client.followed, end)
        for frame in frames:
            if client.following is None or "seq" not in frame:
                continue
            if frame["event"] == "DONE":
                client.following, client.view = None, []
            elif is_mark(frame, self.students_of(client.following[0])):
                if frame["seq"] == len(client.view) + 1:
                    client.view.append((frame["data"]["studentId"], frame["data"]["status"]))
                else:
                    assert client.suspect, f"mark {frame} after {len(client.view)}"

    def compare_view(self, client: Client) -> None:
        if client.following is None or client.suspect:
            return
        session = self.session_of(*client.following)
        if session.id == _focus() or django_settings.LIVE_SESSIONS == "per-class":
            assert client.view == [(row.student_id, row.status) for row in _journal(session.id)]

    def session_of(self, class_id: str, started_at: str) -> Session:
        sessions = Session.objects.filter(class_ref_id=class_id)
        return next(session for session in sessions if to_iso(session.started_at) == started_at)

    def students_of(self, class_id: str) -> set[str]:
        return {student.id for room in self.rooms if room.class_id == class_id for student in room.students}

    def check_answer(self, answer: dict[str, Any], since: int) -> None:
        """Each answer is a true part of the journal, complete from `since` to its seq."""
        rows = _journal(self.session_of(answer["classId"], answer["startedAt"]).id)
        assert answer["seq"] <= len(rows)
        assert answer["marks"] == [
            {"seq": row.seq, "studentId": row.student_id, "status": row.status, "at": to_iso(row.at)}
            for row in rows[since : answer["seq"]]
        ]

    def here(self) -> list[Client]:
        return [client for client in self.clients if client.is_open]

    def pick_teacher(self, which: int) -> Client | None:
        teachers = [client for client in self.here() if client.role < 0]
        return teachers[which % len(teachers)] if teachers else None


def _journal(session_id: str) -> list[Mark]:
    return list(Mark.objects.filter(session_id=session_id).order_by("seq"))


def _last_seqs() -> dict[str, int]:
    return dict(Session.objects.values_list("id", "last_seq"))


def _ended() -> set[str]:
    return set(Session.objects.filter(state=SessionState.ENDED).values_list("id", flat=True))


def _focus() -> str | None:
    return Focus.objects.values_list("session_id", flat=True).first()


def _roster(class_id: str) -> set[str]:
    return set(Enrolment.objects.filter(class_ref_id=class_id).values_list("student_id", flat=True))


@unit_of_work
def _empty_the_database() -> None:
    for model in (Due, Attendance, Mark, Focus, Session, Enrolment, Class, User):
        rows = model.objects.all()
        rows._raw_delete(rows.db)
    AccountsVersion.objects.update(number=0)


@pytest.mark.timeout(900 if PROFILE == "short" else 3600)
@pytest.mark.parametrize("mode", ["single", "per-class"])
def test_every_client_ends_with_the_journal(rig: Rig, paced: Paced, settings: Any, mode: str) -> None:
    settings.LIVE_SESSIONS = mode

    class Machine(LiveSessions):
        pass

    Machine.rig, Machine.paced = rig, paced
    run_state_machine_as_test(Machine, settings=hypothesis_settings.get_profile(PROFILE))


_ID = re.compile(r"[0-9a-f]{24}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


class RecordedSessions(LiveSessions):
    """Keeps what can be seen after each step, with the ids in the order in which they turn up, and without times."""

    record: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, int] = {}

    @invariant()
    def keep(self) -> None:
        processes = [
            (
                process.focus_id,
                [(session.id, session.seq, len(session.roster)) for session in process.sessions.values()],
            )
            for process in self.processes
        ]
        heard = [(client.role, client.is_open, client.heard) for client in self.clients]
        text = json.dumps([self.rig.layer.held, processes, heard, sorted(_last_seqs().values())])
        text = _ID.sub(lambda found: f"#{self.numbers.setdefault(found[0], len(self.numbers))}", text)
        self.record.append(_TIME.sub("then", text))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", ["single", "per-class"])
def test_the_same_choices_are_the_same_run(rig: Rig, paced: Paced, settings: Any, mode: str) -> None:
    """Hypothesis runs an example again to make it shorter and to show it, and takes choices from earlier ones."""
    settings.LIVE_SESSIONS = mode

    class Machine(RecordedSessions):
        pass

    Machine.rig, Machine.paced = rig, paced
    profile = hypothesis_settings.get_profile("short")
    records: list[list[str]] = []
    for _ in range(2):
        Machine.record = []
        records.append(Machine.record)
        chosen = hypothesis_settings(profile, max_examples=10, derandomize=True, database=None)
        run_state_machine_as_test(Machine, settings=chosen)
    assert len(records[0]) > 100
    assert records[0] == records[1]
