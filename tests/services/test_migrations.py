"""The migrations say all that the models say, and go on wherever they were interrupted."""

import pytest
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from accounts.models import SecondFactor
from core.database.missing_migrations import missing_migrations
from core.sealing import unseal
from tests.support.database import Databases
from tests.support.environment import TEST_DATABASE_URL
from tests.support.migrations import interrupt


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.skipif(not TEST_DATABASE_URL.startswith("mongodb"), reason="elsewhere a migration is a transaction")
def test_every_migration_goes_on_after_whichever_step_it_was_interrupted(databases: Databases) -> None:
    def migrate() -> int:
        connection = connections[DEFAULT_DB_ALIAS]
        executor = MigrationExecutor(connection)
        for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
            for step in range(len(migration.operations)):
                interrupt((migration.app_label, migration.name), step)
            MigrationExecutor(connection).migrate([(migration.app_label, migration.name)])
        return missing_migrations()

    assert databases.empty().ask(migrate) == 0


def test_an_upgrade_encrypts_the_second_factors_that_stand(databases: Databases) -> None:
    secret, name = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "0010_sealed_second_factors"

    def upgrade() -> tuple[str, str]:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        old = executor.migrate([("accounts", "0009_second_factor")]).apps
        user = old.get_model("accounts", "User").objects.create(name="Root", email="root@example.com", password="!")
        old.get_model("accounts", "SecondFactor").objects.create(user=user, secret=secret, last_step=1)
        interrupt(("accounts", name), 1)
        executor.loader.build_graph()
        executor.migrate([("accounts", name)])
        sealed: str = SecondFactor.objects.get().secret
        executor.loader.build_graph()
        executor.migrate([("accounts", "0009_second_factor")])
        return sealed, SecondFactor.objects.get().secret

    sealed, and_back = databases.empty().ask(upgrade)
    assert secret not in sealed
    assert unseal(sealed, purpose="accounts.second_factor") == secret
    assert and_back == secret
