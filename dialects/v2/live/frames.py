"""How `/ws/v2` spells what happens: `{"event": NAME, "data": {…}}`, and `id` in an answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec
from django.utils import translation

from attendance.check_in import FlagShown
from attendance.enums import SessionState
from attendance.journal import NewMark
from attendance.live.facts import Ended, Fact, Marked
from attendance.live.session import LiveSession
from attendance.overview import Counts
from attendance.sheets import Statistics
from core.errors import ApiError
from core.identity import Actor
from core.names import by_name
from core.times import to_iso
from dialects.v2.failures import code_of, message_of
from dialects.v2.serializers.check_in import FlagOutput, check_in_shown

Json = dict[str, Any]

_encode = msgspec.json.Encoder().encode


def frame(event: str, data: Json | None = None, request_id: Any = None) -> str:
    """A message; `request_id` is the `id` of the message that it answers."""
    message: Json = {"event": event}
    if request_id is not None:
        message["id"] = request_id
    if data is not None:
        message["data"] = data
    return _encode(message).decode()


def error_frame(error: ApiError, language: str, reader: Actor | None, request_id: Any = None) -> str:
    """`ERROR` for the message of this id, or for none, worded in this language for `reader`, None if nobody knows."""
    with translation.override(language):
        message = message_of(error, reader)
    return frame("ERROR", {"code": code_of(error), "message": message}, request_id)


def person(actor: Actor) -> Json:
    """Who is signed in."""
    return {"_id": actor.id, "name": actor.name, "email": actor.email, "role": actor.role.value}


def mark(fact: Marked) -> Json:
    """A mark."""
    return {
        "seq": fact.seq,
        "studentId": fact.student_id,
        "status": fact.status,
        "at": to_iso(fact.at),
        "by": fact.by_id,
        "method": fact.method,
        "note": fact.note,
        "key": fact.key,
    }


def marks(session_id: str, facts: Sequence[Marked]) -> str:
    """`MARKS`: marks that go together, in order."""
    return frame("MARKS", {"session": session_id, "seq": facts[-1].seq, "marks": [mark(fact) for fact in facts]})


def counts(found: Counts) -> Json:
    """Students by status."""
    return {
        "present": found.present,
        "late": found.late,
        "absent": found.absent,
        "excused": found.excused,
        "unmarked": found.unmarked,
    }


def new_mark(seq: int, made: NewMark) -> Json:
    """A mark that a service has made."""
    fact = Marked(seq, made.student_id, made.status, made.at, made.by_id, made.method, made.note, made.key)
    return mark(fact)


def counts_of(fact: Ended) -> Json:
    """Students by status in a session that has ended."""
    return counts(Counts.of(entry.status for entry in fact.sheet.entries))


def ended(session_id: str, fact: Ended) -> str:
    """`ENDED`."""
    return frame("ENDED", {"session": session_id, "seq": fact.seq, "counts": counts_of(fact)})


def teacher_form(session: LiveSession, facts: Sequence[Fact]) -> list[str]:
    """The wire form of teachers who follow a session: all marks, those of one moment in one frame."""
    frames: list[str] = []
    for kind, group in groupby(facts, type):
        if kind is Marked:
            frames.append(marks(session.id, [fact for fact in group if isinstance(fact, Marked)]))
        elif kind is Ended:
            frames += [ended(session.id, fact) for fact in group if isinstance(fact, Ended)]
    return frames


@dataclass(frozen=True, slots=True)
class CountsForm:
    """`COUNTS` of a session, for its students."""

    session_id: str

    def __call__(self, statistics: Statistics) -> str:
        found = Counts(
            statistics.present - statistics.late,
            statistics.late,
            statistics.absent - statistics.excused,
            statistics.excused,
            statistics.unmarked,
        )
        return frame("COUNTS", {"session": self.session_id, "counts": counts(found)})


def roster(people: Iterable[tuple[str, str]], roll_numbers: Mapping[str, str]) -> list[Json]:
    """The students of a session, whose ids and names these are, by name."""
    ordered = sorted(people, key=lambda one: by_name(one[1], one[0]))
    return [{"_id": key, "name": name, "rollNumber": roll_numbers.get(key)} for key, name in ordered]


@dataclass(frozen=True, slots=True)
class State:
    """What `STATE` says: a session as it stands, for its teachers, or for one student alone."""

    session_id: str
    class_name: str
    state: SessionState
    started_at: str
    seq: int
    roster: list[Json]
    marks: Sequence[Marked]
    check_in: Json | None = None
    flags: Sequence[Json] = ()

    @property
    def frame(self) -> str:
        """Each marked student's last mark, in order."""
        last = {fact.student_id: fact for fact in self.marks}
        shown = sorted((fact for fact in last.values() if fact.status is not None), key=lambda fact: fact.seq)
        return frame(
            "STATE",
            {
                "session": self.session_id,
                "className": self.class_name,
                "state": self.state,
                "startedAt": self.started_at,
                "seq": self.seq,
                "roster": self.roster,
                "marks": [mark(fact) for fact in shown],
                "checkIn": self.check_in,
                "flags": list(self.flags),
            },
        )


def state_of(session: LiveSession, roll_numbers: Mapping[str, str], student_id: str | None = None) -> State:
    """A live session as it stands, of all students or of one."""
    people = session.people_shown()
    if student_id is not None:
        people = [(key, name) for key, name in people if key == student_id]
    shown = [fact for key, fact in session.latest.items() if student_id in (None, key)]
    return State(
        session.id,
        session.class_name,
        SessionState.OPEN if session.ended is None else SessionState.ENDED,
        to_iso(session.started_at),
        session.seq,
        roster(people, roll_numbers),
        shown,
        check_in_shown(session.check_in.rules, to_teacher=student_id is None) if session.ended is None else None,
        [flag(one) for one in session.check_in.flags.values()] if student_id is None else (),
    )


def flag(shown: FlagShown) -> Json:
    """A flag."""
    return FlagOutput.show(shown)


def check_in(session: LiveSession, *, to_teacher: bool) -> str:
    """`CHECK_IN`."""
    shown = check_in_shown(session.check_in.rules, to_teacher=to_teacher)
    return frame("CHECK_IN", {"session": session.id, "checkIn": shown})
