"""A person is erased: who they are goes from everywhere, and what the journal and the records count stays.

`core.database.personal` says for each table what goes. Here is who cannot be erased now, and what else happens.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import User
from accounts.own_data import person_of
from accounts.selectors import user_get
from accounts.services import user_hold
from accounts.signals import person_changed
from attendance.models import Merge
from attendance.selectors import is_in_open_session
from attendance.services import person_archive
from audit.trail import trail
from classes.models import Class
from core import errors, logs
from core.database.personal import Step, erase_rows, erasure_steps
from core.database.unit_of_work import after_commit, unit_of_work

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure would do, and in words what stands against it."""

    user: User
    refusals: Sequence[str]
    steps: Sequence[Step]


def erasure_plan(*, user_id: str) -> Plan:
    """Changes nothing. Raises `UserNotFound`."""
    user = user_get(user_id)
    return Plan(user, _refusals(user), erasure_steps(person_of(user)))


def person_erase(*, user_id: str) -> None:
    """Erases a person, whole or not at all. Once more does no harm. Raises `UserNotFound`, `ErasureRefused`."""
    trail.flush()  # what this process still has to write of the person is erased, too
    _erase(user_id)


@unit_of_work
def _erase(user_id: str) -> None:
    user_hold(user_id=user_id)
    user = user_get(user_id)
    refusals = _refusals(user)
    if refusals:
        raise errors.ErasureRefused(refusals)
    merged = list(Merge.objects.filter(keep=user).values_list("other_id", flat=True))
    person_archive(user=user)
    erase_rows(person_of(user))
    person_changed.send(sender=User, user_id=user.id)
    after_commit(lambda: logs.event(logger, "person_erased", "A person was erased.", account=user_id))
    for other_id in merged:  # another account of the same student
        _erase(other_id)


def _refusals(user: User) -> list[str]:
    found = []
    if user.is_staff or user.is_superuser:
        found.append("The person has rights in the admin. Take them away first.")
    owned = Class.objects.filter(teacher=user, removed_at=None, archived_at=None)
    names = ", ".join(owned.order_by("name_folded", "id").values_list("name", flat=True)[:5])
    if names:
        found.append(f"The person has classes: {names}. Give them to another teacher, or archive them, first.")
    if is_in_open_session(user.id):
        found.append("The person is in a lesson that is open now. Wait for its end.")
    return found
