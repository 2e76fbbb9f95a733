"""`manage.py restore`: a backup's rows into an empty database."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from audit import trail
from audit.models import Action
from core.commands import ExplainedCommand
from core.database.backup.archive import BackupError, Reader, left_empty, opened
from core.database.backup.restore import restore
from core.files import replaced
from core.plurals import are, counted

EXAMPLE = """\
  python manage.py migrate
  python manage.py restore /backups/attendance-2026-11-28.zip
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Fills an empty database with what backup wrote, from whichever database. First the file is checked by its\n"
        "checksums. Then everything is written, read again, counted, and compared with the file row by row. Only if\n"
        "all of it is there does it stay.\n\n"
        "The database is empty if nobody has an account: make it with migrate, not with serve --setup. --replace\n"
        "deletes all that a database has: stop the server before that.\n\n"
        "On MongoDB nothing can be undone that takes so long: after a failure the database is empty. A restore that\n"
        "was killed there is to be run again with --replace. MongoDB keeps times to the millisecond.\n\n"
        "A backup of a newer format, or of a version with other tables, is refused. Tokens that were voided after the\n"
        "backup are good again until they expire: with another JWT_SECRET none is.\n\n"
        "The secrets in DATA_DIR stay as they are. --with-secrets replaces them by those of the file, if it has them;\n"
        "start the server anew afterwards."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="FILE", type=Path, help="a file that backup wrote")
        parser.add_argument("--replace", action="store_true", help="delete all that the database has")
        parser.add_argument("--with-secrets", action="store_true", help="take the file's secrets into DATA_DIR")

    def handle(self, *args: Any, path: Path, replace: bool, with_secrets: bool, **options: Any) -> None:
        try:
            with opened(Path(path)) as backup:
                secrets = _secrets(backup) if with_secrets else {}
                gone = self.fill(backup, replace)
        except BackupError as failure:
            raise CommandError(str(failure)) from None
        try:
            for place, secret in secrets.items():
                with replaced(place) as file:
                    file.write(secret)
        except OSError as failure:
            raise CommandError(f"The rows are back, and no secret: cannot write {place}: {failure.strerror}.") from None
        trail.command(Action.CHANGE, "restore")
        made = backup.manifest
        rows, tables = counted(made.rows, "row"), counted(len(made.tables), "table")
        self.stdout.write(f"{rows} of {tables} {are(made.rows)} back, {counted(len(secrets), 'secret')}: {path}")
        if gone:
            self.stderr.write(left_empty(gone))

    def fill(self, backup: Reader, replace: bool) -> dict[str, int]:
        with tqdm(total=3 * backup.manifest.rows, unit=" rows", disable=None) as bar:

            def advance(step: str, rows: int) -> None:
                bar.set_description(step, refresh=False)
                bar.update(rows)

            return restore(backup, replace=replace, advance=advance)


def _secrets(backup: Reader) -> dict[Path, bytes]:
    """The files in DATA_DIR → the secrets that the backup has for them."""
    if not backup.manifest.secrets:
        raise BackupError("The backup has no secrets.")
    places = {place.name: place for place in settings.KEPT_SECRETS}
    given = set(backup.manifest.secrets) - places.keys()
    if given:
        raise BackupError(f"The environment gives this server's secrets, so these would not count: {sorted(given)}")
    return {places[name]: backup.secret(name) for name in backup.manifest.secrets}
