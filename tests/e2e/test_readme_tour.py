"""The README's tour, word for word."""

import os

from tests.e2e.tour import run_tour, tour_steps
from tests.support.server import Server


def test_the_tour_answers_what_the_readme_says(server: Server) -> None:
    assert len(tour_steps()) >= 5
    run_tour(server.url, **{**os.environ, "DATABASE_URL": server.database.url})
