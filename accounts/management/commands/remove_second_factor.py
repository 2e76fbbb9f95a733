"""`manage.py remove_second_factor`: for whoever has lost the phone and the recovery codes."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from accounts import second_factor
from accounts.models import User
from audit import trail
from audit.models import Action
from core.commands import ExplainedCommand


class Command(ExplainedCommand):
    help = "Takes the admin's second factor away from an account. The password alone then opens the admin again."
    example = "  python manage.py remove_second_factor admin@attendance.local\n"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="the account's e-mail")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.by_email(email)
        if user is None:
            raise CommandError(f"Nobody has the e-mail {email}.")
        if not second_factor.remove(user):
            raise CommandError(f"{email} has no second factor.")
        trail.command(Action.CHANGE, "remove_second_factor", kind="user", thing=user.pk)
        self.stdout.write(f"{email} has no second factor any more.")
