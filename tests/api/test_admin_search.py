"""People and classes are found without regard to letter case and accents, in every alphabet, on every database."""

import unicodedata
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User
from attendance.enums import Status
from classes.models import Class
from core.identity import Role
from core.names import fold
from tests.support.admin import CLASSES, MARKS, RECORDS, USERS, make_class, make_session, make_user
from tests.support.database import Databases
from tests.support.http import Client

#: A name, and what finds it.
NAMES = {
    "Иванов": ["иванов", "ИВАНОВ", "ванов"],
    "Сергей": ["сергей", "сергеи"],
    "Åsa Öberg": ["asa", "ÅSA", "oberg", unicodedata.normalize("NFD", "åsa"), unicodedata.normalize("NFD", "Öberg")],
    unicodedata.normalize("NFD", "José Núñez"): ["jose", "josé", "NUNEZ", "núñez"],
    "Anna Weißgruber": ["WEISSGRUBER", "weißgruber"],
    "Γιώργος": ["γιωργος", "ΓΙΏΡΓΟΣ"],
    "محمد": ["محمد", "مُحَمَّد"],
    "आशा राव": ["आशा", "राव"],
    "Nguyễn Thị Hạnh": ["nguyen", "thi hanh", "NGUYỄN"],
    "Łukasz Bjørnøy": ["lukasz", "ŁUKASZ", "bjornoy"],
    "Mar\u200bta Qu\u00adist": ["marta", "quist", "ma\u200brta", "QU\u00adIST"],
    "نمی\u200cخواهم": ["نمیخواهم", "نمی\u200cخواهم"],
    "Wren": ["w\u2060ren"],
}


def found(page: Client, url: str, text: str) -> list[str]:
    answer = page.get(url, {"q": text})
    assert answer.status_code == 200
    return [row.name for row in answer.context["cl"].result_list]


def test_a_name_is_found_in_any_case_with_and_without_its_accents(page: Client) -> None:
    teacher = make_user("Tara", Role.TEACHER)
    for number, name in enumerate(NAMES):
        User(name=name, email=f"s{number}@example.com", password="!").save()
        make_class(name, teacher)
    for name, texts in NAMES.items():
        for text in texts:
            assert found(page, USERS, text) == [name], text
            assert found(page, CLASSES, text) == [name], text
    assert found(page, USERS, "ivanov") == []


#: What is looked for in the journal and the records, and whose rows it finds.
ROWS = {
    "ash": {"Asha"},
    "ben@EXAMPLE": {"Ben"},
    "r-17": {"Ben"},
    "phys": {"Asha", "Ben"},
    "physics asha": {"Asha"},
    "'asha' ben": set(),
    "example.com": {"Asha", "Ben"},
}


@pytest.mark.parametrize("url", [MARKS, RECORDS])
def test_marks_and_records_are_found_by_student_and_class(
    page: Client, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    ben = make_user("Ben", roll_number="R-17")
    physics = make_class("Physics", make_user("Tara", Role.TEACHER), make_user("Asha"), ben)
    make_session(physics, asha=Status.PRESENT, ben=Status.ABSENT)
    for most in (1000, 1):  # those whom more people or sessions match are found another way, and are the same
        monkeypatch.setattr("attendance.admin.MOST_NAMED", most)
        for text, names in ROWS.items():
            shown = page.get(url, {"q": text}).context["cl"].result_list
            assert {row.student.name for row in shown} == names, text


def test_a_name_that_changes_is_found_by_its_new_form_however_it_was_written(page: Client) -> None:
    one, two = (
        User(name=name, email=f"{number}@example.com", password="!") for number, name in enumerate(["One", "Two"])
    )
    one.save()
    two.save()
    User.objects.filter(pk=one.pk).update(name="Émile")
    two.name = "Zoë"
    two.save(update_fields=["name"])
    User.objects.bulk_create([User(name="Łucja Ős", email="three@example.com", password="!")])
    assert found(page, USERS, "emile") == ["Émile"]
    assert found(page, USERS, "ZOE") == ["Zoë"]
    assert found(page, USERS, "os") == ["Łucja Ős"]
    assert found(page, USERS, "one") == []


def test_an_upgrade_folds_the_names_that_stand(databases: Databases) -> None:
    def upgrade() -> tuple[Any, Any]:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        old = executor.migrate([("accounts", "0011_keys_of_people"), ("classes", "0007_archive_co_teachers_days")]).apps
        user = old.get_model("accounts", "User").objects.create(name="Åsa", email="asa@example.com", password="!")
        old.get_model("classes", "Class").objects.create(name="Géométrie", teacher=user)
        executor.loader.build_graph()
        executor.migrate([("accounts", "0012_folded_names"), ("classes", "0008_folded_names")])
        texts = {"name_folded__contains": "ÅS"}, {"name_folded__contains": "geome"}
        return User.objects.filter(**texts[0]).count(), Class.objects.filter(**texts[1]).count()

    assert databases.empty().ask(upgrade) == (1, 1)


def test_an_upgrade_folds_anew_what_was_folded_with_characters_that_nobody_sees(databases: Databases) -> None:
    def upgrade() -> tuple[Any, Any]:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        before = [("accounts", "0014_students_without_email"), ("classes", "0013_previews")]
        old = executor.migrate(before).apps
        users, classes = old.get_model("accounts", "User").objects, old.get_model("classes", "Class").objects
        teacher = users.create(name="An\u200bn", email="ann@example.com", password="!")
        classes.create(name="Phy\u00adsics", teacher=teacher)
        users.update(name_folded="an\u200bn")
        classes.update(name_folded="phy\u00adsics")
        executor.loader.build_graph()
        new = executor.migrate([("accounts", "0015_names_folded_anew"), ("classes", "0014_names_folded_anew")]).apps
        found = new.get_model("accounts", "User").objects.filter(name_folded__contains="ANN").count()
        return found, new.get_model("classes", "Class").objects.filter(name_folded__contains="phys").count()

    assert databases.empty().ask(upgrade) == (1, 1)


def test_folding_twice_changes_nothing_more() -> None:
    for name in NAMES:
        assert fold(fold(name)) == fold(name)
