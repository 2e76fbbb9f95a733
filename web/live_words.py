"""What live pages say, in the reader's language: scripts get it with the page, as JSON, and fill in `{0}`."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from attendance.check_in_rules import CodeShown
from attendance.check_ins import Claim
from attendance.enums import Method, Status
from core import errors
from core.times import now, to_iso
from core.words import SENTENCES, SENTENCES_OF_TEACHERS
from web.statuses import LETTERS, METHODS, ORDER, WORDS

#: What the server may refuse to a live page. Of `TooManyRequests` the server itself says how long to wait.
REFUSALS = (
    errors.NoActiveSession,
    errors.StudentNotEnrolled,
    errors.JournalFull,
    errors.NothingToUndo,
    errors.InternalError,
    errors.DatabaseUnavailable,
    errors.TeachersOnly,
    errors.SessionNotFound,
)
#: Why a student is not in, by the code that their page's script is told.
CHECK_IN_REFUSALS = {
    "check_in_closed": errors.CheckInClosed,
    "not_enrolled": errors.StudentNotEnrolled,
    "wrong_code": errors.WrongCode,
    "claim_expired": errors.ClaimExpired,
    "place_missing": errors.LocationMissing,
    "place_vague": errors.PlaceVague,
    "out_of_range": errors.OutOfRange,
    "other_network": errors.OtherNetwork,
    "other_device": errors.OtherDevice,
}


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


def refusals(*, to_teacher: bool) -> dict[str, str]:
    """An error's code → its sentence."""
    sentences = SENTENCES | SENTENCES_OF_TEACHERS if to_teacher else SENTENCES
    return {error.code: str(sentences[error.code]) for error in REFUSALS}


def places() -> dict[str, str]:
    """Why a browser does not say where it is."""
    return {
        "denied": _("This page may not see where you are. Allow it in the browser's settings, or ask your teacher."),
        "insecure": _("Without HTTPS a browser says no place. Ask your teacher: they can mark you."),
        "unknown": _("Your device does not know where it is. Go near a window, or ask your teacher."),
    }


def places_of_teachers() -> dict[str, str]:
    """The same for a teacher, who need not say it."""
    return {
        "denied": _(
            "This page may not see where you are. Allow it in the browser's settings, or choose “no matter where”."
        ),
        "insecure": _("Without HTTPS a browser says no place. Choose “no matter where”."),
        "unknown": _("Your device does not know where it is. Go near a window, or choose “no matter where”."),
    }


def board_data(session_id: str, order: Iterable[Status]) -> dict[str, Any]:
    """What the board's script needs besides the page itself. `order`: what taps mark, one after the other."""
    letters = {status: str(LETTERS[status]).lower() for status in ORDER}
    return {
        "session": session_id,
        "order": [status.value for status in order],
        # The letters of English, and the reader's own before them.
        "keys": {status.value[0]: status.value for status in ORDER} | {key: one.value for one, key in letters.items()},
        "statuses": {status.value: str(WORDS[status]) for status in ORDER},
        # That the teacher marked goes without saying.
        "methods": {method.value: str(word) for method, word in METHODS.items() if method is not Method.TEACHER},
        "refusals": refusals(to_teacher=True),
        "places": places_of_teachers(),
        "flagWords": {
            "out_of_range": _("seems to be too far away"),
            "other_device": _("checked in on somebody else's device"),
        },
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


def projector_data(session_id: str, code: CodeShown | None) -> dict[str, Any]:
    """What the projector's script needs; `code` is the one to begin with, None while the check-in is closed."""
    words = {
        "isIn": _("{0} of {1} in"),
        "closed": _("The check-in is not open."),
        "over": _("The lesson is over."),
        "noConnection": _("No connection. The code comes back with the network."),
    }
    shown = None
    if code is not None:
        until = None if code.valid_until is None else to_iso(code.valid_until)
        shown = {"code": code.code, "validUntil": until, "qr": code.qr}
    return {"session": session_id, "code": shown, "serverTime": to_iso(now()), "words": words}


def kiosk_data(session_id: str) -> dict[str, Any]:
    """What the script of a device at the door needs."""
    words = {
        "next": _("Show your card, or type your roll number."),
        "isIn": _("{0}, {1}"),
        "already": _("You are in already."),
        "noConnection": _("No connection. It keeps trying."),
    }
    own = {
        "student_not_enrolled": _("This number is not on this class's list."),
        "unauthorized": _("This device's leave has ended. A teacher has to begin anew."),
    }
    return {
        "session": session_id,
        "words": words,
        "statuses": {status.value: str(WORDS[status]) for status in ORDER},
        "refusals": refusals(to_teacher=False) | own,
    }


def check_in_data(*, claim: Claim | None, refused: str, is_signed_in: bool, sign_in: str) -> dict[str, Any]:
    """What the phone's script needs: the `claim` that a scan became, or why it was `refused`; neither for a code that
    is typed."""
    words = {
        "wait": _("One moment…"),
        "isIn": _("You are in, {0}."),
        "flagged": _("Your teacher has been asked to look."),
        "signIn": _("Sign in, and you are in. There is time until {0}."),
        "sixDigits": _("The code has six digits."),
        "finding": _("Finding out where you are…"),
        "keepsTrying": _("No connection. It keeps trying; leave this page open."),
    }
    own = {
        **{code: str(SENTENCES[error.code]) for code, error in CHECK_IN_REFUSALS.items()},
        "student_only": _("Only students check in."),
    }
    kept = None
    if claim is not None:
        kept = {"claim": claim.claim, "expiresAt": to_iso(claim.expires_at), "className": claim.class_name}
    return {
        "claim": kept,
        "refused": refused,
        "isSignedIn": is_signed_in,
        "signIn": sign_in,
        "words": words,
        "places": places(),
        "refusals": refusals(to_teacher=False) | own,
    }
