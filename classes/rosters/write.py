"""Writing what a plan says, in one unit of work."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import StudentProfile, User, email_key
from classes.models import Enrolment, announce_roster
from classes.rosters.entries import Entry
from classes.rosters.errors import RosterError
from classes.rosters.plan import Outcome, Plan, roster_plan
from core.database.unit_of_work import unit_of_work
from core.identity import Role

#: Rows in one statement.
_BATCH = 500


def roster_import(*, class_id: str, entries: Sequence[Entry], password_hashes: Mapping[str, str] | None = None) -> Plan:
    """Creates the missing students and enrols all, in one unit of work. With a refused entry nothing is written.

    `password_hashes`: the `email_key` of each student who is to be created → the hash to store. The hashes are made
    before, because 70 ms for each would hold the transaction open. None: nobody can sign in as a created student yet.
    Raises `RosterError` where somebody else changed accounts or the roster meanwhile. Then nothing was written.
    """
    try:
        return roster_write(class_id=class_id, entries=entries, password_hashes=password_hashes)
    except IntegrityError:
        raise _changed_meanwhile() from None


def _changed_meanwhile() -> RosterError:
    return RosterError("Accounts or the roster changed during the import, so nothing was written. Run it again.")


@unit_of_work
def roster_write(
    *, class_id: str, entries: Sequence[Entry], password_hashes: Mapping[str, str] | None = None, batch: str = ""
) -> Plan:
    """`roster_import` for a caller with a unit of work of its own, who handles the IntegrityError of a lost race.

    `batch` goes into the profiles of the students who are created.
    """
    plan = roster_plan(class_id=class_id, entries=entries)
    if plan.refused:
        return plan
    hashes = password_hashes or {}
    users = {
        row.entry.line: User(
            name=row.entry.name,
            email=row.entry.email,
            email_key=email_key(row.entry.email),
            roll_number=row.entry.roll_number,
            role=Role.STUDENT,
            password=hashes.get(email_key(row.entry.email)) or make_password(None),
        )
        for row in plan.created
    }
    if password_hashes is not None and {user.email_key for user in users.values()} != set(password_hashes):
        raise _changed_meanwhile()
    User.objects.bulk_create(users.values(), batch_size=_BATCH)
    if batch:
        profiles = [StudentProfile(user=user, batch=batch) for user in users.values()]
        StudentProfile.objects.bulk_create(profiles, batch_size=_BATCH)
    for row in plan.rows:
        if row.adds_roll_number:
            User.objects.filter(pk=row.student_id).update(roll_number=row.entry.roll_number, updated_at=timezone.now())
    enrolments = [
        Enrolment(class_ref_id=class_id, student_id=row.student_id or users[row.entry.line].id)
        for row in plan.rows
        if row.outcome is not Outcome.UNCHANGED
    ]
    Enrolment.objects.bulk_create(enrolments, batch_size=_BATCH)
    if enrolments:
        announce_roster(class_id)
    return plan
