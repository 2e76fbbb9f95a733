"""Requests made from the OpenAPI document, good and bad, are answered as it says. `make fuzz-api` makes more."""

import pytest

from tests.programs import fuzz_api
from tests.support.server import Server

pytestmark = [
    pytest.mark.long,
    pytest.mark.one_database("That answers are as the document says, other tests see to on each database."),
]


def test_generated_requests_are_answered_as_the_document_says(server: Server) -> None:
    found = fuzz_api.run(server, ["teacher"], "--phases", "fuzzing", "--max-examples", "2", "--seed", "1")
    assert not found, found[0]
