"""Lists of students from files, in two steps: what would become of every row, and then that is done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from django.db import IntegrityError

from accounts.limits import take
from accounts.selectors import user_get
from accounts.standing import Author, author_of
from classes.previews import Kept, PreviewKind, SentFile, preview_get, preview_keep, preview_take
from classes.rosters.entries import Entry, entries_of
from classes.rosters.plan import Outcome, Plan, roster_plan
from classes.rosters.sources import read_file
from classes.rosters.tables import Table
from classes.rosters.write import roster_write
from core import errors, limits
from core.database.unit_of_work import unit_of_work
from core.identity import Actor


@dataclass(frozen=True, slots=True)
class RosterImport:
    """What becomes of a file's rows, or became of them.

    `plan` has every row. Those that are refused are left out when it is done: `wanted` is the plan of the others.
    `token`: what does it; None where it is done.
    """

    file: SentFile
    table: Table
    plan: Plan
    wanted: Plan
    token: str | None


def class_import_preview(*, actor: Actor, class_id: str, file: SentFile) -> RosterImport:
    """What importing `file` into the class would do now. Writes nothing but that it was shown.

    Raises `RosterError` for a file that cannot be read, and `TooManyRequests`.
    """
    table, entries = _read(file, actor)
    plan, wanted = _plans(class_id, entries, author_of(user_get(actor.id)))
    shown = replace(file, without=[row.entry.line for row in plan.refused])
    token = preview_keep(actor=actor, kind=PreviewKind.ROSTER, about_id=class_id, file=shown, digest=wanted.digest)
    return RosterImport(file, table, plan, wanted, token)


def class_import(*, actor: Actor, class_id: str, token: str, names_differ: bool = False) -> RosterImport:
    """Does what the preview of this token said, once, or nothing.

    Raises `PreviewNotFound`, `Changed` where something else would be done by now, `TooManyRequests`, and
    `RosterConflict` where the plan's `names_are_shifted`, unless `names_differ` says that the names are right.
    """
    kept = preview_get(actor=actor, kind=PreviewKind.ROSTER, about_id=class_id, token=token)
    table, entries = _read(kept.file, actor)
    wanted = [entry for entry in entries if entry.line not in set(kept.file.without)]
    try:
        plan = _do(actor, class_id, kept, wanted, names_differ)
    except IntegrityError:  # somebody else was faster
        raise errors.Changed from None
    return RosterImport(kept.file, table, plan, plan, None)


@unit_of_work
def _do(actor: Actor, class_id: str, kept: Kept, entries: Sequence[Entry], names_differ: bool) -> Plan:
    preview_take(kept)
    author = author_of(user_get(actor.id))
    done = roster_write(class_id=class_id, entries=entries, author=author, names_differ=names_differ)
    if done.digest != kept.digest:
        raise errors.Changed
    if done.is_refused(names_differ=names_differ):
        raise errors.RosterConflict
    take(limits.PEOPLE, actor.id, len(done.created))
    return done


def _read(file: SentFile, actor: Actor) -> tuple[Table, list[Entry]]:
    charge = partial(take, limits.SHEET_ROWS, actor.id)
    table = read_file(file.data, name=file.name, named=file.named, encoding=file.encoding, charge=charge)
    return table, entries_of(table)


def _plans(class_id: str, entries: Sequence[Entry], author: Author) -> tuple[Plan, Plan]:
    """The plan of all rows, and that of the rows that are left when those are gone which cannot be taken."""
    plan = roster_plan(class_id=class_id, entries=entries, author=author)
    refused = plan.refused
    while plan.refused:  # a row may have relied on one that is refused
        left = [row.entry for row in plan.rows if row.outcome is not Outcome.REFUSED]
        plan = roster_plan(class_id=class_id, entries=left, author=author)
        refused += plan.refused
    return Plan(sorted([*plan.rows, *refused], key=lambda row: row.entry.line)), plan
