from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        import accounts.checks  # noqa: F401

        post_migrate.connect(_make_version_row, sender=self)


def _make_version_row(using: str, apps: Any = installed, **kwargs: Any) -> None:
    """Makes the one row of AccountsVersion, so that no requests race to insert the row later."""
    try:
        version = apps.get_model("accounts", "AccountsVersion")
    except LookupError:
        return  # an older migration's state has no such model
    version.objects.using(using).get_or_create()
