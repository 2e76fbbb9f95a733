"""The commands of docs/deploy.md and docs/operations.md do what the pages say."""

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.support.clients import PASSWORD
from tests.support.database import Databases
from tests.support.documented import PAGES, commands, documented, run, to_run
from tests.support.postgresql import PostgresServer, binaries
from tests.support.processes import ROOT
from tests.support.server import Server

pytestmark = [
    pytest.mark.long,
    pytest.mark.one_database("Each command is for a database of its own kind."),
    pytest.mark.skipif(os.name != "posix", reason="the pages are for Linux"),
]

DEPLOY, OPERATIONS = PAGES

#: What the tests below run, but for the commands of manage.py that operations.md lists, which have tests of their own.
RUN = {
    DEPLOY: (
        *("manage.py backup /var", "dropdb", "createdb", "pg_dump", "pg_restore", "manage.py migrate"),
        *("sqlite3 /var", "rm -f", "cp /var", "tar czf", "before.zip", "2026-11-21.zip"),
        *("set -e", "mkdir -m 700 /tmp", "trap 'rm", "export DATA_DIR", "find_doubles", "$(ls -t /var/backups"),
    ),
    OPERATIONS: ("curl -fsS", "df -h", "getpass", "journalctl", "manage.py "),
}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_run_here_or_marked(page: str) -> None:
    shells = ("(", ")")
    assert [line for line in to_run(page) if line not in shells and not any(text in line for text in RUN[page])] == []
    assert [text for text in RUN[page] if not any(text in line for line in commands(page))] == []


class Places:
    """Folders in the place of those that the pages name, and the environment of a server on SQLite."""

    def __init__(self, folder: Path) -> None:
        self.data, self.backups, self.project = (folder / name for name in ("data", "backups", "project"))
        self.rehearsal, self.cwd = folder / "rehearsal", folder
        for place in (self.data, self.backups, self.project):
            place.mkdir(mode=0o700)
        self.environment = {
            "DATA_DIR": str(self.data),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "SECRET_KEY": "",
            "JWT_SECRET": "",  # the server's own, as on the page
        }

    @property
    def database(self) -> Path:
        return self.data / "attendance.sqlite3"

    def run(self, command: str, cwd: Path = ROOT, **environment: str) -> str:
        return run(
            command,
            {**self.environment, **environment},
            data=self.data,
            backups=self.backups,
            project=self.project,
            rehearsal=self.rehearsal,
            cwd=cwd,
        )

    def people(self) -> int:
        with closing(sqlite3.connect(self.database)) as connection:
            return int(connection.execute("SELECT count(*) FROM accounts_user").fetchone()[0])


@pytest.fixture
def school(tmp_path: Path) -> Places:
    """A small school on SQLite: the demo's 31 people."""
    places = Places(tmp_path)
    places.run("python manage.py migrate")
    places.run("python manage.py demo")
    assert places.people() == 31
    return places


def unit(name: str) -> str:
    """A value of the page's units, as systemd reads it."""
    found = re.findall(rf"^{name}=(.*)$", (ROOT / DEPLOY).read_text(), re.MULTILINE)
    return str(found[-1]).replace("%%", "%")


def test_the_timer_makes_a_backup_each_night_deletes_old_ones_and_a_rehearsal_takes_it_back(school: Places) -> None:
    old = school.backups / "2020-01-01.zip"
    old.touch()
    os.utime(old, (time.time() - 40 * 86400,) * 2)
    school.run(re.sub(r"^/bin/sh -c '(.*)'$", r"\1", unit("ExecStart")))
    school.run(unit("ExecStartPost"))
    (made,) = school.backups.iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d\.zip", made.name)

    before = school.backups / "before.zip"  # of an update the day before: no zip, and the last by its name
    before.touch()
    os.utime(before, (time.time() - 86400,) * 2)
    lines = to_run(DEPLOY)
    said = school.run("\n".join(lines[lines.index("(") : lines.index(")") + 1]))
    assert re.search(r"\d+ rows of \d+ tables are back", said)
    assert not school.rehearsal.exists()
    assert school.people() == 31


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="needs sqlite3")
def test_sqlites_own_copy_is_put_back(school: Places) -> None:
    school.run(documented(DEPLOY, '".backup'))
    with closing(sqlite3.connect(school.database, isolation_level=None)) as connection:
        connection.execute("DELETE FROM accounts_user")
    assert school.people() == 0
    school.run(documented(DEPLOY, "rm -f"))
    school.run(documented(DEPLOY, "cp /var"))
    assert school.people() == 31


def test_the_secrets_are_saved_with_the_settings(school: Places, tmp_path: Path) -> None:
    (school.project / ".env").write_text("HOST=127.0.0.1\n")
    school.run(documented(DEPLOY, "tar czf"), cwd=tmp_path)
    names = school.run("tar tzf attendance-secrets.tgz", cwd=tmp_path)
    assert set(names.split()) == {"secret_key.txt", "jwt_secret.txt", ".env"}
    assert (tmp_path / "attendance-secrets.tgz").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    if binaries() is None:
        pytest.skip("needs PostgreSQL")
    server = PostgresServer(durable=False)
    try:
        yield server.start()
    finally:
        server.close()


def test_a_database_of_postgresql_is_dumped_dropped_and_restored_by_its_tools_and_by_ours(
    postgresql: PostgresServer, tmp_path: Path
) -> None:
    places = Places(tmp_path)
    places.environment |= {
        "DATABASE_URL": f"postgres://attendance@127.0.0.1:{postgresql.port}/attendance",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgresql.port),
        "PGUSER": "postgres",
        "PATH": f"{postgresql.place}:{os.environ['PATH']}",
    }

    def people() -> int:
        with psycopg.connect(postgresql.database_url("attendance")) as connection:
            row = connection.execute("SELECT count(*) FROM accounts_user").fetchone()
        assert row is not None
        return int(row[0])

    def type_in(*texts: str) -> None:
        for text in texts:
            places.run(documented(DEPLOY, text), cwd=tmp_path if "pg_" in text else ROOT)

    with psycopg.connect(postgresql.database_url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE attendance LOGIN")
    type_in("createdb")
    places.run("python manage.py migrate")
    places.run("python manage.py demo")
    before = "manage.py backup /var/backups/attendance/before.zip"
    type_in(before, "pg_dump", "dropdb", "createdb", "pg_restore")
    assert people() == 31
    migrate = "sudo -u attendance .venv/bin/python manage.py migrate"
    type_in("dropdb", "createdb", migrate, "restore /var/backups/attendance/before.zip")
    assert people() == 31
    (places.backups / "before.zip").rename(places.backups / "2026-11-21.zip")
    type_in("dropdb", "createdb", migrate, "2026-11-21.zip")
    assert people() == 31


def test_a_password_is_printed_as_it_stands_in_an_address() -> None:
    assert run(documented(OPERATIONS, "getpass"), {}, given="p@ss/w ord\n").strip().endswith("p%40ss%2Fw%20ord")


@pytest.mark.skipif(shutil.which("jq") is None or shutil.which("curl") is None, reason="needs jq and curl")
def test_the_log_is_read_and_the_server_watched(databases: Databases) -> None:
    with Server(databases.fresh(), LOG_FORMAT="json") as server:
        run(documented(OPERATIONS, "curl -fsS").replace("3000", str(server.port)), {})
        assert "%" in run(documented(OPERATIONS, "df -h"), {})
        body = {"email": "nobody@example.com", "password": PASSWORD}
        while True:
            headers = {"X-Request-ID": "request-that-is-looked-up"}
            answer = httpx.post(f"{server.url}/auth/login", json=body, headers=headers, timeout=60)
            if answer.status_code == 429:
                break
        journal = r"journalctl -u attendance -o cat(?: --since today)?"
        read = {
            text: run(re.sub(journal, f"cat {server.log}", documented(OPERATIONS, text)), {})
            for text in ("limit_reached", "sign_in_failed")
        }
        lines = documented(OPERATIONS, "grep REQUEST_ID").replace("REQUEST_ID", "request-that-is-looked-up")
        read["request"] = run(re.sub(journal, f"cat {server.log}", lines), {})
    assert '"event":"limit_reached"' in read["limit_reached"].replace(" ", "")
    assert "127.0.0.1" in read["sign_in_failed"]
    assert "request-that-is-looked-up" in read["request"]
