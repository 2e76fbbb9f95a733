"""Writing what a plan says, in one unit of work."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import StudentProfile, User
from accounts.standing import Author
from classes.enrolment import enrol
from classes.models import Enrolment, SetAside
from classes.rosters.entries import Entry
from classes.rosters.errors import RosterError
from classes.rosters.plan import Outcome, Plan, roster_plan
from classes.students import enrolment_stop
from classes.waiting import set_aside
from core.database.batches import batches
from core.database.unit_of_work import unit_of_work
from core.identity import Role

#: Rows in one statement.
_BATCH = 500


def roster_import(
    *,
    class_id: str,
    entries: Sequence[Entry],
    author: Author,
    password_hashes: Mapping[str, str] | None = None,
    names_differ: bool = False,
) -> Plan:
    """Creates the missing students and enrols all, in one unit of work. With a refused entry nothing is written.

    Nor is it where the plan's `names_are_shifted`, unless `names_differ` says that they are right.
    Students who are set aside are told so by mail, and are enrolled once they have proved their address.
    `password_hashes`: the `key` of each entry whose student is to be created → the hash to store. The hashes are made
    before, because 70 ms for each would hold the transaction open. None: nobody can sign in as a created student yet.
    Raises `RosterError` where somebody else changed accounts or the roster meanwhile. Then nothing was written.
    """
    try:
        return roster_write(
            class_id=class_id,
            entries=entries,
            author=author,
            password_hashes=password_hashes,
            names_differ=names_differ,
        )
    except IntegrityError:
        raise _changed_meanwhile() from None


def _changed_meanwhile() -> RosterError:
    return RosterError(_("Accounts or the roster changed during the import, so nothing was written. Run it again."))


@unit_of_work
def roster_write(
    *,
    class_id: str,
    entries: Sequence[Entry],
    author: Author,
    password_hashes: Mapping[str, str] | None = None,
    batch: str = "",
    names_differ: bool = True,
) -> Plan:
    """`roster_import` for a caller with a unit of work of its own, who handles the IntegrityError of a lost race.

    `batch` goes into the profiles of the students who are created.
    """
    plan = roster_plan(class_id=class_id, entries=entries, author=author)
    if plan.is_refused(names_differ=names_differ):
        return plan
    hashes = password_hashes or {}
    users = {
        row.entry.line: User(
            name=row.entry.name,
            email=row.entry.email,
            roll_number=row.entry.roll_number,
            role=Role.STUDENT,
            origin=author.origin,
            made_by_id=author.id,
            password=hashes.get(row.entry.key) or make_password(None),
        )
        for row in plan.created
    }
    if password_hashes is not None and {row.entry.key for row in plan.created} != set(password_hashes):
        raise _changed_meanwhile()
    _free_numbers(plan)
    User.objects.bulk_create(users.values(), batch_size=_BATCH)
    if batch:
        profiles = [StudentProfile(user=user, batch=batch) for user in users.values()]
        StudentProfile.objects.bulk_create(profiles, batch_size=_BATCH)
    for row in plan.rows:
        if row.sets_roll_number:
            User.objects.filter(pk=row.student_id).update(roll_number=row.entry.roll_number, updated_at=timezone.now())
    enrolled = [
        row.student_id or users[row.entry.line].id
        for row in plan.rows
        if row.outcome in (Outcome.CREATED, Outcome.ENROLLED)
    ]
    _set_aside(class_id, plan, author)
    if enrolled:
        enrol(class_id, enrolled)
    leaving = [row.student_id for row in plan.of(Outcome.REMOVED) if row.student_id]
    for enrolment in Enrolment.objects.current().filter(class_ref_id=class_id, student_id__in=leaving):
        enrolment_stop(enrolment=enrolment, has_record=True)  # there may be one; this package does not know records
    return plan


def _free_numbers(plan: Plan) -> None:
    """Takes the roll numbers that the plan gives to others from those who have them."""
    losing = [row.taken_from.id for row in plan.rows if row.taken_from is not None]
    losing += [row.student_id for row in plan.rows if row.old_roll_number is not None and row.student_id]
    for some in batches(losing):
        User.objects.filter(pk__in=some).update(roll_number=None, updated_at=timezone.now())


def _set_aside(class_id: str, plan: Plan, author: Author) -> None:
    waiting = {row.student_id: row.entry.roll_number for row in plan.of(Outcome.SET_ASIDE) if row.student_id}
    for student_id, roll_number in waiting.items():
        set_aside(class_id=class_id, student_id=student_id, roll_number=roll_number, sender=author.id)
    enrolled = [row.student_id for row in plan.of(Outcome.ENROLLED) if row.student_id]
    for some in batches(enrolled):
        SetAside.objects.filter(class_ref_id=class_id, student_id__in=some).delete()
