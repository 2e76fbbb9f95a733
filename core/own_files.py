"""The server's own files, which `migrate` and `serve --setup` make: secrets in DATA_DIR and, on SQLite, the database.

No other command makes any of them. With a DATA_DIR that is not the server's, such a command would work on an empty
database and with other secrets, and nobody would notice.
"""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.files import kept, private_file, private_folder
from core.program import command_line


def missing() -> list[Path]:
    """Those of the files that are not there."""
    return [path for path in (*settings.NEW_SECRETS, settings.DATABASE_FILE) if path is not None and not path.exists()]


def require() -> None:
    """Raises `ImproperlyConfigured` if a file is missing."""
    lacking = missing()
    if lacking:
        names = " and ".join(path.name for path in lacking)
        raise ImproperlyConfigured(
            f"{lacking[0].parent} has no {names}. Set DATA_DIR (or DATABASE_URL) to the server's,"
            f" or make a new server with: {command_line('serve', '--setup')}"
            f" (for restore, with: {command_line('migrate')})"
        )


def make() -> list[Path]:
    """Makes the files that are missing, for their owner alone; returns them.

    Raises `ImproperlyConfigured` where there can be no such file.
    """
    lacking = missing()
    for path in lacking:
        try:
            private_folder(path.parent)
            if path == settings.DATABASE_FILE:
                private_file(path)
            else:
                _keep_secret(path, settings.NEW_SECRETS[path])
        except OSError as failure:
            raise ImproperlyConfigured(f"Cannot make {path}: {failure.strerror}.") from None
    return lacking


def _keep_secret(path: Path, secret: str) -> None:
    """Keeps the secret; if another process that starts at the same time was first, its secret is taken."""
    setattr(settings, path.stem.upper(), kept(path, secret.encode()).decode().strip())
