"""What processes tell each other of the live sessions, as hints."""

from datetime import datetime

from attendance.live.facts import Counts, Marked
from attendance.live.hints import Hint


class MarksHint(Hint, frozen=True, tag="marks"):
    """Marks of a session were committed, in order, while the sender took `focus` for the session with the focus."""

    session: str
    focus: str | None
    marks: list[Marked]


class SummaryHint(Hint, frozen=True, tag="summary"):
    """A teacher asked for a session's counts over its marks up to `seq`."""

    session: str
    focus: str | None
    seq: int
    counts: Counts


class JoinedHint(Hint, frozen=True, tag="joined"):
    """A student said that they are here to follow a session."""

    session: str
    student: str
    name: str
    at: datetime


class LookHint(Hint, frozen=True, tag="look"):
    """Something changed in the database."""


LiveHint = MarksHint | SummaryHint | JoinedHint | LookHint
