"""Files are for their owner alone whatever the umask, and a process that is killed leaves no half one."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import files
from core.files import is_private, private_file, private_folder, replaced
from tests.support.environment import JWT_SECRET
from tests.support.processes import ROOT

#: Writes half of a file, says so, and waits to be killed.
HALF = """
import sys
from pathlib import Path
import django
django.setup()
from attendance import workbook
from attendance.report_tables import Table
from core.spreadsheets import write_csv
from core.files import replaced

def lines():
    yield ["1", "Asha"]
    yield ["2", "Ravi"] * 8_000
    print("half", flush=True)
    sys.stdin.read()

path = Path(sys.argv[1])
with replaced(path) as file:
    if path.suffix == ".xlsx":
        workbook.write(file, [Table("Attendance", lines)])
    else:
        import io
        write_csv(io.TextIOWrapper(file, write_through=True), lines())
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_new_folder_and_what_is_made_in_it_are_their_owners_alone(umask: int, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "school"
    private_folder(folder)
    private_file(folder / "database")
    with replaced(folder / "export.csv") as file:
        file.write(b"Asha")
    assert [mode(folder), mode(folder / "database"), mode(folder / "export.csv")] == [0o700, 0o600, 0o600]
    assert (folder / "export.csv").read_bytes() == b"Asha"


def test_a_file_that_others_can_read_is_taken_away_from_them_with_its_content(tmp_path: Path) -> None:
    path = tmp_path / "database"
    path.write_text("rows")
    path.chmod(0o664)
    assert not is_private(path)
    private_file(path)
    assert (mode(path), path.read_text()) == (0o600, "rows")


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path)
    assert mode(tmp_path) == 0o755


def test_where_no_file_can_be_made_nothing_is_said_yet(tmp_path: Path) -> None:
    private_file(tmp_path / "no folder" / "database")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_where_the_system_has_none_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_without_name", lambda folder: None)
    path = tmp_path / "out.csv"
    path.write_text("older")
    with replaced(path) as file:
        file.write(b"newer")
        assert path.read_text() == "older"
    assert (path.read_text(), mode(path), [found.name for found in tmp_path.iterdir()]) == ("newer", 0o600, ["out.csv"])
    with pytest.raises(MemoryError), replaced(path) as file:
        raise MemoryError
    assert (path.read_text(), [found.name for found in tmp_path.iterdir()]) == ("newer", ["out.csv"])


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="this system has no files without a name")
@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_an_export_that_is_killed_leaves_nothing_anywhere(tmp_path: Path, name: str) -> None:
    exports, temporary = tmp_path / "exports", tmp_path / "temporary"
    exports.mkdir()
    temporary.mkdir()
    export = subprocess.Popen(
        [sys.executable, "-c", HALF, str(exports / name)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with export:
        assert export.stdout is not None
        assert export.stdout.readline() == b"half\n"
        export.kill()
    assert (list(exports.iterdir()), list(temporary.iterdir())) == ([], [])


@pytest.mark.long
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_migrate_makes_data_dir_for_its_owner_alone_with_all_that_is_in_it(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "data"
    environment = {name: value for name, value in os.environ.items() if name not in ("JWT_SECRET", "DATABASE_URL")}
    environment["DATA_DIR"] = str(folder)
    migrate = [sys.executable, "manage.py", "migrate", "contenttypes", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, umask=umask, check=True)
    names = ("attendance.sqlite3", "attendance.sqlite3-shm", "attendance.sqlite3-wal", "jwt_secret.txt")
    # The connection stays open, so that SQLite's files beside the database's are there.
    code = "from django.db import connection as c; c.cursor().execute('create table a (b)'); input()"
    with subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT,
        env=environment,
        umask=umask,
        stdin=subprocess.PIPE,
    ) as start:
        while not all((folder / name).exists() for name in names):
            assert start.poll() is None
        made = {path.name: mode(path) for path in folder.iterdir()}
        start.communicate(b"\n", timeout=60)
    assert JWT_SECRET not in (folder / "jwt_secret.txt").read_text()
    assert (mode(folder), {name: made[name] for name in names}) == (0o700, dict.fromkeys(names, 0o600))
