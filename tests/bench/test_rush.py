"""What `python -m bench.rush` counts: everybody who is answered, each mark once, and the teacher's marks among them."""

import pytest

from bench.rush import as_text, rush
from tests.support.database import Databases


@pytest.mark.long
def test_everybody_signs_in_and_checks_in_once_while_a_teacher_marks(databases: Databases) -> None:
    found = rush(databases, students=7, classes=2, seconds=0.5, signs_in=True)
    assert [found[figure] for figure in ("answered", "lost", "doubled", "failures")] == [7, 0, 0, {}]
    assert sorted(found["times"]) == ["check-in", "claim", "sign-in", "teacher's mark"]
    assert "7 checked in" in as_text(found)
