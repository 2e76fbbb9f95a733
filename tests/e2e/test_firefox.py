"""The pages in the other browser: a lesson as test_pages.py has it in Chromium, in a real Firefox.

With PAGES=all (`make test-pages`), where there is a Firefox.
"""

import os
from collections.abc import Iterator

import pytest

from tests.e2e import test_pages as stories
from tests.support.browser import Browser
from tests.support.firefox import Firefox, needs_firefox
from tests.support.server import Server, only_serve

pytestmark = [
    needs_firefox,
    only_serve,
    pytest.mark.skipif(os.environ.get("PAGES") != "all", reason="stories in Firefox are told with PAGES=all"),
    pytest.mark.one_database("What a browser does with pages does not depend on who gave the rows."),
    pytest.mark.long,
]

server, lesson, board = stories.server, stories.lesson, stories.board


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    with Firefox() as running:
        yield running


@pytest.fixture
def browser(firefox: Firefox) -> Browser:
    firefox.fresh()
    return firefox


test_a_lesson_is_taken_by_the_keyboard_alone = stories.test_a_lesson_is_taken_by_the_keyboard_alone
test_a_second_device_sees_each_tap = (
    stories.test_one_tap_marks_present_and_further_taps_go_on_and_a_second_device_sees_each
)
test_marks_of_an_outage_wait_in_order_and_arrive_once = stories.test_marks_of_an_outage_wait_in_order_and_arrive_once
test_a_student_scans_signs_in_and_is_in = stories.test_a_student_scans_what_the_projector_shows_signs_in_and_is_in
test_a_device_at_the_door_takes_numbers = (
    stories.test_a_device_at_the_door_takes_a_number_at_a_time_and_its_teacher_is_signed_out_of_it
)
test_after_a_restart_the_board_is_right_without_a_reload = (
    stories.test_after_a_restart_of_the_server_the_board_is_right_without_a_reload
)
test_in_arabic_the_board_runs_from_right_to_left = (
    stories.test_in_arabic_the_board_runs_from_right_to_left_and_so_do_the_arrow_keys
)


def test_no_page_of_a_lesson_has_an_error(board: Browser, server: Server, lesson: stories.Lesson) -> None:
    for path in ("/app/", f"{lesson.path}project", f"{lesson.path}kiosk", "/app/check-in/", "/app/classes/"):
        board.open(server.url + path)
    assert board.seen().errors == []
    board.run(
        "document.head.append(Object.assign(document.createElement('script'), { src: 'data:text/javascript,1' }))"
    )
    board.until(lambda seen: ["Content-Security-Policy" in error for error in seen.errors] == [True])


def test_this_firefox_reaches_nothing_but_this_machine(board: Browser) -> None:
    ask = "return await fetch(given[0], {mode: 'no-cors'}).then(() => 'an answer', (error) => error.name);"
    here = board.run("return location.origin")
    assert board.run(ask, f"{here}/healthz") == "an answer"
    assert board.run(ask, f"{here}/healthz".replace("127.0.0.1", "localhost")) == "TypeError"
