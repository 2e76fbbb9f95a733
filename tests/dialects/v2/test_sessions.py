"""Sessions of `/api/v2`: started, marked, undone, ended, corrected, and opened again."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from attendance.models import Attendance, Mark, Session
from classes.models import Enrolment
from core.times import now, to_iso
from tests.dialects.v2.rest import UNKNOWN_ID, Asking, School, V2Rest, is_refused


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


@pytest.fixture
def session(owner: Asking, school: School) -> str:
    """The id of an open session."""
    return str(owner.post(f"/classes/{school.class_id}/sessions").data["_id"])


def mark(asking: Asking, session: str, *marks: dict[str, str]) -> Any:
    answer = asking.post(f"/sessions/{session}/marks", {"marks": list(marks)})
    return answer.data if answer.status < 400 else (answer.status, answer.body["code"])


def test_a_start_makes_a_session_and_a_second_start_resumes_it(owner: Asking, school: School) -> None:
    first = owner.post(f"/classes/{school.class_id}/sessions")
    again = owner.post(f"/classes/{school.class_id}/sessions")
    assert (first.status, again.status) == (201, 200)
    assert again.data == first.data
    assert first.data == {
        "_id": first.data["_id"],
        "classId": school.class_id,
        "className": "Physics",
        "state": "open",
        "startedAt": first.data["startedAt"],
        "endedAt": None,
        "seq": 0,
        "counts": {"present": 0, "late": 0, "absent": 0, "excused": 0, "unmarked": 2},
        "checkIn": None,
        "roster": [
            {"_id": school.ann.id, "name": "Ann", "rollNumber": "1", "status": None, "recordId": None},
            {"_id": school.ben.id, "name": "Ben", "rollNumber": "2", "status": None, "recordId": None},
        ],
    }


def test_marks_of_all_statuses_are_counted_and_shown(owner: Asking, session: str, school: School) -> None:
    made = mark(
        owner,
        session,
        {"studentId": school.ann.id, "status": "late", "note": "bus"},
        {"studentId": school.ben.id, "status": "excused"},
    )
    assert [(line["seq"], line["status"], line["note"], line["method"]) for line in made["marks"]] == [
        (1, "late", "bus", "bulk"),
        (2, "excused", "", "bulk"),
    ]
    shown = owner.get(f"/sessions/{session}").data
    assert shown["counts"] == {"present": 0, "late": 1, "absent": 0, "excused": 1, "unmarked": 0}
    assert [line["status"] for line in shown["roster"]] == ["late", "excused"]


def test_of_a_student_who_is_named_twice_the_last_mark_counts(owner: Asking, session: str, school: School) -> None:
    mark(
        owner, session, {"studentId": school.ann.id, "status": "absent"}, {"studentId": school.ann.id, "status": "late"}
    )
    assert owner.get(f"/sessions/{session}").data["roster"][0]["status"] == "late"


def test_a_batch_is_marked_whole_or_not_at_all(owner: Asking, session: str, school: School) -> None:
    ann = {"studentId": school.ann.id, "status": "present"}
    assert mark(owner, session, ann, {"studentId": school.stranger.id, "status": "present"}) == (
        409,
        "student_not_enrolled",
    )
    assert mark(owner, session, ann, {"studentId": UNKNOWN_ID, "status": "late"}) == (409, "student_not_enrolled")
    assert not Mark.objects.exists()


def test_a_mark_has_its_own_time_within_the_lesson(owner: Asking, session: str, school: School) -> None:
    began = Session.objects.get().started_at
    Session.objects.update(started_at=began - timedelta(minutes=10))
    moment = to_iso(began - timedelta(minutes=5))
    made = mark(owner, session, {"studentId": school.ann.id, "status": "present", "at": moment})
    assert made["marks"][0]["at"] == moment


@pytest.mark.parametrize("minutes", [-1, 5])
def test_a_time_before_the_start_or_after_now_is_refused(
    owner: Asking, session: str, school: School, minutes: int
) -> None:
    moment = to_iso(now() + timedelta(minutes=minutes))
    wrong = {"studentId": school.ann.id, "status": "present", "at": moment}
    assert mark(owner, session, {"studentId": school.ben.id, "status": "late"}, wrong) == (400, "time_outside_lesson")
    assert not Mark.objects.exists()


def test_a_key_makes_a_mark_once(owner: Asking, session: str, school: School) -> None:
    queued = {"studentId": school.ann.id, "status": "present", "key": "a-1"}
    first = mark(owner, session, queued)
    assert mark(owner, session, queued) == first
    both = mark(owner, session, queued, {"studentId": school.ben.id, "status": "late", "key": "a-2"})
    assert [line["seq"] for line in both["marks"]] == [1, 2]
    assert Mark.objects.count() == 2
    owner.post(f"/sessions/{session}/end")
    assert mark(owner, session, queued) == first  # it was accepted, so it need not be sent again
    assert mark(owner, session, {**queued, "key": "a-3"}) == (409, "no_active_session")


def test_a_key_of_another_mark_is_refused_and_changes_nothing(owner: Asking, session: str, school: School) -> None:
    mark(owner, session, {"studentId": school.ann.id, "status": "present", "key": "a-1"})
    other = {"studentId": school.ann.id, "status": "absent", "key": "a-1"}
    assert mark(owner, session, {"studentId": school.ben.id, "status": "late"}, other) == (422, "key_reused")
    assert Mark.objects.count() == 1


def test_a_mark_sent_again_by_its_key_gets_its_first_answer_also_in_a_full_session(
    owner: Asking, session: str, school: School, settings: Any
) -> None:
    settings.LIMIT_JOURNAL, settings.LIMIT_JOURNAL_A_STUDENT = 2, 1
    ann, ben = ({"studentId": one.id, "status": "present", "key": f"of {one.name}"} for one in (school.ann, school.ben))
    first = mark(owner, session, ann)
    full = mark(owner, session, ann, ben)
    assert [line["seq"] for line in full["marks"]] == [1, 2], "only what is new needs room"
    assert mark(owner, session, ann) == first
    assert mark(owner, session, ann, ben) == full
    assert mark(owner, session, ann, {**ben, "key": "another"}) == (409, "journal_full")
    assert mark(owner, session, {**ann, "status": "late"}) == (422, "key_reused")
    assert mark(owner, session, {"studentId": school.ann.id, "status": "present"}) == (409, "journal_full")
    assert Mark.objects.count() == 2


def test_a_mark_sent_again_by_its_key_gets_its_first_answer_also_once_the_student_has_left(
    owner: Asking, session: str, school: School
) -> None:
    ann = {"studentId": school.ann.id, "status": "present", "key": "of Ann"}
    first = mark(owner, session, ann)
    Enrolment.objects.filter(student=school.ann).delete()
    assert mark(owner, session, ann) == first
    assert mark(owner, session, {**ann, "key": "another"}) == (409, "student_not_enrolled")
    ben = {"studentId": school.ben.id, "status": "present"}
    assert [line["seq"] for line in mark(owner, session, ann, ben)["marks"]] == [1, 2]


def test_the_rest_is_whoever_has_no_mark(owner: Asking, session: str, school: School) -> None:
    mark(owner, session, {"studentId": school.ann.id, "status": "late"})
    made = owner.post(f"/sessions/{session}/rest", {"status": "absent"}).data
    assert [(line["studentId"], line["status"]) for line in made["marks"]] == [(school.ben.id, "absent")]
    assert owner.post(f"/sessions/{session}/rest", {"status": "present"}).data == {"marks": [], "seq": 0}


def test_undo_goes_back_one_action_at_a_time(owner: Asking, session: str, school: School) -> None:
    mark(owner, session, {"studentId": school.ann.id, "status": "late"})
    owner.post(f"/sessions/{session}/rest", {"status": "absent"})
    mark(owner, session, {"studentId": school.ann.id, "status": "present"})
    undone = [owner.post(f"/sessions/{session}/undo").data for _ in range(3)]
    assert [one["undone"] for one in undone] == [
        [{"studentId": school.ann.id, "status": "present"}],
        [{"studentId": school.ben.id, "status": "absent"}],
        [{"studentId": school.ann.id, "status": "late"}],
    ]
    assert [[line["status"] for line in one["marks"]] for one in undone] == [["late"], [None], [None]]
    assert owner.get(f"/sessions/{session}").data["counts"]["unmarked"] == 2
    is_refused(owner.post(f"/sessions/{session}/undo"), 409, "nothing_to_undo")


def test_undo_is_of_ones_own_actions_and_leaves_what_others_marked_since(
    rest: V2Rest, owner: Asking, session: str, school: School
) -> None:
    colleague = rest.as_(school.co_teacher)
    mark(owner, session, {"studentId": school.ann.id, "status": "late"})
    mark(colleague, session, {"studentId": school.ann.id, "status": "excused"})
    assert owner.post(f"/sessions/{session}/undo").data["marks"][0]["status"] == "excused"
    is_refused(owner.post(f"/sessions/{session}/undo"), 409, "nothing_to_undo")
    assert colleague.post(f"/sessions/{session}/undo").data["marks"][0]["status"] is None


def test_an_undo_is_for_the_last_twenty_actions(owner: Asking, session: str, school: School) -> None:
    for number in range(21):
        mark(owner, session, {"studentId": school.ann.id, "status": ("late", "present")[number % 2]})
    assert [owner.post(f"/sessions/{session}/undo").status for _ in range(21)] == [200] * 20 + [409]


def test_the_end_makes_the_unmarked_absent_and_writes_records(owner: Asking, session: str, school: School) -> None:
    mark(owner, session, {"studentId": school.ann.id, "status": "late"})
    ended = owner.post(f"/sessions/{session}/end", {"unmarked": "absent"}).data
    assert (ended["state"], ended["counts"]["late"], ended["counts"]["absent"]) == ("ended", 1, 1)
    records = {line["_id"]: (line["status"], line["recordId"]) for line in ended["roster"]}
    assert records == {
        record.student_id: (record.status, record.id) for record in Attendance.objects.filter(session_id=session)
    }
    is_refused(owner.post(f"/sessions/{session}/end"), 409, "no_active_session")


def test_a_correction_needs_a_reason_and_has_a_history(owner: Asking, session: str, school: School) -> None:
    mark(owner, session, {"studentId": school.ann.id, "status": "present"})
    change = {"studentId": school.ben.id, "status": "excused", "note": "a letter came"}
    is_refused(owner.post(f"/sessions/{session}/corrections", {"changes": [change]}), 409, "session_not_ended")
    owner.post(f"/sessions/{session}/end")
    for note in ("", "  ", "\u200b", " \u200d\u2060 \ufeff"):
        without = owner.post(f"/sessions/{session}/corrections", {"changes": [{**change, "note": note}]})
        is_refused(without, 400, "invalid_schema")
        assert list(without.body["fields"]) == ["changes.0.note"]
    (record,) = owner.post(f"/sessions/{session}/corrections", {"changes": [change]}).data["items"]
    assert record == {"recordId": record["recordId"], "studentId": school.ben.id, "status": "excused"}
    history = owner.get(f"/records/{record['recordId']}/history").data["items"]
    by_owner = {"_id": school.owner.id, "name": "Owner"}
    assert [(line["status"], line["method"], line["note"], line["by"]) for line in history] == [
        ("absent", "auto", "", None),
        ("excused", "correction", "a letter came", by_owner),
    ]


def test_a_reopened_session_is_as_it_was_before_its_end(owner: Asking, session: str, school: School) -> None:
    mark(owner, session, {"studentId": school.ann.id, "status": "late"})
    owner.post(f"/sessions/{session}/end")
    again = owner.post(f"/sessions/{session}/reopen").data
    assert (again["state"], [line["status"] for line in again["roster"]]) == ("open", ["late", None])
    assert not Attendance.objects.exists()
    mark(owner, session, {"studentId": school.ben.id, "status": "present"})
    assert owner.post(f"/sessions/{session}/end").data["counts"]["absent"] == 0


def test_a_session_is_reopened_within_a_day_while_it_is_the_last_of_its_class(
    owner: Asking, session: str, school: School
) -> None:
    is_refused(owner.post(f"/sessions/{session}/reopen"), 409, "reopen_refused")
    owner.post(f"/sessions/{session}/end")
    Session.objects.update(ended_at=now() - timedelta(hours=25))
    is_refused(owner.post(f"/sessions/{session}/reopen"), 409, "reopen_refused")
    Session.objects.update(ended_at=now(), started_at=now() - timedelta(hours=1))
    owner.post(f"/classes/{school.class_id}/sessions")
    is_refused(owner.post(f"/sessions/{session}/reopen"), 409, "reopen_refused")


def test_who_ends_and_reopens_in_a_loop_is_refused_after_a_while(
    owner: Asking, session: str, school: School, settings: Any
) -> None:
    settings.LIMIT_SESSIONS = 3  # the session's start is one of them
    statuses = []
    for _ in range(3):
        owner.post(f"/sessions/{session}/end")
        statuses.append(owner.post(f"/sessions/{session}/reopen").status)
    assert statuses == [200, 200, 429]
    assert Session.objects.get().state == "ended"


def test_a_student_sees_themself_alone(rest: V2Rest, owner: Asking, session: str, school: School) -> None:
    mark(owner, session, {"studentId": school.ann.id, "status": "late"}, {"studentId": school.ben.id, "status": "late"})
    ann = rest.as_(school.ann)
    shown = ann.get(f"/sessions/{session}").data
    assert [(line["_id"], line["status"]) for line in shown["roster"]] == [(school.ann.id, "late")]
    assert shown["counts"]["late"] == 2
    (listed,) = ann.get(f"/classes/{school.class_id}/sessions").data["items"]
    assert [(line["_id"], line["status"]) for line in listed["roster"]] == [(school.ann.id, "late")]


def test_who_left_keeps_reading_their_own_history(rest: V2Rest, owner: Asking, session: str, school: School) -> None:
    mark(owner, session, {"studentId": school.ann.id, "status": "late"})
    owner.post(f"/sessions/{session}/end")
    owner.delete(f"/classes/{school.class_id}/students/{school.ann.id}")
    ann = rest.as_(school.ann)
    assert [line["status"] for line in ann.get(f"/sessions/{session}").data["roster"]] == ["late"]
    assert len(ann.get(f"/classes/{school.class_id}/sessions").data["items"]) == 1
    owner.post(f"/classes/{school.class_id}/sessions")
    assert len(ann.get(f"/classes/{school.class_id}/sessions").data["items"]) == 1


def test_a_student_learns_nothing_of_sessions_that_are_not_theirs(
    rest: V2Rest, owner: Asking, session: str, school: School
) -> None:
    owner.post(f"/sessions/{session}/end")
    owner.post(f"/classes/{school.class_id}/students", {"studentId": school.stranger.id})
    newcomer = rest.as_(school.stranger)
    is_refused(newcomer.get(f"/sessions/{session}"), 404, "session_not_found")
    is_refused(newcomer.post(f"/sessions/{session}/reopen"), 404, "session_not_found")
    later = owner.post(f"/classes/{school.class_id}/sessions").data["_id"]
    assert newcomer.get(f"/sessions/{later}").status == 200
    owner.delete(f"/classes/{school.class_id}/students/{school.stranger.id}")
    is_refused(newcomer.get(f"/sessions/{later}"), 404, "session_not_found")


def test_a_record_of_another_student_is_unknown(rest: V2Rest, owner: Asking, session: str, school: School) -> None:
    ended = owner.post(f"/sessions/{session}/end").data
    records = {line["_id"]: line["recordId"] for line in ended["roster"]}
    ann = rest.as_(school.ann)
    is_refused(ann.get(f"/records/{records[school.ann.id]}/history"), 403, "teachers_only")
    is_refused(ann.get(f"/records/{records[school.ben.id]}/history"), 404, "record_not_found")


def test_a_list_counts_as_the_session_does_also_who_was_marked_and_has_left(
    owner: Asking, session: str, school: School
) -> None:
    mark(owner, session, {"studentId": school.ann.id, "status": "late"})
    owner.delete(f"/classes/{school.class_id}/students/{school.ann.id}")
    (listed,) = owner.get(f"/classes/{school.class_id}/sessions").data["items"]
    assert listed["counts"] == {"present": 0, "late": 1, "absent": 0, "excused": 0, "unmarked": 1}
    assert listed["counts"] == owner.get(f"/sessions/{session}").data["counts"]


def test_an_archived_class_takes_no_more_sessions(owner: Asking, school: School) -> None:
    owner.patch(f"/classes/{school.class_id}", {"archived": True})
    is_refused(owner.post(f"/classes/{school.class_id}/sessions"), 409, "class_archived")


def test_sessions_come_in_pages_the_newest_first(owner: Asking, school: School) -> None:
    made = []
    for _ in range(3):
        made.append(owner.post(f"/classes/{school.class_id}/sessions").data["_id"])
        owner.post(f"/sessions/{made[-1]}/end")
    path = f"/classes/{school.class_id}/sessions?limit=2"
    first = owner.get(path).data
    second = owner.get(f"{path}&after={first['next']}").data
    assert [item["_id"] for item in (*first["items"], *second["items"])] == made[::-1]
    assert second["next"] is None
    assert first["items"][0]["counts"] == {"present": 0, "late": 0, "absent": 2, "excused": 0, "unmarked": 0}


def after(*values: str) -> str:
    """A place behind which a page would begin."""
    return "after=" + base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=501", "limit=x", "limit=", "after=", "after=x", "after=W10", "after=WzFd"),
        "after=" + base64.urlsafe_b64encode(b"[" * 3000).decode(),
        *(after(moment, UNKNOWN_ID) for moment in ("x", "2026-01-01", "2026-01-01T00:00:00")),
        after("0001-01-01T00:00:00+23:59", UNKNOWN_ID),
        after("9999-12-31T23:59:59-23:59", UNKNOWN_ID),
    ],
)
def test_a_page_that_is_none_is_refused(owner: Asking, school: School, query: str) -> None:
    is_refused(owner.get(f"/classes/{school.class_id}/sessions?{query}"), 400, "invalid_schema")
