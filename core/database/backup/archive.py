"""A backup's file: a zip with `tables/LABEL.jsonl` for each table, and `backup.json` (`Manifest`), its last member.

`format` is raised when an older server would misread the file. `rows` and `sha256` are those of each table's lines.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

FORMAT = 1
MANIFEST = "backup.json"
SECRETS = "secrets/"


class BackupError(Exception):
    """Says in a line why there is no backup, or why it cannot be restored."""


def left_empty(gone: Mapping[str, int]) -> str:
    """The line that says which references were left empty: what they named → how often."""
    return f"References to what is gone are left empty: {', '.join(f'{name} ({gone[name]})' for name in sorted(gone))}."


class Part(msgspec.Struct):
    """One table of the backup."""

    rows: int
    sha256: str


class Manifest(msgspec.Struct):
    """What `backup.json` says."""

    format: int
    #: The project's version.
    version: str
    made_at: datetime
    #: Which database it came from: sqlite, postgresql or mongodb.
    database: str
    #: App → its migrations. They say what the tables' columns are.
    migrations: dict[str, list[str]]
    tables: dict[str, Part]
    secrets: list[str] = []
    #: What was gone though something referred to it → how often.
    left_empty: dict[str, int] = {}

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.tables.values())


def migrations() -> dict[str, list[str]]:
    """App → the migrations that the database has. Django's own apps have others on MongoDB, and are left out."""
    own = {config.label for config in apps.get_app_configs() if not config.name.startswith("django.")}
    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        if app in own:
            found.setdefault(app, []).append(name)
    return found


class Writer:
    """Writes a backup's file."""

    def __init__(self, file: IO[bytes], made_at: datetime) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.manifest = Manifest(FORMAT, settings.VERSION, made_at, connection.vendor, migrations(), {})

    def table(self, label: str, lines: Iterator[Sequence[bytes]]) -> Iterator[int]:
        """Writes a table; yields how many rows each step has written."""
        digest, rows = hashlib.sha256(), 0
        with self._zip.open(_place(label), "w", force_zip64=True) as file:
            for some in lines:
                text = b"".join(line + b"\n" for line in some)
                file.write(text)
                digest.update(text)
                rows += len(some)
                yield len(some)
        self.manifest.tables[label] = Part(rows, digest.hexdigest())

    def secret(self, path: Path) -> None:
        self._zip.writestr(SECRETS + path.name, path.read_bytes())
        self.manifest.secrets.append(path.name)

    def close(self) -> Manifest:
        self._zip.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(self.manifest), indent=1))
        self._zip.close()
        return self.manifest


class Reader:
    """Reads a backup's file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        self.manifest = _manifest(archive)

    def lines(self, label: str) -> Iterator[bytes]:
        """The table's lines, each with its line break."""
        with self._zip.open(_place(label)) as file:
            yield from file

    def check(self, label: str) -> Iterator[int]:
        """Yields 1 for each row. Raises `BackupError` if the lines are not those that were written."""
        digest, rows = hashlib.sha256(), 0
        for line in self.lines(label):
            digest.update(line)
            rows += 1
            yield 1
        if self.manifest.tables[label] != Part(rows, digest.hexdigest()):
            raise BackupError(f"The file is damaged: {label} is not as it was written.")

    def secret(self, name: str) -> bytes:
        return self._zip.read(SECRETS + name)


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Opens a backup. Raises `BackupError` for any other file, and wherever one turns out to be damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield Reader(archive)
    except OSError as failure:
        raise BackupError(f"Cannot read {path}: {failure.strerror or failure}.") from None
    except (zipfile.BadZipFile, zipfile.zlib.error, KeyError, EOFError) as failure:  # type: ignore[attr-defined]
        raise BackupError(f"{path} is no backup, or is damaged: {failure}") from None


def _place(label: str) -> str:
    return f"tables/{label}.jsonl"


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    text = archive.read(MANIFEST)
    try:
        made = msgspec.json.decode(text, type=dict[str, object]).get("format")
        if not isinstance(made, int):
            raise BackupError("The file says no format.")
        if made > FORMAT:
            raise BackupError(
                f"The backup has format {made}, and this server reads {FORMAT}: a newer version made it. Update this"
                " server first."
            )
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as failure:
        raise BackupError(f"{MANIFEST} of the file cannot be read: {failure}") from None
