"""Whether the database has the tables that the code expects."""

from django.db import connection
from django.db.migrations.loader import MigrationLoader


def missing_migrations() -> int:
    """How many migrations are still to be applied. Raises one of DATABASE_ERRORS if the database does not answer."""
    loader = MigrationLoader(connection)
    applied = loader.applied_migrations or {}
    return sum(node not in applied for node in loader.graph.nodes)
