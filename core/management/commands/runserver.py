"""`manage.py runserver`: daphne's command, because Django's own has no WebSockets.

The app `daphne` is not in INSTALLED_APPS, because it would load Twisted into every process, that of `serve` too.
"""

from daphne.management.commands import runserver

from core.commands import NeedsServer


class Command(NeedsServer, runserver.Command):  # type: ignore[misc]
    """Says what is missing before anything starts."""
