"""Self check-in: teachers open and close it, students scan and check in, and flags are decided.

The order of the checks: the session and its check-in are open, the student is enrolled today, the code or the scan is
good, whether the student is in already (which is no error), the network, the place, the device.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.core import signing
from django.db.models import F

from accounts.limits import mistakes_counted
from attendance import check_in
from attendance.check_in import Answer, CheckInOptions, CheckInRules, Place
from attendance.check_in_rules import check_in_at, check_in_rules, rules_of
from attendance.enums import Method, SessionState, Status
from attendance.journal import NewMark, append
from attendance.live.requests import session_mark
from attendance.marking import Wanted
from attendance.models import CheckIn, CheckInDevice, Flag, Mark, Session, UsedClaim
from attendance.services import record_corrections
from attendance.signals import session_changed
from classes.selectors import classes_of_student, is_enrolled
from core import errors, limits
from core.addresses import network_if_known
from core.database.unit_of_work import after_commit, retry_races, unit_of_work
from core.identity import Actor
from core.ids import parse_id
from core.times import asked_at, now

#: A scan is good for so long, so that signing in first does not cost the check-in.
CLAIM_LIFETIME = timedelta(minutes=10)
_SALT = "attendance.check_ins.claim"
#: Those who are in.
_IN = (Status.PRESENT, Status.LATE)


@dataclass(frozen=True, slots=True)
class Done:
    """A check-in that counts: the student's status, and the kinds of its flags."""

    session_id: str
    class_name: str
    status: Status
    flags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A scan that can still become a check-in: until when, and to which class."""

    claim: str
    expires_at: datetime
    class_name: str


@dataclass(frozen=True, slots=True)
class Where:
    """Where a student checks in: the place that their device tells, the device, and the address of the request."""

    place: Place | None
    device: str
    address: str | None


# The teacher's side


@retry_races
@unit_of_work
def check_in_open(*, session_id: str, options: CheckInOptions, until: datetime | None = None) -> CheckInRules:
    """Lets the students of an open session mark themselves, in this way from now on.

    While it is open already, its codes stay as they are. Raises `NoActiveSession`.
    """
    _changed(session_id)
    known = CheckIn.objects.filter(pk=session_id).first()
    goes_on = known is not None and rules_of(known).is_open(now()) and known.mode == options.mode
    circle = options.circle
    fields: dict[str, Any] = {
        "nonce": known.nonce if known is not None and goes_on else secrets.token_hex(16),
        "mode": options.mode,
        "latitude": circle.centre.latitude if circle is not None else None,
        "longitude": circle.centre.longitude if circle is not None else None,
        "range": circle.radius if circle is not None else None,
        "checks_networks": options.checks_networks,
        "outside": options.outside,
        "same_device": options.same_device,
        "until": until,
        "is_closed": False,
    }
    if not CheckIn.objects.filter(pk=session_id).update(**fields):
        CheckIn.objects.create(session_id=session_id, **fields)
    return rules_of(CheckIn.objects.get(pk=session_id))


@unit_of_work
def check_in_close(*, session_id: str) -> None:
    """Nobody can mark themself any more. Once more does nothing. Raises `NoActiveSession`."""
    _changed(session_id)
    CheckIn.objects.filter(pk=session_id).update(is_closed=True)


def _changed(session_id: str) -> None:
    """Inside a unit of work: takes the row of an open session, and has the live server look at its check-in."""
    rows = Session.objects.filter(pk=session_id, state=SessionState.OPEN)
    if not rows.update(check_in_version=F("check_in_version") + 1):
        raise errors.NoActiveSession
    after_commit(lambda: session_changed.send(sender=Session))


# The student's side


def claim_make(*, session_id: str, code: str, address: str | None) -> Claim:
    """Exchanges a scan at once, so that signing in first, or a slow network, does not cost the check-in.

    Raises `TooManyRequests`, `CheckInClosed`, `WrongCode`.
    """
    key = parse_id(session_id)
    rows = Session.objects.filter(pk=key, state=SessionState.OPEN, class_ref__removed_at=None)
    session = rows.select_related("class_ref").first() if key else None
    moment = asked_at()
    with mistakes_counted((limits.CHECK_INS_AT_ADDRESS, network_if_known(address))):
        if session is None:
            raise errors.CheckInClosed
        rules = check_in_at(session, moment)
        check_in.check_code(rules.good_codes(moment), code)
    claim = signing.dumps({"s": session.id, "n": rules.nonce, "id": secrets.token_hex(12)}, salt=_SALT)
    return Claim(claim, now() + CLAIM_LIFETIME, session.class_ref.name)


def check_in_by_code(*, actor: Actor, code: str, where: Where, session_id: str | None = None) -> Done:
    """Checks the student in to the session of theirs whose code this is; `session_id` says which it must be.

    Raises `TooManyRequests`, `CheckInClosed`, `WrongCode`, `OtherNetwork`, `LocationMissing`, `PlaceVague`,
    `OutOfRange`, `OtherDevice`.
    """
    class_ids = [found.id for found in classes_of_student(actor.id)]
    rows = Session.objects.filter(class_ref_id__in=class_ids, state=SessionState.OPEN).select_related("class_ref")
    sessions = {session.id: session for session in rows if session_id in (None, session.id)}
    moment = asked_at()
    is_open = [rules for rules in check_in_rules(list(sessions)).values() if rules.is_open(moment)]
    if not is_open:
        raise errors.CheckInClosed
    with mistakes_counted((limits.CHECK_INS, actor.id), (limits.CHECK_INS_AT_ADDRESS, network_if_known(where.address))):
        check_in.check_code([one for rules in is_open for one in rules.good_codes(moment)], code)
    rules = next(rules for rules in is_open if code in rules.good_codes(moment))
    return _check_in(actor, sessions[rules.session_id], rules, where)


def check_in_by_claim(*, actor: Actor, claim: str, where: Where) -> Done:
    """Checks the student in by a scan of theirs. Raises as `check_in_by_code`, and `NotEnrolled`, `ClaimExpired`."""
    # No guess is counted: nobody guesses a signature, and a scan is good however many codes were mistyped nearby.
    try:
        said = signing.loads(claim, salt=_SALT, max_age=CLAIM_LIFETIME)
    except signing.BadSignature:
        raise errors.ClaimExpired from None
    session = Session.objects.filter(pk=said["s"], state=SessionState.OPEN).select_related("class_ref").first()
    rules = check_in_rules([said["s"]]).get(said["s"])
    if session is None or rules is None or rules.is_closed or rules.nonce != said["n"]:
        raise errors.CheckInClosed
    if not is_enrolled(actor=actor, class_id=session.class_ref_id):
        raise errors.NotEnrolled
    _refuse_used(said["id"], actor.id)
    return _check_in(actor, session, rules, where, claim=said["id"])


def _refuse_used(claim: str, student_id: str) -> bool:
    """Whether the student has used this claim before. Raises `ClaimExpired` if somebody else has."""
    used_by = UsedClaim.objects.filter(pk=claim).values_list("student_id", flat=True).first()
    if used_by not in (None, student_id):
        raise errors.ClaimExpired
    return used_by is not None


def _check_in(actor: Actor, session: Session, rules: CheckInRules, where: Where, claim: str | None = None) -> Done:
    marks = Mark.objects.filter(session=session, student_id=actor.id).order_by("-seq")
    last_seq, last_status = marks.values_list("seq", "status").first() or (0, None)
    if last_status in _IN:
        undecided = Flag.objects.filter(session=session, student_id=actor.id, state=Flag.State.OPEN)
        kinds = list(undecided.values_list("kind", flat=True))
        return Done(session.id, session.class_ref.name, Status(last_status), kinds)
    if rules.checks_networks and not in_allowed_network(where.address):
        raise errors.OtherNetwork
    flags: dict[str, dict[str, Any]] = {}
    try:
        check_in.check_place(rules.circle, where.place)
    except errors.OutOfRange:
        if rules.outside is Answer.REFUSE or where.place is None or rules.circle is None:
            raise
        flags[Flag.Kind.OUT_OF_RANGE] = {"metres": round(where.place.metres_to(rules.circle.centre))}
    other = _use(session.id, where.device, claim, actor.id)
    if other is not None:
        if rules.same_device is Answer.REFUSE:
            raise errors.OtherDevice
        flags[Flag.Kind.OTHER_DEVICE] = {"other_id": other}
    status = status_of_now(session)
    if flags:
        _flag(session.id, actor.id, flags)  # before the mark, so that no check-in counts without its flags
    # Of two requests of the student's at once, which both found this last mark, one makes the next.
    wanted = Wanted(actor.id, status, key=f"check-in:{actor.id}:{last_seq}")
    session_mark(actor=actor, session=session, marks=[wanted], method=Method.SELF)
    return Done(session.id, session.class_ref.name, status, list(flags))


def status_of_now(session: Session) -> Status:
    """The status of a student who marks themself now: by the class's rule they may be late."""
    late_after = session.class_ref.late_after_minutes
    is_late = late_after is not None and asked_at() - session.started_at > timedelta(minutes=late_after)
    return Status.LATE if is_late else Status.PRESENT


@retry_races
@unit_of_work
def _use(session_id: str, device: str, claim: str | None, student_id: str) -> str | None:
    """Uses the claim and the device: the id of the student who used this device before, if that is another one.

    Raises `ClaimExpired` if somebody else has used the claim meanwhile.
    """
    if claim is not None and not _refuse_used(claim, student_id):
        moment = now()
        UsedClaim.objects.filter(used_at__lt=moment - 2 * CLAIM_LIFETIME).delete()
        UsedClaim.objects.create(key=claim, student_id=student_id, used_at=moment)
    used = CheckInDevice.objects.filter(session_id=session_id, device=device)
    first = used.values_list("student_id", flat=True).first()
    if first is None:
        CheckInDevice.objects.create(session_id=session_id, device=device, student_id=student_id)
    return None if first in (None, student_id) else str(first)


@retry_races
@unit_of_work
def _flag(session_id: str, student_id: str, flags: dict[str, dict[str, Any]]) -> None:
    """Flags the student's check-in, each kind once until a teacher has decided. Raises `NoActiveSession`."""
    _changed(session_id)
    undecided = Flag.objects.filter(session_id=session_id, student_id=student_id, state=Flag.State.OPEN)
    known = set(undecided.values_list("kind", flat=True))
    for kind, details in flags.items():
        if kind not in known:
            Flag.objects.create(session_id=session_id, student_id=student_id, kind=kind, **details)


def in_allowed_network(address: str | None) -> bool:
    """Whether the address is in one of CHECK_IN_NETWORKS."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    return any(found in ip_network(network) for network in settings.CHECK_IN_NETWORKS)


# Flags


@unit_of_work
def flag_decide(*, actor: Actor, session_id: str, flag_id: str, confirm: bool) -> Flag:
    """Confirms a check-in that was flagged, or rejects it: the student has no mark then, after the end they are absent.

    Deciding the same again changes nothing. Raises `FlagNotFound`.
    """
    key = parse_id(flag_id)
    found = Flag.objects.filter(pk=key, session_id=session_id).first() if key else None
    if found is None:
        raise errors.FlagNotFound
    state = Flag.State.CONFIRMED if confirm else Flag.State.REJECTED
    changed = Flag.objects.filter(pk=found.pk).exclude(state=state).update(state=state, decided_by_id=actor.id)
    if changed and not confirm:
        _unmark(actor, session_id, found.student_id)
    if changed:
        Session.objects.filter(pk=session_id).update(check_in_version=F("check_in_version") + 1)
        after_commit(lambda: session_changed.send(sender=Session))
    return Flag.objects.get(pk=found.pk)


def _unmark(actor: Actor, session_id: str, student_id: str) -> None:
    row = NewMark(session_id, student_id, None, now(), actor.id, Method.TEACHER)
    if append([row], is_activity=True) == [None]:
        record_corrections(session_id, {student_id: Status.ABSENT}, by_id=actor.id, note="check-in rejected")
