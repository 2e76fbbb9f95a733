"""`manage.py send_notices`: what the server sends by itself, for those who prefer cron."""

from typing import Any

from core.commands import ExplainedCommand
from core.plurals import counted
from notices.sending import send_due

EXAMPLE = """\
  python manage.py send_notices
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Sends the notices and webhooks that are due, once, and says how many. A running server does so every five\n"
        "seconds; both may run, and nobody is told twice. What fails is tried again, by either, for three days."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = send_due()
        sessions, notices = counted(done.looked_at, "session"), counted(done.told, "notice")
        self.stdout.write(f"{sessions} looked at, {notices} sent, {done.failed} failed.")
