"""Whether the database is as the code expects it."""

from django.db import connection
from django.db.migrations.loader import MigrationLoader


def missing_migrations() -> int:
    """How many migrations the database has not had yet; one of DATABASE_ERRORS if it does not answer."""
    loader = MigrationLoader(connection)
    applied = loader.applied_migrations or {}
    return sum(node not in applied for node in loader.graph.nodes)
