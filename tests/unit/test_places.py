"""Places as people copy them from maps."""

import pytest

from attendance.check_in import Place
from web.forms.places import place_read, place_written

TOWER = Place(48.8584, 2.2945)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("48.8584, 2.2945", TOWER),
        ("48.8584,2.2945", TOWER),
        ("+48.8584 2.2945", TOWER),
        ("48,8584, 2,2945", TOWER),
        ("48,8584 2,2945", TOWER),
        ("48,8584; 2,2945", TOWER),
        ("48.8584° N, 2.2945° E", TOWER),
        ("48,8584°\u00a0N, 2,2945°\u00a0E", TOWER),
        ("geo:48.8584,2.2945?z=17", TOWER),
        ("geo:48.8584,2.2945;u=35", TOWER),
        ("\u200e48.8584، 2.2945", TOWER),
        ("٤٨٫٨٥٨٤، ٢٫٢٩٤٥", TOWER),
        ("-33.8568, 151.2153", Place(-33.8568, 151.2153)),
        ("\u221233.8568, 151.2153", Place(-33.8568, 151.2153)),
        ("33.8568S 151.2153E", Place(-33.8568, 151.2153)),
        ("40°30′00″N 73°30′00″W", Place(40.5, -73.5)),
        ("40° 30' 0'' N, 73° 30' 0'' W", Place(40.5, -73.5)),
        ("40°30.5'N 73°30.5'W", Place(40 + 30.5 / 60, -73 - 30.5 / 60)),
        ("48,2", Place(48, 2)),
        ("0, 0", Place(0, 0)),
        ("-90, -180", Place(-90, -180)),
    ],
)
def test_a_place_is_read_as_maps_write_it(text: str, place: Place) -> None:
    assert place_read(text) == place
    assert place_read(place_written(place)) == Place(round(place.latitude, 6), round(place.longitude, 6))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "48.8584",
        "48.8584, 2.2945, 3",
        "91, 0",
        "0, 181",
        "2.2945° E, 48.8584° N",
        "-33.8568 S, 151.2153 E",
        "40°60'00\"N 73°30'00\"W",
        "48.8584° N, 2.2945° O",  # east in German, west in Spanish and French
        "48..8, 2",
        "nan, inf",
        "1e2, 3",
        "https://maps.example.com/@48.8584,2.2945,17z",
    ],
)
def test_what_is_no_place_or_could_be_two_is_none(text: str) -> None:
    assert place_read(text) is None
