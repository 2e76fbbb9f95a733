"""docs/security.md has every row of the table of limits, as the code has it, and each setting is explained."""

from datetime import timedelta

from attendance_project import settings
from core.limits import Limit, table
from tests.documents.markdown import read, rows

SPANS = {
    timedelta(seconds=1): "a second",
    timedelta(minutes=5): "in 5 minutes",
    timedelta(minutes=10): "in 10 minutes",
    timedelta(minutes=15): "in 15 minutes",
    timedelta(hours=1): "in an hour",
    timedelta(days=1): "in a day",
    timedelta(): "at one time",
}


def cells(limit: Limit) -> list[str]:
    """A row as the document shows it."""
    number = getattr(settings, limit.setting) if limit.setting else limit.number
    most = f"{number:,} {SPANS[limit.window]}"
    if limit.saved:
        most += f", {number * limit.saved:,} at once"
    return [limit.name, most, limit.per.value, f"`{limit.setting}`" if limit.setting else ""]


def test_the_security_page_has_the_table_of_limits() -> None:
    assert rows(read("docs/security.md"), "Limits") == [cells(limit) for limit in table()]


def test_every_setting_of_a_limit_has_a_row() -> None:
    named = {limit.setting for limit in table() if limit.setting}
    assert named == {name for name in vars(settings) if name.startswith("LIMIT_")}
