"""Marks share transactions, keep their order, and are told after the commit; a bad one refuses only itself."""

import asyncio
import threading
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

import pytest
from channels.db import database_sync_to_async
from django.db import IntegrityError, OperationalError, connection
from django.db.models import QuerySet
from msgspec.structs import replace

from attendance import services
from attendance.journal import NewMark
from attendance.live import commit
from attendance.live.commit import Refusal, Unit
from attendance.live.facts import EVERYBODY, Audience, Marked
from attendance.live.group_commit import Committed, GroupCommit
from attendance.models import Mark, Session
from core.ids import new_id
from tests.services.conftest import Room, make_room, new_mark

pytestmark = pytest.mark.usefixtures("gateway_threads", "transactional_db")


async def run(work: Any, *arguments: Any, **named: Any) -> Any:
    return await database_sync_to_async(work)(*arguments, **named)


class Told:
    """What a GroupCommit announced, batch by batch: session and fact."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, Marked]]] = []

    async def announce(self, committed: Mapping[str, Sequence[Marked]]) -> Mapping[str, Audience]:
        self.batches.append([(session_id, mark) for session_id, marks in committed.items() for mark in marks])
        return dict.fromkeys(committed, AUDIENCE)


def as_told(mark: NewMark, seq: int) -> tuple[str, Marked]:
    """What is announced of a mark that became the journal's row `seq`."""
    return mark.session_id, Marked(seq, mark.student_id, mark.status, mark.at, mark.by_id, mark.method)


#: Whom the announcements reach.
AUDIENCE: Audience = frozenset({"somebody"})


async def seqs(*outcomes: Awaitable[Committed | Refusal]) -> list[list[int] | Refusal]:
    """The seqs of each unit's marks, or why the unit was refused."""
    return [
        outcome if isinstance(outcome, Refusal) else [mark.seq for mark in outcome.marks]
        for outcome in await asyncio.gather(*outcomes)
    ]


async def begin() -> tuple[Room, Session, Told, GroupCommit]:
    room = await run(make_room, 2)
    session = await run(room.start)
    told = Told()
    return room, session, told, GroupCommit(told.announce)


async def test_marks_that_come_during_a_commit_share_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    room, session, told, commits = await begin()
    loop, entered, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    append, sizes = commit._append, []

    def held(units: Sequence[Unit]) -> Any:
        sizes.append(len(units))
        loop.call_soon_threadsafe(entered.set)
        go_on.wait(30)
        return append(units)

    monkeypatch.setattr(commit, "_append", held)
    first = new_mark(room, session)
    futures = [commits.submit(Unit([first]))]
    await entered.wait()
    rest = [new_mark(room, session, status=status) for status in ("absent", "present") * 10]
    futures += [commits.submit(Unit([mark])) for mark in rest]
    assert commits.waiting == 20
    assert commits.on_their_way(session.id) == 21
    assert told.batches == []
    assert not any(future.done() for future in futures)
    go_on.set()
    assert await seqs(*futures) == [[seq] for seq in range(1, 22)]
    assert sizes == [1, 20]
    assert commits.on_their_way(session.id) == 0
    in_order = [first, *rest]
    expected = [as_told(mark, seq) for seq, mark in enumerate(in_order, start=1)]
    assert told.batches == [expected[:1], expected[1:]]
    rows = await run(lambda: list(Mark.objects.order_by("seq").values_list("id", "seq")))
    assert rows == [(mark.id, seq) for seq, mark in enumerate(in_order, start=1)]


async def test_a_bad_mark_refuses_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    room, session, told, commits = await begin()
    unknown = new_id()
    if connection.vendor == "mongodb":  # which has no foreign keys to refuse it by
        create = QuerySet.bulk_create

        def refusing(self: Any, marks: Sequence[Mark], **options: Any) -> Any:
            create(self, marks, **options)
            if any(mark.student_id == unknown for mark in marks):
                raise IntegrityError("no such student")

        monkeypatch.setattr(QuerySet, "bulk_create", refusing)
    marks = [new_mark(room, session) for _ in range(3)]
    marks[1] = replace(marks[1], student_id=unknown)
    assert await seqs(*(commits.submit(Unit([mark])) for mark in marks)) == [[1], Refusal.FAILED, [2]]
    assert told.batches == [[as_told(marks[0], 1), as_told(marks[2], 2)]]
    assert await run(Mark.objects.count) == 2


async def test_a_commit_whose_answer_was_lost_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    room, session, told, commits = await begin()
    append = commit._append
    lost: list[Any] = []

    def losing(units: Sequence[Unit]) -> Any:
        answer = append(units)
        if not lost:
            lost.append(answer)
            raise OperationalError("the connection broke")
        return answer

    monkeypatch.setattr(commit, "_append", losing)
    marks = [new_mark(room, session) for _ in range(3)]
    assert await seqs(*(commits.submit(Unit([mark])) for mark in marks)) == [[1], [2], [3]]
    assert [[mark.seq for mark in unit] for unit in lost[0]] == [[1], [2], [3]]
    assert told.batches == [[as_told(mark, seq) for seq, mark in enumerate(marks, start=1)]]
    assert await run(lambda: list(Mark.objects.order_by("seq").values_list("seq", flat=True))) == [1, 2, 3]
    assert await seqs(commits.submit(Unit([new_mark(room, session)]))) == [[4]]


@pytest.mark.parametrize("failure", [OperationalError("no database"), RuntimeError("a bug")])
async def test_nothing_is_told_of_what_cannot_be_committed(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    room, session, told, commits = await begin()

    def fails(units: Sequence[Unit]) -> Any:
        raise failure

    monkeypatch.setattr(commit, "_append", fails)
    marks = [new_mark(room, session) for _ in range(3)]
    assert await seqs(*(commits.submit(Unit([mark])) for mark in marks)) == [Refusal.FAILED] * 3
    assert [mark for batch in told.batches for mark in batch] == []
    monkeypatch.undo()
    assert commits.on_their_way(session.id) == 0
    assert await seqs(commits.submit(Unit([new_mark(room, session)]))) == [[1]]


async def test_a_session_that_is_over_takes_nothing_and_another_in_the_batch_does() -> None:
    room, over, told, commits = await begin()
    other = await run(make_room, 1)
    going_on = await run(other.start)
    await run(services.session_end, session_id=over.id)
    marks = [new_mark(room, over), new_mark(other, going_on), new_mark(room, over), new_mark(other, going_on)]
    over_too = Refusal.SESSION_OVER
    assert await seqs(*(commits.submit(Unit([mark])) for mark in marks)) == [over_too, [1], over_too, [2]]
    assert told.batches == [[as_told(marks[1], 1), as_told(marks[3], 2)]]
    assert await run(lambda: Session.objects.get(pk=over.id).last_seq) == 0


async def test_two_sessions_in_one_batch_number_their_marks_separately() -> None:
    room, session, _, commits = await begin()
    other = await run(make_room, 1)
    other_session = await run(other.start)
    marks = [
        new_mark(*pair) for pair in ((room, session), (other, other_session), (room, session), (other, other_session))
    ]
    assert await seqs(*(commits.submit(Unit([mark])) for mark in marks)) == [[1], [1], [2], [2]]


async def test_an_announcement_that_fails_loses_no_answer() -> None:
    room = await run(make_room, 1)
    session = await run(room.start)

    async def fails(committed: Mapping[str, Sequence[Marked]]) -> Any:
        raise RuntimeError("cannot be told")

    commits = GroupCommit(fails)
    futures = [commits.submit(Unit([new_mark(room, session)])) for _ in range(2)]
    assert await seqs(*futures) == [[1], [2]]
    assert await seqs(commits.submit(Unit([new_mark(room, session)]))) == [[3]]
    # The next look tells everybody, so nobody need be told directly.
    assert [cast(Committed, future.result()).audience for future in futures] == [EVERYBODY, EVERYBODY]


async def test_a_commit_tells_the_sender_to_whom_the_mark_was_announced() -> None:
    room, session, _, commits = await begin()
    outcome = await commits.submit(Unit([new_mark(room, session)]))
    assert isinstance(outcome, Committed)
    assert outcome.audience == AUDIENCE


async def test_drain_waits_for_everything() -> None:
    room, session, _told, commits = await begin()
    await commits.drain()
    futures = [commits.submit(Unit([new_mark(room, session)])) for _ in range(5)]
    await commits.drain()
    assert all(future.done() for future in futures)
    assert await run(Mark.objects.count) == 5


async def test_a_flood_is_split_so_that_its_first_marks_need_not_wait_for_its_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("attendance.live.group_commit.MAX_BATCH", 4)
    room, session, told, commits = await begin()
    futures = [commits.submit(Unit([new_mark(room, session)])) for _ in range(10)]
    assert await seqs(*futures) == [[seq] for seq in range(1, 11)]
    assert [len(batch) for batch in told.batches] == [4, 4, 2]


async def test_marks_that_go_together_are_committed_together_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attendance.live.group_commit.MAX_BATCH", 4)
    room, session, told, commits = await begin()
    good = [new_mark(room, session) for _ in range(3)]
    one = new_mark(room, session)
    bad = [one, replace(one)]  # no database takes the same id twice
    large = [new_mark(room, session) for _ in range(6)]  # more than a batch has otherwise
    units = (good, bad, large, [new_mark(room, session)])
    futures = [commits.submit(Unit(unit)) for unit in units]
    assert commits.waiting == 12
    assert commits.on_their_way(session.id) == 12
    assert await seqs(*futures) == [[1, 2, 3], Refusal.FAILED, [4, 5, 6, 7, 8, 9], [10]]
    assert commits.waiting == 0
    assert commits.on_their_way(session.id) == 0  # a refused mark is no longer on its way
    assert [len(batch) for batch in told.batches if batch] == [3, 6, 1]
    assert await run(Mark.objects.count) == 10


async def test_a_unit_whose_answer_was_lost_is_not_committed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    room, session, _, commits = await begin()
    append = commit._append

    def losing(units: Sequence[Unit]) -> Any:
        append(units)
        raise OperationalError("the connection broke")

    monkeypatch.setattr(commit, "_append", losing)
    assert await seqs(commits.submit(Unit([new_mark(room, session) for _ in range(3)]))) == [[1, 2, 3]]
    monkeypatch.undo()
    assert await run(Mark.objects.count) == 3
