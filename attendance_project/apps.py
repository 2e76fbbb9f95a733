"""Django's own apps, as this project configures them."""

from typing import Any

from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import CheckMessage, Tags, register


class Admin(SimpleAdminConfig):
    """The admin, with this project's sign-in.

    Its pages are loaded with the routes and for the system checks. Most commands use neither, and start sooner.
    """

    default_site = "accounts.admin_site.AttendanceAdmin"

    def ready(self) -> None:
        register(_check_admin, Tags.admin)


def _check_admin(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Django's checks of the admin, on pages that are there."""
    autodiscover()
    return [*check_dependencies(), *check_admin_app(app_configs)]
