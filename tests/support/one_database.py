"""Which tests run on one database only, on SQLite: those that cannot tell one database from another.

A new test runs on every database. Two kinds do not:

- A test that asks for no database, by mark or by fixture. pytest-django lets nobody else at one.
- A test, or a module's tests, marked `one_database("why")`.

`python -m pytest --collect-only -q -m one_database` lists the marked ones.
"""

import pytest

#: Whoever gets at a database needs one of these, of pytest-django's or of tests/conftest.py.
_FIXTURES = {"db", "transactional_db", "unblock"}


def runs_on_one(item: pytest.Item) -> bool:
    """Whether the test runs on SQLite alone. `pytest.UsageError` for a mark that does not say why."""
    for mark in item.iter_markers("one_database"):
        if len(mark.args) != 1 or not isinstance(mark.args[0], str) or mark.kwargs:
            raise pytest.UsageError(f'{item.nodeid}: say why, as in one_database("It reads no row.")')
    return item.get_closest_marker("one_database") is not None or not _asks_for_a_database(item)


def _asks_for_a_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or not _FIXTURES.isdisjoint(fixtures)
