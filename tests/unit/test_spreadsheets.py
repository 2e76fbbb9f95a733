"""core.spreadsheets: a spreadsheet that opens a table runs none of its texts as a formula."""

import csv
import io

import pytest

from core.spreadsheets import safe_cell, write_csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"])
def test_a_text_that_begins_like_a_formula_gets_a_quote_before_it(text: str) -> None:
    assert safe_cell(text) == "'" + text.replace("\r", " ")


@pytest.mark.parametrize("text", ["", "Asha", "a=1", "7", " =1", "1-2", "asha@example.com"])
def test_another_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


def test_a_text_with_line_breaks_is_written_on_one_line() -> None:
    assert safe_cell("Asha\r\nRao\n=1") == "Asha  Rao =1"


def test_a_table_has_safe_texts_and_its_numbers_as_numbers() -> None:
    file = io.StringIO()
    write_csv(file, [["Name", "Points"], ["=Asha, the first", -5], ['"Ben"', 0.5]])
    assert file.getvalue() == 'Name,Points\n"\'=Asha, the first",-5\n"""Ben""",0.5\n'
    assert list(csv.reader(io.StringIO(file.getvalue())))[1] == ["'=Asha, the first", "-5"]
