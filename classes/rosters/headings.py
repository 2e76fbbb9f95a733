"""Which column of a file is which: the words that its headings may be."""

import re
from collections.abc import Iterable

from classes.rosters.errors import RosterError

#: Heading, in lower case and without spaces, hyphens and underscores → column.
HEADINGS = {
    "name": "name",
    "studname": "name",
    "email": "email",
    "rollnumber": "roll_number",
    "rollno": "roll_number",
}
#: A file without one of these is no roster.
REQUIRED = ("name", "email")
_LABELS = {"name": "name or STUDNAME", "email": "email or EMAIL", "roll_number": "rollNumber or ROLLNO"}


def columns_of(headings: Iterable[str]) -> dict[str, int]:
    """Column → its position, for each column that one of `headings` names.

    Raises `RosterError` where two headings name one column.
    """
    columns: dict[str, int] = {}
    for position, heading in enumerate(headings):
        column = HEADINGS.get(re.sub(r"[\s_-]", "", heading.casefold()))
        if column is None:
            continue
        if column in columns:
            raise RosterError(f"Two columns are headed {_LABELS[column]}. Leave one of them out.")
        columns[column] = position
    return columns


def missing(columns: Iterable[str]) -> RosterError:
    """The error for a file of which no more than `columns` was found."""
    lacking = " and ".join(_LABELS[column] for column in REQUIRED if column not in columns)
    return RosterError(
        f"The first line has no column {lacking}. It must have the headings name and email"
        " (or STUDNAME and EMAIL), with commas, semicolons or tabs between them."
    )
