"""Without a server, or with a wrong setting, a command says in a line what to do; nothing is made, no secret shown."""

import os
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from attendance_project import given
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
    "a host with a scheme": (
        {"ALLOWED_HOSTS": "school.example, https://a.example"},
        "without https:// and without a port",
    ),
    "a host with a port": ({"ALLOWED_HOSTS": "school.example:3000"}, "'school.example:3000', which is no host name"),
    "a star in a host": ({"ALLOWED_HOSTS": "*.school.example"}, ".school.example for all that end so"),
    "an origin without a scheme": ({"ALLOWED_ORIGINS": "school.example"}, "which is no origin. Write https://"),
    "an origin with a path": ({"ALLOWED_ORIGINS": "https://school.example/app"}, "nothing behind it"),
    "a star in an origin": ({"ALLOWED_ORIGINS": "https://*.school.example"}, "which is no origin"),
    "a trusted origin without a scheme": ({"CSRF_TRUSTED_ORIGINS": "school.example"}, "CSRF_TRUSTED_ORIGINS has"),
    "a proxy by its name": (
        {"FORWARDED_ALLOW_IPS": "127.0.0.1,proxy.school.example"},
        "FORWARDED_ALLOW_IPS has 'proxy.",
    ),
    "a proxy's network with the bits of a host": ({"FORWARDED_ALLOW_IPS": "10.0.0.1/8"}, "has host bits set"),
    "any proxy and another": ({"FORWARDED_ALLOW_IPS": "*,10.0.0.1"}, "FORWARDED_ALLOW_IPS has '*'"),
    "no network": ({"CHECK_IN_NETWORKS": "10.0.0.0/8, school"}, "CHECK_IN_NETWORKS has 'school', which is no network"),
    "no sender": ({"EMAIL_FROM": "The office"}, "EMAIL_FROM is 'The office', which is no sender of mails"),
    "no mail server": ({"EMAIL_URL": "smtp://"}, "EMAIL_URL names no mail server. Write smtp://"),
    "no mail server's name": ({"EMAIL_URL": f"submission://u:{PASSWORD}@:587"}, "EMAIL_URL names no mail server."),
    "no time of a day": ({"NOTICE_TEACHERS_AT": "25:00"}, "NOTICE_TEACHERS_AT: Write a time of the day"),
    "no second port": ({"CHAT_PORT": "0"}, "CHAT_PORT: Write a number from 1 to 65535, or leave it empty."),
    "nobody to tell": ({"NOTICE_TO": "students, parents"}, "'parents' is none of: students, teachers, guardians."),
    "a short key from before": ({"SECRET_KEY_FALLBACKS": f"{'x' * 32}, {PASSWORD}"}, "shorter than 32 bytes"),
    "another kind": ({"DATABASE_URL": f"mysql://u:{PASSWORD}@h/db"}, "must begin with"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_setting_that_is_wrong_is_named_without_its_password(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, words = WRONG[kind]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as failure:
        read_settings()
    message = str(failure.value)
    assert words in message
    assert PASSWORD not in message
    assert "\n" not in message


def read_settings() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "attendance_project" / "settings.py"))


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


SECRETS = {
    "short": b"abc\n",
    "empty": b"",
    "blank": b" \n" * 40,
    "of another encoding": b"\xff\xfe" + b"secret" * 10,
}


@pytest.mark.parametrize("name", ["JWT_SECRET", "SECRET_KEY"])
@pytest.mark.parametrize("kind", SECRETS)
def test_a_secrets_file_that_has_no_secret_stops_the_start_and_the_line_says_which_and_what_to_do(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv(name)
    file = tmp_path / f"{name.lower()}.txt"
    file.write_bytes(SECRETS[kind])
    with pytest.raises(ImproperlyConfigured) as failure:
        read_settings()
    line = str(failure.value)
    assert line.startswith(f"{file} has no secret of 32 bytes or more")
    assert "Take the file back from its copy, or delete it: serve --setup then makes another." in line
    assert "everybody has to sign in again" in line
    assert "\n" not in line
    file.write_text("just as long as a secret has to be\n")
    assert read_settings()[name] == "just as long as a secret has to be"


BROKEN = {
    "a line without a sign": (b"# a comment\n\nPORT=3000\n\nhunter2 tr0ub4dor\nHOST=::\n", "Line 5 of "),
    "a name alone": (b"PORT=3000\nWORKERS\n", "Line 2 of "),
    "a quote that nothing closes": (b"PORT=3000\r\nOIDC_NAME='tr0ub4dor\r\n", "Line 2 of "),
    "another encoding": ("OIDC_NAME=Schüle".encode("latin-1"), "is not UTF-8. Save it as a text file with UTF-8."),
    "two bytes a letter": ("OIDC_NAME=School".encode("utf-16-le"), "is not UTF-8."),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_of_settings_stops_the_start_by_a_line_that_shows_none_of_it(kind: str, tmp_path: Path) -> None:
    content, words = BROKEN[kind]
    file = tmp_path / ".env"
    file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured) as failure:
        given.env_file(file, Env())
    line = str(failure.value)
    assert str(file) in line
    assert words in line
    assert PASSWORD not in line
    assert "\n" not in line


def test_a_folder_in_the_place_of_the_settings_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"Cannot read .*: Is a directory\."):
        given.env_file(tmp_path, Env())


def test_a_file_of_settings_is_read_beside_the_program_alone_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIME_ZONE", "Europe/Berlin")
    (tmp_path / ".env").write_bytes("\ufeff# a comment\nexport HOST = 'a b' # of mine\nTIME_ZONE=UTC\n".encode())
    inner = tmp_path / "inner"
    inner.mkdir()
    env = Env()
    given.env_file(inner / ".env", env)
    assert env.str("HOST", "none") == "none"
    given.env_file(tmp_path / ".env", env)
    assert (env.str("HOST"), env.str("TIME_ZONE")) == ("a b", "Europe/Berlin")


def test_what_a_rehearsal_leaves_out_is_gone_from_the_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "::")
    (tmp_path / ".env").write_text("EMAIL_URL=smtp://mail.school.example\nPORT=3001\n")
    env = given.Given()
    given.env_file(tmp_path / ".env", env)
    env.leave_out(("EMAIL_URL", "HOST"))
    assert [env.str(name, "") for name in ("EMAIL_URL", "HOST", "PORT")] == ["", "", "3001"]


RIGHT = {
    "blanks and a comma too many": ({"CHECK_IN_NETWORKS": "10.0.0.0/8, 2001:db8::/32 ,"}, "CHECK_IN_NETWORKS"),
    "blanks around roles": ({"NOTICE_TO": " students , teachers"}, "NOTICE_TO"),
    "a port that is empty": ({"CHAT_PORT": "", "TRUST_PORT": " "}, "CHAT_PORT"),
    "hosts": ({"ALLOWED_HOSTS": "School.example, .school.example,[::1],127.0.0.1,my_host"}, "ALLOWED_HOSTS"),
    "origins": ({"ALLOWED_ORIGINS": "HTTPS://School.example/, capacitor://localhost,null"}, "ALLOWED_ORIGINS"),
    "trusted origins": ({"CSRF_TRUSTED_ORIGINS": "https://*.school.example/"}, "CSRF_TRUSTED_ORIGINS"),
    "proxies": ({"FORWARDED_ALLOW_IPS": "10.0.0.1, 2001:db8::/32"}, "FORWARDED_ALLOW_IPS"),
    "any proxy": ({"FORWARDED_ALLOW_IPS": "*"}, "FORWARDED_ALLOW_IPS"),
    "no proxy": ({"FORWARDED_ALLOW_IPS": ""}, "FORWARDED_ALLOW_IPS"),
    "a sender with a name": ({"EMAIL_FROM": "Our school <office@school.example>"}, "DEFAULT_FROM_EMAIL"),
}
TAKEN = {
    "blanks and a comma too many": ["10.0.0.0/8", "2001:db8::/32"],
    "blanks around roles": ["students", "teachers"],
    "a port that is empty": None,
    "hosts": ["School.example", ".school.example", "[::1]", "127.0.0.1", "my_host"],
    "origins": ["https://school.example", "capacitor://localhost", "null"],
    "trusted origins": ["https://*.school.example"],
    "proxies": "10.0.0.1,2001:db8::/32",
    "any proxy": "*",
    "no proxy": "",
    "a sender with a name": "Our school <office@school.example>",
}


@pytest.mark.parametrize("kind", RIGHT)
def test_a_setting_is_taken_as_it_is_meant(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, name = RIGHT[kind]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert read_settings()[name] == TAKEN[kind]
