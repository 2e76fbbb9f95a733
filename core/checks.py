"""What `manage.py check` says about this project's own settings, at every start."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register


@register
def check_debug_is_off(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [
        checks.Warning(
            "DEBUG is on: crashes in the admin show settings and source code.",
            hint="Leave DEBUG unset wherever others can reach the server.",
            id="attendance.W001",
        )
    ]
