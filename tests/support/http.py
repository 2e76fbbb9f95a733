"""Django's test client, with one handler for all of them.

A handler reads every static file when it is made, which takes longer than most tests.
"""

from typing import Any

from django.conf import settings
from django.test import client

_handler = client.ClientHandler(enforce_csrf_checks=False)


class Client(client.Client):
    """A client with cookies of its own."""

    def request(self, **request: Any) -> Any:
        if not settings.DEBUG:  # with DEBUG the middleware are others, so there the client's own handler makes them
            self.handler = _handler
        return super().request(**request)
