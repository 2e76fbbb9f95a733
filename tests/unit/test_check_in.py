"""The rules of self check-in: codes, places, distances."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.check_in import EARTH, Circle, Place, check
from core import errors

GATE = Place(48.8584, 2.2945)
places = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("here", "there", "metres"),
    [
        (GATE, GATE, 0),
        (Place(0, 0), Place(0, 1), 111_195.08),
        (Place(0, 0), Place(0, 180), 20_015_114.4),
        (Place(90, 0), Place(-90, 77), 20_015_114.4),
        (Place(0, 179.9995), Place(0, -179.9995), 111.195),
        (GATE, Place(51.5007, -0.1246), 340_548.0),
    ],
)
def test_distances_are_those_of_a_great_circle(here: Place, there: Place, metres: float) -> None:
    assert here.metres_to(there) == pytest.approx(metres, rel=1e-4, abs=1e-3)


@given(places, places)
def test_a_distance_is_the_same_both_ways_and_never_beyond_half_the_earth(here: Place, there: Place) -> None:
    assert here.metres_to(there) == pytest.approx(there.metres_to(here), abs=1e-3)
    assert 0 <= here.metres_to(there) <= EARTH * 3.1416


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(91, 0), (0, 181), (None, 0), ("1", 2), (True, 0), (float("nan"), 0), (0, float("inf")), ([], {})],
)
def test_what_is_no_place_is_none(latitude: Any, longitude: Any) -> None:
    assert Place.of(latitude, longitude) is None


def test_the_code_comes_first_then_the_place() -> None:
    circle = Circle(GATE, 50)
    far, near = Place(48.87, 2.2945), Place(48.8585, 2.2946)
    for code in (None, "", "0", "1234567", "١٢٣٤٥٦"):
        with pytest.raises(errors.WrongCode):
            check(codes=["123456"], code=code, circle=circle, place=near)
    for codes in ([], [""]):
        with pytest.raises(errors.WrongCode):
            check(codes=codes, code="", circle=None, place=None)
    with pytest.raises(errors.LocationMissing):
        check(codes=["1"], code="1", circle=circle, place=None)
    with pytest.raises(errors.OutOfRange):
        check(codes=["1"], code="1", circle=circle, place=far)
    check(codes=["0", "1"], code="1", circle=circle, place=near)
    check(codes=["1"], code="1", circle=None, place=None)
