"""Printed cards of students: whoever has the card signs in as the student, or is marked at a kiosk.

A card is a secret in a QR code. Only its hash is stored, so a card is shown once, when it is made. A student has one
card at most: another one, and voiding it, ends what the one before has signed in.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.conf import settings

from accounts import limits, tokens
from accounts.devices import Device
from accounts.limits import mistakes_counted
from accounts.models import Card, User
from accounts.printed import letters_of, secret_hash, secret_make
from audit.models import Action, Outcome
from audit.trail import trail
from core import errors, logs
from core.addresses import network_if_known
from core.database.batches import batches
from core.database.unit_of_work import retry_races, unit_of_work
from core.identity import Actor, Role
from core.limits import CARDS
from core.qr_codes import qr_svg
from core.times import now

logger = logging.getLogger(__name__)

#: 28 letters have 138 bits.
LENGTH = 28
#: The path of the page that takes a card. The secret stands behind a `#`, which no browser sends: it is in no log.
PAGE = "/app/card"
#: So many cards are made at a time.
MOST = 200


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """A new card, shown this once. `code` is its secret, `url` what the QR code says."""

    student: User
    code: str
    url: str

    @property
    def qr(self) -> str:
        """The QR code as an SVG element of any size."""
        return qr_svg(self.url, scale=None)


def cards_make(*, students: Sequence[User], actor: Actor, site: str) -> list[Made]:
    """A new card for each of these students, at most MOST; the cards from before are void.

    `site` is how the request reached this server (`https://school.example`), for where PUBLIC_URL does not say it.
    """
    base = settings.PUBLIC_URL or site.rstrip("/")
    codes = [secret_make(LENGTH) for _ in students]
    _keep({student.id: _hash(letters_of(code)) for student, code in zip(students, codes, strict=True)}, actor.id)
    for student in students:
        trail.note(Action.CHANGE, "card made", actor=actor.id, kind="user", thing=student.id)
    return [Made(student, code, f"{base}{PAGE}#{code}") for student, code in zip(students, codes, strict=True)]


@retry_races
@unit_of_work
def _keep(hashes: dict[str, str], made_by: str) -> None:
    moment = now()
    for student_id, hashed in sorted(hashes.items()):
        fields = {"secret_hash": hashed, "made_by_id": made_by, "made_at": moment}
        if Card.objects.filter(pk=student_id).update(**fields):
            tokens.void_all(student_id)
        else:
            Card.objects.create(user_id=student_id, **fields)


def card_void(*, student: User, actor: Actor) -> bool:
    """The student's card is good no more, nor what it has signed in; False where there is none."""
    is_done = _void(student.id)
    if is_done:
        trail.note(Action.CHANGE, "card voided", actor=actor.id, kind="user", thing=student.id)
    return is_done


@unit_of_work
def _void(student_id: str) -> bool:
    if not Card.objects.filter(pk=student_id).delete()[0]:
        return False
    tokens.void_all(student_id)
    return True


def card_holder(code: str) -> User | None:
    """The student who has this card; None for no card, and for a disabled account.

    The last letters of `code` count, so that a scanner may type the whole address that the card has.
    """
    letters = letters_of(code)[-LENGTH:]
    found = Card.objects.filter(secret_hash=_hash(letters)).select_related("user").first()
    if found is None or not found.user.is_active or found.user.role != Role.STUDENT:
        return None
    return found.user


def card_sign_in(*, code: str, address: str | None = None, device: Device | None = None) -> User:
    """The student who signs in with this card. `address` and `device` are the client's, None if unknown.

    Raises `InvalidCard`, and `TooManyRequests` after too many wrong ones from the address.
    """
    with mistakes_counted((CARDS, network_if_known(address))):
        user = card_holder(code)
        if user is None:
            logs.event(logger, "sign_in_failed", "A card that is void or none.")
            trail.note(Action.SIGN_IN, "card", outcome=Outcome.REFUSED)
            raise errors.InvalidCard
    trail.note(Action.SIGN_IN, "card", actor=user.id)
    limits.know(account=user.id, address=address)
    if device is not None:
        device.remember(user.id)
    return user


def cards_of(student_ids: Collection[str]) -> dict[str, Card]:
    """Student's id → the card, with whoever made it. Students without a card are left out."""
    found: dict[str, Card] = {}
    for some in batches(list(student_ids)):
        found.update((card.user_id, card) for card in Card.objects.filter(pk__in=some).select_related("made_by"))
    return found


def _hash(letters: str) -> str:
    return secret_hash("card", letters)
