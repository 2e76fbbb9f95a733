"""Lists of students by `/api/v2`: shown row by row first, and done then as they were shown."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from audit.trail import prune_all
from classes import previews
from classes.models import Preview
from core.times import now
from tests.api.rest import Answer
from tests.dialects.v2.rest import Asking, School, V2Rest, is_refused

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "Name;E-Mail;Matrikelnummer;Klasse\nChen Li;chen@example.com;7B-4;7b\nAnna;ann@example.com;;7b\nX;none;;\n"


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


@pytest.fixture
def path(school: School) -> str:
    return f"/classes/{school.class_id}/import"


def names(school: School) -> set[str]:
    return set(school.physics.students.values_list("name", flat=True))


def test_a_file_is_shown_row_by_row_and_its_token_does_what_was_shown_once(
    owner: Asking, school: School, path: str
) -> None:
    shown = owner.send(path, LIST).data
    assert shown["takenFor"].startswith("a list of students (CSV, UTF-8")
    assert shown["columns"] == {"name": "Name", "email": "E-Mail", "rollNumber": "Matrikelnummer"}
    assert shown["unused"] == ["Klasse"]
    assert [(row["line"], row["outcome"], row["knownAs"]) for row in shown["rows"]] == [
        (2, "created", None),
        (3, "unchanged", "Ann"),
        (4, "refused", None),
    ]
    assert "not an e-mail address" in shown["rows"][2]["reason"]
    assert shown["counts"] == {
        **dict.fromkeys(("enrolled", "removed", "set_aside", "left_out"), 0),
        **dict.fromkeys(("created", "unchanged", "refused"), 1),
    }
    assert names(school) == {"Ann", "Ben"}
    done = owner.post(path, {"token": shown["token"]}).data
    assert [row["outcome"] for row in done["rows"]] == ["created", "unchanged"]
    assert done["token"] is None
    assert names(school) == {"Ann", "Ben", "Chen Li"}
    assert not Preview.objects.exists()
    is_refused(owner.post(path, {"token": shown["token"]}), 404, "preview_not_found")


def test_why_a_row_is_refused_is_told_in_the_readers_language_and_the_token_is_good_in_any(
    owner: Asking, school: School, path: str
) -> None:
    shown = owner.send(path, LIST, language="de").data
    assert shown["rows"][2]["reason"] == "„none“ ist keine E-Mail-Adresse: berichtigen Sie sie"
    assert shown["rows"][2]["outcome"] == "refused"
    assert owner.post(path, {"token": shown["token"]}, **{"Accept-Language": "fr"}).status == 200
    assert names(school) == {"Ann", "Ben", "Chen Li"}


def test_what_is_no_longer_as_it_was_shown_is_refused_and_nothing_is_written(
    owner: Asking, school: School, path: str
) -> None:
    token = owner.send(path, LIST).data["token"]
    User.objects.filter(pk=school.stranger.pk).update(email="chen@example.com", email_key="chen@example.com")
    is_refused(owner.post(path, {"token": token}), 412, "changed")
    assert names(school) == {"Ann", "Ben"}


def test_a_token_is_its_persons_its_classs_and_good_for_an_hour(
    owner: Asking, rest: V2Rest, school: School, path: str
) -> None:
    token = owner.send(path, LIST).data["token"]
    is_refused(rest.as_(school.co_teacher).post(path, {"token": token}), 404, "preview_not_found")
    other = owner.post("/classes", {"className": "Art"}).data["_id"]
    is_refused(owner.post(f"/classes/{other}/import", {"token": token}), 404, "preview_not_found")
    Preview.objects.update(made_at=now() - timedelta(minutes=61))
    is_refused(owner.post(path, {"token": token}), 404, "preview_not_found")


def test_the_oldest_of_many_previews_goes(owner: Asking, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "MOST", 2)
    first, *_ = [owner.send(path, LIST).data["token"] for _ in range(3)]
    assert Preview.objects.count() == 2
    is_refused(owner.post(path, {"token": first}), 404, "preview_not_found")


def test_a_preview_that_nobody_does_is_deleted_within_the_next_hour(owner: Asking, path: str) -> None:
    owner.send(path, LIST)
    prune_all()
    assert Preview.objects.count() == 1
    Preview.objects.update(made_at=now() - previews.KEPT - timedelta(seconds=1))
    prune_all()
    assert not Preview.objects.exists()


def test_rows_are_charged_while_they_are_read_and_empty_ones_are_charged_too(
    owner: Asking, path: str, settings: Any
) -> None:
    settings.LIMIT_SHEET_ROWS = 2_500
    is_refused(owner.send(path, LIST + ";\n" * 300_000), 429, "too_many_requests")
    is_refused(owner.send(path, LIST * 1_000), 429, "too_many_requests")  # 500 are left
    assert owner.send(path, LIST).status == 200
    assert Preview.objects.count() == 1


def test_of_two_requests_with_one_token_one_does_it(owner: Asking, rest: V2Rest, school: School, path: str) -> None:
    token = owner.send(path, LIST).data["token"]
    answers: list[int] = []

    def do() -> None:
        answers.append(V2Rest().as_(school.owner).post(path, {"token": token}).status)
        connection.close()

    threads = [threading.Thread(target=do) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers)[0] == 200
    assert sorted(answers)[1] in (404, 412)
    assert names(school) == {"Ann", "Ben", "Chen Li"}


def test_a_crash_in_the_middle_leaves_the_preview_and_nothing_else(
    owner: Asking, school: School, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = owner.send(path, LIST).data["token"]

    def crash(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("classes.rosters.write.enrol", crash)
        assert owner.post(path, {"token": token}).status == 500
    assert not User.objects.filter(email="chen@example.com").exists()
    assert owner.post(path, {"token": token}).status == 200


def test_at_once_without_a_dry_run_where_no_row_is_refused(owner: Asking, school: School, path: str) -> None:
    is_refused(owner.send(path, LIST, dryRun="false"), 400, "roster_conflict")
    assert names(school) == {"Ann", "Ben"}
    done = owner.send(path, LIST.replace("X;none;;\n", ""), dryRun="false").data
    assert (done["token"], done["counts"]["created"]) == (None, 1)
    assert names(school) == {"Ann", "Ben", "Chen Li"}


def test_columns_and_an_encoding_are_named_by_hand(owner: Asking, path: str) -> None:
    text = "Name,Contact,Email\nJosé,jose@example.com,parents@example.com\n".encode("cp1252")
    shown = owner.send(path, text, columns=json.dumps({"email": "Contact"}), encoding="cp1252").data
    assert [(row["name"], row["email"]) for row in shown["rows"]] == [("José", "jose@example.com")]
    assert owner.post(path, {"token": shown["token"]}).data["rows"][0]["name"] == "José"


def test_a_file_of_shifted_names_is_done_only_by_who_says_that_they_are_right(
    owner: Asking, school: School, path: str
) -> None:
    shown = owner.send(path, "name,email\nBen,ann@example.com\nAnn,ben@example.com\n").data
    assert shown["namesDiffer"] is True
    is_refused(owner.post(path, {"token": shown["token"]}), 400, "roster_conflict")
    assert owner.post(path, {"token": shown["token"], "namesDiffer": True}).status == 200


@pytest.mark.parametrize(
    ("send", "field", "said"),
    [
        (lambda ask, path: ask.send(path, b"%PDF-1.7"), "file", "This is a PDF document"),
        (lambda ask, path: ask.send(path, b""), "file", "is empty"),
        (lambda ask, path: ask.send(path, "one,two\n1,2\n"), "file", "There is no column for the name"),
        (lambda ask, path: ask.send(path, LIST, encoding="klingon"), "file", "klingon"),
        (lambda ask, path: ask.send(path, LIST, columns='{"shoe":"Name"}'), "columns", "Not as"),
        (lambda ask, path: ask.send(path, LIST, columns="{"), "columns", "Not as"),
        (lambda ask, path: ask.send(path, LIST, dryRun="yes"), "dryRun", ""),
        (lambda ask, path: ask.post(path, {}), "token", ""),
    ],
)
def test_what_is_wrong_with_a_form_is_said_beside_its_field(
    owner: Asking, path: str, send: Callable[[Asking, str], Answer], field: str, said: str
) -> None:
    answer = send(owner, path)
    is_refused(answer, 400, "invalid_schema")
    [word] = answer.body["fields"][field]
    assert said in word
    assert "--column" not in word


def test_no_form_at_all_is_refused(owner: Asking, path: str) -> None:
    for raw in (b"", b"--x\r\nbroken"):
        is_refused(owner("POST", path, raw=raw, content_type="multipart/form-data; boundary=x"), 400, "invalid_schema")
    is_refused(
        owner("POST", path, raw=b"x" * (1024 * 1024 + 1), content_type="multipart/form-data; boundary=x"),
        413,
        "payload_too_large",
    )
    is_refused(
        owner("POST", path, raw="a=1", content_type="application/x-www-form-urlencoded"), 415, "unsupported_media_type"
    )
