"""`manage.py backup`: everything that the database has, in one file, while the server runs."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from audit import trail
from audit.models import Action
from core.commands import ExplainedCommand
from core.database.backup.archive import left_empty
from core.database.backup.write import backup, count_rows
from core.files import replaced
from core.plurals import counted

EXAMPLE = """\
  python manage.py backup /backups/attendance-2026-11-28.zip
  python manage.py backup --with-secrets /safe/attendance-and-secrets.zip
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Writes everything that the database has at one moment into FILE, while the server runs. Nobody waits for it.\n"
        "restore takes the file back, into any of the three databases.\n\n"
        "Only the file's owner can read it. It has e-mail addresses and the hashes of passwords: keep it as private\n"
        "as the database. It has no sign-ins of browsers.\n\n"
        "The secrets in DATA_DIR, secret_key.txt and jwt_secret.txt, are not in it: keep them once, and apart. With\n"
        "other secrets everybody signs in again, and second factors cannot be read. --with-secrets puts them in.\n"
        "Secrets of the environment (SECRET_KEY, JWT_SECRET) are never in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="FILE", type=Path, help="a file of this name is replaced once all is there")
        parser.add_argument("--with-secrets", action="store_true", help="put the secrets in DATA_DIR into the file")

    def handle(self, *args: Any, path: Path, with_secrets: bool, **options: Any) -> None:
        path = Path(path)
        if path.exists() and not path.is_file():
            raise CommandError(f"{path} is not a file.")
        secrets = settings.KEPT_SECRETS if with_secrets else []
        trail.command(Action.EXPORT, "backup")
        try:
            with replaced(path) as file, tqdm(total=count_rows(), desc="Writing", unit=" rows", disable=None) as bar:
                made = backup(file, secrets=secrets, advance=bar.update)
        except OSError as failure:
            raise CommandError(f"Cannot write {path}: {failure.strerror}.") from None
        rows, tables = counted(made.rows, "row"), counted(len(made.tables), "table")
        self.stdout.write(f"{rows} of {tables}, {counted(len(made.secrets), 'secret')}: {path}")
        if made.left_empty:
            self.stderr.write(left_empty(made.left_empty))
