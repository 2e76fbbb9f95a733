"""A table and a plan in words."""

from collections.abc import Iterator

from classes.rosters.headings import LABELS
from classes.rosters.plan import Outcome, Plan, Row
from classes.rosters.tables import Table, one_line
from core.plurals import counted

#: Outcomes that are counted only where there are some.
_SELDOM = (Outcome.REMOVED, Outcome.SET_ASIDE, Outcome.LEFT_OUT)


def head_of(table: Table) -> Iterator[str]:
    """What the file was taken for, which column is which, and what of it is not used."""
    yield f"Read as {table.taken_for}."
    named = [
        f"{label} from “{one_line(table.headings[table.columns[column]])}”"
        for column, label in {**LABELS, "login": "e-mail, where there is no other,"}.items()
        if column in table.columns
    ]
    yield f"Columns: {', '.join(named)}."
    yield f"Columns not used: {', '.join(f'“{heading}”' for heading in table.unused) or 'none'}."
    if table.other_parts:
        yield f"Also not used: {', '.join(table.other_parts)}."


def line_of(row: Row) -> str:
    """One row of a plan: its line in the file, who it is, what becomes of it, and why."""
    entry = row.entry
    who = f"{entry.name or '(no name)'} <{entry.email}>" if entry.email else entry.name or "(no name)"
    text = f"line {entry.line}: {who}: {row.outcome.value}"
    if row.known_as is not None:
        text += f", known here as {row.known_as}"
    if row.adds_roll_number:
        text += f", roll number {entry.roll_number} noted"
    if row.old_roll_number is not None:
        text += f", roll number {row.old_roll_number} corrected to {entry.roll_number}"
    if row.taken_from is not None:
        text += f", roll number {entry.roll_number} taken from {row.taken_from.email}, whose address nobody has proved"
    if row.outcome is Outcome.SET_ASIDE:
        text += ": somebody signed up with this address and has not proved it; they are enrolled once they have"
    elif row.is_doubtful:
        text += ", ADDRESS NOT PROVED: anybody may have signed up with it"
    text += f": {row.reason}" if row.reason else ""
    return text


def totals_of(plan: Plan) -> str:
    """How many rows there are, how many of each outcome, and how many that somebody should look at."""
    numbers = {outcome: len(plan.of(outcome)) for outcome in Outcome}
    counts = [f"{number} {outcome.value}" for outcome, number in numbers.items() if number or outcome not in _SELDOM]
    text = f"{counted(len(plan.rows), 'row')}: {', '.join(counts)}."
    if plan.known_otherwise:
        text += f" {len(plan.known_otherwise)} known here by another name."
    doubtful = sum(row.is_doubtful for row in plan.rows)
    return f"{text} {doubtful} with an address that nobody has proved." if doubtful else text
