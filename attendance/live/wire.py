"""How the canonical protocol spells facts: `{"event": NAME, "data": {…}}`."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from attendance.enums import basic_of
from attendance.live.facts import Counts, Ended, Fact, Joined, Marked, Summary
from attendance.live.session import LiveSession
from core.times import to_iso

#: A wire form: the text frames for facts of a session, in order; hashable. Sockets of equal forms share the frames.
WireForm = Callable[[LiveSession, Sequence[Fact]], list[str]]

_encode = msgspec.json.Encoder().encode


def frame(event: str, data: dict[str, Any]) -> str:
    """A message for one socket."""
    return _encode({"event": event, "data": data}).decode()


def error_frame(message: str) -> str:
    return frame("ERROR", {"message": message})


def plain(session: LiveSession, facts: Sequence[Fact]) -> list[str]:
    """Facts as the contract's events, with no extra field."""
    return [_encode(_message(fact)).decode() for fact in facts if not isinstance(fact, Joined)]


def sequenced(session: LiveSession, facts: Sequence[Fact]) -> list[str]:
    """Facts as the contract's events with a top-level `seq`, for sockets that sent SYNC."""
    return [_encode({**_message(fact), "seq": fact.seq}).decode() for fact in facts if not isinstance(fact, Joined)]


def sync_marks(marks: Sequence[Marked]) -> bytes:
    """Marks as the answer to SYNC has them: a piece of its `marks`, without the brackets."""
    return _encode([{"seq": mark.seq, **_mark(mark), "at": to_iso(mark.at)} for mark in marks])[1:-1]


def sync_frame(session: LiveSession, pieces: Iterable[bytes]) -> str:
    """The answer to SYNC: the session, and its marks in the pieces that `sync_marks` made."""
    return frame(
        "SYNC",
        {
            "classId": session.class_id,
            "startedAt": to_iso(session.started_at),
            "seq": session.seq,
            "marks": msgspec.Raw(b"[%b]" % b",".join(filter(None, pieces))),
        },
    )


def _message(fact: Marked | Summary | Ended) -> dict[str, Any]:
    match fact:
        case Marked():
            return {"event": "ATTENDANCE_MARKED", "data": _mark(fact)}
        case Summary():
            return {"event": "TODAY_SUMMARY", "data": _counts(fact.counts)}
        case Ended():
            return {"event": "DONE", "data": {"message": "Attendance persisted", **_counts(fact.counts)}}


def _mark(mark: Marked) -> dict[str, str]:
    return {"studentId": mark.student_id, "status": basic_of(mark.status).value}


def _counts(counts: Counts) -> dict[str, int]:
    return {"present": counts.present, "absent": counts.absent, "total": counts.total}
