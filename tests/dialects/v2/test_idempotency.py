"""`Idempotency-Key`: the same request of the same key is done once, whoever asks when and where."""

from datetime import timedelta
from typing import Any

import pytest

from classes.models import Class
from core.times import now
from dialects.v2 import services
from dialects.v2.models import KeptAnswer
from tests.api.rest import raiser
from tests.dialects.v2.rest import Asking, School, V2Rest, is_refused
from tests.services.conftest import at_once

KEY = {"Idempotency-Key": "a key"}
ART = {"className": "Art"}


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


def test_the_second_request_of_a_key_gets_the_first_answer(owner: Asking) -> None:
    first = owner.post("/classes", ART, **KEY)
    second = owner.post("/classes", ART, **KEY)
    assert (second.status, second.body, second.response["ETag"]) == (201, first.body, first.response["ETag"])
    assert Class.objects.filter(name="Art").count() == 1


def test_a_refusal_is_the_same_again(owner: Asking, school: School) -> None:
    body = {"studentId": school.ann.id}
    path = f"/classes/{school.class_id}/students"
    is_refused(owner.post(path, body, **KEY), 409, "already_enrolled")
    school.physics.enrolments.all().delete()
    is_refused(owner.post(path, body, **KEY), 409, "already_enrolled")
    assert owner.post(path, body).status == 201


def test_a_key_is_one_persons(rest: V2Rest, owner: Asking, school: School) -> None:
    owner.post("/classes", ART, **KEY)
    assert rest.as_(school.other_teacher).post("/classes", ART, **KEY).status == 201
    assert Class.objects.filter(name="Art").count() == 2


def test_a_key_stands_for_one_request(owner: Asking) -> None:
    owner.post("/classes", ART, **KEY)
    is_refused(owner.post("/classes", {"className": "Music"}, **KEY), 422, "key_reused")
    is_refused(owner.patch("/me", ART, **KEY), 422, "key_reused")
    assert not Class.objects.filter(name="Music").exists()


@pytest.mark.parametrize("key", ["", "x" * 65])
def test_a_key_has_one_to_sixty_four_characters(owner: Asking, key: str) -> None:
    answer = owner.post("/classes", ART, **{"Idempotency-Key": key})
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == ["Idempotency-Key"]
    assert owner.post("/classes", ART, **{"Idempotency-Key": "x" * 64}).status == 201


def test_an_answer_is_kept_for_a_day(owner: Asking) -> None:
    owner.post("/classes", ART, **KEY)
    KeptAnswer.objects.update(began_at=now() - timedelta(hours=25))
    assert owner.post("/classes", {"className": "Music"}, **KEY).status == 201
    assert KeptAnswer.objects.count() == 1


def test_a_crash_is_no_answer_to_keep(owner: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("classes.services.class_create", lambda **_: 1 / 0)
        assert owner.post("/classes", ART, **KEY).status == 500
    assert owner.post("/classes", ART, **KEY).status == 201


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("line", ["classes.services.class_create", "dialects.v2.services.answer_keep"])
def test_a_request_whose_process_died_is_never_done_again(
    owner: Asking, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    done = 1 if line.endswith("answer_keep") else 0
    with monkeypatch.context() as dying:
        dying.setattr(line, raiser(Killed()))
        dying.setattr("dialects.v2.services.answer_forget", lambda row: None)  # nobody is there to do it
        with pytest.raises(Killed):
            owner.post("/classes", ART, **KEY)
    KeptAnswer.objects.update(began_at=now() - timedelta(minutes=3))
    for _ in range(2):
        is_refused(owner.post("/classes", ART, **KEY), 409, "outcome_unknown")
    is_refused(owner.post("/classes", {"className": "Music"}, **KEY), 422, "key_reused")
    assert Class.objects.filter(name="Art").count() == done
    assert owner.post("/classes", ART, **{"Idempotency-Key": "another"}).status == 201


def test_a_first_request_that_takes_long_is_answered_in_the_end(owner: Asking) -> None:
    first = owner.post("/classes", ART, **KEY)
    status = KeptAnswer.objects.get().status
    KeptAnswer.objects.update(status=None, began_at=now() - timedelta(minutes=3))
    is_refused(owner.post("/classes", ART, **KEY), 409, "outcome_unknown")
    KeptAnswer.objects.update(status=status)  # as the first request does at its end
    assert owner.post("/classes", ART, **KEY).body == first.body


def test_who_waits_for_a_first_request_too_long_is_told_so(owner: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PATIENCE", 0.0)
    owner.post("/classes", ART, **KEY)
    KeptAnswer.objects.update(status=None)
    is_refused(owner.post("/classes", ART, **KEY), 409, "in_progress")


def test_a_person_has_so_many_answers_kept_in_a_time(
    rest: V2Rest, owner: Asking, school: School, settings: Any
) -> None:
    settings.LIMIT_KEYED = 3
    answers = [owner.patch("/me", {"name": "Owner"}, **{"Idempotency-Key": str(number)}) for number in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].response["Retry-After"]) > 1
    assert owner.patch("/me", {"name": "Owner"}, **{"Idempotency-Key": "0"}).status == 200  # it is kept already
    assert owner.patch("/me", {"name": "Owner"}).status == 200
    assert rest.as_(school.co_teacher).patch("/me", {"name": "Colleague"}, **KEY).status == 200
    assert KeptAnswer.objects.count() == 4


def test_an_answer_with_a_token_is_not_kept(owner: Asking) -> None:
    owner.post("/auth/password", {"old": "a", "new": "b"}, **KEY)
    assert not KeptAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_one_is_done_and_all_have_its_answer() -> None:
    school = School()
    token = V2Rest().as_(school.owner).token
    answers = at_once([lambda: Asking(V2Rest(), token).post("/classes", ART, **KEY).data] * 4)
    assert [answer == answers[0] for answer in answers] == [True] * 4
    assert Class.objects.filter(name="Art").count() == 1
