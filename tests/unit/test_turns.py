"""core.turns: addresses are served in turn, and within one its accounts; core.rest.turns: whose turn a request is."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from core.rest.routes import is_heavy
from core.rest.turns import turn_of, turn_of_credential
from core.turns import FairPool, Turn

SOON = 15.0


class Busy:
    """A pool whose one thread is held until `served`; what it then serves, in order."""

    def __init__(self) -> None:
        self.pool = FairPool(1, "fair")
        self.free, self.order = threading.Event(), list[str]()
        self.futures: list[Future[Any]] = [self.pool.submit(lambda: self.free.wait(SOON), Turn())]

    def wait(self, name: str, *turn: str) -> "Future[None]":
        future = self.pool.submit(lambda: self.order.append(name), Turn(*turn))
        self.futures.append(future)
        return future

    def served(self) -> list[str]:
        self.free.set()
        for future in self.futures:
            if not future.cancelled():
                future.result(SOON)
        return self.order


@pytest.fixture
def busy() -> Iterator[Busy]:
    made = Busy()
    yield made
    made.free.set()
    made.pool.shutdown(cancel_futures=True)


def test_a_flood_of_one_account_is_not_in_front_of_another_accounts_single_request(busy: Busy) -> None:
    for number in range(100):
        busy.wait(f"flood {number}", "gate", "one")
    busy.wait("single", "gate", "another")
    assert busy.served()[:3] == ["flood 0", "single", "flood 1"]


def test_a_flood_of_many_accounts_from_one_address_is_not_in_front_of_another_address(busy: Busy) -> None:
    for number in range(100):
        busy.wait(f"flood {number}", "gate", f"account {number}")
    for number in range(3):
        busy.wait(f"home {number}", "home", "one")
    assert busy.served()[:6] == ["flood 0", "home 0", "flood 1", "home 1", "flood 2", "home 2"]


def test_accounts_that_ask_in_turn_are_served_in_turn_and_none_is_left_out(busy: Busy) -> None:
    names = [f"{account}{number}" for number in range(20) for account in "abc"]
    for name in names:
        busy.wait(name, "gate", name[0])
    served = busy.served()
    assert sorted(served) == sorted(names)
    assert served == names


def test_what_is_cancelled_while_it_waits_is_left_out(busy: Busy) -> None:
    gone = busy.wait("gone", "gate", "one")
    busy.wait("there", "gate", "one")
    assert gone.cancel()
    assert busy.served() == ["there"]


def test_a_failure_goes_to_whoever_asked() -> None:
    pool = FairPool(1, "fair")
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0, Turn()).result(SOON)
    assert pool.submit(lambda: 1, Turn()).result(SOON) == 1
    pool.shutdown()


async def test_an_event_loop_gets_what_came_of_its_work() -> None:
    pool = FairPool(2, "fair")
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0, Turn())
    assert await asyncio.gather(*(pool.run(partial(abs, number), Turn()) for number in range(9))) == [*range(9)]
    pool.shutdown()


async def test_what_an_event_loop_waits_for_no_more_is_left_out(busy: Busy) -> None:
    gone = busy.pool.run(lambda: busy.order.append("gone"), Turn("gate", "one"))
    gone.cancel()
    busy.wait("there", "gate", "one")
    assert busy.served() == ["there"]


def test_every_thread_serves_while_another_one_waits() -> None:
    pool = FairPool(3, "fair")
    for _ in range(2):  # once the threads have served, they serve again
        together = threading.Barrier(3, timeout=SOON)
        at_once = [pool.submit(together.wait, Turn("gate", str(number))) for number in range(3)]
        assert sorted(future.result(SOON) for future in at_once) == [0, 1, 2]
    pool.shutdown()


FORM, JSON = b"application/x-www-form-urlencoded", b"application/json"


@pytest.mark.parametrize(
    ("content_type", "body", "account"),
    [
        (JSON, b'{"email":" Asha@Example.com ","password":"x"}', "asha@example.com"),
        (JSON, b'{"rollNumber":9,"password":"x"}', "9"),
        (JSON, b'{"login":"A-1"}', "a-1"),
        (FORM, b"csrfmiddlewaretoken=x&username=Root%40example.com&password=x", "root@example.com"),
        (JSON, b'{"email":["x"]}', "Token"),
        (JSON, b"[1]", "Token"),
        (JSON, b"{", "Token"),
        (JSON, b"\xff", "Token"),
        (FORM, b"\xff", "Token"),
        (JSON, b'{"email":"x","pad":"' + b"x" * 5000 + b'"}', "Token"),
        (JSON, b"", "Token"),
    ],
)
def test_a_requests_account_is_whom_its_body_names_or_its_credential(
    content_type: bytes, body: bytes, account: str
) -> None:
    headers = [(b"content-type", content_type), (b"authorization", b"Token")]
    scope = {"client": ("203.0.113.7", 5), "headers": headers}
    assert turn_of(scope, body) == Turn("203.0.113.7", account)


def test_a_requests_address_is_its_network_and_may_be_missing() -> None:
    assert turn_of({"client": ("2001:db8:0:1::5", 5)}, b"") == Turn("2001:db8:0:1::/64", "")
    assert turn_of({"client": None, "headers": [(b"cookie", b"sessionid=1")]}, b"") == Turn("", "sessionid=1")


def test_a_request_that_signs_nobody_in_waits_in_the_turn_of_its_credential() -> None:
    headers = [(b"content-type", b"application/json"), (b"authorization", b"Token")]
    scope = {"client": ("203.0.113.7", 5), "headers": headers}
    assert turn_of_credential(scope, b'{"email":"a@example.com"}') == Turn("203.0.113.7", "Token")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/app/classes/x/reports", True),
        ("/app/classes/x/reports.csv", True),
        ("/app/classes/x/import", True),
        ("/app/office/report", True),
        ("/app/classes/x/", False),
        ("/auth/me", False),
        ("/auth/login", False),
        ("/healthz", False),
        ("/", False),
    ],
)
def test_reports_and_imports_wait_for_threads_of_their_own(path: str, expected: bool) -> None:
    assert is_heavy(path) is expected
