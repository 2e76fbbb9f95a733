"""A plan in words."""

from classes.rosters.plan import Outcome, Plan, Row


def line_of(row: Row) -> str:
    """One row of a plan: its line in the file, who it is, what becomes of it, and why."""
    entry = row.entry
    who = f"{entry.name or '(no name)'} <{entry.email}>" if entry.email else entry.name or "(no name)"
    text = f"line {entry.line}: {who}: {row.outcome.value}"
    if row.adds_roll_number:
        text += f", roll number {entry.roll_number} noted"
    text += f": {row.reason}" if row.reason else ""
    return text


def totals_of(plan: Plan) -> str:
    """How many rows there are, and how many of each outcome."""
    counts = [f"{len(plan.of(outcome))} {outcome.value}" for outcome in Outcome]
    return f"{len(plan.rows)} rows: {', '.join(counts)}."
