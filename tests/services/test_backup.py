"""`manage.py backup` and `restore`: everything from one moment, into any database, proved, or nothing at all."""

import hashlib
import json
import stat
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from django.apps import apps
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session as SignIn

from accounts.models import User
from attendance import services
from attendance.models import Attendance, Mark
from classes.models import Class, Enrolment
from core.database.backup.tables import LEFT_OUT, tables
from core.database.snapshot import snapshot
from core.database.unit_of_work import unit_of_work
from core.identity import Role
from core.times import now
from tests.services.conftest import commit_marks, make_room, make_users, new_mark
from tests.support.database import ON_SQLITE, Database, Databases, Files, manage
from tests.support.environment import TEST_DATABASE_URL
from tests.support.server import Server

pytestmark = pytest.mark.long

#: A moment that MongoDB cannot keep whole.
MICROSECONDS = datetime(2026, 11, 28, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def school(databases: Databases) -> Database:
    """A finished lesson and one that is live, a group with rights, and an entry of the admin's own history."""
    database = databases.fresh()
    database.ask(fill)
    return database


def fill() -> None:
    room = make_room()
    finished = room.start()
    commit_marks([new_mark(room, finished)])
    services.session_end(session_id=finished.id)
    commit_marks([new_mark(room, room.start(), 1, "late")])
    Class.objects.filter(pk=room.class_id).update(name="Physik für Anfänger ≥ 9\u00a0Uhr", created_at=MICROSECONDS)
    office = make_users(Role.TEACHER, 1)[0]
    group = Group.objects.create(name="Office")
    group.permissions.set(Permission.objects.filter(codename__in=["view_user", "change_class"]))
    office.groups.add(group)
    office.user_permissions.set(
        Permission.objects.filter(codename="view_session", content_type__app_label="attendance")
    )
    LogEntry.objects.create(
        user=office,
        content_type=ContentType.objects.get_for_model(Group),
        object_id="1",
        object_repr="Office",
        action_flag=ADDITION,
    )
    SignIn.objects.create(session_key="somebody", session_data="", expire_date=now())


def made(database: Database, path: Path, *options: str, **environment: str) -> Path:
    done = manage("backup", *options, str(path), database=database, **environment)
    assert done.returncode == 0, done.stderr
    return path


def restored(path: Path, database: Database, *options: str, **environment: str) -> str:
    done = manage("restore", *options, str(path), database=database, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(path: Path, database: Database, *options: str) -> str:
    done = manage("restore", *options, str(path), database=database)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def content(path: Path) -> dict[str, list[Any]]:
    """Table → its rows, in a backup. The audit log's differ by the commands themselves."""
    with zipfile.ZipFile(path) as archive:
        return {
            name: [json.loads(line) for line in archive.read(name).splitlines()]
            for name in archive.namelist()
            if name.startswith("tables/") and name != "tables/audit.Entry.jsonl"
        }


def cut(value: Any) -> Any:
    """What MongoDB keeps of a time."""
    match value:
        case dict():
            return {key: cut(some) for key, some in value.items()}
        case list():
            return [cut(some) for some in value]
        case str() if value[10:11] == "T" and value[-5:-1].isdigit():
            return f"{value[:-4]}000Z"
    return value


def rewritten(path: Path, change: Mapping[str, Callable[[bytes], bytes]]) -> Path:
    """The same file with other members."""
    other = path.with_name("other.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            target.writestr(name, change[name](text) if name in change else text)
    return other


def test_a_backup_that_is_restored_is_the_same_backup(school: Database, databases: Databases, tmp_path: Path) -> None:
    path = made(school, tmp_path / "school.zip")
    other = databases.fresh()
    said = restored(path, other)
    assert content(made(other, tmp_path / "again.zip")) == content(path)
    with zipfile.ZipFile(path) as archive:
        rows = sum(part["rows"] for part in json.loads(archive.read("backup.json"))["tables"].values())
    assert said == f"{rows} rows of {len(tables())} tables are back, 0 secrets: {path}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(found.name for found in tmp_path.iterdir()) == ["again.zip", "school.zip"]


def test_a_backup_has_every_kind_of_row(school: Database, tmp_path: Path) -> None:
    found = content(made(school, tmp_path / "school.zip"))
    (group,) = found["tables/auth.Group.jsonl"]
    assert group["permissions"] == [["change_class", "classes", "class"], ["view_user", "accounts", "user"]]
    (office,) = [user for user in found["tables/accounts.User.jsonl"] if user["groups"]]
    assert office["groups"] == [["Office"]]
    assert found["tables/admin.LogEntry.jsonl"][0]["content_type"] == ["auth", "group"]
    assert len(found["tables/attendance.Mark.jsonl"]) == 2
    assert "tables/sessions.Session.jsonl" not in found


def use_what_is_gone_elsewhere() -> None:
    """A table that was there once has left a kind of content and a right, which somebody has and used."""
    kind = ContentType.objects.create(app_label="shop", model="order")
    right = Permission.objects.create(content_type=kind, codename="view_order", name="Can view order")
    Group.objects.get().permissions.add(right)
    LogEntry.objects.update(content_type=kind)


def test_what_a_server_does_not_have_any_more_is_left_empty_and_named(
    school: Database, databases: Databases, tmp_path: Path
) -> None:
    school.ask(use_what_is_gone_elsewhere)
    path = made(school, tmp_path / "school.zip")
    other = databases.fresh()
    done = manage("restore", str(path), database=other)
    gone = "content type shop order (1), permission view_order shop order (1)"
    assert (done.returncode, f"References to what is gone are left empty: {gone}." in done.stderr) == (0, True)
    found = content(made(other, tmp_path / "again.zip"))
    assert found["tables/admin.LogEntry.jsonl"][0]["content_type"] is None
    assert found["tables/auth.Group.jsonl"][0]["permissions"] == [
        ["change_class", "classes", "class"],
        ["view_user", "accounts", "user"],
    ]


@pytest.mark.skipif(
    not TEST_DATABASE_URL.startswith("mongodb"), reason="foreign keys let nothing refer to what is gone"
)
def test_a_reference_to_a_row_that_is_gone_is_left_empty_and_named(
    school: Database, databases: Databases, tmp_path: Path
) -> None:
    def lose() -> str:
        key = ObjectId()
        LogEntry.objects.update(content_type_id=key)
        return str(key)

    key = school.ask(lose)
    path = tmp_path / "school.zip"
    done = manage("backup", str(path), database=school)
    said = f"References to what is gone are left empty: content type {key} (1)."
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (0, True, False)
    assert content(path)["tables/admin.LogEntry.jsonl"][0]["content_type"] is None
    assert json.loads(zipfile.ZipFile(path).read("backup.json"))["left_empty"] == {f"content type {key}": 1}
    restored(path, databases.fresh())


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Database:
    """Another database, which is SQLite's whatever the tests run on."""
    files = Files(tmp_path)
    files.make("other")
    database = Database(files.url("other"), tmp_path / "other")
    assert manage("migrate", "--verbosity", "0", database=database).returncode == 0
    return database


@pytest.mark.skipif(ON_SQLITE, reason="both would be SQLite")
def test_a_school_moves_from_one_database_to_another_and_back(
    school: Database, on_sqlite: Database, databases: Databases, tmp_path: Path
) -> None:
    path = made(school, tmp_path / "school.zip")
    restored(path, on_sqlite)
    there = made(on_sqlite, tmp_path / "there.zip")
    assert content(there) == content(path)
    back = databases.fresh()
    restored(there, back)
    assert content(made(back, tmp_path / "back.zip")) == content(path)


@pytest.mark.skipif(ON_SQLITE, reason="both would be SQLite")
def test_times_of_sqlite_come_as_exactly_as_the_other_database_keeps_them(
    on_sqlite: Database, databases: Databases, tmp_path: Path
) -> None:
    assert manage("demo", database=on_sqlite).returncode == 0
    path = made(on_sqlite, tmp_path / "school.zip")
    other = databases.fresh()
    restored(path, other)
    again = content(made(other, tmp_path / "again.zip"))
    assert again == (cut(content(path)) if other.url.startswith("mongodb") else content(path))


def test_a_backup_is_from_one_moment_and_makes_nobody_wait(school: Database) -> None:
    def look() -> tuple[int, int, int]:
        with snapshot():
            before = Mark.objects.count()
            school.ask(
                unit_of_work(lambda: Class.objects.update(name="Chemistry") and Attendance.objects.all().delete())
            )
            seen = Class.objects.filter(name="Chemistry").count()
            return before, seen, Attendance.objects.count()

    assert school.ask(look) == (2, 0, 2)
    assert school.ask(Attendance.objects.count) == 0


def test_a_restored_server_goes_on_with_the_lesson_that_was_live(
    databases: Databases, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    school = databases.fresh()
    room = school.ask(make_room)
    session = school.ask(room.start)
    school.ask(lambda: commit_marks([new_mark(room, session)]))
    path = made(school, tmp_path / "school.zip")
    other = databases.fresh()
    make_server(other)
    restored(path, other)
    assert other.ask(lambda: commit_marks([new_mark(room, session, 1)])) == [2]
    other.ask(lambda: services.session_end(session_id=session.id))
    assert len(other.records(room.class_id)) == 2


def test_a_database_with_accounts_is_left_alone_unless_it_is_to_be_replaced(
    school: Database, databases: Databases, tmp_path: Path
) -> None:
    path = made(school, tmp_path / "school.zip")
    other = databases.fresh()
    stranger = other.ask(lambda: make_users(Role.STUDENT, 1)[0].id)
    other.ask(lambda: SignIn.objects.create(session_key="stranger", session_data="", expire_date=now()))
    assert "The database has accounts already" in refusal(path, other)
    assert other.ask(lambda: list(User.objects.values_list("id", flat=True))) == [stranger]
    restored(path, other, "--replace")
    assert content(made(other, tmp_path / "again.zip")) == content(path)
    assert not other.ask(lambda: SignIn.objects.filter(pk="stranger").exists())


def test_a_newer_format_is_refused_in_a_line(school: Database, databases: Databases, tmp_path: Path) -> None:
    newer = rewritten(made(school, tmp_path / "school.zip"), {"backup.json": lambda text: b'{"format":2,"all":"new"}'})
    assert refusal(newer, databases.fresh()) == (
        "CommandError: The backup has format 2, and this server reads 1: a newer version made it."
        " Update this server first.\n"
    )


def test_a_version_with_other_tables_is_refused_by_name(school: Database, databases: Databases, tmp_path: Path) -> None:
    def older(text: bytes) -> bytes:
        manifest = json.loads(text)
        manifest["migrations"]["classes"].pop()
        return json.dumps({**manifest, "version": "0.0.9"}).encode()

    other = rewritten(made(school, tmp_path / "school.zip"), {"backup.json": older})
    said = refusal(other, databases.fresh())
    assert "The backup is from version 0.0.9, whose tables differ (classes). Restore it with that version" in said


@pytest.mark.parametrize("damage", ["changed", "fewer", "half", "other"])
def test_a_damaged_file_is_refused_and_nothing_is_written(
    school: Database, databases: Databases, tmp_path: Path, damage: str
) -> None:
    path = made(school, tmp_path / "school.zip")
    users = "tables/accounts.User.jsonl"
    match damage:
        case "changed":
            path = rewritten(path, {users: lambda text: text.replace(b'"student"', b'"teacher"', 1)})
        case "fewer":
            path = rewritten(path, {users: lambda text: text[text.index(b"\n") + 1 :]})
        case "half":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        case _:
            path.write_text("name,email\n")
    other = databases.fresh()
    said = refusal(path, other)
    assert "is damaged" in said
    assert not other.ask(User.objects.exists)


def test_rows_that_the_database_refuses_leave_it_as_it_was(
    school: Database, databases: Databases, tmp_path: Path
) -> None:
    """As they could come from a file that somebody has changed by hand, checksums and all."""
    path = made(school, tmp_path / "school.zip")
    with zipfile.ZipFile(path) as archive:
        rows = [json.loads(line) for line in archive.read("tables/classes.Enrolment.jsonl").splitlines()]
    rows[1]["student"] = rows[0]["student"]
    text = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    def sums(manifest: bytes) -> bytes:
        said = json.loads(manifest)
        said["tables"]["classes.Enrolment"]["sha256"] = hashlib.sha256(text).hexdigest()
        return json.dumps(said).encode()

    doubled = rewritten(path, {"tables/classes.Enrolment.jsonl": lambda _: text, "backup.json": sums})
    other = databases.fresh()
    assert "The database refuses a row of the backup" in refusal(doubled, other)
    assert not other.ask(User.objects.exists)
    assert not other.ask(Enrolment.objects.exists)


def test_secrets_are_in_the_file_only_if_asked_for_and_taken_back_only_if_asked_for(
    school: Database, databases: Databases, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "jwt_secret.txt").write_text(f"{folder.name} secret, and long enough to be one")
    where = {"JWT_SECRET": ""}
    bare = made(school, tmp_path / "bare.zip", DATA_DIR=str(old), **where)
    assert b"old secret" not in b"".join(zipfile.ZipFile(bare).read(name) for name in zipfile.ZipFile(bare).namelist())
    full = made(school, tmp_path / "full.zip", "--with-secrets", DATA_DIR=str(old), **where)
    other = databases.fresh()
    restored(full, other, DATA_DIR=str(new), **where)
    assert (new / "jwt_secret.txt").read_text().startswith("new")
    restored(full, other, "--replace", "--with-secrets", DATA_DIR=str(new), **where)
    assert (new / "jwt_secret.txt").read_text().startswith("old")
    assert stat.S_IMODE((new / "jwt_secret.txt").stat().st_mode) == 0o600
    assert "The backup has no secrets" in refusal(bare, other, "--replace", "--with-secrets")
    assert "The environment gives this server's secrets" in refusal(full, other, "--replace", "--with-secrets")


def test_a_backup_that_cannot_be_written_says_so(school: Database, tmp_path: Path) -> None:
    def failure(path: Path) -> subprocess.CompletedProcess[str]:
        return manage("backup", str(path), database=school)

    assert f"{tmp_path} is not a file." in failure(tmp_path).stderr
    assert "Cannot write" in failure(tmp_path / "none" / "school.zip").stderr


def test_every_table_is_in_the_backups_or_left_out_by_name() -> None:
    labels = {model._meta.label for model in apps.get_models()}
    assert labels >= LEFT_OUT
    assert {table.label for table in tables()} == labels - LEFT_OUT


def test_every_column_is_of_a_kind_that_json_carries_whole() -> None:
    kinds = {column.get_internal_type() for table in tables() for column in table.columns if not column.is_relation}
    assert kinds <= {
        *("BooleanField", "CharField", "TextField", "DateField", "DateTimeField", "FloatField", "JSONField"),
        *("IntegerField", "SmallIntegerField", "BigIntegerField"),
        *("PositiveIntegerField", "PositiveSmallIntegerField", "PositiveBigIntegerField"),
    }, "a backup of this column must be tried first"
