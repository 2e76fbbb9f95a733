"""`manage.py invite`: leave to sign up, by mail or as a printed link."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from accounts.invitations import LIFETIME, PAGE, Made, invitation_mail, invitation_print, invitation_void
from core import errors, running
from core.commands import ExplainedCommand, printable
from core.emails import email_key, valid_email
from core.identity import Role
from core.plurals import are

EXAMPLE = """\
  python manage.py invite teacher asha@school.example ben@school.example
  python manage.py invite student --file addresses.txt
  python manage.py invite teacher --print 3
  python manage.py invite teacher asha@school.example --print 1
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        f"Invites people to sign up, each once and within {LIFETIME.days} days, as a teacher or a student.\n"
        "Without --print an invitation is mailed to each address, and whoever accepts it has shown that the mailbox\n"
        "is theirs. With --print the invitations are printed here, to be handed over, and are mailed to nobody.\n"
        "All addresses are checked before anything is sent. Links begin with PUBLIC_URL, or else with the address at\n"
        "which others reach the server that runs here; without either there is the invitation alone, which a client\n"
        "sends as `invitation` to POST /auth/signup. The admin lists them all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", choices=Role.values, help="what the invited people will be")
        parser.add_argument("emails", metavar="EMAIL", nargs="*", help="who is invited")
        parser.add_argument("--file", metavar="FILE", type=Path, help="a file of further addresses, one a line")
        parser.add_argument(
            "--print",
            metavar="N",
            type=int,
            dest="number",
            help="print N invitations for whoever is given one; with addresses N is 1, one for each address",
        )

    def handle(
        self, *args: Any, role: str, emails: Sequence[str], file: Path | None, number: int | None, **options: Any
    ) -> None:
        wanted = _checked([*emails, *(_lines_of(Path(file)) if file else ())])
        if number is not None and (number < 1 or (wanted and number != 1)):
            raise CommandError("--print takes a number from 1 on, and 1 where addresses are given.")
        if number is None and not wanted:
            raise CommandError("Name at least one address, or a --file of addresses, or --print N.")
        server = running.found() if not settings.PUBLIC_URL else None
        site = server.public if server is not None else ""
        try:
            if number is None:
                self.mail(Role(role), wanted, site)
            else:
                self.print_all(Role(role), wanted or [""] * number, site)
        except errors.SignupClosed:
            raise CommandError(
                "SIGNUP=closed: nobody can sign up, with an invitation neither. Set SIGNUP=invited, for example."
            ) from None

    def print_all(self, role: Role, emails: Sequence[str], site: str) -> None:
        for email in emails:
            made = invitation_print(role=role, email=email)
            self.stdout.write(f"{made.link(site) or made.secret}  {email or 'whoever has it'}")
        self._say_what_lacks(site)
        self.stdout.write(_good_until(role, len(emails)))

    def mail(self, role: Role, emails: Sequence[str], site: str) -> None:
        made: list[tuple[str, Made]] = []
        refused: list[tuple[str, str]] = []
        for email in tqdm(emails, desc="Inviting", disable=None):
            try:
                made.append((email, invitation_mail(role=role, email=email, site=site)))
            except errors.EmailTaken:
                refused.append((email, "somebody has this address already: change the role in the admin"))
            except errors.TooManyRequests:
                refused.append((email, "this mailbox has had too many mails: wait an hour"))
        for email, one in tqdm(made, desc="Waiting for the mail server", disable=None):
            if one.mailed is not None and not one.mailed.result():
                invitation_void(invitation_id=one.invitation.id)
                refused.append((email, "the mail server did not take the mail: see the lines above"))
        if made:
            self._say_what_lacks(site)
        for email, reason in refused:
            self.stdout.write(f"{printable(email)}: not invited: {reason}")
        self.stdout.write(_good_until(role, len(emails) - len(refused)))
        if refused:
            raise CommandError(
                f"{len(refused)} of {len(emails)} {are(len(refused))} not invited. Invite again once that is mended."
            )

    def _say_what_lacks(self, site: str) -> None:
        if not (settings.PUBLIC_URL or site):
            self.stderr.write(
                "These have no link: no server runs here that others reach, and PUBLIC_URL is not set. Each is opened"
                f" at the server's address, below {PAGE} (as {PAGE}abcd-…)."
            )


def _good_until(role: Role, number: int) -> str:
    return f"{number} invited as {role.value}, for {LIFETIME.days} days."


def _lines_of(path: Path) -> Iterable[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8. Save it as a text file with UTF-8.") from None
    except OSError as failure:
        raise CommandError(f"Cannot read {path}: {failure.strerror}.") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _checked(emails: Iterable[str]) -> list[str]:
    """The addresses, each once; `CommandError` names all those that are none."""
    wrong = []
    found: dict[str, str] = {}
    for email in emails:
        try:
            valid_email(email)
        except ValidationError:
            wrong.append(printable(email))
        else:
            found.setdefault(email_key(email), email)
    if wrong:
        raise CommandError(f"Nobody was invited. These are no e-mail addresses, correct them: {', '.join(wrong)}")
    return list(found.values())
