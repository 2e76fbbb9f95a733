"""core.spreadsheets: a spreadsheet that opens a table runs none of its texts as a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.spreadsheets import safe_cell, without_guard, write_csv


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(1)", " =1", "\r=1", "\n=1", "\u200b=1", "\ufeff+1", "\xa0-1", "＝1+1", "＠A1", "'=1"],
)
def test_a_text_that_begins_like_a_formula_gets_a_quote_before_it(text: str) -> None:
    assert safe_cell(text) == "'" + text.replace("\r", " ").replace("\n", " ")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Ana;=1+1;", "Ana;'=1+1;"),
        ("a\t@b", "a\t'@b"),
        ("a|\u200b-b", "a|'\u200b-b"),
        ("=a;=b", "'=a;'=b"),
        ("\t=1", "'\t'=1"),
        ("\ta", "'\ta"),
    ],
)
def test_a_formula_behind_what_others_take_for_a_separator_gets_a_quote_too(text: str, safe: str) -> None:
    assert safe_cell(text) == safe


@pytest.mark.parametrize(
    "text", ["", "Asha", "a=1", "7", "1-2", "asha@example.com", "Rao, Asha", "O'Neill", "'t Hooft"]
)
def test_another_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


def test_a_text_with_line_breaks_is_written_on_one_line() -> None:
    assert safe_cell("Asha\r\nRao\n=1") == "Asha  Rao =1"


@given(st.text(alphabet="=+-@'; \t|aé\u200b＝"))
def test_the_quotes_are_taken_off_again(text: str) -> None:
    assert without_guard(safe_cell(text)) == text


@given(st.text(alphabet="=+-@'; \t|,\"a\n\r\u200b＝"), st.sampled_from(",;\t|"))
def test_no_separator_makes_a_formula_of_a_text(text: str, separator: str) -> None:
    file = io.StringIO()
    write_csv(file, [["first", text, "last"]])
    for cells in csv.reader(io.StringIO(file.getvalue()), delimiter=separator):
        for cell in cells:
            assert not cell.lstrip('" \u200b').startswith(("=", "+", "-", "@", "＝"))


def test_a_table_has_every_text_in_quotation_marks_and_its_numbers_as_numbers() -> None:
    file = io.StringIO()
    write_csv(file, [["Name", "Points"], ["=Asha, the first", -5], ['"Ben"', 0.5]])
    assert file.getvalue() == '"Name","Points"\n"\'=Asha, the first",-5\n"""Ben""",0.5\n'
    assert list(csv.reader(io.StringIO(file.getvalue())))[1] == ["'=Asha, the first", "-5"]
