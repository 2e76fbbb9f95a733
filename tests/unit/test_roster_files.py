"""classes.rosters before the database: a file becomes a table, and a table becomes checked entries."""

from pathlib import Path

import pytest

from classes.rosters.entries import Entry, entries_of, entry_of
from classes.rosters.errors import RosterError
from classes.rosters.headings import columns_of
from classes.rosters.sources import Table, read_csv


def write(folder: Path, content: str) -> Path:
    path = folder / "students.csv"
    path.write_bytes(content.encode())
    return path


def test_a_table_has_the_columns_and_each_row_with_the_line_that_it_begins_in(tmp_path: Path) -> None:
    table = read_csv(
        write(tmp_path, 'house;STUDNAME;EMAIL\n\nred;"A\nB";a@example.com\n;;\nblue; Ben ;b@example.com\n')
    )
    assert table == Table(
        columns={"name": 1, "email": 2},
        width=3,
        rows=[(3, ["red", "A\nB", "a@example.com"]), (6, ["blue", " Ben ", "b@example.com"])],
    )


@pytest.mark.parametrize("heading", ["rollNumber", "ROLLNO", "Roll No", "roll_number", "roll-no", " Roll\nNumber "])
def test_a_heading_is_known_in_any_letter_case_and_with_any_separator(heading: str) -> None:
    assert columns_of(["house", heading]) == {"roll_number": 1}


def test_two_headings_for_one_column_are_refused() -> None:
    with pytest.raises(RosterError, match=r"Two columns are headed email or EMAIL\. Leave one of them out\."):
        columns_of(["E-Mail", "name", "email"])


def test_entries_are_trimmed_and_a_short_row_lacks_its_last_cells() -> None:
    table = Table({"name": 0, "email": 1, "roll_number": 2}, 3, [(2, [" Asha ", " a@example.com "]), (4, ["Ben"])])
    assert entries_of(table) == [
        Entry(2, "Asha", "a@example.com"),
        Entry(4, "Ben", "", problem="the e-mail is missing: fill it in"),
    ]


def test_a_row_with_more_text_than_headings_is_a_problem_and_empty_cells_beyond_them_are_none() -> None:
    table = Table({"name": 0, "email": 1}, 2, [(2, ["A", "a@example.com", " "]), (3, ["Ben", "b@example.com", "Jr."])])
    fits, overflows = entries_of(table)
    assert fits.problem is None
    assert overflows.problem is not None
    assert "more cells than there are headings" in overflows.problem


def test_an_entry_needs_a_name_and_an_email_or_a_roll_number() -> None:
    assert entry_of(line=1, name="Asha", email="", roll_number="7").problem is None
    assert entry_of(line=1, name="Asha", email="").problem == "the e-mail is missing: fill it in"
    assert entry_of(line=1, name="", email="a@example.com").problem == "the name is missing: fill it in"
