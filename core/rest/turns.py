"""The turn in which a request waits for a thread, read from the raw request before any view runs."""

from typing import Any
from urllib.parse import parse_qs

from core import strict_json
from core.addresses import network_of
from core.turns import Turn

#: The fields that name an account in the sign-ins of all protocols.
NAMES = ("email", "rollNumber", "login", "username")
#: A longer body is no sign-in and is not parsed here, bytes: this code runs in the event loop.
LONGEST = 4096


def turn_of(scope: Any, body: bytes) -> Turn:
    """The turn of the client's network and of the account that the body names, or of the client's credential."""
    return Turn(_network(scope), _account(dict(scope.get("headers", ())), body))


def turn_of_credential(scope: Any, body: bytes = b"") -> Turn:
    """The turn of the client's network and credential, for requests that sign nobody in."""
    return Turn(_network(scope), _credential(dict(scope.get("headers", ()))))


def _network(scope: Any) -> str:
    return network_of((scope.get("client") or ("", 0))[0])


def _credential(headers: dict[bytes, bytes]) -> str:
    return (headers.get(b"authorization") or headers.get(b"cookie") or b"").decode("latin-1")


def _account(headers: dict[bytes, bytes], body: bytes) -> str:
    fields = _fields(headers.get(b"content-type", b""), body) if len(body) <= LONGEST else {}
    for name in NAMES:
        value = fields.get(name)
        if isinstance(value, (str, int)):
            return str(value).strip().lower()
    return _credential(headers)


def _fields(content_type: bytes, body: bytes) -> dict[str, Any]:
    try:
        if content_type.startswith(b"application/x-www-form-urlencoded"):
            return {name: values[0] for name, values in parse_qs(body.decode()).items()}
        fields = strict_json.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
