"""Two processes: what one commits the other tells, whether the hints arrive, arrive twice, late or never."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async

from accounts.models import User
from attendance.enums import Status
from attendance.live import commit as journal_commit
from attendance.live import gateway, group_commit
from attendance.live.look import look
from attendance.live.process import Live
from attendance.live.view import Known, View
from attendance.models import Mark
from core.identity import Role
from tests.services.conftest import Connection, Process, Rig, Room, commit_marks, enrol, make_room, make_users, new_mark
from tests.support.queries import around_queries


async def run(work: Any, *arguments: Any, **named: Any) -> Any:
    """Runs a service as a request's thread would."""
    return await database_sync_to_async(work)(*arguments, **named)


async def begin(rig: Rig) -> tuple[Room, Process, Process, Connection, Connection]:
    """A started session; its teacher at one process, a student at the other."""
    room = await run(make_room, 2)
    await run(room.start)
    a, b = await rig.process(), await rig.process()
    return room, a, b, await Connection(a, room.teacher).open(), await Connection(b, room.students[0]).open()


async def end(*processes: Live) -> None:
    for process in processes:
        await process.stop()


async def test_a_hint_tells_the_other_process(rig: Rig) -> None:
    room, a, b, teacher, student = await begin(rig)
    await teacher.mark(room.students[0])
    await rig.settle(a, b)
    assert [frame["event"] for frame in teacher.heard] == ["ATTENDANCE_MARKED"]
    assert student.heard == []
    await rig.deliver_all(a, b)
    assert student.heard == teacher.heard
    await end(a, b)


async def test_a_lost_hint_is_made_good_by_the_next_look(rig: Rig) -> None:
    room, a, b, teacher, student = await begin(rig)
    await teacher.mark(room.students[0])
    await teacher.send("DONE")
    await rig.settle(a, b)
    rig.layer.held.clear()
    await rig.look(b)
    assert [frame["event"] for frame in student.heard] == ["ATTENDANCE_MARKED", "DONE"]
    assert student.heard == teacher.heard
    await end(a, b)


async def test_hints_that_come_twice_and_backwards_are_told_once_in_order(rig: Rig) -> None:
    room, a, b, teacher, student = await begin(rig)
    for status in ("present", "absent", "present"):
        await teacher.mark(room.students[0], status)
        await rig.settle(a, b)
    hints = [*reversed(rig.layer.held), *rig.layer.held]
    rig.layer.held.clear()
    for hint in hints:
        await rig.layer.deliver(hint)
        await rig.settle(a, b)
    assert student.heard == teacher.heard
    assert [frame["data"]["status"] for frame in student.heard] == ["present", "absent", "present"]
    await end(a, b)


async def test_a_client_that_comes_from_a_process_that_knew_more_hears_nothing_again(rig: Rig) -> None:
    room, a, b, teacher, student = await begin(rig)
    await teacher.mark(room.students[0])
    await rig.settle(a, b)
    await student.send("SYNC", {"since": 1})  # that process died, and its hint with it
    await rig.settle(a, b)
    await rig.deliver_all(a, b)
    await rig.look(b)
    await teacher.mark(room.students[1])
    await rig.settle(a, b)
    await rig.deliver_all(a, b)
    with_seq = [frame for frame in student.heard if "seq" in frame]
    assert [frame["seq"] for frame in with_seq] == [2]
    assert student.heard_of("SYNC")[0]["data"]["seq"] == 1
    await end(a, b)


async def test_a_summary_comes_after_the_marks_that_it_counts(rig: Rig) -> None:
    room, a, b, teacher, student = await begin(rig)
    await teacher.mark(room.students[0])
    await teacher.send("TODAY_SUMMARY")
    await rig.settle(a, b)
    await rig.layer.deliver(rig.layer.held[-1])
    await rig.settle(a, b)
    assert [frame["event"] for frame in student.heard] == ["ATTENDANCE_MARKED", "TODAY_SUMMARY"]
    await end(a, b)


async def test_a_mark_reaches_a_process_that_has_not_heard_of_the_focus_yet(rig: Rig) -> None:
    """The other class's session is known there, but set aside: its mark must not be taken in silence."""
    room, a, b, _teacher, student = await begin(rig)
    other = await run(make_room, 1)
    await run(other.start)
    await run(room.start)
    await rig.look(a, b)
    other_teacher = await Connection(a, other.teacher).open()
    await run(other.start)
    await rig.look(a)
    rig.layer.held.clear()
    await other_teacher.mark(other.students[0])
    await rig.settle(a, b)
    await rig.deliver_all(a, b)
    await rig.look(b)
    assert [frame["event"] for frame in student.heard] == ["ATTENDANCE_MARKED"]
    await end(a, b)


async def test_a_look_finds_the_focus_and_the_marks_of_one_moment(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The focus moves to a session, and a mark is made there, in the middle of a look."""
    room, a, b, _teacher, student = await begin(rig)
    other = await run(make_room, 1)
    other_session = await run(other.start)
    await run(room.start)
    await rig.look(a, b)
    loop, moved = asyncio.get_running_loop(), False

    def move_and_mark() -> None:
        other.start()
        mark = new_mark(other, other_session)
        assert commit_marks([mark]) == [1]

    def meanwhile(execute: Callable[[], Any], query: str) -> Any:
        nonlocal moved
        answer = execute()
        if not moved and "attendance_focus" in query:
            moved = True
            asyncio.run_coroutine_threadsafe(gateway.write(move_and_mark), loop).result()
        return answer

    def with_wrapper() -> View:
        known = {key: Known(has.seq, has.roster_version) for key, has in b.sessions.items()}
        with around_queries(meanwhile):
            return look(known, {})

    view = await gateway.read(with_wrapper)
    assert moved
    await b._take(view)
    await rig.look(b)
    assert [frame["event"] for frame in student.heard] == ["ATTENDANCE_MARKED"]
    await end(a, b)


async def test_done_is_told_once_to_its_sender_though_the_focus_moved_in_between(rig: Rig) -> None:
    _room, a, b, teacher, _student = await begin(rig)
    other = await run(make_room, 1)
    await run(other.start)
    await teacher.send("DONE")
    await rig.settle(a, b)
    assert [frame["event"] for frame in teacher.heard] == ["DONE"]
    await end(a, b)


async def test_a_mark_with_a_gap_before_it_and_a_moved_focus_is_told_once(rig: Rig) -> None:
    room, a, b, teacher, _ = await begin(rig)
    elsewhere = await Connection(b, room.teacher).open()
    await elsewhere.mark(room.students[0], "absent")
    await rig.settle(a, b)
    other = await run(make_room, 1)
    await run(other.start)
    await teacher.mark(room.students[1])
    await rig.settle(a, b)
    assert [frame["data"]["status"] for frame in teacher.heard] == ["absent", "present"]
    await end(a, b)


async def test_a_mark_that_is_committed_after_the_focus_moved_is_told_to_its_sender_alone(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, a, b, teacher, student = await begin(rig)
    other = await run(make_room, 1)
    go_on, commit = threading.Event(), journal_commit.commit

    def held(units: Any) -> Any:
        go_on.wait(30)
        return commit(units)

    monkeypatch.setattr(group_commit, "commit", held)
    await teacher.mark(room.students[0])
    await run(other.start)
    await a.look()
    go_on.set()
    await rig.settle(a, b)
    assert [frame["event"] for frame in teacher.heard] == ["ATTENDANCE_MARKED"]
    await rig.look(b)
    assert len(student.heard) <= 1  # one who is behind may still hear it
    await end(a, b)


async def test_a_disabled_teacher_marks_nothing_more(rig: Rig) -> None:
    """Not even with the message that waits for the look which finds it out."""
    room, a, b, teacher, _ = await begin(rig)
    rig.notices.target = a

    def disable() -> None:
        user = User.objects.get(pk=room.teacher.id)
        user.is_active = False
        user.save()

    await run(disable)
    await asyncio.sleep(0)  # the notice arrives
    await teacher.mark(room.students[0])
    await rig.settle(a, b)
    assert await run(Mark.objects.count) == 0
    assert [frame["data"]["message"] for frame in teacher.heard] == ["Unauthorized or invalid token"]
    assert teacher.outlet.close_code == 4401
    await end(a, b)


async def test_a_socket_that_opens_while_others_are_checked_is_checked_too(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its token was read before the change, and it was not there when the list of sockets was made."""
    room, a, b, _, _ = await begin(rig)
    late = Connection(a, room.students[1])
    recheck, opened = a.connections.recheck, False

    async def recheck_slowly() -> None:
        nonlocal opened
        if opened:
            await recheck()
            return
        opened = True
        await recheck()  # its list of sockets is made
        a.hub.add(late.socket)
        if a.connections.accounts_version != version:
            await recheck()

    version = a.connections.accounts_version
    await late.open()
    late.process.hub.remove(late.socket)

    def disable() -> None:
        user = User.objects.get(pk=room.students[1].id)
        user.is_active = False
        user.save()

    await run(disable)
    monkeypatch.setattr(a.connections, "recheck", recheck_slowly)
    await rig.look(a)
    assert late.outlet.close_code == 4401
    await end(a, b)


async def test_a_command_in_another_process_changes_the_roster_here_within_a_look(rig: Rig) -> None:
    room, a, b, teacher, _ = await begin(rig)
    late = (await run(make_users, Role.STUDENT, 1))[0]
    await run(enrol, room.class_id, late)
    await teacher.mark(late)
    await rig.settle(a, b)
    assert [frame["event"] for frame in teacher.heard] == ["ATTENDANCE_MARKED"]
    await end(a, b)


async def test_marks_are_told_to_nobody_before_they_are_committed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    room, a, b, teacher, _student = await begin(rig)
    loop, entered, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    commit = journal_commit.commit

    def held(units: Any) -> Any:
        loop.call_soon_threadsafe(entered.set)
        go_on.wait(30)
        return commit(units)

    monkeypatch.setattr(group_commit, "commit", held)
    await teacher.mark(room.students[0])
    await entered.wait()
    a.hub.flush()
    assert teacher.heard == []
    assert rig.layer.held == []
    assert next(iter(a.sessions.values())).seq == 0
    go_on.set()
    await rig.settle(a, b)
    assert [frame["event"] for frame in teacher.heard] == ["ATTENDANCE_MARKED"]
    await end(a, b)


async def test_ten_thousand_marks_are_there_after_a_restart(rig: Rig) -> None:
    room = await run(make_room, 20)
    session = await run(room.start)

    def fill() -> None:
        for batch in range(10):
            marks = []
            for number in range(1000):
                status = Status.PRESENT if (number + batch) % 3 else Status.ABSENT
                marks.append(new_mark(room, session, (number * 7 + batch) % 20, status))
            assert commit_marks(marks)[-1] == (batch + 1) * 1000

    await run(fill)
    a = await rig.process()
    replica = a.sessions[session.id]
    rows = await run(lambda: list(Mark.objects.order_by("seq").values_list("seq", "student_id", "status")))
    assert [(mark.seq, mark.student_id, mark.status) for mark in replica.marks] == rows
    assert len(rows) == 10_000
    fold = {student_id: status for _, student_id, status in rows}
    assert replica.statuses == fold
    assert replica.counts.present == sum(status == "present" for status in fold.values())
    assert replica.counts.total == 20
    student = await Connection(a, room.students[0]).open()
    await student.send("SYNC")
    assert student.heard[0]["data"]["seq"] == len(student.heard[0]["data"]["marks"]) == 10_000
    await end(a)
