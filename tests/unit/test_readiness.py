"""Without a server, or with a wrong setting, a command says in a line what to do; nothing is made, no secret shown."""

import os
import runpy
import subprocess
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.program import command_line
from tests.support.database import run_script
from tests.support.environment import TEST_DATABASE_URL
from tests.support.processes import ROOT

pytestmark = pytest.mark.early

PASSWORD = "tr0ub4dor"

WRONG = {
    "no zone": ({"TIME_ZONE": "Mars/Base"}, "TIME_ZONE is 'Mars/Base'"),
    "no name of a zone": ({"TIME_ZONE": "Europe"}, "TIME_ZONE is 'Europe'"),
    "no port": ({"PORT": "99999"}, "PORT: Must be"),
    "# in a password": ({"DATABASE_URL": f"postgres://u:{PASSWORD}#x@h/db"}, "# as %23"),
    "# behind digits": ({"DATABASE_URL": f"postgres://u:1#{PASSWORD}@h/db"}, "# as %23"),
    "/ in a password": ({"DATABASE_URL": f"postgres://u:1/{PASSWORD}@h/db"}, "/ as %2F"),
    "? in a password": ({"DATABASE_URL": f"postgres://u:1?{PASSWORD}@h/db"}, "? as %3F"),
    "% in a password": ({"DATABASE_URL": f"postgres://u:{PASSWORD}%zz@h/db"}, "% as %25"),
    "/ in MongoDB's password": ({"DATABASE_URL": f"mongodb://u:{PASSWORD}/x@h/db"}, "/ as %2F"),
    "# in the mail server's password": ({"EMAIL_URL": f"smtp://u:{PASSWORD}#x@h:25"}, "EMAIL_URL"),
    "no database": ({"DATABASE_URL": f"postgres://u:{PASSWORD}@h/"}, "names no database"),
    "another kind": ({"DATABASE_URL": f"mysql://u:{PASSWORD}@h/db"}, "must begin with"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_setting_that_is_wrong_is_named_without_its_password(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, words = WRONG[kind]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as failure:
        runpy.run_path(str(ROOT / "attendance_project" / "settings.py"))
    message = str(failure.value)
    assert words in message
    assert PASSWORD not in message
    assert "\n" not in message


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("JWT_SECRET", "DATABASE_URL")}
    environment["DATA_DIR"] = str(folder)
    return run_script("manage.py", *arguments, env=environment)


needs_sqlite = pytest.mark.skipif(bool(TEST_DATABASE_URL), reason="the database is a server's")


@needs_sqlite
@pytest.mark.parametrize(
    "arguments",
    [
        ("demo",),
        ("createsuperuser", "--noinput", "--email", "a@example.com"),
        ("runserver", "0"),
        ("serve", "--port", "0"),
    ],
    ids=" ".join,
)
def test_a_command_in_a_folder_that_is_not_the_servers_makes_nothing(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ran = run(tmp_path / "elsewhere", *arguments)
    assert (ran.returncode, ran.stdout) == (1, "")
    line = ran.stderr.rstrip("\n")
    assert "\n" not in line
    assert f"{tmp_path}/elsewhere has no jwt_secret.txt and attendance.sqlite3. Set DATA_DIR" in line
    assert list(tmp_path.iterdir()) == []


@needs_sqlite
def test_a_command_on_a_database_that_lacks_tables_says_which_command_makes_them(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate", "contenttypes", "--verbosity", "0").returncode == 0
    for arguments in (["demo"], ["createsuperuser", "--noinput", "--email", "a@example.com"]):
        ran = run(tmp_path, *arguments)
        assert ran.returncode == 1
        assert f"migrations. Run: {command_line('migrate')}\n" in ran.stderr
        assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("port", ["99999", "-1", "x"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    ran = run(tmp_path, "serve", f"--port={port}")
    assert ran.returncode == 2
    assert f"{port} is no port: write a number from 0 to 65535" in ran.stderr
