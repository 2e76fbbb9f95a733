"""Making a backup while the server runs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from core.database.backup.archive import Manifest, Writer
from core.database.backup.tables import Names, tables
from core.database.snapshot import snapshot
from core.times import now


def backup(file: IO[bytes], *, secrets: Sequence[Path] = (), advance: Callable[[int], object]) -> Manifest:
    """Writes everything that the database has at one moment, and `secrets`. `advance` is told of rows as they go."""
    with snapshot():
        writer = Writer(file, now())
        names = Names()
        for table in tables():
            for count in writer.table(table.label, table.lines(names)):
                advance(count)
        writer.manifest.left_empty = dict(names.gone)
    for path in secrets:
        writer.secret(path)
    return writer.close()


def count_rows() -> int:
    """About how many rows a backup would have."""
    return sum(table.model._base_manager.count() for table in tables())
