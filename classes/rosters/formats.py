"""The files of other systems: how each is known by its headings, and which of its rows are students.

A further system is a further row of FORMATS. All headings here are `headings.folded`: `SIS Login ID` is `sisloginid`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

#: A row's texts by column: those of `headings.LABELS`, and those that a format names besides.
Texts = Mapping[str, str]


class Fate(Enum):
    """What a format says of a row."""

    STUDENT = "student"
    #: It is no person: a line of points, a test student.
    NOBODY = "nobody"
    #: It is a person whom the file is not to enrol.
    LEFT_OUT = "left out"
    #: The student is no longer to be in the class.
    LEAVES = "leaves"


#: A fate and, for somebody left out, why.
Judgement = tuple[Fate, str]
_STUDENT: Judgement = (Fate.STUDENT, "")
_NOBODY: Judgement = (Fate.NOBODY, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file. `columns`: column → the headings that it may have, the best first.

    The column `login` is the e-mail of a row that has no other, if it is an e-mail.
    """

    #: In English; the catalogues have it.
    name: str
    columns: Mapping[str, Sequence[str]]
    #: A line of headings has all of these,
    needs: frozenset[str] = frozenset()
    #: and one of each of these.
    one_of: Sequence[frozenset[str]] = ()
    #: It begins with these, in their order.
    begins: Sequence[str] = ()
    #: Without these columns nobody knows who is a student: column → what to do.
    lacks: Mapping[str, str] = field(default_factory=dict)
    #: Whether other lines may stand above the headings: a summary of the meeting.
    has_top: bool = False
    #: Whether names are "Last, First", each of them.
    last_first: bool = False
    #: Whether a person may have several rows: one for each time that they joined.
    repeats: bool = False
    #: Whether it lists everybody of a course or a meeting, so that it may name teachers.
    lists_staff: bool = True
    judge: Callable[[Texts], Judgement] = lambda texts: _STUDENT
    #: Whether a row, all its cells, is below the list of people.
    ends: Callable[[Sequence[str]], bool] = lambda cells: False

    def find(self, headings: Mapping[str, int]) -> dict[str, int] | None:
        """Column → position, where `headings` (folded → position) are this format's; None where they are not."""
        if not self.needs <= headings.keys() or any(not group & headings.keys() for group in self.one_of):
            return None
        if any(headings.get(word) != at for at, word in enumerate(self.begins)):
            return None
        found = {
            column: next((headings[word] for word in words if word in headings), None)
            for column, words in self.columns.items()
        }
        return {column: at for column, at in found.items() if at is not None}


#: What other systems call a student, and a meeting somebody who only takes part in it.
_STUDENTS = re.compile(
    r"student|learner|pupil|attendee|teilnehme|schüler|studierend|étudiant|etudiant|élève|participant|estudiante|alumn|alunn"
    r"|asistente|estudante|aluno|studente|alunno|partecipante|छात्र|विद्यार्थी|طالب|حاضر|مشارك",
    re.IGNORECASE,
)


def _by_role(texts: Texts) -> Judgement:
    role = texts.get("role", "")
    if role and not _STUDENTS.search(role):
        return Fate.LEFT_OUT, _("the role is %s") % role
    return _STUDENT


def _zoom(texts: Texts) -> Judgement:
    if texts.get("guest", "").casefold() in ("yes", "ja", "oui", "sí", "si", "sim", "sì", "true"):
        return Fate.LEFT_OUT, _("a guest of the meeting, whose account is not the school's")
    if not texts.get("email"):
        return Fate.LEFT_OUT, _("the meeting knows no e-mail of theirs: nobody knows who this is")
    return _STUDENT


def _meeting(texts: Texts) -> Judgement:
    fate, why = _by_role(texts)
    if fate is Fate.STUDENT and not texts.get("email"):
        return Fate.LEFT_OUT, _("the meeting knows no e-mail of theirs: nobody knows who this is")
    return fate, why


def _canvas(texts: Texts) -> Judgement:
    name = texts.get("name", "")
    # Only Canvas' test student is called so and has no id of the school's, but a login of 40 hex digits.
    is_test = name.casefold() in ("student, test", "test student") and "@" not in texts.get("email", "")
    return _NOBODY if not name or is_test or name.casefold() == "points possible" else _STUDENT


def _classroom(texts: Texts) -> Judgement:
    if not texts.get("email") and not texts.get("first_name"):
        return _NOBODY  # the lines of dates, points and averages
    return _STUDENT


def _blackboard(texts: Texts) -> Judgement:
    return _NOBODY if texts.get("login", "").endswith("_previewuser") else _STUDENT


def _oneroster(texts: Texts) -> Judgement:
    role = texts.get("role", "")
    if role.casefold() != "student":
        return Fate.LEFT_OUT, _("the role is %s") % role if role else _("it has no role")
    is_gone = texts.get("status", "").casefold() == "tobedeleted" or texts.get("enabled", "").casefold() == "false"
    return (Fate.LEAVES, "") if is_gone else _STUDENT


#: What stands for a name in the last line of this server's exports: in earlier ones, and in `attendance.class_report`.
_TOTALS = ("Total present", "All students")


def _own(texts: Texts) -> Judgement:
    is_total = texts.get("name") in _TOTALS and not texts.get("email") and not texts.get("roll_number")
    is_remark = not texts.get("name") and not texts.get("email")
    return _NOBODY if is_total or is_remark else _STUDENT


def _ends_with_next_section(cells: Sequence[str]) -> bool:
    first, *rest = [cell.strip() for cell in cells] or [""]
    return bool(re.match(r"\d+\.\s", first)) and not any(rest)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ROLE = ("role", "rolle", "rol", "funcao", "papel", "ruolo")
_UPN = (
    *("participantidupn", "teilnehmeridupn", "idduparticipantupn", "identifiantduparticipantupn", "iddeparticipantupn"),
    *(
        "iddelparticipanteupn",
        "iddeparticipanteupn",
        "iddoparticipanteupn",
        "idpartecipanteupn",
        "iddelpartecipanteupn",
    ),
)

#: The first that fits is the file's.
FORMATS: Sequence[Format] = (
    Format(
        name=gettext_noop("a Microsoft Teams attendance report"),
        # Its words in the language of whoever made it: English, German, French, Spanish, Portuguese, Italian.
        one_of=(
            _words("name fullname nom nomcomplet nombre nombrecompleto nome nomecompleto vollstandigername"),
            frozenset((*_ROLE, "role")),
            frozenset((*_UPN, "firstjoin", "inmeetingduration", "jointime")),
        ),
        columns={
            "name": (
                *("name", "fullname", "nom", "nomcomplet", "nombre", "nombrecompleto", "nome", "nomecompleto"),
                "vollstandigername",
            ),
            "email": ("email", "emailadresse", "courriel", "adresseemail", "correoelectronico", "correo"),
            "login": _UPN,
            "role": _ROLE,
        },
        has_top=True,
        repeats=True,
        judge=_meeting,
        ends=_ends_with_next_section,
    ),
    Format(
        name=gettext_noop("a Zoom participants report"),
        one_of=(
            _words("useremail nameoriginalname"),
            _words("useremail email"),
            _words("nameoriginalname name username"),
            _words("durationminutes totaldurationminutes duration jointime guest"),
        ),
        columns={
            "name": ("nameoriginalname", "name", "username"),
            "email": ("useremail", "email"),
            "guest": ("guest",),
        },
        has_top=True,
        repeats=True,
        judge=_zoom,
    ),
    Format(
        name=gettext_noop("a Google Meet attendance report"),
        needs=_words("email"),
        one_of=(_words("firstname name"), _words("timejoined"), _words("duration timeexited")),
        columns={
            "name": ("name",),
            "first_name": ("firstname",),
            "last_name": ("lastname",),
            "email": ("email",),
        },
        has_top=True,
        repeats=True,
        judge=_meeting,
    ),
    Format(
        name=gettext_noop("a Canvas gradebook"),
        needs=_words("student id"),
        one_of=(_words("sisloginid loginid"), _words("section")),
        columns={
            "name": ("student",),
            "email": ("email",),
            "login": ("sisloginid", "loginid"),
            "roll_number": ("sisuserid",),
        },
        last_first=True,
        judge=_canvas,
    ),
    Format(
        name=gettext_noop("OneRoster users"),
        needs=_words("sourcedid givenname familyname"),
        one_of=(_words("enableduser username"),),
        columns={
            "first_name": ("givenname",),
            "last_name": ("familyname",),
            "email": ("email",),
            "login": ("username",),
            "roll_number": ("identifier",),
            "role": ("role",),
            "status": ("status",),
            "enabled": ("enableduser",),
        },
        lists_staff=False,
        lacks={
            "role": gettext_noop(
                "These users have no roles: in OneRoster 1.2 roles.csv has them. Import the whole zip."
            )
        },
        judge=_oneroster,
    ),
    Format(
        name=gettext_noop("a Blackboard download"),
        needs=_words("lastname firstname username"),
        one_of=(_words("studentid lastaccess availability childcourseid"),),
        columns={
            "first_name": ("firstname",),
            "last_name": ("lastname",),
            "email": ("email", "emailaddress"),
            "login": ("username",),
            "roll_number": ("studentid",),
        },
        judge=_blackboard,
    ),
    Format(
        name=gettext_noop("a Moodle list of participants"),
        needs=_words("firstname emailaddress"),
        one_of=(
            _words("lastname surname"),
            _words(
                "groups group idnumber roles role department institution lastaccesstocourse"
                " lastdownloadedfromthiscourse"
            ),
        ),
        columns={
            "first_name": ("firstname",),
            "last_name": ("lastname", "surname"),
            "email": ("emailaddress",),
            "roll_number": ("idnumber",),
            "role": ("roles", "role"),
        },
        judge=_by_role,
    ),
    Format(
        name=gettext_noop("a Google Classroom export"),
        begins=("lastname", "firstname", "emailaddress"),
        columns={"first_name": ("firstname",), "last_name": ("lastname",), "email": ("emailaddress",)},
        judge=_classroom,
    ),
    Format(
        name=gettext_noop("an attendance export of this server"),
        needs=_words("rollnumber name email present absent"),
        one_of=(_words("total lessons"), _words("rate percent")),
        columns={"name": ("name",), "email": ("email",), "roll_number": ("rollnumber",)},
        lists_staff=False,
        judge=_own,
    ),
)


def plain_list(columns: Mapping[str, int]) -> Format:
    """The format of a list that is no other system's, whose `columns` are known."""
    return Format(name=gettext_noop("a list of students"), columns=dict.fromkeys(columns, ()), lists_staff=False)
