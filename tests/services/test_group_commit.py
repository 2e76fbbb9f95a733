"""Marks share transactions, keep their order, and are told after the commit; a bad one refuses only itself."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import IntegrityError, OperationalError, connection
from django.db.models import QuerySet

from attendance import services
from attendance.live import journal
from attendance.live.commit import GroupCommit
from attendance.live.journal import Refusal
from attendance.live.statements import NewMark
from attendance.models import Mark, Session
from core.ids import new_id
from tests.services.conftest import Room, make_room, new_mark

pytestmark = pytest.mark.usefixtures("gateway_threads", "transactional_db")


async def run(work: Any, *arguments: Any, **named: Any) -> Any:
    return await database_sync_to_async(work)(*arguments, **named)


class Told:
    """What a GroupCommit announced, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, int]]] = []

    async def committed(self, marks: Sequence[NewMark]) -> None:
        self.batches.append([(mark.id, mark.seq) for mark in marks])


async def begin() -> tuple[Room, Session, Told, GroupCommit]:
    room = await run(make_room, 2)
    session = await run(room.start)
    told = Told()
    return room, session, told, GroupCommit(told.committed)


async def test_marks_that_come_during_a_commit_share_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    room, session, told, commits = await begin()
    loop, entered, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    add, sizes = journal._add, []

    def held(marks: Sequence[NewMark]) -> Any:
        sizes.append(len(marks))
        loop.call_soon_threadsafe(entered.set)
        go_on.wait(30)
        return add(marks)

    monkeypatch.setattr(journal, "_add", held)
    first = new_mark(room, session)
    futures = [commits.submit(first)]
    await entered.wait()
    rest = [new_mark(room, session, status=status) for status in ("absent", "present") * 10]
    futures += [commits.submit(mark) for mark in rest]
    assert commits.waiting == 20
    assert told.batches == []
    assert not any(future.done() for future in futures)
    go_on.set()
    assert await asyncio.gather(*futures) == list(range(1, 22))
    assert sizes == [1, 20]
    expected = [(mark.id, seq) for seq, mark in enumerate([first, *rest], start=1)]
    assert told.batches == [expected[:1], expected[1:]]
    assert await run(lambda: list(Mark.objects.order_by("seq").values_list("id", "seq"))) == expected


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
    marks[1].student_id = unknown
    assert await asyncio.gather(*map(commits.submit, marks)) == [1, Refusal.FAILED, 2]
    assert told.batches == [[(marks[0].id, 1), (marks[2].id, 2)]]
    assert await run(Mark.objects.count) == 2


async def test_a_commit_whose_answer_was_lost_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    room, session, told, commits = await begin()
    add, lost = journal._add, []

    def losing(marks: Sequence[NewMark]) -> Any:
        answer = add(marks)
        if not lost:
            lost.append(answer)
            raise OperationalError("the connection broke")
        return answer

    monkeypatch.setattr(journal, "_add", losing)
    marks = [new_mark(room, session) for _ in range(3)]
    assert await asyncio.gather(*map(commits.submit, marks)) == [1, 2, 3]
    assert lost == [[1, 2, 3]]
    assert told.batches == [[(mark.id, seq) for seq, mark in enumerate(marks, start=1)]]
    assert await run(lambda: list(Mark.objects.order_by("seq").values_list("seq", flat=True))) == [1, 2, 3]
    assert await commits.submit(new_mark(room, session)) == 4


@pytest.mark.parametrize("failure", [OperationalError("no database"), RuntimeError("a bug")])
async def test_nothing_is_told_of_what_cannot_be_committed(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    room, session, told, commits = await begin()

    def fails(marks: Sequence[NewMark]) -> Any:
        raise failure

    monkeypatch.setattr(journal, "_add", fails)
    marks = [new_mark(room, session) for _ in range(3)]
    assert await asyncio.gather(*map(commits.submit, marks)) == [Refusal.FAILED] * 3
    assert [mark for batch in told.batches for mark in batch] == []
    monkeypatch.undo()
    assert await commits.submit(new_mark(room, session)) == 1


async def test_a_session_that_is_over_takes_nothing_and_another_in_the_batch_does() -> None:
    room, over, told, commits = await begin()
    other = await run(make_room, 1)
    going_on = await run(other.start)
    await run(services.session_end, session_id=over.id)
    marks = [new_mark(room, over), new_mark(other, going_on), new_mark(room, over), new_mark(other, going_on)]
    assert await asyncio.gather(*map(commits.submit, marks)) == [Refusal.SESSION_OVER, 1, Refusal.SESSION_OVER, 2]
    assert told.batches == [[(marks[1].id, 1), (marks[3].id, 2)]]
    assert await run(lambda: Session.objects.get(pk=over.id).last_seq) == 0


async def test_two_sessions_in_a_batch_count_for_themselves() -> None:
    room, session, _, commits = await begin()
    other = await run(make_room, 1)
    other_session = await run(other.start)
    marks = [
        new_mark(*pair) for pair in ((room, session), (other, other_session), (room, session), (other, other_session))
    ]
    assert await asyncio.gather(*map(commits.submit, marks)) == [1, 1, 2, 2]


async def test_an_announcement_that_fails_loses_no_answer() -> None:
    room = await run(make_room, 1)
    session = await run(room.start)

    async def fails(marks: Sequence[NewMark]) -> None:
        raise RuntimeError("cannot be told")

    commits = GroupCommit(fails)
    futures = [commits.submit(new_mark(room, session)) for _ in range(2)]
    assert await asyncio.gather(*futures) == [1, 2]
    assert await commits.submit(new_mark(room, session)) == 3


async def test_drain_waits_for_everything() -> None:
    room, session, _told, commits = await begin()
    await commits.drain()
    futures = [commits.submit(new_mark(room, session)) for _ in range(5)]
    await commits.drain()
    assert all(future.done() for future in futures)
    assert await run(Mark.objects.count) == 5


async def test_a_flood_is_split_so_that_its_first_marks_need_not_wait_for_its_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("attendance.live.commit.MAX_BATCH", 4)
    room, session, told, commits = await begin()
    futures = [commits.submit(new_mark(room, session)) for _ in range(10)]
    assert await asyncio.gather(*futures) == list(range(1, 11))
    assert [len(batch) for batch in told.batches] == [4, 4, 2]


async def test_marks_that_go_together_are_committed_together_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attendance.live.commit.MAX_BATCH", 4)
    room, session, told, commits = await begin()
    good = [new_mark(room, session) for _ in range(3)]
    bad = [new_mark(room, session), new_mark(room, session)]
    bad[1].id = bad[0].id  # no database takes the second
    large = [new_mark(room, session) for _ in range(6)]  # more than a batch has otherwise
    units = (good, bad, large, [new_mark(room, session)])
    futures = [commits.submit(*unit) for unit in units]
    assert commits.waiting == 12
    assert await asyncio.gather(*futures) == [3, Refusal.FAILED, 9, 10]
    assert commits.waiting == 0
    assert [mark.seq for mark in good + large] == list(range(1, 10))
    assert [len(batch) for batch in told.batches if batch] == [3, 6, 1]
    assert await run(Mark.objects.count) == 10


async def test_a_unit_whose_answer_was_lost_is_not_committed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    room, session, _, commits = await begin()
    add = journal._add

    def losing(marks: Sequence[NewMark]) -> Any:
        add(marks)
        raise OperationalError("the connection broke")

    monkeypatch.setattr(journal, "_add", losing)
    assert await commits.submit(*(new_mark(room, session) for _ in range(3))) == 3
    monkeypatch.undo()
    assert await run(Mark.objects.count) == 3
