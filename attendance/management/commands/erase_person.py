"""`manage.py erase_person`: who somebody is goes from everywhere; what was counted stays."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.models import User
from attendance.erasure import Plan, erasure_plan, person_erase
from audit import trail
from audit.models import Action
from core import errors
from core.commands import ExplainedCommand, printable
from core.ids import parse_id

EXAMPLE = """\
  python manage.py erase_person asha@example.com --dry-run
  python manage.py erase_person 65f1a2b3c4d5e6f708192a3b
"""
#: What has to be typed.
_WORD = "erase"


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Erases a person: name, addresses, roll number, profile, guardian's address, devices, places, and every note\n"
        "about them or with their full name in it. The account can sign in nowhere any more, and is on no roster.\n"
        "Marks and records stay without a name, so that a class's counts add up as before.\n\n"
        "Nothing is erased of a person in a lesson that is open, of a teacher who has classes (give them away or\n"
        "archive them first), and of somebody with rights in the admin. It is done whole or not at all.\n\n"
        "This cannot be undone. Backups keep what they have until they are deleted, and a restore brings it back:\n"
        "erase again after a restore. The server's log keeps addresses for as long as the log is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", metavar="PERSON", help="the account's id, its e-mail or its roll number")
        parser.add_argument("--dry-run", action="store_true", help="say what would be erased, and erase nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, person: str, dry_run: bool, yes: bool, **options: Any) -> None:
        found = _find(person)
        plan = erasure_plan(user_id=found.id)
        self.report(plan)
        if dry_run:
            self.stdout.write("Nothing was erased: this was a dry run.")
            return
        if plan.refusals:
            raise CommandError("Nothing was erased.")
        if not yes and not self.agreed():
            raise CommandError("Nothing was erased.")
        try:
            person_erase(user_id=found.id)
        except errors.ErasureRefused as refusal:  # something has begun since the plan
            raise CommandError(" ".join(["Nothing was erased.", *refusal.reasons])) from None
        trail.command(Action.CHANGE, "erase_person", kind="user", thing=found.id)
        self.stdout.write(f"{found.id} is erased. Backups keep the person until they are deleted.")

    def report(self, plan: Plan) -> None:
        self.stdout.write(printable(f"{plan.user}, {plan.user.role}, id {plan.user.id}"))
        for step in plan.steps:
            columns = f"emptied: {', '.join(step.columns)}" if step.columns else "deleted"
            self.stdout.write(f"  {step.rows:6} {step.table}  {columns}")
        for reason in plan.refusals:
            self.stdout.write(printable(reason))

    def agreed(self) -> bool:
        self.stdout.write("This cannot be undone.")
        try:
            return input(f"Type {_WORD} to go on: ").strip() == _WORD
        except EOFError:
            return False


def _find(text: str) -> User:
    """The account that an argument names. `CommandError` if there is none."""
    people = User.objects
    key = parse_id(text)
    found = people.filter(pk=key).first() if key else None
    if found is None and "\0" not in text:
        found = people.by_email(text) or people.by_roll_number(text)
    if found is None:
        raise CommandError(printable(f"Nobody has the id, the e-mail or the roll number {text!r}."))
    return found
