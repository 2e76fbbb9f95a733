"""The signals that make the live server look at the database at once, instead of within a second."""

from typing import Any

from django.dispatch import receiver

from accounts.signals import accounts_changed
from attendance.live.process import live
from attendance.signals import session_changed
from classes.signals import roster_changed


@receiver([session_changed, roster_changed, accounts_changed])
def look_again(**kwargs: Any) -> None:
    live.notice()
