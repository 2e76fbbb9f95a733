"""The program that takes the pictures of docs/pages.md."""

import pytest
import zxingcpp

from tests.programs.pictures import ADDRESS, PICTURES, studio
from tests.support.browser import needs_chromium
from tests.support.database import Unblock
from tests.support.server import only_serve

pytestmark = [
    needs_chromium,
    only_serve,
    pytest.mark.one_database("What a browser does with pages does not depend on who gave the rows."),
    pytest.mark.long,
]


def test_the_picture_of_the_projector_shows_one_address_on_whatever_port_it_was_taken(
    unblock: Unblock,
) -> None:
    projector = next(picture for picture in PICTURES if picture.name == "projector")
    with unblock(), studio() as made:
        picture = made.take(projector)
        assert made.browser.find(".projector-address").text == f"{ADDRESS.removeprefix('https://')}/app/check-in"
        (qr,) = zxingcpp.read_barcodes(picture)
    assert qr.text.startswith(f"{ADDRESS}/app/check-in/")
