"""bench.live_steps: where it notes moments, and what it makes of them."""

from pkgutil import resolve_name

import pytest

from bench.live_steps import KINDS, Timeline, _noting
from bench.live_steps_table import STEPS, tables


@pytest.mark.parametrize("kind", KINDS)
def test_each_moment_is_at_a_function_that_exists_and_each_step_between_two_has_a_name(kind: str) -> None:
    for path, when in KINDS[kind]:
        owner, _, name = path.rpartition(".")
        assert callable(vars(resolve_name(owner))[name])
        assert when in ("begins", "ends")
    assert len(STEPS[kind]) == len(KINDS[kind]) - 1


def test_only_what_went_through_all_moments_in_their_order_is_counted() -> None:
    timeline = Timeline(3)
    for place in (0, 1, 2, 0, 2, 1, 0, 1, 1, 2):  # wholly; not; wholly, with one that is nobody's
        timeline.note(place)
    assert [len(steps) for steps in timeline.whole] == [2, 2]


def test_a_functions_beginning_and_end_are_moments_and_its_answer_stays() -> None:
    timeline = Timeline(2)
    assert _noting(lambda value: value + 1, timeline, 0, 1)(3) == 4
    assert len(timeline.whole) == 1


def test_the_end_of_a_coroutine_is_no_moment() -> None:
    async def work() -> None: ...

    with pytest.raises(ValueError, match="coroutine"):
        _noting(work, Timeline(2), 0, 1)


def test_the_table_has_each_step_and_their_sum() -> None:
    found = {kind: {"count": 7, "steps": [2.0] * len(STEPS[kind])} for kind in STEPS}
    mark, connection = tables({"sockets": 10, **found})
    assert mark[0] == ("a lone mark, median of 7", "µs")
    assert mark[-2:] == [("the frames to 10 sockets", "2"), ("all of these", "26")]
    assert connection[-1] == ("all of these", "16")
