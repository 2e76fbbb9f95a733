"""What `manage.py check` says about who may sign up, at every start."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register

from accounts.console_mail import refuses_all
from accounts.standing import is_open
from core.addresses import is_loopback


@register
def check_signup_fits_the_network(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not is_open() or is_loopback(settings.HOST):
        return []
    return [
        checks.Warning(
            f"SIGNUP=open, and the server listens on {settings.HOST}: whoever reaches it can sign up as a teacher, with"
            " anybody's e-mail address, and see the names and addresses of all students.",
            hint="For a school set SIGNUP to invited, students, domains or closed (docs/operations.md).",
            id="attendance.W005",
        )
    ]


@register
def check_proofs_can_be_mailed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With these policies people sign up by themselves, and count once a mailed code has proved their address."""
    if settings.SIGNUP not in ("students", "domains") or not refuses_all():
        return []
    return [
        checks.Warning(
            f"SIGNUP={settings.SIGNUP} without a mail server: whoever signs up cannot prove their address, so no class"
            " sheet and no teacher can enrol them.",
            hint="Set EMAIL_URL (smtp://user:password@host:587/?tls=True), or vouch for people in the admin.",
            id="attendance.W007",
        )
    ]
