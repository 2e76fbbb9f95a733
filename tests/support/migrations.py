"""Migrations that are interrupted, as a crash does it."""

from typing import Any
from unittest.mock import patch

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor


class Interrupted(Exception):
    """The process is gone."""


def interrupt(node: tuple[str, str], step: int) -> None:
    """Migrates up to `node`, (app, name), and stops right after that migration's `step`, 0 and up."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    operation = executor.loader.get_migration(*node).operations[step]
    forwards = operation.database_forwards

    def last(*args: Any) -> None:
        forwards(*args)
        raise Interrupted

    with patch.object(operation, "database_forwards", last), pytest.raises(Interrupted):
        executor.migrate([node])
