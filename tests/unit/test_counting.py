"""The one rule by which attendance is counted."""

import pytest

from attendance.counting import Tally
from attendance.enums import Status

P, L, A, E = Status.PRESENT, Status.LATE, Status.ABSENT, Status.EXCUSED


@pytest.mark.parametrize(
    ("statuses", "attended", "total", "percent"),
    [
        ([], 0, 0, None),
        ([None, E], 0, 0, None),
        ([P], 1, 1, 100.0),
        ([A], 0, 1, 0.0),
        ([P, L, E, A], 2, 3, 66.7),
        ([P, A, A], 1, 3, 33.3),
        ([P] * 1 + [A] * 15, 1, 16, 6.3),  # 6.25: halves up
        ([P] * 3 + [A] * 77, 3, 80, 3.8),  # 3.75
        ([L, None, L], 2, 2, 100.0),
    ],
)
def test_late_counts_as_attended_absent_against_and_excused_not_at_all(
    statuses: list[Status | None], attended: int, total: int, percent: float | None
) -> None:
    tally = Tally.of(statuses)
    assert (tally.attended, tally.total, tally.percent) == (attended, total, percent)
