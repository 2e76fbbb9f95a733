"""Self check-in over `/api/v2`: codes, scans, places, networks, devices, flags, and who is late."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from django.core import signing

from accounts.devices import _SALT, COOKIE, Device
from accounts.models import User
from attendance.check_in import Answer, CheckInRules, Mode
from attendance.models import CheckInDevice, Flag, Mark, Session
from classes.models import Class
from tests.api.rest import Answer as Http
from tests.dialects.v2.rest import Asking, School, V2Rest, is_refused

HERE = {"latitude": 48.8584, "longitude": 2.2945}
#: About 60 m and 1,300 m from HERE.
NEAR, FAR = {**HERE, "latitude": 48.85894}, {**HERE, "latitude": 48.87}


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


@pytest.fixture
def session(owner: Asking, school: School) -> str:
    return str(owner.post(f"/classes/{school.class_id}/sessions").data["_id"])


@pytest.fixture
def opened(owner: Asking, session: str) -> Callable[..., str]:
    """`opened(…)` opens check-in; the code of now."""

    def open_it(**how: Any) -> str:
        body = {"mode": "fixed", **how}
        assert owner("PUT", f"/sessions/{session}/check-in", body).status == 200
        return str(owner.get(f"/sessions/{session}/check-in/code").data["code"])

    return open_it


def asking(person: User) -> Asking:
    """The requests of a person with a device of their own."""
    return V2Rest().as_(person)


def enter(person: User, code: str, **more: Any) -> Http:
    return asking(person).post("/check-in", {"code": code, **more})


# Codes

RULES = CheckInRules("f" * 24, "nonce", Mode.ROTATING, None, False, Answer.REFUSE, Answer.REFUSE, None)
#: When a code begins.
START = cast(datetime, RULES.valid_until(datetime(2025, 3, 11, 10, 0, tzinfo=UTC)))


def test_a_rotating_code_changes_every_15_seconds_and_the_one_before_is_good_for_5_more() -> None:
    first, second = RULES.code_at(START), RULES.code_at(START + timedelta(seconds=15))
    assert first != second
    assert len(first) == 6
    assert first.isdecimal()
    assert RULES.code_at(START + timedelta(seconds=14.999)) == first
    assert RULES.valid_until(START + timedelta(seconds=3)) == START + timedelta(seconds=15)
    assert RULES.good_codes(START + timedelta(seconds=14)) == [first]
    assert RULES.good_codes(START + timedelta(seconds=19.9)) == [second, first]
    assert RULES.good_codes(START + timedelta(seconds=20)) == [second]


def test_the_codes_of_a_school_change_one_after_another() -> None:
    changes = [replace(RULES, nonce=str(number)).valid_until(START) for number in range(100)]
    assert len({change and change.second for change in changes}) > 10


def test_a_code_is_of_its_session_and_of_its_opening() -> None:
    others = [replace(RULES, session_id="e" * 24), replace(RULES, nonce="other")]
    assert RULES.code_at(START) not in [rules.code_at(START) for rules in others]


def test_a_reload_of_the_teachers_page_spoils_nothing(opened: Callable[..., str]) -> None:
    assert opened() == opened()


def test_a_closed_check_in_that_is_opened_again_has_another_code(
    owner: Asking, session: str, opened: Callable[..., str]
) -> None:
    first = opened()
    assert owner.delete(f"/sessions/{session}/check-in").status == 204
    is_refused(owner.get(f"/sessions/{session}/check-in/code"), 403, "check_in_closed")
    assert opened() != first


def test_the_code_comes_with_a_picture_that_a_camera_reads_on_a_dark_page(
    owner: Asking, session: str, opened: Callable[..., str]
) -> None:
    code = opened(mode="rotating")
    shown = owner.get(f"/sessions/{session}/check-in/code").data
    assert shown["url"] == f"http://testserver/app/check-in/{session}?code={shown['code']}"
    assert shown["qr"].startswith("<svg")
    assert "#fff" in shown["qr"]
    assert code.isdecimal()
    assert shown["validUntil"] is not None


# Checking in


def test_a_student_checks_in_by_the_code_and_once_more_is_no_error(
    owner: Asking, session: str, school: School, opened: Callable[..., str]
) -> None:
    code = opened()
    for _ in range(2):
        assert enter(school.ann, code).data == {
            "session": session,
            "className": "Physics",
            "status": "present",
            "flags": [],
        }
    assert list(Mark.objects.values_list("student_id", "status", "method", "by_id")) == [
        (school.ann.id, "present", "self", school.ann.id)
    ]
    assert owner.get(f"/sessions/{session}").data["checkIn"]["mode"] == "fixed"


def test_a_wrong_code_is_refused_also_for_who_is_in(school: School, opened: Callable[..., str]) -> None:
    code = opened()
    wrong = "000000" if code != "000000" else "111111"
    is_refused(enter(school.ann, wrong), 403, "wrong_code")
    enter(school.ann, code)
    is_refused(enter(school.ann, wrong), 403, "wrong_code")
    is_refused(enter(school.stranger, code), 403, "check_in_closed")  # of no class of theirs


def test_nobody_guesses_more_than_ten_times(school: School, opened: Callable[..., str]) -> None:
    code = opened()
    wrong = "000000" if code != "000000" else "111111"
    assert [enter(school.ann, wrong).body["code"] for _ in range(11)] == ["wrong_code"] * 10 + ["too_many_requests"]
    answer = enter(school.ann, code)
    is_refused(answer, 429, "too_many_requests")
    minutes = -(-int(answer.response.headers["Retry-After"]) // 60)
    assert answer.body["error"] == f"Too many attempts. Please try again in {minutes} minutes."
    assert enter(school.ben, code).status == 200


def test_who_is_late_is_late_by_themself(school: School, opened: Callable[..., str]) -> None:
    code = opened()
    Class.objects.update(late_after_minutes=10)
    assert enter(school.ann, code).data["status"] == "present"
    Session.objects.update(started_at=Session.objects.get().started_at - timedelta(minutes=11))
    assert enter(school.ben, code).data["status"] == "late"


def test_who_enrols_during_the_lesson_checks_in_at_once(
    owner: Asking, school: School, opened: Callable[..., str]
) -> None:
    code = opened()
    owner.post(f"/classes/{school.class_id}/students", {"studentId": school.stranger.id})
    assert enter(school.stranger, code).status == 200


def test_nobody_checks_in_before_it_is_open_after_its_end_or_after_the_lesson(
    owner: Asking, session: str, school: School, opened: Callable[..., str]
) -> None:
    is_refused(enter(school.ann, "000000"), 403, "check_in_closed")
    code = opened()
    owner.delete(f"/sessions/{session}/check-in")
    is_refused(enter(school.ann, code), 403, "check_in_closed")
    code = opened()
    owner.post(f"/sessions/{session}/end")
    is_refused(enter(school.ann, code), 403, "check_in_closed")
    is_refused(owner("PUT", f"/sessions/{session}/check-in", {"mode": "fixed"}), 409, "no_active_session")


# Scans


def test_a_scan_is_good_for_ten_minutes_whatever_becomes_of_the_code(
    rest: V2Rest, session: str, school: School, opened: Callable[..., str]
) -> None:
    scan = rest.post("/check-in/claims", {"session": session, "code": opened()})
    assert (scan.status, scan.data["className"]) == (201, "Physics")
    assert asking(school.ann).post("/check-in", {"claim": scan.data["claim"]}).data["status"] == "present"
    assert asking(school.ann).post("/check-in", {"claim": scan.data["claim"]}).status == 200


def test_a_scan_is_good_also_for_who_has_guessed_too_often(
    rest: V2Rest, session: str, school: School, opened: Callable[..., str]
) -> None:
    claim = rest.post("/check-in/claims", {"session": session, "code": opened()}).data["claim"]
    assert [enter(school.ann, "x").body["code"] for _ in range(11)][-1] == "too_many_requests"
    assert asking(school.ann).post("/check-in", {"claim": claim}).data["status"] == "present"


def test_a_scan_is_one_students(rest: V2Rest, session: str, school: School, opened: Callable[..., str]) -> None:
    claim = rest.post("/check-in/claims", {"session": session, "code": opened()}).data["claim"]
    asking(school.ann).post("/check-in", {"claim": claim})
    is_refused(asking(school.ben).post("/check-in", {"claim": claim}), 403, "claim_expired")
    is_refused(asking(school.ben).post("/check-in", {"claim": claim + "x"}), 403, "claim_expired")


def test_a_scan_is_of_somebody_in_the_class(
    rest: V2Rest, session: str, school: School, opened: Callable[..., str]
) -> None:
    claim = rest.post("/check-in/claims", {"session": session, "code": opened()}).data["claim"]
    is_refused(asking(school.stranger).post("/check-in", {"claim": claim}), 403, "not_enrolled")


def test_a_scan_with_a_wrong_code_or_of_no_session_makes_no_claim(
    rest: V2Rest, session: str, opened: Callable[..., str]
) -> None:
    code = opened()
    is_refused(rest.post("/check-in/claims", {"session": session, "code": "x"}), 403, "wrong_code")
    is_refused(rest.post("/check-in/claims", {"session": "x", "code": code}), 403, "check_in_closed")


# Places, networks, devices


@pytest.mark.parametrize(
    ("place", "refusal"),
    [
        (None, "place_missing"),
        ({**HERE, "accuracy": 501}, "place_vague"),
        (FAR, "out_of_range"),
        ({**FAR, "accuracy": 400}, "out_of_range"),
        (NEAR, "out_of_range"),
        ({**NEAR, "accuracy": 30}, None),
        (HERE, None),
    ],
)
def test_a_place_must_be_in_range_and_a_phones_own_doubt_counts_for_it(
    school: School, opened: Callable[..., str], place: Any, refusal: str | None
) -> None:
    code = opened(place=HERE, range=40)
    answer = enter(school.ann, code, place=place)
    if refusal is None:
        assert answer.status == 200
    else:
        is_refused(answer, 403, refusal)
        assert not Mark.objects.exists()
        assert not CheckInDevice.objects.exists()


def test_who_is_out_of_range_counts_and_is_flagged_where_the_teacher_chose_so(
    owner: Asking, session: str, school: School, opened: Callable[..., str]
) -> None:
    code = opened(place=HERE, range=40, outside="flag")
    assert enter(school.ann, code, place=FAR).data["flags"] == ["out_of_range"]
    (flag,) = owner.get(f"/sessions/{session}/flags").data["items"]
    assert (flag["studentId"], flag["kind"], flag["state"]) == (school.ann.id, "out_of_range", "open")
    assert 1200 < flag["metres"] < 1400


@pytest.fixture
def shared_device(school: School, opened: Callable[..., str]) -> Callable[..., Http]:
    """`shared_device(person, code)` checks in from one phone, which keeps its cookie."""
    phone = V2Rest()
    phone.client.cookies[COOKIE] = signing.dumps({"device": Device().id, "accounts": []}, salt=_SALT)
    return lambda person, code: phone.as_(person).post("/check-in", {"code": code})


@pytest.mark.parametrize("how", ["refuse", "flag"])
def test_a_second_student_from_one_device_is_refused_or_flagged(
    owner: Asking,
    session: str,
    school: School,
    opened: Callable[..., str],
    shared_device: Callable[..., Http],
    how: str,
) -> None:
    code = opened(sameDevice=how)
    assert shared_device(school.ann, code).data["flags"] == []
    second = shared_device(school.ben, code)
    if how == "refuse":
        is_refused(second, 403, "other_device")
    else:
        assert second.data["flags"] == ["other_device"]
        (flag,) = owner.get(f"/sessions/{session}/flags").data["items"]
        assert (flag["studentId"], flag["otherStudentId"]) == (school.ben.id, school.ann.id)


def test_a_rejected_flag_unmarks_and_a_confirmed_one_stays(
    owner: Asking, session: str, school: School, opened: Callable[..., str]
) -> None:
    code = opened(place=HERE, range=40, outside="flag")
    for student in (school.ann, school.ben):
        enter(student, code, place=FAR)
    path = f"/sessions/{session}/flags"
    first, second = (flag["_id"] for flag in owner.get(path).data["items"])
    assert owner.post(f"{path}/{first}", {"confirm": True}).data["state"] == "confirmed"
    for _ in range(2):
        assert owner.post(f"{path}/{second}", {"confirm": False}).data["state"] == "rejected"
    assert [line["status"] for line in owner.get(f"/sessions/{session}").data["roster"]] == ["present", None]
    assert Mark.objects.count() == 3


def test_a_flag_that_is_rejected_after_the_end_makes_the_student_absent(
    owner: Asking, session: str, school: School, opened: Callable[..., str]
) -> None:
    enter(school.ann, opened(place=HERE, range=40, outside="flag"), place=FAR)
    owner.post(f"/sessions/{session}/end")
    owner.post(f"/sessions/{session}/flags/{Flag.objects.get().id}", {"confirm": False})
    assert owner.get(f"/sessions/{session}").data["roster"][0]["status"] == "absent"


def test_a_check_in_does_not_end_in_a_year_that_no_calendar_has(owner: Asking, session: str) -> None:
    answer = owner("PUT", f"/sessions/{session}/check-in", {"mode": "fixed", "until": "9999-12-31T23:59:59Z"})
    is_refused(answer, 400, "invalid_schema")
    assert answer.body["fields"] == {"until": ["A time of the years 1900 to 9000."]}


def test_only_allowed_networks_where_the_teacher_chose_so(
    owner: Asking, session: str, school: School, opened: Callable[..., str], settings: Any
) -> None:
    body = {"mode": "fixed", "networks": True}
    is_refused(owner("PUT", f"/sessions/{session}/check-in", body), 400, "invalid_schema")
    settings.CHECK_IN_NETWORKS = ["10.0.0.0/8"]
    code = opened(networks=True)
    is_refused(enter(school.ann, code), 403, "other_network")
    settings.CHECK_IN_NETWORKS = ["127.0.0.0/8"]
    assert enter(school.ann, code).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "mode"),
        ({"mode": "other"}, "mode"),
        ({"mode": "fixed", "place": HERE}, "range"),
        ({"mode": "fixed", "range": 5}, "place"),
        ({"mode": "fixed", "place": {"latitude": 91, "longitude": 0}, "range": 5}, "place.latitude"),
        ({"mode": "fixed", "place": {"latitude": "1", "longitude": 0}, "range": 5}, "place.latitude"),
        ({"mode": "fixed", "until": "2020-01-01T00:00:00.000Z"}, "until"),
        ({"mode": "fixed", "outside": "ignore"}, "outside"),
    ],
)
def test_a_check_in_that_is_none_names_its_fields(owner: Asking, session: str, body: Any, field: str) -> None:
    answer = owner("PUT", f"/sessions/{session}/check-in", body)
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == [field]


def test_a_check_in_ends_by_itself(school: School, opened: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    code = opened(until=soon.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    monkeypatch.setattr("attendance.check_ins.asked_at", lambda: soon)
    is_refused(enter(school.ann, code), 403, "check_in_closed")


def test_a_student_is_not_told_where_the_teacher_is(
    rest: V2Rest, session: str, school: School, opened: Callable[..., str]
) -> None:
    opened(place=HERE, range=40)
    shown = rest.as_(school.ann).get(f"/sessions/{session}").data["checkIn"]
    assert (shown["place"], shown["range"]) == (None, 40)


def test_what_the_opening_leaves_out_is_as_the_class_chose(owner: Asking, school: School, session: str) -> None:
    usual = {"mode": "fixed", "place": HERE, "range": 80.0, "networks": False, "outside": "flag", "sameDevice": "flag"}
    owner.patch(f"/classes/{school.class_id}/settings", {"checkIn": usual})

    def put(**body: Any) -> Any:
        return owner("PUT", f"/sessions/{session}/check-in", body).data

    assert put() == {**usual, "until": None}
    assert put(mode="rotating", range=10) == {**usual, "mode": "rotating", "range": 10.0, "until": None}
    assert put(sameDevice="refuse", place=FAR)["place"] == FAR
    for nowhere in ({"place": None}, {"range": None}, {"place": None, "range": None}):
        assert put(**nowhere) == {**usual, "place": None, "range": None, "until": None}
    is_refused(owner("PUT", f"/sessions/{session}/check-in", {"place": None, "range": 5}), 400, "invalid_schema")
