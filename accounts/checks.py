"""What `manage.py check` says about who may sign up, at every start."""

import ipaddress
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register

from accounts.standing import is_open


@register
def check_signup_fits_the_network(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not is_open() or _is_loopback(settings.HOST):
        return []
    return [
        checks.Warning(
            f"SIGNUP=open, and the server listens on {settings.HOST}: whoever reaches it can sign up as a teacher, with"
            " anybody's e-mail address, and see the names and addresses of all students.",
            hint="For a school set SIGNUP to invited, students, domains or closed (docs/operations.md).",
            id="attendance.W005",
        )
    ]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
