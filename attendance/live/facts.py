"""What happens in a live session: the facts that clients are told. Plain data, no rules and no I/O."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from attendance.enums import Method, Status
from attendance.sheets import Sheet


class Marked(msgspec.Struct, frozen=True):
    """A committed mark: the journal's row `seq` of its session. One is made for each mark, in a third of the time of a
    frozen dataclass.
    """

    seq: int
    student_id: str
    #: None: the student has no mark any more.
    status: Status | None
    at: datetime
    by_id: str
    method: Method
    note: str = ""
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Students by status, late among the present and excused among the absent."""

    present: int
    absent: int

    @property
    def total(self) -> int:
        return self.present + self.absent


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts over the marks up to `seq`, as the teacher asked for them."""

    seq: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over and its records are written; `seq` was its last mark, `sheet` is what the records say."""

    seq: int
    counts: Counts
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Joined:
    """A student says that they are here to follow the session; it marks nobody. Told to followers only."""

    student_id: str
    name: str
    at: datetime


Fact = Marked | Summary | Ended | Joined

#: Who is told a fact: the users of these ids, or everybody connected.
Audience = frozenset[str] | None
EVERYBODY: Audience = None
NOBODY: Audience = frozenset()
