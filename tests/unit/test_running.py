"""A command finds the server that runs beside it, as long as that runs, and no other's."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from core import running
from core.running import Running, found, told

HERE = Running("http://127.0.0.1:3000", "", "")
OPEN = Running("https://localhost:4000", "https://10.1.2.3:4000", "/var/lib/attendance/lan/authority.crt")


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    settings.DATA_DIR = tmp_path
    yield tmp_path / "running"
    assert not list((tmp_path / "running").glob("*"))


def test_a_server_is_found_as_long_as_it_runs(folder: Path) -> None:
    assert found() is None
    with told(HERE):
        assert found() == HERE
        assert {path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())} == {0o700, 0o600}
    assert found() is None


def test_of_several_it_is_one_that_others_reach_and_of_these_the_last() -> None:
    older = Running("http://localhost:5000", "http://10.1.2.3:5000", "")
    with told(older):
        for path in running.folder().iterdir():
            os.utime(path, (0, 0))
        with told(OPEN):
            with told(HERE):
                assert found() == OPEN
            assert found() == OPEN
        assert found() == older


def test_a_server_that_was_killed_is_not_found_and_the_next_one_clears_up(folder: Path) -> None:
    there, here = os.pipe()
    child = os.fork()
    if not child:
        with told(OPEN):
            os.write(here, b".")
            signal.pause()
    os.read(there, 1)
    seen = found()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert seen == OPEN
    assert len(list(folder.iterdir())) == 1
    assert found() is None
    with told(HERE):
        assert found() == HERE
        assert len(list(folder.iterdir())) == 1


def test_a_server_with_another_database_or_other_secrets_is_not_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with told(OPEN):
        with monkeypatch.context() as elsewhere:
            elsewhere.setitem(settings.DATABASES["default"], "HOST", "elsewhere")
            assert found() is None
        assert found() == OPEN
        settings.SECRET_KEY = "another secret"
        assert found() is None


def test_nothing_of_the_databases_address_stands_in_the_file(settings: Settings, folder: Path) -> None:
    with told(OPEN):
        (path,) = folder.iterdir()
        said = json.loads(path.read_bytes())
    assert len(said.pop("database")) == 64
    assert Running(**said) == OPEN


def test_what_cannot_be_read_is_passed_over(folder: Path) -> None:
    with told(OPEN):
        for name, content in {"half.json": b'{"own":', "list.json": b"[]", "other.json": b'{"database":1}'}.items():
            (folder / name).write_bytes(content)
        (folder / "folder.json").mkdir()
        assert found() == OPEN
        (folder / "folder.json").rmdir()
        with told(HERE):
            assert len(list(folder.iterdir())) == 2


def test_where_nothing_can_be_written_the_server_runs_all_the_same(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.DATA_DIR = tmp_path / "file"
    with told(OPEN):
        assert found() is None
