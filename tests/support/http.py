"""Django's test client, with one handler for all of them.

A handler reads every static file when it is made, which takes longer than most tests.
"""

from typing import Any

from django.conf import settings
from django.test import client

import accounts.admin_sessions  # noqa: F401  hears of sign-ins; the first test signs in before any route is loaded
from tests.support.quick import Compared

_handler = client.ClientHandler(enforce_csrf_checks=False)
_compared = Compared(_handler)


class Client(client.Client):
    """A client with cookies of its own. What it asks, the quick way is asked as well."""

    _base_environ: Any

    def request(self, **request: Any) -> Any:
        if not settings.DEBUG:  # with DEBUG the middleware are others, so there the client's own handler makes them
            self.handler = _handler
        sent = request.get("wsgi.input")
        body = b"" if sent is None else sent.read()
        if sent is not None:
            request["wsgi.input"] = client.FakePayload(body)
        response = super().request(**request)
        _compared.check(self._base_environ(**request), body, response)
        return response
