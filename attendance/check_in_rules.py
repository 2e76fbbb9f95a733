"""Reads of how students mark themselves, and of the flags that came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from accounts.selectors import names_of
from attendance.check_in import Answer, CheckInRules, CheckInView, Circle, FlagShown, Mode, Place
from attendance.enums import SessionState
from attendance.models import CheckIn, Flag, Session
from core import errors
from core.database.prepared import Prepared
from core.qr_codes import qr_svg
from core.times import now


@dataclass(frozen=True, slots=True)
class CodeShown:
    """A code of check-in as it is shown: until when (None: nothing ends it), and what a phone opens, also as an SVG."""

    code: str
    valid_until: datetime | None
    url: str
    qr: str


def check_in_rules(session_ids: Sequence[str]) -> dict[str, CheckInRules]:
    """By session: how its students mark themselves. Sessions whose teachers never opened that are left out."""
    return {row.session_id: rules_of(row) for row in CheckIn.objects.filter(pk__in=list(session_ids))}


_check_in = Prepared(lambda session_id: CheckIn.objects.filter(pk=session_id))


def check_in_of(session_id: str) -> CheckInRules | None:
    """How the session's students mark themselves; None if its teachers never opened that."""
    row = _check_in.first(session_id)
    return None if row is None else rules_of(row)


def check_in_at(session: Session, moment: datetime) -> CheckInRules:
    """The rules of an open session whose check-in is open at `moment`. Raises `CheckInClosed`."""
    row = CheckIn.objects.filter(pk=session.id).first()
    if session.state != SessionState.OPEN or row is None or not rules_of(row).is_open(moment):
        raise errors.CheckInClosed
    return rules_of(row)


def code_now(session: Session, *, site: str) -> CodeShown:
    """The code that is good now; `site` is the server's address as clients see it. Raises `CheckInClosed`."""
    moment = now()
    rules = check_in_at(session, moment)
    code = rules.code_at(moment)
    url = f"{settings.PUBLIC_URL or site.rstrip('/')}/app/check-in/{session.id}?code={code}"
    return CodeShown(code, rules.valid_until(moment), url, qr_svg(url))


def rules_of(row: CheckIn) -> CheckInRules:
    """The rules that a row says."""
    circle = None
    if row.latitude is not None and row.longitude is not None and row.range is not None:
        circle = Circle(Place(row.latitude, row.longitude), row.range)
    return CheckInRules(
        row.session_id,
        row.nonce,
        Mode(row.mode),
        circle,
        row.checks_networks,
        Answer(row.outside),
        Answer(row.same_device),
        row.until,
        row.is_closed,
    )


def flags_listed(session_id: str) -> "QuerySet[Flag]":
    """The flags of a session."""
    return Flag.objects.filter(session_id=session_id)


def flags_shown(flags: Sequence[Flag]) -> list[FlagShown]:
    """The flags with their students' names."""
    names = names_of({flag.student_id for flag in flags})
    return [
        FlagShown(
            flag.id,
            flag.student_id,
            names.get(flag.student_id, ""),
            flag.kind,
            flag.metres,
            flag.other_id,
            flag.state,
            flag.at,
        )
        for flag in flags
    ]


def check_in_views(session_ids: Sequence[str]) -> dict[str, CheckInView]:
    """For each session: what the live server knows of its check-in. Few queries, and none for no session."""
    if not session_ids:
        return {}
    rules = check_in_rules(session_ids)
    flags: dict[str, dict[str, FlagShown]] = {session_id: {} for session_id in session_ids}
    found = list(Flag.objects.filter(session_id__in=list(session_ids)).order_by("id"))
    for flag, shown in zip(found, flags_shown(found), strict=True):
        flags[flag.session_id][flag.id] = shown
    return {session_id: CheckInView(rules.get(session_id), flags[session_id]) for session_id in session_ids}
