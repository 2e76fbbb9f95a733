"""`manage.py find_doubles`: accounts whose e-mail or roll number is another account's in another spelling."""

from typing import Any

from accounts.doubles import Doubles, doubles_find
from accounts.models import User
from core.characters import is_invisible
from core.commands import ExplainedCommand, printable
from core.plurals import counted


class Command(ExplainedCommand):
    help = (
        "Lists accounts whose e-mail or roll number is another account's in another spelling: an invisible or a\n"
        "full-width character, or for roll numbers another letter case. No door makes such an account any more; those\n"
        "that were there stay usable, each by its own spelling. Correct them in the admin: give one of two another\n"
        "e-mail or roll number, or delete it, and run the command again."
    )
    example = "  python manage.py find_doubles\n"

    def handle(self, *args: Any, **options: Any) -> None:
        found = doubles_find()
        for double in found:
            self.stdout.write(f"{double.what} {printable(double.key)}: {len(double.users)} accounts")
            for user in double.users:
                self.stdout.write(f"  {_line(double, user)}")
        self.stdout.write(f"{counted(len(found), 'double')}." if found else "There are no doubles.")


def _line(double: Doubles, user: User) -> str:
    spelled = "".join(f"<U+{ord(letter):04X}>" if is_invisible(letter) else letter for letter in double.spelling(user))
    return printable(f"{user.id}  {user.role}  {user.name}  {spelled}  made {user.created_at:%Y-%m-%d}")
