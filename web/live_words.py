"""What live pages say, in the reader's language: scripts get it with the page, as JSON, and fill in `{0}`."""

from typing import Any

from django.utils.translation import gettext as _

from attendance.enums import Method
from core import errors
from web.statuses import LETTERS, METHODS, ORDER, WORDS
from web.words import SENTENCES

#: What the socket may refuse to a live page.
REFUSALS = (
    errors.NoActiveSession,
    errors.StudentNotEnrolled,
    errors.JournalFull,
    errors.NothingToUndo,
    errors.TooManyRequests,
    errors.InternalError,
    errors.DatabaseUnavailable,
    errors.TeachersOnly,
    errors.SessionNotFound,
)


def connection_words() -> dict[str, str]:
    """What every live page says of its connection."""
    return {
        "live": _("Live"),
        "catchingUp": _("Catching up…"),
        "offline": _("No connection since {0}."),
        "signedOut": _("You are signed out. Load the page again."),
        "waiting": _("Nothing is lost. Marks that wait for the network: {0}"),
        "notNow": _("That needs the network. Try again when it is back."),
    }


def refusals() -> dict[str, str]:
    """An error's code → its sentence."""
    return {error.code: str(SENTENCES[error.code]) for error in REFUSALS}


def board_data(session_id: str) -> dict[str, Any]:
    """What the board's script needs besides the page itself."""
    letters = {status: str(LETTERS[status]).lower() for status in ORDER}
    return {
        "session": session_id,
        "order": [status.value for status in ORDER],
        # The letters of English, and the reader's own before them.
        "keys": {status.value[0]: status.value for status in ORDER} | {key: one.value for one, key in letters.items()},
        "statuses": {status.value: str(WORDS[status]) for status in ORDER},
        # That the teacher marked goes without saying.
        "methods": {method.value: str(word) for method, word in METHODS.items() if method is not Method.TEACHER},
        "refusals": refusals(),
        "words": connection_words()
        | {
            "onItsWay": _("on its way…"),
            "isIn": _("{0} of {1} in"),
            "end": _("End the lesson?"),
            "endUnmarked": _("Students without a mark, who will be absent: {0}. End the lesson?"),
        },
    }


def mine_data(student_id: str, class_ids: list[str]) -> dict[str, Any]:
    """What the script of a student's page needs besides the page itself."""
    return {"me": student_id, "classes": class_ids, "words": connection_words()}
