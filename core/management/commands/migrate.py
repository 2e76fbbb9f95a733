"""`manage.py migrate`: Django's command, which makes the server's own files first where they are missing."""

from typing import Any

from django.core.management.commands import migrate

from core import own_files


class Command(migrate.Command):
    def execute(self, *args: Any, **options: Any) -> str | None:
        own_files.make()
        return super().execute(*args, **options)
