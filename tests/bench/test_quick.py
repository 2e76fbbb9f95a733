"""The table of `make bench ARGS=--quick`: medians, the least runs, and ratios pair by pair."""

import pytest

from bench import quick

QUESTION = quick.QUESTIONS[0]
MADE = {"commit": "1234567", "load_before": 0.5}


def test_pairs_are_compared_each_by_itself() -> None:
    pairs = [{"this": 90.0, "against": 100.0}, {"this": 300.0, "against": 400.0}, {"this": 50.0, "against": 40.0}]
    found = quick.answer(QUESTION, pairs)
    assert found["ratios"] == pytest.approx([0.9, 0.75, 1.25])
    assert (found["median"], found["least"]) == ({"this": 90.0, "against": 100.0}, {"this": 50.0, "against": 40.0})
    text = quick.as_text({"made": MADE, "against": "7654321", "answers": [found]})
    assert "0.90 0.75 1.25" in text
    assert "0.900" in text
    assert "1.250" in text


def test_a_checkout_by_itself_is_measured_without_ratios() -> None:
    found = quick.answer(QUESTION, [{"this": 90.0}, {"this": 100.0}, {"this": 95.0}])
    lines = quick.as_text({"made": MADE, "against": None, "answers": [found]}).splitlines()
    assert lines[1].split()[-2:] == ["95", "µs"]
