"""Taking a backup back: checked before anything is written, and compared with the file, row by row, afterwards."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import DataError, IntegrityError, connection

from core.database.backup.archive import BackupError, Reader, migrations
from core.database.backup.tables import BATCH, FORGOTTEN, Content, Names, Table, tables
from core.database.batches import insert_as_they_are
from core.database.snapshot import see_one_moment
from core.database.unit_of_work import unit_of_work
from core.plurals import counted

#: Told of what is done: which step, and of how many rows.
Advance = Callable[[str, int], object]


def restore(backup: Reader, *, replace: bool, advance: Advance) -> dict[str, int]:
    """Fills the database with the backup's rows, and proves that they are there.

    Returns what this server does not have though rows refer to it, which is left empty → how often.

    Raises `BackupError` for a file that is damaged or does not fit, and, unless `replace`, for a database in which
    anybody has an account. Then the database is as before. On MongoDB, where no transaction may be that long, it is
    empty after a failure that comes later than those.
    """
    _check(backup, advance)
    try:
        if connection.vendor == "mongodb":
            return _without_transaction(backup, replace, advance)
        return unit_of_work(_fill)(backup, replace, advance)
    except (IntegrityError, DataError) as failure:
        reason = str(failure).partition("\n")[0]
        raise BackupError(f"The database refuses a row of the backup: {reason}") from None


def _check(backup: Reader, advance: Advance) -> None:
    here, there = migrations(), backup.manifest.migrations
    differ = [app for app in sorted({*here, *there}) if here.get(app) != there.get(app)]
    labels = {table.label for table in tables()}
    if differ or labels != backup.manifest.tables.keys():
        raise BackupError(
            f"The backup is from version {backup.manifest.version}, whose tables differ"
            f" ({', '.join(differ or sorted(labels ^ backup.manifest.tables.keys()))}). Restore it with that version,"
            " then update."
        )
    for label in sorted(labels):
        for count in backup.check(label):
            advance("Checking", count)


def _without_transaction(backup: Reader, replace: bool, advance: Advance) -> dict[str, int]:
    _require_empty(replace)
    try:
        return _fill(backup, True, advance)
    except BaseException:
        _clear()
        raise


def _fill(backup: Reader, replace: bool, advance: Advance) -> dict[str, int]:
    see_one_moment()
    _require_empty(replace)
    _clear()
    names = Names()
    for table in tables():
        for contents in _contents(backup, table, names):
            insert_as_they_are(table.model, [content.row for content in contents], table.columns)
            advance("Writing", len(contents))
    gone = dict(names.gone)
    names = Names()  # with the rows that are there now
    for table in tables():
        if table.links:
            for contents in _contents(backup, table, names):
                _link(table.linking(contents, names))
    for table in tables():
        for count in _compare(backup, table, names):
            advance("Comparing", count)
    return gone


def _require_empty(replace: bool) -> None:
    if not replace and get_user_model()._base_manager.exists():
        raise BackupError(
            "The database has accounts already. Restore into an empty one, or lose all that is there: --replace"
        )


def _clear() -> None:
    """Deletes every row that a backup may have. What refers to it is deleted as well, or the database refuses."""
    labels = {table.label for table in tables()} | FORGOTTEN
    for model in apps.get_models(include_auto_created=True):
        made_for: Any = model._meta.auto_created or model
        if made_for._meta.label in labels:
            rows: Any = model._base_manager.all()
            rows._raw_delete(rows.db)  # no signals, and no reading of what refers to it


def _contents(backup: Reader, table: Table, names: Names) -> Iterator[Sequence[Content]]:
    contents = (table.decode(line, names) for line in backup.lines(table.label))
    while some := list(islice(contents, BATCH)):
        yield some


def _link(rows: Iterable[Any]) -> None:
    by_table: dict[Any, list[Any]] = {}
    for row in rows:
        by_table.setdefault(type(row), []).append(row)
    for model, found in by_table.items():
        model._base_manager.bulk_create(found)


def _compare(backup: Reader, table: Table, names: Names) -> Iterator[int]:
    """Yields how many rows are as the backup has them. Raises `BackupError` where one is not, or their number."""
    same = 0
    numbered = table.lines(names) if table.is_numbered else None
    for contents in _contents(backup, table, names):
        wanted = [table.line(content, names) for content in contents]
        found = next(numbered, []) if numbered is not None else table.lines_of(contents, names)
        if wanted != found:
            raise BackupError(f"{table.label} is not as the backup has it, after row {same}.")
        same += len(found)
        yield len(found)
    if same != backup.manifest.tables[table.label].rows:
        raise BackupError(f"{table.label} has {counted(same, 'row')}, and the backup has another number.")
