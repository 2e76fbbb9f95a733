"""Failures of `/api/v2` are told in the language that the client asks for; their codes are the same in each."""

import pytest
from django.conf import settings
from django.utils import translation

from accounts.models import User
from core import errors
from core.errors import ApiError
from core.rest.openapi import _BAD_BODY, _EVERYWHERE, _REFUSED
from core.times import today
from core.words import SENTENCES, SENTENCES_OF_TEACHERS
from dialects.v2.urls import urlpatterns
from tests.api.rest import make_user
from tests.dialects.v2.rest import School, V2Rest

OTHERS = [code for code, _ in settings.LANGUAGES if code != "en"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "Die Klasse gibt es nicht"),
        ("fr", "Cette classe n'existe pas"),
        ("pt, *;q=0.1", "Class not found"),
        ("", "Class not found"),
    ],
)
def test_the_message_follows_accept_language_and_the_code_does_not(
    rest: V2Rest, school: School, asked: str, said: str
) -> None:
    headers = {"Accept-Language": asked} if asked else {}
    answer = rest.as_(school.stranger).get(f"/classes/{school.class_id}", **headers)
    assert (answer.status, answer.body["code"]) == (404, "class_not_found")
    code = translation.get_language_from_request(answer.response.wsgi_request)  # type: ignore[attr-defined]
    with translation.override(code):
        wanted = "Class not found" if code == "en" else str(SENTENCES["class_not_found"])
    assert answer.body["error"] == wanted
    assert (said == "Class not found") == (wanted == "Class not found")
    assert translation.get_language() == "en", "the thread serves others next"


@pytest.mark.django_db
def test_failures_outside_of_views_and_of_fields_are_told_so_too(rest: V2Rest, school: School) -> None:
    unknown = rest("GET", "/nothing", **{"Accept-Language": "es"})
    with translation.override("es"):
        assert unknown.body["error"] == str(SENTENCES["not_found"])
    ask = rest.as_(school.owner)
    answer = ask.get(f"/classes/{school.class_id}/report?from=today", **{"Accept-Language": "de"})
    assert answer.body["fields"] == {"from": ["Kein Tag: schreiben Sie ihn wie 2025-03-11."]}
    assert answer.response.headers["Content-Language"] == "de"


@pytest.mark.django_db
def test_a_teacher_is_told_of_a_student_and_a_student_of_themself(rest: V2Rest, school: School) -> None:
    german = {"Accept-Language": "de"}
    owner, ann = rest.as_(school.owner), rest.as_(school.ann)
    session = owner.post(f"/classes/{school.class_id}/sessions").data["_id"]
    marks = {"marks": [{"studentId": school.stranger.id, "status": "present"}]}
    told = [owner.post(f"/sessions/{session}/marks", marks, **german).body]
    excuse = ann.post("/excuses", {"from": str(today()), "until": str(today()), "note": "dentist"}).data["_id"]
    assert ann.patch(f"/excuses/{excuse}", {"state": "withdrawn"}).status == 200
    told.append(owner.patch(f"/excuses/{excuse}", {"state": "approved"}, **german).body)
    told.append(ann.patch(f"/excuses/{excuse}", {"state": "withdrawn"}, **german).body)
    assert [(one["code"], one["error"]) for one in told] == [
        ("student_not_enrolled", "Diese Person steht nicht oder nicht mehr auf der Liste der Klasse."),
        ("excuse_withdrawn", "Diese Entschuldigung wurde zurückgezogen."),
        ("excuse_withdrawn", "Sie haben diese Entschuldigung schon zurückgezogen."),
    ]


@pytest.mark.django_db
def test_a_student_at_the_door_is_told_of_themself(rest: V2Rest, school: School) -> None:
    owner = rest.as_(school.owner)
    session = owner.post(f"/classes/{school.class_id}/sessions").data["_id"]
    key = owner.post(f"/sessions/{session}/kiosk").data["key"]
    refused = rest.post("/kiosk/marks", {"code": "999"}, token=key, **{"Accept-Language": "de"})
    assert refused.body["error"].startswith("Sie sind nicht in dieser Klasse.")


def codes_of_routes() -> dict[str, type[ApiError]]:
    """Every error that a route of `/api/v2` may answer."""
    found: dict[str, type[ApiError]] = {}
    for pattern in urlpatterns:
        for view in pattern.callback.by_method.values():  # type: ignore[attr-defined]
            made = getattr(view, "cls", None) or view.view_class
            common = (*_REFUSED[made.audience], *_BAD_BODY, *_EVERYWHERE, errors.DatabaseUnavailable, errors.NotFound)
            found |= {error.code: error for error in (*made.raises, *common)}
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_every_error_of_a_route_has_a_sentence_in_every_language(language: str) -> None:
    for error in codes_of_routes().values():
        codes = [kind.__dict__["code"] for kind in error.__mro__ if "code" in kind.__dict__]
        sentences = [said[code] for said in (SENTENCES, SENTENCES_OF_TEACHERS) for code in codes if code in said]
        assert sentences, error.code
        for sentence in sentences:
            with translation.override("en"):
                source = str(sentence)
            with translation.override(language):
                assert str(sentence) != source, error.code


@pytest.mark.django_db
def test_the_language_of_a_sign_in_is_kept_for_mails(rest: V2Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.services.password_is_right", lambda *_, **__: True)
    ann = make_user("Ann")

    def signs_in(**headers: str) -> str:
        answer = rest.post("/auth/login", {"login": "ann@example.com", "password": "any"}, **headers)
        assert answer.status == 200
        return User.objects.get(pk=ann.pk).language

    assert signs_in() == ""
    assert signs_in(**{"Accept-Language": "fr-CA"}) == "fr"
    assert signs_in() == "fr", "a client that says nothing changes nothing"
