"""A plan in words."""

from classes.rosters.plan import Outcome, Plan, Row


def line_of(row: Row) -> str:
    """One row of a plan: its line in the file, who it is, what becomes of it, and why."""
    entry = row.entry
    who = f"{entry.name or '(no name)'} <{entry.email}>" if entry.email else entry.name or "(no name)"
    text = f"line {entry.line}: {who}: {row.outcome.value}"
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
    """How many rows there are, and how many of each outcome."""
    numbers = {outcome: len(plan.of(outcome)) for outcome in Outcome}
    counts = [
        f"{number} {outcome.value}" for outcome, number in numbers.items() if number or outcome is not Outcome.SET_ASIDE
    ]
    doubtful = sum(row.is_doubtful for row in plan.rows)
    text = f"{len(plan.rows)} rows: {', '.join(counts)}."
    return f"{text} {doubtful} with an address that nobody has proved." if doubtful else text
