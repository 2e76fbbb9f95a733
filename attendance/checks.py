"""What `manage.py check` says about live sessions, at every start."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register

from core.addresses import is_loopback


@register
def check_one_live_session_fits_the_school(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.LIVE_SESSIONS != "single" or is_loopback(settings.HOST):
        return []
    return [
        checks.Warning(
            "LIVE_SESSIONS=single: a teacher who starts a class sets the lesson of every other teacher aside.",
            hint="For a school with several teachers set LIVE_SESSIONS=per-class.",
            id="attendance.W006",
        )
    ]
