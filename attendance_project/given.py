"""What operators give: the file `.env`, and how the settings' texts are read. What cannot be right is refused in words.

All of it raises `ImproperlyConfigured` with one line that says what to do. No line shows what may be a secret.
"""

import ipaddress
import os
import re
from collections.abc import Collection, Iterable
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv.parser import parse_stream
from environs import Env
from marshmallow import ValidationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: A secret has at least so many bytes.
SECRET_BYTES = 32

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@*]+")
_HOST = re.compile(
    r"\*|\.?[^\s/:@?#*.]+(\.[^\s/:@?#*.]+)*\.?|\[[0-9a-f:.]+\]|[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.]*", re.IGNORECASE
)
_MAILBOX = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+|[^<>\r\n]*<[^\s@<>,;]+@[^\s@<>,;]+>")


class Given(Env):
    """The environment, and what a file adds to it."""

    def leave_out(self, names: Iterable[str]) -> None:
        """These are as if nobody had set them, in the environment or in the file."""
        for name in names:
            os.environ.pop(name, None)
            self._environ.pop(name, None)


def env_file(path: Path, env: Env) -> None:
    """Reads the file `.env` into `env`, where there is one. What the environment has already wins."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        text = "\0"
    except OSError as failure:
        raise ImproperlyConfigured(f"Cannot read {path}: {failure.strerror}.") from None
    if "\0" in text:
        raise ImproperlyConfigured(f"{path} is not UTF-8. Save it as a text file with UTF-8.")
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            written = binding.original.string
            number = binding.original.line + len(written[: len(written) - len(written.lstrip())].splitlines())
            raise ImproperlyConfigured(
                f"Line {number} of {path} is no setting. Write NAME=value, with # before a comment, and close the"
                " quotes of a value that has any."
            )
    env.read_env(str(path), recurse=False)


def add_parsers(env: Env) -> None:
    """`env.names` reads every list, and `env.port` a port that there need not be."""
    env.add_parser("names", _names)
    env.add_parser("port", _port)


def _names(given: str | list[str], *, among: Collection[str] | None = None) -> list[str]:
    """What stands between the commas, without blanks around it. `among`: what there may be."""
    names = [each.strip() for each in given.split(",") if each.strip()] if isinstance(given, str) else given
    unknown = next((name for name in names if among is not None and name not in among), None)
    if among is not None and unknown is not None:
        raise ValidationError(f"{unknown!r} is none of: {', '.join(among)}.")
    return names


def _port(given: str | None) -> int | None:
    """A port; None for an empty text."""
    text = (given or "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValidationError("Write a number from 1 to 65535, or leave it empty.")
    return int(text)


def networks(setting: str, given: Iterable[str]) -> list[Network]:
    """The networks that `setting` names."""
    found: list[Network] = []
    for name in given:
        try:
            found.append(ipaddress.ip_network(name))
        except ValueError as failure:
            raise ImproperlyConfigured(
                f"{setting} has {name!r}, which is no network: {failure}. Write 192.168.0.0/16 or 2001:db8::/32"
            ) from None
    return found


def hosts(setting: str, given: list[str]) -> list[str]:
    """Host names, as requests have them in `Host`, without the port."""
    for name in given:
        if not _HOST.fullmatch(name):
            raise ImproperlyConfigured(
                f"{setting} has {name!r}, which is no host name. Write attendance.school.example, without https:// and"
                " without a port; .school.example for all that end so; * for any"
            )
    return given


def origins(setting: str, given: Iterable[str], *, also: Collection[str] = ()) -> list[str]:
    """Origins, as browsers write them. `also`: what else may stand there."""
    found = [origin.lower().rstrip("/") for origin in given]
    for origin in found:
        if origin not in also and not _ORIGIN.fullmatch(origin.replace("://*.", "://") if "*" not in also else origin):
            raise ImproperlyConfigured(
                f"{setting} has {origin!r}, which is no origin. Write https://school.example, with a port where the"
                " address has one, and nothing behind it"
            )
    return found


def proxies(setting: str, given: list[str]) -> str:
    """Addresses and networks of proxies, as uvicorn takes them, which believes nobody by what it cannot read."""
    if given != ["*"]:
        networks(setting, given)
    return ",".join(given)


def sender(setting: str, given: str) -> str:
    """The sender of mails: an address, or a name and an address."""
    if not _MAILBOX.fullmatch(given.strip()):
        raise ImproperlyConfigured(
            f"{setting} is {given!r}, which is no sender of mails. Write attendance@school.example, or"
            " School <attendance@school.example>"
        )
    return given.strip()


def mail_server(setting: str, given: str) -> None:
    """Refuses an address of a mail server that names none."""
    if given.startswith(("smtp", "subm")) and not urlsplit(given).hostname:
        raise ImproperlyConfigured(f"{setting} names no mail server. Write smtp://user:password@host:587/?tls=True")


def secret(setting: str, given: str) -> str:
    """A secret of the environment."""
    if len(given.encode()) < SECRET_BYTES:
        raise ImproperlyConfigured(
            f"{setting} is shorter than {SECRET_BYTES} bytes, so it could be guessed. Make one with:"
            " openssl rand -hex 32"
        )
    return given


def kept_secret(path: Path, *, loss: str) -> str:
    """The secret that a file has; `FileNotFoundError` without one. `loss`: what it costs to have another secret."""
    try:
        kept = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise
    except UnicodeDecodeError:
        kept = ""
    except OSError as unreadable:
        raise ImproperlyConfigured(f"Cannot read {path}: {unreadable.strerror}.") from None
    if len(kept.encode()) < SECRET_BYTES:
        raise ImproperlyConfigured(
            f"{path} has no secret of {SECRET_BYTES} bytes or more, as this server makes them. Take the file back from"
            f" its copy, or delete it: serve --setup then makes another. {loss}"
        )
    return kept
