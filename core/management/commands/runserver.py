"""`manage.py runserver`: daphne's command, because Django's own has no WebSockets.

The app `daphne` is not in INSTALLED_APPS, because it would load Twisted into every process, that of `serve` too.
"""

from daphne.management.commands import runserver
from django.core.management.base import CommandParser

from core.commands import NeedsServer

#: The largest message, bytes. daphne's own limit, 1 MiB, holds for what the server sends as well: the answer to SYNC in
#: a long session is larger. What clients send has a limit of ours (MAX_MESSAGE_SIZE).
LARGEST = 64 * 1024 * 1024


class Command(NeedsServer, runserver.Command):  # type: ignore[misc]
    """Says what is missing before anything starts."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(websocket_max_message_size=LARGEST, websocket_max_frame_size=LARGEST)
