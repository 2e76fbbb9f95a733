"""What one account, address, socket or session may do: one table. docs/security.md shows the same rows.

Where a row is counted depends on what is counted:

- `accounts.limits` counts in the database, so for all processes together: what makes rows, mails or guesses.
- `attendance.live.shares` and `core.server.doors` count in the process (`core.buckets`), because a live message cannot
  afford a row of the database. There each process grants the whole amount.

Most amounts are settings; 0 lifts that one row. `LIMITS=0` lifts all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.conf import settings


class Per(StrEnum):
    """Who is counted by a row."""

    ACCOUNT = "account"
    ADDRESS = "address"
    ACCOUNT_AND_ADDRESS = "account and address"
    MAILBOX = "mailbox"
    MAILBOX_AND_ADDRESS = "mailbox and address"
    CODE = "code"
    STUDENT = "student and session"
    SESSION = "session"
    CONNECTION = "connection"
    PROCESS = "process"


_AT_ONE_TIME = timedelta()
_SECOND = timedelta(seconds=1)
_FIVE_MINUTES = timedelta(minutes=5)
_TEN_MINUTES = timedelta(minutes=10)
_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
#: As long as a one-time code is good.
CODE_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """A row: at most `number` of what `name` says within `window`, which begins with the first of them.

    `fixed` is a number, or the name of the setting that has it. A `window` of no length limits how many there are at
    one time. With `saved` the window rolls: the number comes again evenly over each window, and that of so many windows
    may be saved up and spent at once.
    """

    name: str
    fixed: int | str
    window: timedelta
    per: Per = Per.ACCOUNT
    saved: int = 0

    @property
    def number(self) -> int:
        """The amount, 0 for no limit."""
        return self.fixed if isinstance(self.fixed, int) else int(getattr(settings, self.fixed))

    @property
    def label(self) -> str:
        """What log lines, metrics and rows of the database call the row."""
        return f"{self.name} per {self.per}"

    @property
    def setting(self) -> str | None:
        """The setting that has the amount, if one has."""
        return self.fixed if isinstance(self.fixed, str) else None

    @property
    def is_lifted(self) -> bool:
        return not settings.LIMITS or not self.number


# What sockets and connections hold. A school sits behind one address.

SOCKETS = Limit("sockets", "LIMIT_ACCOUNT_SOCKETS", _AT_ONE_TIME, Per.ACCOUNT)
SOCKETS_AT_ADDRESS = Limit("sockets", "LIMIT_ADDRESS_SOCKETS", _AT_ONE_TIME, Per.ADDRESS)
#: Sockets that are opened, however soon they leave. Whoever connects again after each break of a bad network stays
#: below.
OPENINGS = Limit("openings of sockets", "LIMIT_ACCOUNT_OPENINGS", _SECOND, saved=20)
#: A school whose server is started again twice within a minute, and whose devices all come back at once, stays below.
OPENINGS_AT_ADDRESS = Limit("openings of sockets", "LIMIT_ADDRESS_OPENINGS", _SECOND, Per.ADDRESS, saved=50)
#: Socket.IO clients that have shaken hands and have not said yet who they are. A class that connects at once stays
#: below, because a client says so within a round trip.
HANDSHAKES = Limit("Socket.IO handshakes without a connection", "LIMIT_HANDSHAKES", _AT_ONE_TIME, Per.ADDRESS)
#: Requests that a client sends before earlier ones of the same connection are answered.
PIPELINED = Limit("pipelined requests", "LIMIT_PIPELINED", _AT_ONE_TIME, Per.CONNECTION)
#: One address may have a quarter of it.
BODIES = Limit("MiB of requests' bodies", "LIMIT_BODIES", _AT_ONE_TIME, Per.PROCESS)
#: Descriptors that WebSockets leave to requests, to the database and to files. Of these, connections leave the half.
RESERVED = Limit("reserved descriptors", "LIMIT_FILES_RESERVED", _AT_ONE_TIME, Per.PROCESS)

# What an account's sockets send.

MARKS = Limit("marks", "LIMIT_MARKS", _SECOND, saved=10)
MESSAGES = Limit("other messages", "LIMIT_MESSAGES", _SECOND, saved=10)
SYNCS = Limit("SYNC", "LIMIT_SYNCS", _SECOND, saved=2)
#: Each of these goes to everybody.
SUMMARIES = Limit("TODAY_SUMMARY on /ws", "LIMIT_BROADCASTS", _SECOND, saved=2)
COUNTDOWNS = Limit("time_update", "LIMIT_BROADCASTS", _SECOND, saved=2)
CALLS = Limit("first_call", "LIMIT_BROADCASTS", _SECOND, saved=2)
PLACES = Limit("teacherLoc", "LIMIT_BROADCASTS", _SECOND, saved=2)
JOINS = Limit("joinAttendanceSession", "LIMIT_BROADCASTS", _SECOND, saved=2)
#: Answers that are as long as the class. A client that asks after each mark of a burst stays below.
SHEETS_READ = Limit("reads of a whole class", "LIMIT_READS", _SECOND, saved=20)

#: Marks of one session's journal, however few students there are. A journal is held in memory by every process.
JOURNAL = Limit("marks", "LIMIT_JOURNAL", _AT_ONE_TIME, Per.SESSION)
#: A teacher who corrects a student in every minute of a lesson stays below.
JOURNAL_OF_STUDENT = Limit("marks of a large class", "LIMIT_JOURNAL_A_STUDENT", _AT_ONE_TIME, Per.STUDENT)

# What requests make.

SIGNUPS = Limit("sign-ups", "LIMIT_SIGNUPS", _TEN_MINUTES, Per.ADDRESS)
CLASSES = Limit("classes", "LIMIT_CLASSES", _TEN_MINUTES)
SHEET_ROWS = Limit("rows of sheets", "LIMIT_SHEET_ROWS", _TEN_MINUTES)
#: Reading one may take a processor for seconds.
CALENDARS = Limit("calendar files", 30, _TEN_MINUTES)
PEOPLE = Limit("people made by sheets", "LIMIT_PEOPLE", _DAY)
SESSIONS = Limit("sessions", "LIMIT_SESSIONS", _TEN_MINUTES)
SESSION_NAMES = Limit("names of sessions", "LIMIT_SESSION_NAMES", _TEN_MINUTES)
#: Moves of the focus away from a session that another teacher is using, by one teacher.
FOCUS_TAKEN = Limit("taking the live session", 3, _TEN_MINUTES)
#: Their answers are kept for a day.
KEYED = Limit("requests with an Idempotency-Key", "LIMIT_KEYED", _TEN_MINUTES)
#: Absences that a student announces.
EXCUSES = Limit("announced absences", 50, _DAY)
#: Files with all that is stored of a person.
OWN_DATA = Limit("files with one's own data", 10, _HOUR)

# Guesses and mails.

#: Wrong cards of students from one address. A card has 138 bits: this is against floods alone.
CARDS = Limit("wrong cards", 1000, _QUARTER, Per.ADDRESS)

#: Wrong one-time codes from one address, whoever they are for.
CODE_ADDRESS = Limit("wrong one-time codes", 300, _QUARTER, Per.ADDRESS)
#: Answers of the school's provider from one address that signed nobody in. Each may ask the provider anew.
SCHOOL_SIGN_INS = Limit("failed sign-ins by the school's accounts", 300, _QUARTER, Per.ADDRESS)
#: Wrong codes of those who did not ask for the code, from one address and from all of them.
TRIES_ELSEWHERE = Limit("wrong one-time codes from elsewhere", 5, CODE_LIFETIME, Per.CODE)
TRIES_EVERYWHERE = Limit("wrong one-time codes from anywhere else", 10, CODE_LIFETIME, Per.CODE)
#: Wrong codes of a class's session.
SELF_MARKS = Limit("wrong codes of a session", 10, _TEN_MINUTES, Per.STUDENT)
#: Wrong codes of check-in, whatever the session. They are counted before anything is compared.
CHECK_INS = Limit("wrong codes of check-in", 10, _FIVE_MINUTES)
CHECK_INS_AT_ADDRESS = Limit("wrong codes of check-in", 1000, _FIVE_MINUTES, Per.ADDRESS)
#: Wrong passwords of strangers for one account, over all addresses. So a million addresses have less than 1,000 guesses
#: a day.
STRANGERS_OF_ACCOUNT = Limit("wrong passwords of strangers", 40, _HOUR)
#: Wrong passwords of strangers at one address, for all accounts. A school's first day, when a thousand pupils mistype,
#: stays within this limit. Beyond it nobody is refused, but strangers there have one try without a wait.
STRANGERS_AT_ADDRESS = Limit("wrong passwords of strangers", 1000, _QUARTER, Per.ADDRESS)
#: AttenTrack's app asks for a code at every start while its owner is unverified.
MAILS_TO = Limit("mails", 60, _HOUR, Per.MAILBOX)
#: A stranger leaves the owner, who is elsewhere, some of the others.
MAILS_TO_FROM = Limit("mails", 40, _HOUR, Per.MAILBOX_AND_ADDRESS)
#: A school of 2,000 sits behind one address on its first day.
MAILS_FROM = Limit("mails", 2000, _HOUR, Per.ADDRESS)
#: Mails that one signed-in person causes: a sheet of a whole year, or the invitations of a whole staff.
MAILS_BY = Limit("mails", 500, _HOUR)
#: Mails that say that an account was set aside.
NOTICES_TO = Limit("mails about being set aside", 1, _DAY, Per.MAILBOX)


def table() -> Iterator[Limit]:
    """All rows, in the order of this file."""
    return (value for value in globals().values() if isinstance(value, Limit))


def journal_limit(students: int) -> float:
    """How many marks the journal of a session takes whose class has so many students."""
    if JOURNAL.is_lifted:
        return float("inf")
    return max(JOURNAL.number, JOURNAL_OF_STUDENT.number * students)
