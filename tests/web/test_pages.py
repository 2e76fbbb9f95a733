"""What holds for every page: its front door, its headers, its language, and hostile names."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client as DjangoClient
from django.urls import reverse

from accounts.models import User
from attendance.models import Session
from classes.models import Class, Enrolment
from tests.api.rest import School, make_user, raiser
from tests.support.http import Client
from tests.web.people import signed_in, text_of, words_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.one_database("What a page looks like does not depend on who gave the rows."),
]

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

#: Names of people and classes that would like to be more than names.
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "{{ person.email }}{% now 'Y' %}",
    "\u202eevil\u202c",
    "</title><script>alert(1)</script>",
    "x" * 255,
    "&amp;\"'`=",
]


def pages_of(school: School) -> list[str]:
    """Every page that the class's teacher can open."""
    of_class = [
        reverse(f"web:{name}", args=[school.class_id]) for name in ("class", "class-students", "class-settings")
    ]
    school.finish_session()
    ended = str(Session.objects.get().id)
    of_ended = [
        *(reverse(f"web:{name}", args=[ended]) for name in ("session", "session-print")),
        reverse("web:session-student", args=[ended, school.student.id]),
        reverse("web:class-student", args=[school.class_id, school.student.id]),
    ]
    session = reverse("web:session", args=[school.start_session()])
    return ["/app/", "/app/classes/", "/app/classes/new", "/app/me/", "/app/nothing", *of_class, *of_ended, session]


def test_a_page_that_somebody_may_not_see_is_told_to_the_operator(
    school: School, student: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING", "core.refusals"):
        text_of(student.get(reverse("web:class-students", args=[school.class_id])), 403)
    (told,) = [record for record in caplog.records if record.name == "core.refusals"]
    assert getattr(told, "event") == "refused"  # noqa: B009  the record's class does not know it
    assert getattr(told, "fields")["account"] == school.student.id  # noqa: B009


@pytest.mark.parametrize("accept", [BROWSER, "text/html"])
def test_who_opens_the_servers_address_in_a_browser_comes_to_the_pages(accept: str) -> None:
    answer = Client().get("/", headers={"Accept": accept})
    assert (answer.status_code, answer["Location"]) == (302, "/app/")
    assert "Accept" in answer["Vary"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/plain"])
def test_a_program_that_asks_for_the_servers_address_gets_what_it_got(accept: str) -> None:
    answer = Client().get("/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.content == b"Server is running..."


def test_pages_and_their_files_are_small_on_the_network(school: School) -> None:
    """A board of 300 students, with all that it needs: 60 KiB at most, 20 of them scripts."""
    for number in range(300):
        Enrolment.objects.create(class_ref=school.physics, student=make_user(f"Student {number}"))
    client = signed_in(school.owner)
    path = f"/app/sessions/{school.start_session()}/"
    html = client.get(path).content.decode()
    scripts = set(re.findall(r'<script type="module" src="([^"]+)"', html))
    styles = set(re.findall(r'<link rel="stylesheet" href="([^"]+)"', html))
    assert (len(scripts), len(styles)) == (1, 1)
    sizes = {}
    for one in {path, *scripts, *styles}:
        answer = client.get(one, headers={"Accept-Encoding": "gzip"})
        assert answer["Content-Encoding"] == "gzip", one
        sizes[one] = len(answer.content)
    assert sum(sizes[one] for one in scripts) < 20 * 1024, sizes
    assert sum(sizes.values()) < 60 * 1024, sizes
    assert "Content-Encoding" not in client.get("/auth/me", headers={"Accept-Encoding": "gzip"})


def test_a_missing_or_needless_slash_leads_to_the_page(owner: Client) -> None:
    for path, page in (("/app/classes", "/app/classes/"), ("/app/me", "/app/me/"), ("/app/sign-in/", "/app/sign-in")):
        answer = owner.get(path)
        assert (answer.status_code, answer["Location"]) == (302, page)
    assert owner.get("/app").status_code == 301


def test_every_page_has_the_policy_and_nothing_inline(owner: Client, school: School) -> None:
    for path in pages_of(school):
        answer = owner.get(path)
        assert "default-src 'none'" in answer["Content-Security-Policy"], path
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
        html = answer.content.decode()
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", html) == [], path
        scripts = re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL)
        assert all("src=" in tag or 'type="application/json"' in tag for tag, _ in scripts), path


def test_every_page_has_one_heading_a_title_a_language_and_a_way_past_the_navigation(
    owner: Client, school: School
) -> None:
    for path in pages_of(school):
        html = owner.get(path).content.decode()
        assert len(re.findall(r"<h1[ >]", html)) == 1, path
        assert re.search(r"<title>[^<]+</title>", html), path
        assert '<html lang="en" dir="ltr"' in html
        assert '<a class="skip" href="#main">' in html
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert len(ids) == len(set(ids)), path
        for name in re.findall(r'(?:for|aria-labelledby|aria-describedby)="([^"]+)"', html):
            assert name in ids, (path, name)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_on_every_page(school: School, name: str) -> None:
    User.objects.exclude(pk=school.owner.pk).update(name=name)
    User.objects.filter(pk=school.owner.pk).update(name=name)
    Class.objects.update(name=name)
    for person, paths in (
        (school.owner, pages_of(school)),
        (school.student, ["/app/", "/app/me/", f"/app/me/classes/{school.class_id}"]),
    ):
        client = signed_in(User.objects.get(pk=person.pk))
        for path in paths:
            html = client.get(path).content.decode()
            assert "<img" not in html
            assert "<script>alert" not in html
            if "{{" in name:
                assert "{{ person.email }}" in html
    shown = signed_in(User.objects.get(pk=school.owner.pk)).get(f"/app/classes/{school.class_id}/").content.decode()
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert f"<bdi>{escaped.replace(chr(39), '&#x27;')}</bdi>" in shown


def test_the_reader_chooses_the_language_and_programs_are_answered_in_english(owner: Client, school: School) -> None:
    answer = owner.post("/app/language", {"language": "ar"}, headers={"Referer": "http://testserver/app/classes/"})
    assert answer["Location"] == "/app/classes/"
    assert answer.cookies["django_language"]["path"] == "/app/"
    assert '<html lang="ar" dir="rtl"' in text_of(owner.get("/app/"))
    refused = owner.get("/auth/me", headers={"Accept-Language": "ar"}).json()
    assert refused["error"] == "Unauthorized, token missing or invalid"
    assert owner.post("/app/language", {"language": "tlh"}).cookies.get("django_language") is None


def test_each_language_stands_by_its_own_name_whichever_the_page_speaks() -> None:
    for spoken in ("en", "ar"):
        page = text_of_page(spoken)
        for code, name in settings.LANGUAGES:
            assert re.search(f'<option value="{code}" lang="{code}"[^>]*>{name}</option>', page), (spoken, code)


def text_of_page(language: str) -> str:
    """The page of the sign-in as it comes."""
    return DjangoClient().get("/app/sign-in", headers={"Accept-Language": language}).content.decode()


def test_the_language_of_the_browser_is_the_first_choice(school: School) -> None:
    html = text_of(Client().get("/app/sign-in", headers={"Accept-Language": "fr-CH,fr;q=0.9"}))
    assert '<html lang="fr" dir="ltr">' in html


def test_a_crash_and_a_database_that_is_away_are_pages_in_words(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.views.classes.taught_classes", raiser(RuntimeError("for the log")))
    html = text_of(owner.get("/app/classes/"), 500)
    assert "Something went wrong here." in words_of(html)
    assert "for the log" not in html
    monkeypatch.setattr("web.views.classes.taught_classes", raiser(OperationalError("connection refused")))
    assert "cannot reach its data" in words_of(text_of(owner.get("/app/classes/"), 503))


def test_a_form_that_is_too_large_is_refused_by_a_page(owner: Client, settings: Any) -> None:
    answer = owner.post("/app/classes/new", {"name": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE})
    assert "The file is too large." in words_of(text_of(answer, 413))


@pytest.fixture
def strict() -> DjangoClient:
    """A browser whose forms are checked as in a school."""
    return DjangoClient(enforce_csrf_checks=True)


def test_a_form_that_is_not_from_here_is_refused_by_a_page(strict: DjangoClient, school: School) -> None:
    strict.force_login(school.owner)
    answer = strict.post("/app/classes/new", {"name": "Art"})
    assert "Go back, load it again" in words_of(text_of(answer, 403))
    assert Class.objects.count() == 1
    page = strict.get("/app/classes/new")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert token is not None
    assert strict.post("/app/classes/new", {"name": "Art", "csrfmiddlewaretoken": token[1]}).status_code == 302
