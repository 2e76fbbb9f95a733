"""The base of the project's commands: help texts keep their lines, and an example stands below them."""

import argparse
import os
import re
import sys
import unicodedata
from datetime import date
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from core.database.readiness import NotReady, require_ready
from core.times import is_far

#: Soft hyphen, joiners, marks of direction.
_MARKS_OF_NAMES = "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


class HelpFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's order of arguments, with the line breaks of description and examples as they are in the source."""


class NeedsServer(BaseCommand):
    """A command that works on a server that is there: its own files, and a database with all tables."""

    needs_server: ClassVar[bool] = True

    def execute(self, *args: Any, **options: Any) -> str | None:
        if self.needs_server and self._called_from_command_line:  # type: ignore[attr-defined]
            try:
                require_ready()
            except NotReady as reason:
                raise CommandError(str(reason)) from None
        return super().execute(*args, **options)


class ExplainedCommand(NeedsServer):
    """A command whose `--help` ends with `example`."""

    example: ClassVar[str]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=HelpFormatter, epilog=f"example:\n{self.example}", **kwargs
        )

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except BrokenPipeError:  # as in `… | head`, which stops reading
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)


def port_number(text: str) -> int:
    """The type of an option that is a TCP port; 0 stands for any."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: write a number from 0 to 65535")
    return int(text)


def printable(text: str) -> str:
    """`text` with a replacement character for each that is not printable. A file's text must not steer a terminal.

    Spaces of all kinds, joiners and direction marks stay, because names have them. What turns the direction of all that
    follows goes.
    """
    return "".join(letter if _is_shown(letter) else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _is_shown(letter: str) -> bool:
    return letter.isprintable() or letter in _MARKS_OF_NAMES or unicodedata.category(letter) == "Zs"


def day_given(option: str, text: str | None) -> date | None:
    """The day that an option names; None where it was not given. Raises `CommandError` for another form."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else None
    except ValueError:
        day = None
    if day is None or is_far(day):
        raise CommandError(f"{option} {text!r} is not a day. The form is YYYY-MM-DD, for example 2025-03-11.")
    return day
