"""Every row of a table in the documents belongs to a table: else it is shown as the text that was typed."""

import pytest

from tests.documents.markdown import DOCUMENTS, loose_rows


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_row_stands_in_a_table_with_a_head_and_has_its_cells(name: str) -> None:
    assert loose_rows(DOCUMENTS[name].read_text()) == []


def test_a_row_below_a_paragraph_or_with_another_number_of_cells_is_found() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    assert loose_rows(f"text\n\n{table}\n\ntext") == []
    assert loose_rows(f"{table}\n\ntext\n| 3 | 4 |\n| 5 | 6 |") == ["| 3 | 4 |", "| 5 | 6 |"]
    assert loose_rows(f"{table}\n| 3 |") == ["| 3 |"]
