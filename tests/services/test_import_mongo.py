"""`manage.py import_mongo` moves an existing system in: its ids, passwords and records, all of it or nothing."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from bson import ObjectId, json_util
from django.contrib.auth.hashers import identify_hasher
from django.core.management import call_command
from django.core.management.base import CommandError
from pymongo import MongoClient
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance.enums import Method, SessionState, Status
from attendance.importing import sources
from attendance.importing import write as writing
from attendance.importing.documents import Record
from attendance.importing.plan import Read, split
from attendance.models import Attendance, Mark, Session
from attendance.services import record_correct, session_start
from classes.models import Class, Enrolment
from classes.selectors import student_ids
from core.identity import Role
from tests.services.conftest import actor_of, make_users
from tests.support.http import Client

pytestmark = pytest.mark.django_db

DATA = Path(__file__).resolve().parents[1] / "data"
ASSIGNMENT, EXPRESS = DATA / "mongo_assignment", DATA / "mongo_express"
PASSWORD = "secret1"
MODELS: tuple[Any, ...] = (User, Class, Enrolment, Session, Mark, Attendance)
NAMES = ("users", "classes", "attendances")
Documents = dict[str, list[Any]]

TEACHER, ASHA, BEN, OTHER = (f"65f1a2b3c4d5e6f708192a0{n}" for n in (1, 2, 3, 9))
CLASS, UNKNOWN = "65f1a2b3c4d5e6f708192b01", "65f1a2b3c4d5e6f708192fff"
FIRST, SECOND, THIRD = (f"65f1b2b3c4d5e6f708192c0{n}" for n in (1, 2, 3))
LESSON = datetime(2026, 1, 16, 11, tzinfo=UTC)


def hashed(password: str = PASSWORD) -> str:
    """As the old systems made them: over 72 bytes at most. Of the lowest cost, to be quick."""
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()


HASH = hashed()


def person(key: str, name: str, role: str = "student", **fields: Any) -> dict[str, Any]:
    email = f"{name.lower()}@example.com"
    return {"_id": ObjectId(key), "name": name, "email": email, "password": HASH, "role": role, **fields}


def group(key: str = CLASS, *students: str, **fields: Any) -> dict[str, Any]:
    students_ids = [ObjectId(student) for student in students]
    return {
        "_id": ObjectId(key),
        "className": "Maths",
        "teacherId": ObjectId(TEACHER),
        "studentIds": students_ids,
    } | fields


def record(key: str, student: str, status: str = "present", **fields: Any) -> dict[str, Any]:
    ids = {"_id": ObjectId(key), "classId": ObjectId(CLASS), "studentId": ObjectId(student)}
    return ids | {"status": status} | fields


def school(**more: list[Any]) -> Documents:
    """A teacher, two students, their class and a record each; `more` is added to the collections that it names."""
    documents: Documents = {
        "users": [person(TEACHER, "Tara", "teacher"), person(ASHA, "Asha"), person(BEN, "Ben")],
        "classes": [group(CLASS, ASHA, BEN)],
        "attendances": [record(FIRST, ASHA), record(SECOND, BEN, "absent")],
    }
    return {name: documents[name] + more.get(name, []) for name in documents}


def as_lines(documents: list[Any], options: json_util.JSONOptions) -> str:
    return "".join(json_util.dumps(document, json_options=options) + "\n" for document in documents)


def export(folder: Path, documents: Documents) -> str:
    """The folder that mongoexport would fill."""
    for name, some in documents.items():
        (folder / f"{name}.json").write_text(as_lines(some, json_util.CANONICAL_JSON_OPTIONS))
    return str(folder)


def run(*arguments: str) -> list[str]:
    """The lines that the command prints."""
    out = io.StringIO()
    call_command("import_mongo", *arguments, stdout=out)
    return out.getvalue().splitlines()


def refusal(*arguments: str) -> tuple[str, list[str]]:
    """The command's error, and the lines printed before it."""
    out = io.StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("import_mongo", *arguments, stdout=out)
    return str(failure.value), out.getvalue().splitlines()


def everything() -> list[list[dict[str, Any]]]:
    """All rows of all tables that an import touches."""
    return [list(model.objects.order_by("pk").values()) for model in MODELS]


def totals(created: tuple[int, int, int, int, int]) -> list[str]:
    """The report of an import without trouble."""
    names = ("users", "classes", "enrolments", "attendances")
    lines = [
        f"{name}: {count} created, 0 unchanged, 0 kept as it is here, 0 refused"
        for name, count in zip(names, created, strict=False)
    ]
    return [*lines, f"sessions: {created[4]} created"]


def journal(session: Session) -> list[tuple[int, str, str, str, str]]:
    columns = ("seq", "student_id", "status", "by_id", "method")
    return list(Mark.objects.filter(session=session).order_by("seq").values_list(*columns))


def assert_consistent() -> None:
    """Every session's journal, records, counts and last mark say the same."""
    for session in Session.objects.all():
        marks = journal(session)
        assert [mark[0] for mark in marks] == list(range(1, session.last_seq + 1))
        records = dict(Attendance.objects.filter(session=session).values_list("student_id", "status"))
        assert {mark[1]: mark[2] for mark in marks} == records
        present = list(records.values()).count("present")
        assert (session.present_count, session.absent_count) == (present, len(records) - present)


# Shapes


def test_the_assignments_shape_is_imported_with_one_session_at_the_time_in_the_ids() -> None:
    assert run(str(ASSIGNMENT)) == totals((3, 1, 2, 2, 1))

    tara, asha, ben = User.objects.order_by("id")
    assert (tara.id, tara.name, tara.email, tara.email_key) == (
        TEACHER,
        "Tara Iyer",
        "Tara@example.com",
        "tara@example.com",
    )
    assert [user.role for user in (tara, asha, ben)] == [Role.TEACHER, Role.STUDENT, Role.STUDENT]
    assert ben.name == "Ben Ortíz"
    assert not any(user.is_staff or user.is_superuser for user in (tara, asha, ben))
    found = Class.objects.get()
    assert (found.id, found.name, found.teacher_id) == (CLASS, "Maths 101", TEACHER)
    assert student_ids(CLASS) == [ben.id, asha.id], "the roster's order is the source's"
    session = Session.objects.get()
    assert (session.class_ref_id, session.state, session.started_by_id) == (CLASS, SessionState.ENDED, TEACHER)
    assert session.started_at == session.ended_at == ObjectId(FIRST).generation_time
    assert journal(session) == [
        (1, ASHA, "present", TEACHER, Method.IMPORT),
        (2, BEN, "absent", TEACHER, Method.IMPORT),
    ]
    assert list(Attendance.objects.order_by("id").values_list("id", "student_id", "status", "method")) == [
        (FIRST, ASHA, "present", Method.IMPORT),
        (SECOND, BEN, "absent", Method.IMPORT),
    ]
    assert_consistent()


def test_the_express_shape_is_imported_with_its_times_and_a_session_for_each_burst() -> None:
    assert run(str(EXPRESS)) == totals((3, 1, 2, 4, 2))

    asha = User.objects.get(email="asha@example.com")
    assert asha.created_at == asha.updated_at == datetime(2026, 1, 8, 10, 31, 0, 125_000, tzinfo=UTC)
    assert list(User.objects.order_by("id").values_list("role", flat=True)) == ["teacher", "student", "student"]
    found = Class.objects.get()
    assert (found.created_at, found.updated_at) == (
        datetime(2026, 1, 15, 10, 0, tzinfo=UTC),
        datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
    )
    assert len(student_ids(found.id)) == 2
    first, second = Session.objects.order_by("ended_at")
    assert first.started_at == datetime(2026, 1, 16, 11, 0, 0, 250_000, tzinfo=UTC)
    assert first.ended_at == first.last_activity_at == datetime(2026, 1, 16, 11, 0, 0, 251_000, tzinfo=UTC)
    assert second.ended_at == datetime(2026, 1, 17, 11, tzinfo=UTC)
    assert [mark[2] for mark in journal(first)] == ["absent", "present"]
    assert [mark[2] for mark in journal(second)] == ["present", "absent"]
    assert_consistent()


FORMS: dict[str, Callable[[list[Any]], str]] = {
    "canonical lines": lambda some: as_lines(some, json_util.CANONICAL_JSON_OPTIONS),
    "relaxed lines": lambda some: as_lines(some, json_util.RELAXED_JSON_OPTIONS),
    "legacy lines": lambda some: as_lines(some, json_util.LEGACY_JSON_OPTIONS),
    "canonical array": lambda some: json_util.dumps(some, json_options=json_util.CANONICAL_JSON_OPTIONS),
    "relaxed array over lines": lambda some: json_util.dumps(
        some, json_options=json_util.RELAXED_JSON_OPTIONS, indent=1
    ),
    "pretty documents": lambda some: "\n".join(json_util.dumps(document, indent=2) for document in some),
    "byte order mark and CRLF": lambda some: (
        "\ufeff" + as_lines(some, json_util.RELAXED_JSON_OPTIONS).replace("\n", "\r\n")
    ),
    "ids as strings": lambda some: json.dumps(
        json.loads(json_util.dumps(some), object_hook=lambda made: made.get("$oid", made))
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_extended_json_says_the_same(tmp_path: Path, form: str) -> None:
    dated = {"createdAt": LESSON, "updatedAt": LESSON + timedelta(milliseconds=5), "__v": 0}
    for name, some in school().items():
        (tmp_path / f"{name}.json").write_text(FORMS[form]([document | dated for document in some]), encoding="utf-8")

    run(str(tmp_path))

    assert User.objects.get(pk=ASHA).updated_at == LESSON + timedelta(milliseconds=5)
    assert student_ids(CLASS) == [ASHA, BEN]
    assert Session.objects.get().ended_at == LESSON
    assert list(Attendance.objects.order_by("id").values_list("id", flat=True)) == [FIRST, SECOND]


@pytest.mark.parametrize("name", ["Users.JSON", "school.users.json", "usermodels.jsonl", "user.ndjson"])
def test_a_collection_goes_by_several_names_and_others_are_not_needed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(as_lines(school()["users"], json_util.CANONICAL_JSON_OPTIONS))
    lines = run(str(tmp_path))
    assert lines[:2] == ["classes: the source has none", "attendances: the source has none"]
    assert User.objects.count() == 3


def test_files_can_be_named_one_by_one_and_an_empty_one_has_no_documents(tmp_path: Path) -> None:
    export(tmp_path, school())
    (tmp_path / "users.json").rename(tmp_path / "people.txt")
    (tmp_path / "attendances.json").write_text("")
    lines = run(str(tmp_path), "--users", str(tmp_path / "people.txt"))
    assert lines == totals((3, 1, 2, 0, 0))
    again = run("--classes", str(tmp_path / "classes.json"))
    assert again[3] == "classes: 0 created, 1 unchanged, 0 kept as it is here, 0 refused"


# Passwords


def login(email: str, password: str) -> Any:
    return Client().post("/auth/login", {"email": email, "password": password}, content_type="application/json")


@pytest.mark.usefixtures("real_hashes")
@pytest.mark.parametrize("prefix", ["2a", "2b", "2y"])
def test_an_old_hash_lets_its_owner_in_and_is_renewed_then(tmp_path: Path, prefix: str) -> None:
    old = hashed().replace("$2b$", f"${prefix}$")  # the three differ in what went wrong in old libraries only
    documents = school()
    documents["users"][1]["password"] = old
    run(export(tmp_path, documents))
    stored = User.objects.get(pk=ASHA).password
    assert stored == f"bcrypt${old}"
    assert identify_hasher(stored).safe_summary(stored), "the admin's page of the account shows it"

    wrong = login("asha@example.com", "secret2")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "Invalid email or password")
    assert User.objects.get(pk=ASHA).password == stored, "a wrong password renews nothing"
    right = login("ASHA@example.com", PASSWORD)

    assert right.status_code == 200
    asha = User.objects.get(pk=ASHA)
    assert asha.password.startswith("bcrypt_sha256$$2b$10$")
    assert (asha.token_version, asha.credentials_changed_at) == (0, None), "the tokens given out stay good"
    me = Client().get("/auth/me", headers={"authorization": right.json()["data"]["token"]})
    assert me.json()["data"] == {"_id": ASHA, "name": "Asha", "email": "asha@example.com", "role": "student"}
    assert login("asha@example.com", PASSWORD).status_code == 200
    assert login("asha@example.com", "secret2").status_code == 400


def test_of_a_password_over_72_bytes_the_first_72_count_until_it_is_renewed(tmp_path: Path) -> None:
    password = "ñ" * 35 + "abctail"  # 77 bytes
    documents = school()
    documents["users"][1]["password"] = hashed(password)
    documents["users"][2]["password"] = hashed("x" + "ñ" * 60)  # the 72nd byte is half a letter
    run(export(tmp_path, documents))

    assert login("asha@example.com", password[:-6] + "X").status_code == 400
    assert login("asha@example.com", password).status_code == 200
    assert login("asha@example.com", password + "more").status_code == 400, "the renewed hash is over all of it"
    assert login("ben@example.com", "x" + "ñ" * 60).status_code == 200


# After the import


def test_my_attendance_is_the_status_in_the_last_session() -> None:
    run(str(EXPRESS))
    class_id = Class.objects.get().id
    answers = {}
    for name in ("asha", "ben"):
        token = login(f"{name}@example.com", PASSWORD).json()["data"]["token"]
        answer = Client().get(f"/class/{class_id}/my-attendance", headers={"authorization": token})
        answers[name] = answer.json()["data"]
    assert answers == {
        "asha": {"classId": class_id, "status": "present"},
        "ben": {"classId": class_id, "status": "absent"},
    }


def test_importing_twice_changes_nothing() -> None:
    run(str(EXPRESS))
    before = everything()
    lines = run(str(EXPRESS))
    assert everything() == before
    assert [line.partition(",")[0] for line in lines] == [
        "users: 0 created",
        "classes: 0 created",
        "enrolments: 0 created",
        "attendances: 0 created",
        "sessions: 0 created",
    ]
    assert "4 unchanged, 0 kept as it is here, 0 refused" in lines[3]


def test_the_same_source_makes_the_same_sessions_in_another_database() -> None:
    run(str(EXPRESS))
    ids = set(Session.objects.values_list("id", flat=True)) | set(Mark.objects.values_list("id", flat=True))
    for model in reversed(MODELS):
        model.objects.all()._raw_delete(model.objects.db)
    run(str(EXPRESS))
    assert ids == set(Session.objects.values_list("id", flat=True)) | set(Mark.objects.values_list("id", flat=True))


def test_a_dry_run_reports_the_same_and_writes_nothing() -> None:
    dry = run(str(EXPRESS), "--dry-run")
    assert not any(everything())
    assert dry[0].startswith("Nothing is written.")
    assert dry[-1] == "Nothing was written: this was a dry run."
    assert dry[1:-1] == run(str(EXPRESS))


def test_an_import_keeps_what_differs_here_and_reports_it(tmp_path: Path) -> None:
    folder = export(tmp_path, school())
    run(folder)
    User.objects.filter(pk=ASHA).update(name="Asha Rao")
    Class.objects.filter(pk=CLASS).update(name="Mathematics")
    Enrolment.objects.filter(student_id=BEN).delete()
    record_correct(by_id=TEACHER, record_id=SECOND, status=Status.PRESENT)
    before = everything()

    lines = run(folder)

    assert lines[:3] == [
        "users.json line 2: asha@example.com: kept as it is here: the source has another name",
        "classes.json line 1: Maths: kept as it is here: the source has another name and roster",
        f"attendances.json line 2: {SECOND}: kept as it is here: the source has another status",
    ]
    assert lines[3] == "users: 0 created, 2 unchanged, 1 kept as it is here, 0 refused"
    assert lines[5] == "enrolments: 0 created, 1 unchanged, 1 kept as it is here, 0 refused"
    assert everything() == before


def test_a_renewed_password_makes_no_difference(tmp_path: Path) -> None:
    folder = export(tmp_path, school())
    run(folder)
    assert login("asha@example.com", PASSWORD).status_code == 200
    before = everything()
    assert run(folder)[0] == "users: 0 created, 3 unchanged, 0 kept as it is here, 0 refused"
    assert everything() == before


def test_records_that_were_missing_join_the_session_of_the_others(tmp_path: Path) -> None:
    third = person(OTHER, "Cleo")
    run(export(tmp_path, school(users=[third])))
    session = Session.objects.get()

    lines = run(export(tmp_path, school(users=[third], attendances=[record(THIRD, OTHER)])))

    assert lines[3:] == [
        "attendances: 1 created, 2 unchanged, 0 kept as it is here, 0 refused",
        "sessions: 0 created",
    ]
    assert [mark[:3] for mark in journal(session)] == [(1, ASHA, "present"), (2, BEN, "absent"), (3, OTHER, "present")]
    assert_consistent()
    later = Session.objects.get()
    assert (later.id, later.ended_at, later.last_seq) == (session.id, session.ended_at, 3)


def test_a_later_lesson_of_the_old_system_is_a_session_of_its_own(tmp_path: Path) -> None:
    dated: dict[str, Any] = {"createdAt": LESSON}
    documents = school()
    documents["attendances"] = [record(FIRST, ASHA, **dated), record(SECOND, BEN, **dated)]
    run(export(tmp_path, documents))
    documents["attendances"].append(record(THIRD, ASHA, "absent", createdAt=LESSON + timedelta(days=1)))
    assert run(export(tmp_path, documents))[-1] == "sessions: 1 created"
    assert list(Session.objects.order_by("ended_at").values_list("last_seq", flat=True)) == [2, 1]
    assert_consistent()


def test_a_live_session_of_a_class_that_is_here_goes_on(tmp_path: Path) -> None:
    run(export(tmp_path, school() | {"attendances": []}))
    live = session_start(actor=actor_of(User.objects.get(pk=TEACHER)), class_id=CLASS)
    run(export(tmp_path, school()))
    live.refresh_from_db()
    assert (live.state, live.last_seq) == (SessionState.OPEN, 0)
    assert Session.objects.filter(state=SessionState.ENDED).count() == 1


# Sessions from records


def read(student: str, minutes: float, number: int) -> Read[Record]:
    at = LESSON + timedelta(minutes=minutes)
    return Read("", "", Record(f"{number:024x}", CLASS, student, Status.PRESENT, at))


SPLITS = {
    "each student once, weeks apart": ([("a", 0), ("b", 9999)], [2]),
    "two bursts": ([("a", 0), ("b", 0), ("a", 60), ("b", 60)], [2, 2]),
    "a repeat at the same moment": ([("a", 0), ("b", 0), ("a", 0), ("b", 0)], [2, 2]),
    "a new student first in the second burst": ([("a", 0), ("b", 0), ("c", 60), ("a", 60), ("b", 60)], [2, 3]),
    "a slow burst": ([("a", 0), ("b", 9), ("c", 18), ("a", 60)], [3, 1]),
    "none": ([], []),
}


@pytest.mark.parametrize("case", SPLITS)
def test_records_are_split_into_sessions_by_pauses_and_by_students_who_appear_again(case: str) -> None:
    records, sizes = SPLITS[case]
    found = list(split([read(student, minutes, number) for number, (student, minutes) in enumerate(records)]))
    assert [len(some) for some in found] == sizes


def test_of_two_sessions_at_one_moment_the_later_ids_are_the_last(tmp_path: Path) -> None:
    documents = school(attendances=[record(THIRD, ASHA, "absent")])  # all ids are of the same second
    run(export(tmp_path, documents))
    first, last = Session.objects.order_by("ended_at")
    assert first.ended_at is not None
    assert last.ended_at == first.ended_at + timedelta(milliseconds=1)
    assert [mark[2] for mark in journal(last)] == ["absent"]


# Refusals


BAD_USERS: dict[str, tuple[Any, str]] = {
    "not a document": ("text", "it is not a document"),
    "an array": ([1], "it is not a document"),
    "no id": ({"name": "Bad"}, "its email is missing"),
    "id missing": ({"_id": None}, "its _id is missing"),
    "short id": ({"_id": "65f1"}, "its _id is not an id (24 hex digits)"),
    "number as id": ({"_id": 5}, "its _id is not an id"),
    "bad $oid": ({"_id": {"$oid": "zz"}}, "its _id is no $oid"),
    "$oid with more": ({"_id": {"$oid": OTHER, "x": 1}}, "its _id has the key $oid"),
    "name missing": ({"name": None}, "its name is missing"),
    "name blank": ({"name": "  "}, "its name is missing"),
    "name too long": ({"name": "x" * 256}, "its name is too long: at most 255 characters"),
    "name a list": ({"name": ["a"]}, "its name is not a string"),
    "name with NUL": ({"name": "a\0b"}, "its name has a character that no database stores"),
    "name with half a pair": ({"name": "a\ud800"}, "its name has a character that no database stores"),
    "e-mail bad": ({"email": "bad@localhost"}, "'bad@localhost' is not an e-mail address"),
    "e-mail a $-key": ({"email": {"$ne": None}}, "its email has the key $ne"),
    "e-mail an object": ({"email": {"a": "b"}}, "its email is not a string"),
    "e-mail too long": ({"email": "x" * 250 + "@example.com"}, "its email is too long"),
    "e-mail twice": ({"email": "ASHA@example.com"}, "it has the same e-mail as users.json line 2"),
    "e-mail in two spellings": ({"email": "asha@ｅｘａｍｐｌｅ.com"}, "it has the same e-mail as users.json line 2"),
    "id twice": ({"_id": {"$oid": ASHA}}, "it has the same _id as users.json line 2"),
    "role unknown": ({"role": "admin"}, "'admin' is not a role"),
    "role missing": ({"role": None}, "its role is missing"),
    "password missing": ({"password": None}, "its password is missing"),
    "password plain": ({"password": "secret1"}, "its password is not a bcrypt hash"),
    "password over SHA-256": ({"password": "bcrypt_sha256$" + HASH}, "its password is not a bcrypt hash"),
    "password cut off": ({"password": HASH[:-1]}, "its password is not a bcrypt hash"),
    "password too dear": ({"password": HASH.replace("$04$", "$31$")}, "its password is not a bcrypt hash of cost 4 to"),
    "password's salt no salt": ({"password": HASH[:28] + "z" + HASH[29:]}, "its password is not a bcrypt hash"),
    "date a string": ({"createdAt": "2026-01-08"}, "its createdAt is not a date"),
    "date bad": ({"createdAt": {"$date": "yesterday"}}, "its createdAt is no $date"),
    "date beyond": ({"createdAt": {"$date": {"$numberLong": "9" * 19}}}, "its createdAt is no $date"),
    "date of the future": ({"updatedAt": {"$date": "2999-01-01T00:00:00Z"}}, "is before 1970 or in the future"),
}
BAD_CLASSES: dict[str, tuple[Any, str]] = {
    "name missing": ({"className": None}, "its className is missing"),
    "name an object": ({"className": {"$gt": ""}}, "its className has the key $gt"),
    "teacher unknown": ({"teacherId": {"$oid": UNKNOWN}}, f"its teacher {UNKNOWN} has no account"),
    "teacher a student": ({"teacherId": {"$oid": ASHA}}, f"{ASHA}, its teacher, is a student"),
    "teacher missing": ({"teacherId": None}, "its teacherId is missing"),
    "teacher populated": ({"teacherId": {"name": "Tara"}}, "its teacherId is not an id"),
    "students missing": ({"studentIds": None}, "its studentIds are not an array"),
    "students no array": ({"studentIds": {"$oid": ASHA}}, "its studentIds are not an array"),
    "students spelt twice": ({"studentsIds": []}, "it has both studentIds and studentsIds"),
    "student no id": ({"studentIds": ["ben"]}, "its studentIds is not an id"),
    "student unknown": ({"studentIds": [{"$oid": UNKNOWN}]}, f"its student {UNKNOWN} has no account"),
    "student a teacher": ({"studentIds": [{"$oid": TEACHER}]}, f"{TEACHER}, its student, is a teacher"),
    "id twice": ({"_id": {"$oid": CLASS}}, "it has the same _id as classes.json line 1"),
}
BAD_RECORDS: dict[str, tuple[Any, str]] = {
    "class unknown": ({"classId": {"$oid": UNKNOWN}}, f"its class {UNKNOWN} is not there"),
    "class no id": ({"classId": "Maths"}, "its classId is not an id"),
    "student unknown": ({"studentId": {"$oid": UNKNOWN}}, f"its student {UNKNOWN} has no account"),
    "student a teacher": ({"studentId": {"$oid": TEACHER}}, f"{TEACHER}, its student, is a teacher"),
    "student a list": ({"studentId": [{"$oid": ASHA}]}, "its studentId is not an id"),
    "status unknown": ({"status": "maybe"}, "'maybe' is not a status (present or absent)"),
    "status true": ({"status": True}, "its status is not a string"),
    "id of the future": (
        {"_id": {"$oid": "ff" * 12}},
        "the time in its _id (2106-02-07) is before 1970 or in the future",
    ),
}
GOOD: dict[str, dict[str, Any]] = {
    "users": person(OTHER, "Bad"),
    "classes": group(OTHER, ASHA),
    "attendances": record(THIRD, ASHA),
}
BAD = [
    pytest.param(name, bad, reason, id=f"{name}: {case}")
    for name, cases in zip(NAMES, (BAD_USERS, BAD_CLASSES, BAD_RECORDS), strict=True)
    for case, (bad, reason) in cases.items()
]


def add_line(folder: Path, name: str, bad: Any) -> int:
    """Adds a document to a file: the good one of `name` changed by `bad`. Its line."""
    document = bad
    if isinstance(bad, dict):
        document = {} if bad == {"name": "Bad"} else json.loads(json_util.dumps(GOOD[name]))
        document |= bad
    path = folder / f"{name}.json"
    path.write_text(path.read_text() + json.dumps(document) + "\n")
    return len(path.read_text().splitlines())


@pytest.mark.parametrize(("name", "bad", "reason"), BAD)
def test_one_refused_document_with_its_reason_and_place_refuses_all(
    tmp_path: Path, name: str, bad: Any, reason: str
) -> None:
    folder = export(tmp_path, school())
    line = add_line(tmp_path, name, bad)

    error, lines = refusal(folder)

    refused = [text for text in lines if ": refused: " in text]
    assert len(refused) == 1, lines
    assert refused[0].startswith(f"{name}.json line {line}: ")
    assert reason in refused[0]
    assert "secret1" not in refused[0]
    assert "Nothing was written: 1 refused." in error
    assert not any(everything())


@pytest.mark.parametrize(("name", "bad", "reason"), BAD)
def test_skipping_the_refused_document_imports_all_others(tmp_path: Path, name: str, bad: Any, reason: str) -> None:
    folder = export(tmp_path, school())
    add_line(tmp_path, name, bad)
    lines = run(folder, "--skip-refused")
    assert any(reason in text for text in lines)
    assert set(User.objects.values_list("id", flat=True)) == {TEACHER, ASHA, BEN}
    assert CLASS in Class.objects.values_list("id", flat=True)
    assert set(Attendance.objects.values_list("id", flat=True)) == {FIRST, SECOND}
    before = everything()
    run(folder, "--skip-refused")
    assert everything() == before


def test_what_depends_on_a_refused_document_is_refused_too(tmp_path: Path) -> None:
    documents = school()
    documents["users"][0]["role"] = "headmaster"
    documents["users"][2]["password"] = "plain"
    folder = export(tmp_path, documents)
    lines = run(folder, "--skip-refused")
    assert [line.partition(" line ")[0] for line in lines if ": refused: " in line] == [
        "users.json",
        "users.json",
        "classes.json",
        "attendances.json",
        "attendances.json",
    ]
    assert [model.objects.count() for model in MODELS] == [1, 0, 0, 0, 0, 0]

    documents["users"][0]["role"] = "teacher"
    lines = run(export(tmp_path, documents), "--skip-refused")
    assert student_ids(CLASS) == [ASHA]
    assert "enrolments: 1 created, 0 unchanged, 0 kept as it is here, 1 refused" in lines
    assert list(Attendance.objects.values_list("id", flat=True)) == [FIRST]

    documents["users"][2]["password"] = HASH
    run(export(tmp_path, documents))
    assert set(Attendance.objects.values_list("id", flat=True)) == {FIRST, SECOND}
    assert Session.objects.count() == 1
    assert_consistent()


def test_an_e_mail_of_another_account_here_is_refused(tmp_path: Path) -> None:
    other = make_users(Role.STUDENT, 1)[0]
    User.objects.filter(pk=other.id).update(email="Asha@Example.com", email_key="asha@example.com")
    _, lines = refusal(export(tmp_path, school()))
    assert lines[1] == (
        f"users.json line 2: asha@example.com: refused: its e-mail belongs to another account here ({other.id})"
    )
    assert User.objects.count() == 1


def test_accounts_and_classes_that_are_here_already_may_be_named(tmp_path: Path) -> None:
    folder = export(tmp_path, school() | {"attendances": []})
    run(folder)
    (tmp_path / "users.json").unlink()
    (tmp_path / "classes.json").unlink()
    lines = run(export(tmp_path, {"attendances": school()["attendances"]}))
    assert lines[-2:] == totals((0, 0, 0, 2, 1))[-2:]
    assert_consistent()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("last", ["_records", "_marks", "_session"])
def test_a_failure_at_any_point_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    class Failed(Exception):
        pass

    def fail(lesson: Any) -> Any:
        raise Failed

    monkeypatch.setattr(writing, last, fail)
    with pytest.raises(Failed):
        run(export(tmp_path, school()))
    assert not any(everything())


def test_a_large_import_takes_few_queries(
    tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    students = [f"65f1a2b3c4d5e6f7{n:08x}" for n in range(600)]
    documents = {
        "users": [
            person(TEACHER, "Tara", "teacher"),
            *(person(key, f"S{n}", createdAt=LESSON) for n, key in enumerate(students)),
        ],
        "classes": [group(CLASS, *students)],
        "attendances": [
            record(f"65f1b2b3c4d5e6f7{n:08x}", key, createdAt=LESSON + timedelta(days=n // 600))
            for n, key in enumerate(students * 2)
        ],
    }
    folder = export(tmp_path, documents)
    with django_assert_max_num_queries(100):
        assert run(folder) == totals((601, 1, 600, 1200, 2))


# Sources that cannot be read


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "not UTF-8": ('{"name": "José"}'.encode("latin-1"), "is not UTF-8. Let mongoexport write it itself"),
    "UTF-16": ('{"name": "Asha"}'.encode("utf-16"), "is not UTF-8"),
    "cut off line": (b'{"_id": 1}\n{"_id": ', "users.json line 2 is not JSON"),
    "cut off array": (b'[{"_id": 1},\n{"_id": 2}', "users.json is cut off after line 2"),
    "cut off after a comma": (b'[{"_id": 1},\n', "users.json does not end with its array"),
    "more after the array": (b'[{"_id": 1}]\n{"_id": 2}', "users.json does not end with its array"),
    "CSV": (b"_id,name\n1,Asha\n", "users.json line 1 is not JSON"),
    "a key twice": (b'\n{"_id": 1,\n "_id": 2}', "users.json line 2 is not JSON (a key twice in one object)"),
    "NaN": (b'{"_id": NaN}', "users.json line 1 is not JSON (NaN is not JSON)"),
    "a number without end": (b'{"_id": ' + b"9" * 5000 + b"}", "users.json line 1 is not JSON"),
    "nested too deeply": (b"[" * 100_000, "users.json line 1 is not JSON"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_read_is_an_error_that_says_where(tmp_path: Path, case: str) -> None:
    content, message = BAD_FILES[case]
    folder = export(tmp_path, school())
    (tmp_path / "users.json").write_bytes(content)
    error, lines = refusal(folder, "--skip-refused")
    assert message in error
    assert lines == []
    assert not any(everything())


def test_a_source_that_cannot_be_imported_is_an_error_that_says_what_to_name(tmp_path: Path) -> None:
    assert "a mongodb:// address, a folder, or files" in refusal()[0]
    assert "is no folder and no mongodb:// address" in refusal(str(tmp_path / "nowhere"))[0]
    assert "has no users, classes or attendances. It is empty." in refusal(str(tmp_path))[0]
    (tmp_path / "users.bson").write_bytes(b"")
    assert "It has: users.bson." in refusal(str(tmp_path))[0]
    assert "Cannot read" in refusal("--users", str(tmp_path / "none.json"))[0]
    export(tmp_path, school())
    (tmp_path / "attendance.json").write_text("")
    error, _ = refusal(str(tmp_path))
    assert "has attendance.json and attendances.json. Say which one it is by --attendances." in error


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("mongodb://tara:pass-word@127.0.0.1:9/school?appName=x", "Cannot read mongodb://127.0.0.1:9/school: "),
        ("mongodb://127.0.0.1:9/", "names no database. Add its name"),
        ("mongodb://127.0.0.1:none/school", "Cannot read mongodb://127.0.0.1:none/school: "),
    ],
)
def test_a_mongodb_that_does_not_answer_is_an_error_without_its_password(
    monkeypatch: pytest.MonkeyPatch, address: str, message: str
) -> None:
    assert sources.PATIENCE < 5000
    monkeypatch.setattr(sources, "PATIENCE", 200)
    error, lines = refusal(address)
    assert message in error
    assert "pass-word" not in error
    assert lines == []


# A MongoDB


def test_a_mongodb_is_read_whichever_names_its_collections_have(tmp_path: Path) -> None:
    pytest.importorskip("secantus", reason="the package secantusdb is not installed")
    from tests.support.mongodb import MongoServer

    dated = {"createdAt": LESSON, "updatedAt": LESSON, "__v": 0}
    documents = {name: [document | dated for document in some] for name, some in school().items()}
    documents["users"].append(person(OTHER, "Bad", email={"$ne": None}))
    with MongoServer(tmp_path) as server, MongoClient[dict[str, Any]](server.url) as client:
        database = client["school"]
        database["users"].insert_many(documents["users"])
        database["classmodels"].insert_many(documents["classes"])
        database["attendances"].insert_many(documents["attendances"])
        database["others"].insert_one({"x": 1})
        address = server.database_url("school")

        _, lines = refusal(address)
        assert lines[1] == f"users {OTHER}: Bad: refused: its email is not a string"
        database["users"].delete_one({"_id": ObjectId(OTHER)})
        assert run(address) == totals((3, 1, 2, 2, 1))
        database["attendance"].insert_one({})
        assert "has attendance and attendances. Say which one it is" in refusal(address)[0]
        assert "0 created, 2 unchanged" in run(address, "--attendances", "attendances")[3]
        assert "has no collection none. It has: attendance, " in refusal(address, "--users", "none")[0]
        assert "has no users, classes or attendances. It is empty." in refusal(server.database_url("empty"))[0]

    assert User.objects.get(pk=ASHA).created_at == LESSON
    assert Session.objects.get().ended_at == LESSON
    assert_consistent()
