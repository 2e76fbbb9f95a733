"""attendance.live.shares: what an account's sockets may still have and send."""

from datetime import timedelta
from typing import Any

import pytest

from attendance.live.shares import Share, Shares
from core import buckets, errors
from core.limits import Limit

#: Five a second, ten at once.
FEW = Limit("few", 5, timedelta(seconds=1), saved=2)


class Clock:
    def __init__(self) -> None:
        self.moment = 1000.0

    def monotonic(self) -> float:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(buckets, "time", made)
    return made


def spend(share: Share, limit: Limit = FEW) -> int:
    """How many are granted until one is refused."""
    for granted in range(10_000):
        try:
            share.take(limit)
        except errors.TooManyRequests:
            return granted
    return 10_000


def test_what_is_saved_up_can_be_spent_at_once_and_comes_again_evenly(clock: Clock) -> None:
    share = Share()
    assert spend(share) == 10
    clock.moment += 0.2
    assert spend(share) == 1
    clock.moment += 1.0
    assert spend(share) == 5
    clock.moment += 3600
    assert spend(share) == 10


def test_a_refusal_spends_nothing_and_says_how_long_to_wait(clock: Clock) -> None:
    share = Share()
    share.take(FEW, 8)
    with pytest.raises(errors.TooManyRequests) as refused:
        share.take(FEW, 10)
    assert refused.value.retry_after == 2  # 8 of the 10 must come again
    share.take(FEW, 2)


def test_each_limit_has_its_own_account(clock: Clock) -> None:
    share = Share()
    assert spend(share) == 10
    assert spend(share, Limit("others", 5, timedelta(seconds=1), saved=2)) == 10


@pytest.mark.parametrize("lifted", [{"LIMITS": False}, {"LIMIT_MARKS": 0}])
def test_a_limit_is_lifted_alone_or_with_all_others(settings: Any, lifted: dict[str, Any]) -> None:
    for name, value in lifted.items():
        setattr(settings, name, value)
    assert spend(Share(), Limit("marks", "LIMIT_MARKS", timedelta(seconds=1), saved=10)) == 10_000


async def test_an_account_has_so_many_sockets_and_one_share_for_all_of_them(settings: Any) -> None:
    settings.LIMIT_ACCOUNT_SOCKETS = 2
    all_shares = Shares()
    first = all_shares.enter("asha")
    assert all_shares.enter("asha") is first
    with pytest.raises(errors.TooManyRequests):
        all_shares.enter("asha")
    assert all_shares.enter("ravi") is not first
    all_shares.leave("asha")
    assert all_shares.enter("asha") is first


async def test_who_connects_again_has_not_saved_anything_up_by_that(clock: Clock) -> None:
    all_shares = Shares()
    assert spend(all_shares.enter("asha")) == 10
    all_shares.leave("asha")
    assert spend(all_shares.enter("asha")) == 0


async def test_who_connects_and_leaves_in_a_loop_is_refused_after_a_while(clock: Clock, settings: Any) -> None:
    settings.LIMIT_ACCOUNT_OPENINGS = 2
    all_shares = Shares()

    def visits() -> int:
        for number in range(1000):
            try:
                all_shares.enter("asha")
            except errors.TooManyRequests:
                return number
            all_shares.leave("asha")
        return 1000

    assert visits() == 40
    clock.moment += 3
    assert visits() == 6
    all_shares.enter("ravi")


def test_an_account_is_forgotten_once_all_that_it_spent_has_come_again(clock: Clock) -> None:
    all_shares = Shares()
    staying = all_shares.enter("meera")
    for number in range(5):
        all_shares.take(f"asha {number}", FEW, 10)
    clock.moment += 3600
    all_shares.take("ravi", FEW, 10)
    assert set(all_shares._shares) == {"meera", "ravi"}
    assert all_shares.enter("meera") is staying


async def test_requests_and_sockets_of_an_account_have_one_share(clock: Clock) -> None:
    all_shares = Shares()
    for _ in range(2):
        all_shares.take("asha", FEW, 4)
    assert spend(all_shares.enter("asha")) == 2
    with pytest.raises(errors.TooManyRequests):
        all_shares.take("asha", FEW, 1)
    all_shares.take("ravi", FEW, 10)


def test_somebody_unknown_has_a_share_of_their_own(settings: Any) -> None:
    settings.LIMIT_ACCOUNT_SOCKETS = 1
    all_shares = Shares()
    assert all_shares.enter("") is not all_shares.enter("")
    all_shares.leave("")
